"""One plausible request of every type of ISO 15118-2, and the ways a vehicle goes through AC and DC sessions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

from tests.certificates import Holder
from tests.secc.bench_car import Car
from tests.secc.bench_charger import BenchCharger
from v2g.exi.message import Message
from v2g.messages import iso2
from v2g.messages.iso2 import ChargeProgress, PhysicalValue, UnitSymbol
from v2g.messages.xmldsig import Signature, X509IssuerSerial
from v2g.protocols import schema
from v2g.signature import sign

Step = tuple[str, Callable[[Car, BenchCharger], Awaitable[Any]]]


def stem(message: object) -> str:
    """The name that a request and its response share."""
    return type(message).__name__.removesuffix("Req").removesuffix("Res")


def value(number: float, unit: str) -> PhysicalValue:
    """A PhysicalValue with one decimal."""
    return PhysicalValue(Multiplier=-1, Unit=UnitSymbol(unit), Value=int(Decimal(str(number)) * 10))


def watts(number: int) -> PhysicalValue:
    return PhysicalValue(Multiplier=1, Unit=UnitSymbol.W, Value=number // 10)


def selection(payment: str = "ExternalPayment", *services: int) -> iso2.PaymentServiceSelectionReq:
    chosen = [iso2.SelectedService(ServiceID=service) for service in services or (1,)]
    return iso2.PaymentServiceSelectionReq(
        SelectedPaymentOption=iso2.PaymentOption(payment),
        SelectedServiceList=iso2.SelectedServiceList(SelectedService=chosen),
    )


def ac_parameters(
    *, mode: str = "AC_three_phase_core", max_a: float = 16, min_a: float = 6, max_v: float = 400
) -> iso2.ChargeParameterDiscoveryReq:
    return iso2.ChargeParameterDiscoveryReq(
        RequestedEnergyTransferMode=iso2.EnergyTransferMode(mode),
        EVChargeParameter=iso2.AC_EVChargeParameter(
            EAmount=watts(10_000),
            EVMaxVoltage=value(max_v, "V"),
            EVMaxCurrent=value(max_a, "A"),
            EVMinCurrent=value(min_a, "A"),
        ),
    )


def dc_parameters(
    *, mode: str = "DC_extended", max_a: float = 125, max_v: float = 420, max_w: int | None = 50_000
) -> iso2.ChargeParameterDiscoveryReq:
    return iso2.ChargeParameterDiscoveryReq(
        RequestedEnergyTransferMode=iso2.EnergyTransferMode(mode),
        EVChargeParameter=iso2.DC_EVChargeParameter(
            DC_EVStatus=ev_status(),
            EVMaximumCurrentLimit=value(max_a, "A"),
            EVMaximumVoltageLimit=value(max_v, "V"),
            EVMaximumPowerLimit=None if max_w is None else watts(max_w),
        ),
    )


def ev_status(error: str = "NO_ERROR", soc: int = 40) -> iso2.DC_EVStatus:
    return iso2.DC_EVStatus(EVReady=True, EVErrorCode=iso2.DC_EVErrorCode(error), EVRESSSOC=soc)


def power(
    progress: str, tuple_id: int = 1, profile: Sequence[tuple[int, PhysicalValue]] | None = None
) -> iso2.PowerDeliveryReq:
    entries = [
        iso2.ProfileEntry(ChargingProfileEntryStart=start, ChargingProfileEntryMaxPower=most)
        for start, most in profile or ()
    ]
    return iso2.PowerDeliveryReq(
        ChargeProgress=ChargeProgress(progress),
        SAScheduleTupleID=tuple_id,
        ChargingProfile=iso2.ChargingProfile(ProfileEntry=entries) if entries else None,
    )


def cable_check(error: str = "NO_ERROR") -> iso2.CableCheckReq:
    return iso2.CableCheckReq(DC_EVStatus=ev_status(error))


def precharge(volts: float = 380, amperes: float = 1, error: str = "NO_ERROR") -> iso2.PreChargeReq:
    return iso2.PreChargeReq(
        DC_EVStatus=ev_status(error), EVTargetVoltage=value(volts, "V"), EVTargetCurrent=value(amperes, "A")
    )


def demand(volts: float = 385, amperes: float = 100, **more: Any) -> iso2.CurrentDemandReq:
    return iso2.CurrentDemandReq(
        DC_EVStatus=ev_status(),
        EVTargetVoltage=value(volts, "V"),
        EVTargetCurrent=value(amperes, "A"),
        ChargingComplete=False,
        **more,
    )


def welding(error: str = "NO_ERROR") -> iso2.WeldingDetectionReq:
    return iso2.WeldingDetectionReq(DC_EVStatus=ev_status(error))


def stop(kind: Literal["Terminate", "Pause"] = "Terminate") -> iso2.SessionStopReq:
    return iso2.SessionStopReq(ChargingSession=iso2.ChargingSession(kind))


SETUP = iso2.SessionSetupReq(EVCCID=bytes.fromhex("020000000001"))
STATUS = iso2.ChargingStatusReq()
_ROOTS = iso2.ListOfRootCertificateIDs(
    RootCertificateID=[X509IssuerSerial(X509IssuerName="CN=V2G", X509SerialNumber=1)]
)
_CHAIN = iso2.CertificateChain(Certificate=b"\x30\x00")

EVERY: tuple[iso2.BodyElement, ...] = (
    SETUP,
    iso2.ServiceDiscoveryReq(),
    iso2.ServiceDetailReq(ServiceID=1),
    selection(),
    iso2.CertificateInstallationReq(Id="i", OEMProvisioningCert=b"\x30\x00", ListOfRootCertificateIDs=_ROOTS),
    iso2.CertificateUpdateReq(
        Id="i", ContractSignatureCertChain=_CHAIN, eMAID="DEPCGC00000001V", ListOfRootCertificateIDs=_ROOTS
    ),
    iso2.PaymentDetailsReq(eMAID="DEPCGC00000001V", ContractSignatureCertChain=_CHAIN),
    iso2.AuthorizationReq(),
    ac_parameters(),
    power("Start"),
    STATUS,
    iso2.MeteringReceiptReq(SessionID=bytes(8), MeterInfo=iso2.MeterInfo(MeterID="M1")),
    cable_check(),
    precharge(),
    demand(),
    welding(),
    stop(),
)


def sends(request: Message) -> Callable[[Car, BenchCharger], Awaitable[Any]]:
    async def step(car: Car, _charger: BenchCharger) -> Any:
        return await car.ask(request)

    return step


def in_pilot(state: str, request: Message) -> Callable[[Car, BenchCharger], Awaitable[Any]]:
    async def step(car: Car, charger: BenchCharger) -> Any:
        charger.change(plug=state)
        return await car.ask(request)

    return step


async def greet(car: Car, _charger: BenchCharger) -> Any:
    return await car.negotiate()


def details(contract: Holder, emaid: str | None = None) -> iso2.PaymentDetailsReq:
    """Present a contract, perhaps under another name."""
    leaf, *subs = contract.chain
    return iso2.PaymentDetailsReq(
        eMAID=emaid or contract.emaid,
        ContractSignatureCertChain=iso2.CertificateChain(
            Certificate=leaf, SubCertificates=iso2.SubCertificates(Certificate=subs) if subs else None
        ),
    )


async def prove(car: Car, contract: Holder) -> Any:
    """Sign the challenge and ask for authorization."""
    request = iso2.AuthorizationReq(Id="ID1", GenChallenge=car.challenge)
    return await car.ask(request, signature=signed(request, contract))


def signed(request: iso2.AuthorizationReq, contract: Holder) -> Signature:
    """The signature that belongs to a request."""
    return sign([(request.Id or "", schema("iso2").encode_fragment(request))], contract.key, "iso2")


def with_contract(route: tuple[Step, ...], contract: Holder) -> tuple[Step, ...]:
    """The same route, identified by a contract."""

    async def authorize(car: Car, _charger: BenchCharger) -> Any:
        return await prove(car, contract)

    return (
        *IDENTIFY[:4],
        ("ServiceOrPayment again", sends(selection("Contract"))),
        ("Contract", sends(details(contract))),
        ("Authorization", authorize),
        *route[len(IDENTIFY) :],
    )


# Where the station waits, and the request that takes it to the next wait.
IDENTIFY: tuple[Step, ...] = (
    ("SupportedAppProtocol", greet),
    ("SessionSetup", sends(SETUP)),
    ("ServiceDiscovery", sends(iso2.ServiceDiscoveryReq())),
    ("ServiceOrPayment", sends(iso2.ServiceDetailReq(ServiceID=1))),
    ("ServiceOrPayment again", sends(selection())),
    ("Authorization", sends(iso2.AuthorizationReq())),
)
AC: tuple[Step, ...] = (
    *IDENTIFY,
    ("ChargeParameterDiscovery", sends(ac_parameters())),
    ("PowerDeliveryStart", in_pilot("C", power("Start"))),
    ("ChargingStatus first", sends(STATUS)),
    ("ChargingStatus", sends(power("Renegotiate"))),
    ("ChargeParameterDiscovery again", sends(ac_parameters())),
    ("PowerDeliveryStart again", sends(power("Start"))),
    ("ChargingStatus first again", sends(STATUS)),
    ("ChargingStatus again", sends(power("Stop"))),
    ("SessionStop", in_pilot("B", stop())),
)
DC: tuple[Step, ...] = (
    *IDENTIFY,
    ("ChargeParameterDiscovery", sends(dc_parameters())),
    ("CableCheck", in_pilot("C", cable_check())),
    ("PreCharge first", sends(precharge())),
    ("PreCharge", sends(power("Start"))),
    ("CurrentDemand first", sends(demand())),
    ("CurrentDemand", sends(power("Renegotiate"))),
    ("ChargeParameterDiscovery again", sends(dc_parameters())),
    ("CableCheck again", sends(cable_check())),
    ("PreCharge first again", sends(precharge())),
    ("PreCharge again", sends(power("Start"))),
    ("CurrentDemand first again", sends(demand())),
    ("CurrentDemand again", sends(power("Stop"))),
    ("WeldingOrStop", in_pilot("B", welding())),
    ("WeldingOrStop again", sends(stop())),
)


async def walk(car: Car, charger: BenchCharger, route: Sequence[Step], until: str = "") -> list[Any]:
    """Go a route up to a wait, or to its end; every answer on it must be a positive one."""
    assert not until or until in [name for name, _ in route], f"no wait {until} on this route"
    answers = []
    for name, step in route:
        if name == until:
            break
        answer = await step(car, charger)
        assert str(answer.ResponseCode).startswith("OK"), f"at {name}: {answer}"
        answers.append(answer)
    return answers
