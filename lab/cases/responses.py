"""One right response to every request, as a station of the tester's would send it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lab.cases.requests import amperes, volts, watts
from v2g.messages import iso2
from v2g.messages.iso2 import EVSENotification, EVSEProcessing, ResponseCode

EVSE_ID = "DE*PCG*E0007"
OK = ResponseCode.OK
MODES = {"AC": ("AC_single_phase_core", "AC_three_phase_core"), "DC": ("DC_extended",)}
CHALLENGE = bytes(range(16))
A_DAY_S = 86_400
POWER_W = 11_040
CERTIFICATE, INTERNET = 2, 3
FLAT_V, LIVE_V = 5.0, 300.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps of (second, watts) from now on, perhaps with a price level for each."""

    id: int = 1
    steps: Sequence[tuple[int, float]] = ((0, POWER_W),)
    prices: Sequence[int] = ()


def ac_status(notification: str = "None", delay_s: int = 0) -> iso2.AC_EVSEStatus:
    """What an AC station says of itself."""
    return iso2.AC_EVSEStatus(NotificationMaxDelay=delay_s, EVSENotification=EVSENotification(notification), RCD=False)


def dc_status(notification: str = "None", delay_s: int = 0, code: str = "EVSE_Ready") -> iso2.DC_EVSEStatus:
    """What a DC station says of itself."""
    return iso2.DC_EVSEStatus(
        NotificationMaxDelay=delay_s,
        EVSENotification=EVSENotification(notification),
        EVSEIsolationStatus=iso2.IsolationLevel.Valid,
        EVSEStatusCode=iso2.DC_EVSEStatusCode(code),
    )


def status(energy: str, notification: str = "None", delay_s: int = 0) -> iso2.EVSEStatus:
    """Either of them."""
    return ac_status(notification, delay_s) if energy == "AC" else dc_status(notification, delay_s)


def session_setup(*, joined: bool = False) -> iso2.SessionSetupRes:
    """Open a session, or let one be joined."""
    code = ResponseCode.OK_OldSessionJoined if joined else ResponseCode.OK_NewSessionEstablished
    return iso2.SessionSetupRes(ResponseCode=code, EVSEID=EVSE_ID)


def service_discovery(energy: str, payments: Sequence[str], services: Sequence[int] = ()) -> iso2.ServiceDiscoveryRes:
    """Offer charging, ways to pay, and other services."""
    modes = [iso2.EnergyTransferMode(mode) for mode in MODES[energy]]
    kinds = {CERTIFICATE: iso2.ServiceCategory.ContractCertificate, INTERNET: iso2.ServiceCategory.Internet}
    listed = [iso2.Service(ServiceID=each, ServiceCategory=kinds[each], FreeService=True) for each in services]
    return iso2.ServiceDiscoveryRes(
        ResponseCode=OK,
        PaymentOptionList=iso2.PaymentOptionList(PaymentOption=[iso2.PaymentOption(each) for each in payments]),
        ChargeService=iso2.ChargeService(
            ServiceID=1,
            ServiceCategory=iso2.ServiceCategory.EVCharging,
            FreeService=False,
            SupportedEnergyTransferMode=iso2.SupportedEnergyTransferMode(EnergyTransferMode=modes),
        ),
        ServiceList=iso2.ServiceList(Service=listed) if listed else None,
    )


def service_detail(service: int) -> iso2.ServiceDetailRes:
    """The parameter sets of a service."""
    names = [("Service", "Installation"), ("Service", "Update")] if service == CERTIFICATE else [("Protocol", "http")]
    sets = [
        iso2.ParameterSet(ParameterSetID=number, Parameter=[iso2.Parameter(Name=name, stringValue=value)])
        for number, (name, value) in enumerate(names, 1)
    ]
    return iso2.ServiceDetailRes(
        ResponseCode=OK, ServiceID=service, ServiceParameterList=iso2.ServiceParameterList(ParameterSet=sets)
    )


def payment_details() -> iso2.PaymentDetailsRes:
    """Challenge a contract."""
    return iso2.PaymentDetailsRes(ResponseCode=OK, GenChallenge=CHALLENGE, EVSETimeStamp=0)


def authorization(processing: str = "Finished") -> iso2.AuthorizationRes:
    """Decide, or not yet."""
    return iso2.AuthorizationRes(ResponseCode=OK, EVSEProcessing=EVSEProcessing(processing))


def charge_parameters(
    energy: str, schedules: Sequence[Schedule] = (Schedule(),), notification: str = "None", delay_s: int = 0
) -> iso2.ChargeParameterDiscoveryRes:
    """Offer schedules; without any the vehicle has to ask again."""
    offered = iso2.SAScheduleList(SAScheduleTuple=[_tuple(each) for each in schedules]) if schedules else None
    return iso2.ChargeParameterDiscoveryRes(
        ResponseCode=OK,
        EVSEProcessing=EVSEProcessing.Finished if schedules else EVSEProcessing.Ongoing,
        SASchedules=offered,
        EVSEChargeParameter=_parameter(energy, notification, delay_s),
    )


def _parameter(energy: str, notification: str, delay_s: int) -> iso2.EVSEChargeParameter:
    if energy == "AC":
        return iso2.AC_EVSEChargeParameter(
            AC_EVSEStatus=ac_status(notification, delay_s), EVSENominalVoltage=volts(230), EVSEMaxCurrent=amperes(16)
        )
    return iso2.DC_EVSEChargeParameter(
        DC_EVSEStatus=dc_status(notification, delay_s),
        EVSEMaximumCurrentLimit=amperes(100),
        EVSEMaximumPowerLimit=watts(POWER_W),
        EVSEMaximumVoltageLimit=volts(500),
        EVSEMinimumCurrentLimit=amperes(0),
        EVSEMinimumVoltageLimit=volts(150),
        EVSEPeakCurrentRipple=amperes(1),
    )


def _tuple(schedule: Schedule) -> iso2.SAScheduleTuple:
    last = schedule.steps[-1][0]
    entries = [
        iso2.PMaxScheduleEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=start, duration=A_DAY_S if start == last else None),
            PMax=watts(power),
        )
        for start, power in schedule.steps
    ]
    return iso2.SAScheduleTuple(
        SAScheduleTupleID=schedule.id,
        PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=entries),
        SalesTariff=_tariff(schedule) if schedule.prices else None,
    )


def _tariff(schedule: Schedule) -> iso2.SalesTariff:
    entries = [
        iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=start), EPriceLevel=price)
        for (start, _), price in zip(schedule.steps, schedule.prices, strict=True)
    ]
    return iso2.SalesTariff(
        Id=f"tariff{schedule.id}",
        SalesTariffID=schedule.id,
        NumEPriceLevels=max(schedule.prices),
        SalesTariffEntry=entries,
    )


def power_delivery(energy: str) -> iso2.PowerDeliveryRes:
    """Switch power as asked."""
    return iso2.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=status(energy))


def charging_status(notification: str = "None") -> iso2.ChargingStatusRes:
    """A turn of the AC loop."""
    return iso2.ChargingStatusRes(
        ResponseCode=OK,
        EVSEID=EVSE_ID,
        SAScheduleTupleID=1,
        EVSEMaxCurrent=amperes(16),
        AC_EVSEStatus=ac_status(notification),
    )


def current_demand(notification: str = "None", volts_: float = 370) -> iso2.CurrentDemandRes:
    """A turn of the DC loop."""
    return iso2.CurrentDemandRes(
        ResponseCode=OK,
        DC_EVSEStatus=dc_status(notification),
        EVSEPresentVoltage=volts(volts_),
        EVSEPresentCurrent=amperes(20),
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        EVSEPowerLimitAchieved=False,
        EVSEID=EVSE_ID,
        SAScheduleTupleID=1,
    )


def cable_check(processing: str = "Finished") -> iso2.CableCheckRes:
    """The isolation test is over, or not."""
    code = "EVSE_Ready" if processing == "Finished" else "EVSE_IsolationMonitoringActive"
    return iso2.CableCheckRes(
        ResponseCode=OK, DC_EVSEStatus=dc_status(code=code), EVSEProcessing=EVSEProcessing(processing)
    )


def precharge(present: iso2.PhysicalValue) -> iso2.PreChargeRes:
    """The present voltage."""
    return iso2.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=dc_status(), EVSEPresentVoltage=present)


def welding_detection(present_v: float = FLAT_V) -> iso2.WeldingDetectionRes:
    """The voltage behind the contactors."""
    return iso2.WeldingDetectionRes(
        ResponseCode=OK, DC_EVSEStatus=dc_status(code="EVSE_Shutdown"), EVSEPresentVoltage=volts(present_v)
    )


def metering_receipt(energy: str) -> iso2.MeteringReceiptRes:
    """Accept a receipt."""
    return iso2.MeteringReceiptRes(ResponseCode=OK, EVSEStatus=status(energy))


def session_stop() -> iso2.SessionStopRes:
    """Say goodbye."""
    return iso2.SessionStopRes(ResponseCode=OK)
