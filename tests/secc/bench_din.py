"""One plausible request of every type of DIN 70121, and the way a vehicle goes; names as in `bench_requests`."""

from __future__ import annotations

import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.secc import bench_requests
from tests.secc.bench_car import Car
from tests.secc.bench_charger import BenchCharger
from tests.secc.bench_requests import Step, in_pilot, sends
from v2g.messages import din
from v2g.messages.din import PhysicalValue, UnitSymbol

NAMESPACE = "urn:din:70121:2012:MsgDef"


def value(number: float, unit: str) -> PhysicalValue:
    """A PhysicalValue with one decimal."""
    return PhysicalValue(Multiplier=-1, Unit=UnitSymbol(unit), Value=int(Decimal(str(number)) * 10))


def watts(number: int) -> PhysicalValue:
    return PhysicalValue(Multiplier=1, Unit=UnitSymbol.W, Value=number // 10)


def selection(payment: str = "ExternalPayment", *services: int) -> din.ServicePaymentSelectionReq:
    chosen = [din.SelectedService(ServiceID=service) for service in services or (1,)]
    return din.ServicePaymentSelectionReq(
        SelectedPaymentOption=din.PaymentOption(payment),
        SelectedServiceList=din.SelectedServiceList(SelectedService=chosen),
    )


def dc_parameters(
    *, mode: str = "DC_extended", max_a: float = 125, max_v: float = 420, max_w: int | None = 50_000
) -> din.ChargeParameterDiscoveryReq:
    return din.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=din.EVRequestedEnergyTransfer(mode),
        EVChargeParameter=din.DC_EVChargeParameter(
            DC_EVStatus=ev_status(),
            EVMaximumCurrentLimit=value(max_a, "A"),
            EVMaximumVoltageLimit=value(max_v, "V"),
            EVMaximumPowerLimit=None if max_w is None else watts(max_w),
        ),
    )


def ac_parameters(mode: str = "DC_extended") -> din.ChargeParameterDiscoveryReq:
    return din.ChargeParameterDiscoveryReq(
        EVRequestedEnergyTransferType=din.EVRequestedEnergyTransfer(mode),
        EVChargeParameter=din.AC_EVChargeParameter(
            DepartureTime=0,
            EAmount=watts(10_000),
            EVMaxVoltage=value(400, "V"),
            EVMaxCurrent=value(16, "A"),
            EVMinCurrent=value(6, "A"),
        ),
    )


def ev_status(error: str = "NO_ERROR", soc: int = 40) -> din.DC_EVStatus:
    return din.DC_EVStatus(EVReady=True, EVErrorCode=din.DC_EVErrorCode(error), EVRESSSOC=soc)


def power(progress: str, tuple_id: int | None = None, error: str = "NO_ERROR") -> din.PowerDeliveryReq:
    """Start or stop; with a tuple there is a profile, too."""
    entries = [din.ProfileEntry(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=32_767)]
    return din.PowerDeliveryReq(
        ReadyToChargeState=progress == "Start",
        ChargingProfile=None
        if tuple_id is None
        else din.ChargingProfile(SAScheduleTupleID=tuple_id, ProfileEntry=entries),
        EVPowerDeliveryParameter=din.DC_EVPowerDeliveryParameter(DC_EVStatus=ev_status(error), ChargingComplete=False),
    )


def cable_check(error: str = "NO_ERROR") -> din.CableCheckReq:
    return din.CableCheckReq(DC_EVStatus=ev_status(error))


def precharge(volts: float = 380, amperes: float = 1, error: str = "NO_ERROR") -> din.PreChargeReq:
    return din.PreChargeReq(
        DC_EVStatus=ev_status(error), EVTargetVoltage=value(volts, "V"), EVTargetCurrent=value(amperes, "A")
    )


def demand(volts: float = 385, amperes: float = 100, **more: Any) -> din.CurrentDemandReq:
    return din.CurrentDemandReq(
        DC_EVStatus=ev_status(),
        EVTargetVoltage=value(volts, "V"),
        EVTargetCurrent=value(amperes, "A"),
        ChargingComplete=False,
        **more,
    )


def welding(error: str = "NO_ERROR") -> din.WeldingDetectionReq:
    return din.WeldingDetectionReq(DC_EVStatus=ev_status(error))


def stop() -> din.SessionStopReq:
    return din.SessionStopReq()


SETUP = din.SessionSetupReq(EVCCID=bytes.fromhex("020000000001"))
_CHAIN = din.CertificateChain(Certificate=b"\x30\x00")
_ROOTS = din.ListOfRootCertificateIDs(RootCertificateID=["CN=V2G"])

EVERY: tuple[din.BodyElement, ...] = (
    SETUP,
    din.ServiceDiscoveryReq(),
    din.ServiceDetailReq(ServiceID=1),
    selection(),
    din.PaymentDetailsReq(ContractID="C1", ContractSignatureCertChain=_CHAIN),
    din.ContractAuthenticationReq(),
    dc_parameters(),
    power("Start"),
    din.ChargingStatusReq(),
    din.MeteringReceiptReq(SessionID=bytes(8), MeterInfo=din.MeterInfo(MeterID="M1")),
    cable_check(),
    precharge(),
    demand(),
    welding(),
    stop(),
    din.CertificateInstallationReq(
        Id="i", OEMProvisioningCert=b"\x30\x00", ListOfRootCertificateIDs=_ROOTS, DHParams=b"1"
    ),
    din.CertificateUpdateReq(
        Id="i", ContractSignatureCertChain=_CHAIN, ContractID="C1", ListOfRootCertificateIDs=_ROOTS, DHParams=b"1"
    ),
)


async def greet(car: Car, _charger: BenchCharger) -> Any:
    return await car.negotiate(NAMESPACE)


# Where the station waits, and the request that takes it to the next wait.
DC: tuple[Step, ...] = (
    ("SupportedAppProtocol", greet),
    ("SessionSetup", sends(SETUP)),
    ("ServiceDiscovery", sends(din.ServiceDiscoveryReq())),
    ("ServicePaymentSelection", sends(selection())),
    ("ContractAuthentication", sends(din.ContractAuthenticationReq())),
    ("ChargeParameterDiscovery", sends(dc_parameters())),
    ("CableCheck", in_pilot("C", cable_check())),
    ("PreCharge first", sends(precharge())),
    ("PreCharge", sends(power("Start"))),
    ("CurrentDemand first", sends(demand())),
    ("CurrentDemand", sends(power("Stop"))),
    ("WeldingOrStop", in_pilot("B", welding())),
    ("WeldingOrStop again", sends(stop())),
)

# For tests of what both standards have: `dc` is the module with the requests and the way of one of them.
BOTH = pytest.mark.parametrize(
    "dc", [pytest.param(bench_requests, id="iso2"), pytest.param(sys.modules[__name__], id="din")]
)
