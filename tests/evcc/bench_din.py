"""What a scripted station of DIN 70121 answers; names as in `bench_station`."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.evcc.bench_station import Script, ScriptedStation, running
from v2g.messages import din
from v2g.messages.din import EVSENotification, EVSEProcessing, PhysicalValue, ResponseCode, UnitSymbol

OK = ResponseCode.OK
FINISHED, ONGOING = EVSEProcessing.Finished, EVSEProcessing.Ongoing
V, A, W = UnitSymbol.V, UnitSymbol.A, UnitSymbol.W


def value(number: float, unit: UnitSymbol) -> PhysicalValue:
    return PhysicalValue(Multiplier=-1, Unit=unit, Value=round(number * 10))


def dc_status(code: str = "EVSE_Ready", notification: str = "None", isolation: str = "Valid") -> din.DC_EVSEStatus:
    return din.DC_EVSEStatus(
        EVSEIsolationStatus=din.IsolationLevel(isolation),
        EVSEStatusCode=din.DC_EVSEStatusCode(code),
        NotificationMaxDelay=0,
        EVSENotification=EVSENotification(notification),
    )


def discovery(*options: str, transfer: str = "DC_extended", service: int = 1) -> din.ServiceDiscoveryRes:
    return din.ServiceDiscoveryRes(
        ResponseCode=OK,
        PaymentOptions=din.PaymentOptions(PaymentOption=[din.PaymentOption(each) for each in options]),
        ChargeService=din.ServiceCharge(
            ServiceTag=din.ServiceTag(ServiceID=service, ServiceCategory=din.ServiceCategory.EVCharging),
            FreeService=False,
            EnergyTransferType=din.EVSESupportedEnergyTransfer(transfer),
        ),
    )


def dc_parameter() -> din.DC_EVSEChargeParameter:
    return din.DC_EVSEChargeParameter(
        DC_EVSEStatus=dc_status(isolation="Invalid"),
        EVSEMaximumCurrentLimit=value(200, A),
        EVSEMaximumPowerLimit=PhysicalValue(Multiplier=1, Unit=W, Value=6_000),
        EVSEMaximumVoltageLimit=value(500, V),
        EVSEMinimumCurrentLimit=value(0, A),
        EVSEMinimumVoltageLimit=value(150, V),
        EVSEPeakCurrentRipple=value(1, A),
    )


def parameters(
    processing: EVSEProcessing = FINISHED, parameter: din.EVSEChargeParameter | None = None
) -> din.ChargeParameterDiscoveryRes:
    entry = din.PMaxScheduleEntry(TimeInterval=din.RelativeTimeInterval(start=0, duration=86_400), PMax=32_767)
    schedule = din.PMaxSchedule(PMaxScheduleID=1, PMaxScheduleEntry=[entry])
    chosen = din.SAScheduleTuple(SAScheduleTupleID=1, PMaxSchedule=schedule)
    return din.ChargeParameterDiscoveryRes(
        ResponseCode=OK,
        EVSEProcessing=processing,
        SASchedules=din.SAScheduleList(SAScheduleTuple=[chosen]),
        EVSEChargeParameter=parameter or dc_parameter(),
    )


def cable_check(status: din.DC_EVSEStatus | None = None, processing: EVSEProcessing = FINISHED) -> din.CableCheckRes:
    return din.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=status or dc_status(), EVSEProcessing=processing)


def precharge(voltage: PhysicalValue) -> din.PreChargeRes:
    return din.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEPresentVoltage=voltage)


def demand(status: din.DC_EVSEStatus | None = None, volts: float = 370, amperes: float = 100) -> din.CurrentDemandRes:
    return din.CurrentDemandRes(
        ResponseCode=OK,
        DC_EVSEStatus=status or dc_status(),
        EVSEPresentVoltage=value(volts, V),
        EVSEPresentCurrent=value(amperes, A),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
    )


def welding(volts: float = 10) -> din.WeldingDetectionRes:
    return din.WeldingDetectionRes(
        ResponseCode=OK, DC_EVSEStatus=dc_status("EVSE_Shutdown"), EVSEPresentVoltage=value(volts, V)
    )


def usual() -> dict[str, Script]:
    """What a station without quirks answers."""
    return {
        "SessionSetup": lambda *_: din.SessionSetupRes(
            ResponseCode=ResponseCode.OK_NewSessionEstablished, EVSEID=bytes.fromhex("49A89A6360")
        ),
        "ServiceDiscovery": lambda *_: discovery("ExternalPayment"),
        "ServicePaymentSelection": lambda *_: din.ServicePaymentSelectionRes(ResponseCode=OK),
        "ContractAuthentication": lambda *_: din.ContractAuthenticationRes(ResponseCode=OK, EVSEProcessing=FINISHED),
        "ChargeParameterDiscovery": lambda *_: parameters(),
        "CableCheck": lambda *_: cable_check(),
        "PreCharge": lambda request, _: precharge(request.EVTargetVoltage),
        "PowerDelivery": lambda *_: din.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=dc_status()),
        "CurrentDemand": lambda *_: demand(),
        "WeldingDetection": lambda *_: welding(),
        "SessionStop": lambda *_: din.SessionStopRes(ResponseCode=OK),
    }


@asynccontextmanager
async def scripted(context: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedStation]:
    """Run a scripted station of DIN 70121 on ::1."""
    station = ScriptedStation("DC", "din")
    station.answers = usual()
    async with running(station, context) as serving:
        yield serving
