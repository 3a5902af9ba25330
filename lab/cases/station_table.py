"""Which case of a station is which pattern, with its parameters; those about contracts stand in `station_contracts`.

Where only numbers tell cases of a family apart, their requirements tell what they differ in (`catalogue.tsv`):
[V2G2-303] a departure, [V2G2-307] a tariff, [V2G2-741] after a pause; the same ones a second time are those of a
vehicle with room for few entries, and a third time, after a pause, those of a vehicle that the station wakes.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.cases import requests as say
from lab.cases import station_checks as check
from lab.cases import station_contracts
from lab.cases.pixit import Energy
from lab.cases.station_discovery import (
    PLAIN,
    TLS,
    message_header,
    message_ignored,
    negotiated,
    no_negotiation,
    sdp,
    sdp_header,
    sdp_ignored,
    sdp_over,
    setup_over,
    tcp_over,
)
from lab.cases.station_patterns import (
    Preparation,
    Station,
    answered,
    changed,
    lasting,
    ongoing,
    refused,
    sequence_error,
    silence,
    unknown_session,
    without_pilot,
)
from lab.cases.station_pause import (
    Variant,
    joined,
    nobody,
    not_joined,
    offered_again,
    renegotiated,
    schedules,
    too_early,
)
from lab.cases.visitor import Visitor
from v2g.messages import iso2

HEADER_FLAWS = {2: "length", 3: "type", 4: "version", 5: "inverse"}
OK, MINOR = "OK_SuccessfulNegotiation", "OK_SuccessfulNegotiationWithMinorDeviation"
OWN_SERVICE = 60_001
STRANGE_SERVICE = 59_999
STRANGE_SCHEDULE = 200
FAR_TOO_MUCH_W = 200_000
ERRORS = (
    "FAILED_RESSTemperatureInhibit", "FAILED_EVShiftPosition", "FAILED_ChargerConnectorLockFault",
    "FAILED_EVRESSMalfunction", "FAILED_ChargingCurrentdifferential", "FAILED_ChargingVoltageOutOfRange",
    "FAILED_ChargingSystemIncompatibility", "NoData",
)  # fmt: skip
VARIANTS = {
    1: Variant(), 6: Variant(departs=True), 8: Variant(tariff=True), 10: Variant(departs=True, tariff=True),
    12: Variant(few=True), 13: Variant(tariff=True, few=True), 15: Variant(departs=True, tariff=True, few=True),
    16: Variant(departs=True, few=True),
}  # fmt: skip
RENEGOTIATED = {
    9: Variant(tariff=True), 23: Variant(departs=True), 24: Variant(departs=True, tariff=True), 25: Variant(few=True),
    26: Variant(tariff=True, few=True), 27: Variant(departs=True, tariff=True, few=True),
    28: Variant(departs=True, few=True),
}  # fmt: skip
RESUMED = {
    7: Variant(), 11: Variant(tariff=True), 17: Variant(departs=True), 18: Variant(departs=True, tariff=True),
    19: Variant(few=True), 20: Variant(tariff=True, few=True), 21: Variant(departs=True, tariff=True, few=True),
    22: Variant(departs=True, few=True),
}  # fmt: skip
WOKEN = {
    29: Variant(), 30: Variant(tariff=True), 31: Variant(departs=True), 32: Variant(departs=True, tariff=True),
    33: Variant(few=True), 34: Variant(tariff=True, few=True), 35: Variant(departs=True, tariff=True, few=True),
    36: Variant(departs=True, few=True),
}  # fmt: skip


def cases() -> Iterator[tuple[str, Station]]:
    """Every case of a station with its id."""
    for name, case in (*_opening(), *_identification(), *station_contracts.cases()):
        yield f"TC_SECC_CMN_VTB_{name}", case
    for name, case in (*_both("AC"), *_ac()):
        yield f"TC_SECC_AC_VTB_{name}", case
    for name, case in (*_both("DC"), *_dc()):
        yield f"TC_SECC_DC_VTB_{name}", case
    for energy in ("AC", "DC"):
        yield f"VERISCO_TC_SECC_{energy}_VTB_Reliability_004", lasting(2)


def _opening() -> Iterator[tuple[str, Station]]:
    yield "V2GTPSDP_001", sdp_header()
    yield "V2GTPSessionSetup_001", message_header()
    for number, flaw in HEADER_FLAWS.items():
        yield f"V2GTPSDP_{number:03}", sdp_ignored(flaw)
        yield f"V2GTPSessionSetup_{number:03}", message_ignored(flaw)
    yield "SDP_001", sdp(PLAIN, PLAIN)
    yield "SDP_002", sdp(TLS, TLS)
    yield "SDP_003", sdp(TLS, TLS)
    for number in (4, 5, 6):
        yield f"SDP_{number:03}", sdp_over(PLAIN if number == 4 else TLS)
    yield "SDP_007", sdp(TLS, PLAIN, "plain only")
    yield "SupportedAppProtocol_001", negotiated(0, OK)
    yield "SupportedAppProtocol_002", no_negotiation()
    yield "SupportedAppProtocol_003", silence("SupportedAppProtocol")
    yield "SupportedAppProtocol_004", negotiated(0, OK)
    yield "SupportedAppProtocol_005", tcp_over()
    yield "SupportedAppProtocol_006", negotiated(7, MINOR)
    yield "SessionSetup_001", answered("SessionSetup", check.opens)
    yield "SessionSetup_002", sequence_error("SessionSetup")
    yield "SessionSetup_003", silence("SessionSetup")
    yield "SessionSetup_004", setup_over("SessionSetup")


def _errors(
    stage: str, first: int, *, instead: str = "ServiceDiscovery", step: int = 1
) -> Iterator[tuple[str, Station]]:
    """Sequence error, unknown session and silence at a stage, by three numbers of its family."""
    yield f"{stage}_{first:03}", sequence_error(stage, instead)
    yield f"{stage}_{first + step:03}", unknown_session(stage)
    yield f"{stage}_{first + 2 * step:03}", silence(stage)


def _identification() -> Iterator[tuple[str, Station]]:
    yield "ServiceDiscovery_001", answered("ServiceDiscovery", check.offers)
    yield from _errors("ServiceDiscovery", 2, instead="Authorization")
    yield (
        "ServiceDetail_001",
        answered("ServiceDetail", check.describes, features=("tls", "own"), before=asks(OWN_SERVICE)),
    )
    yield "ServiceDetail_002", answered("ServiceDetail", check.describes, features=("provisioning",), before=asks(2))
    for number in (3, 4):
        yield f"ServiceDetail_{number:03}", sequence_error("ServiceDetail")
        yield f"ServiceDetail_{number + 2:03}", unknown_session("ServiceDetail")
        wrong = changed(ServiceID=STRANGE_SERVICE)
        yield f"ServiceDetail_{number + 4:03}", refused("ServiceDetail", wrong, "FAILED_ServiceIDInvalid")
        yield f"ServiceDetail_{number + 6:03}", silence("ServiceDetail")
        internet = answered("ServiceDetail", check.describes, features=("tls", "internet"), before=asks(check.INTERNET))
        yield f"ServiceDetail_{number + 8:03}", internet
    for number in (1, 2, 3):
        yield f"PaymentServiceSelection_{number:03}", answered("PaymentServiceSelection")
    yield "PaymentServiceSelection_004", sequence_error("PaymentServiceSelection")
    yield "PaymentServiceSelection_005", unknown_session("PaymentServiceSelection")
    yield "PaymentServiceSelection_006", _selects("FAILED_ServiceSelectionInvalid", 1, STRANGE_SERVICE)
    yield "PaymentServiceSelection_007", _selects("FAILED_NoChargeServiceSelected", check.INTERNET)
    yield "PaymentServiceSelection_008", silence("PaymentServiceSelection")
    yield "PaymentServiceSelection_009", _pays("Contract", "external only")
    yield "PaymentServiceSelection_010", _pays("ExternalPayment", "contract only")
    yield "Authorization_001", answered("Authorization", check.finished, then="ChargeParameterDiscovery")
    for number in (3, 4):
        yield f"Authorization_{number:03}", sequence_error("Authorization")
        yield f"Authorization_{number + 2:03}", unknown_session("Authorization")
        yield f"Authorization_{number + 5:03}", silence("Authorization")
    yield "Authorization_014", ongoing("Authorization", nobody, "asks")
    yield "ChargeParameterDiscovery_001", sequence_error("ChargeParameterDiscovery")
    yield "ChargeParameterDiscovery_002", silence("ChargeParameterDiscovery")


def asks(service: int) -> Preparation:
    """Ask for the details of a service."""

    def prepare(visitor: Visitor) -> None:
        visitor.service = service

    return prepare


def _selects(code: str, *services: int) -> Station:
    def change(visitor: Visitor, _: object) -> iso2.PaymentServiceSelectionReq:
        return say.selection("Contract" if visitor.pixit.payment == "PnC" else "ExternalPayment", *services)

    return refused("PaymentServiceSelection", change, code)


def _pays(option: str, feature: str) -> Station:
    wrong = changed(SelectedPaymentOption=iso2.PaymentOption(option))
    return refused("PaymentServiceSelection", wrong, "FAILED_PaymentSelectionInvalid", features=(feature,))


def _both(energy: Energy) -> Iterator[tuple[str, Station]]:
    """The families that AC and DC share."""
    for woken, number in ((False, 1), (True, 4)):
        yield f"SessionSetup_{number:03}", joined(woken=woken)
        yield f"SessionSetup_{number + 1:03}", not_joined(woken=woken)
        yield f"SessionSetup_{number + 2:03}", not_joined(bytes(8), woken=woken)
        yield f"ServiceDiscovery_{1 + woken:03}", offered_again(woken=woken)
    stage, ac = "ChargeParameterDiscovery", energy == "AC"
    for number, variant in VARIANTS.items():
        yield f"{stage}_{number:03}", schedules(variant)
    for number, variant in {2 if ac else 5: Variant(), **RENEGOTIATED}.items():
        yield f"{stage}_{number:03}", schedules(variant, "renegotiated")
    for number, variant in RESUMED.items():
        yield f"{stage}_{number:03}", schedules(variant, "resumed")
    for number, variant in WOKEN.items():
        yield f"{stage}_{number:03}", schedules(variant, "woken")
    yield f"{stage}_014", ongoing(stage, unplanned, "endless", may_finish=True)
    first = 3 if ac else 2
    other = changed(RequestedEnergyTransferMode=iso2.EnergyTransferMode(say.MODES["DC" if ac else "AC"]))
    yield f"{stage}_{first:03}", unknown_session(stage)
    yield f"{stage}_{first + 1:03}", refused(stage, other, "FAILED_WrongEnergyTransferMode")
    yield f"{stage}_{first + 2:03}", refused(stage, backwards, "FAILED_WrongChargeParameter")
    loop = "ChargingStatus" if ac else "CurrentDemand"
    yield f"{loop}_001", answered(loop, check.loops, check.undisturbed, check.wants_no_receipt)
    yield from _errors(loop, 3)
    for number, shown in ((6, check.tells_meter), (8, check.tells_reading)):
        yield f"{loop}_{number:03}", answered(loop, check.loops, shown, check.wants_no_receipt)
    for number in (1, 2, 3):
        yield f"Reliability_{number:03}", lasting(number + 1)
    yield from station_contracts.in_the_loop(loop)


def unplanned(visitor: Visitor) -> None:
    """Nobody makes a plan."""
    visitor.station.controls.plan(None)


def backwards(visitor: Visitor, _: object) -> iso2.ChargeParameterDiscoveryReq:
    """A vehicle that takes a negative current."""
    return say.charge_parameters(visitor.pixit.energy, max_a=-16)


def _profile(visitor: Visitor, _: object) -> iso2.PowerDeliveryReq:
    energy = visitor.pixit.energy
    return say.power_delivery(energy, "Start", visitor.schedule, profile_w=FAR_TOO_MUCH_W)


def _ac() -> Iterator[tuple[str, Station]]:
    stage, unknown = "PowerDelivery", changed(SAScheduleTupleID=STRANGE_SCHEDULE)
    yield f"{stage}_001", answered(stage, then="ChargingStatus")
    yield f"{stage}_002", answered(stage, then="ChargingStatus", pilot="D")
    yield f"{stage}_003", renegotiated(goes_on=False)
    yield f"{stage}_004", renegotiated(goes_on=True)
    yield f"{stage}_005", answered("Stop", then="SessionStop")
    for number, at in ((6, stage), (7, "Stop")):
        yield f"{stage}_{number:03}", sequence_error(at)
        yield f"{stage}_{number + 2:03}", unknown_session(at)
        yield f"{stage}_{number + 6:03}", silence(at)
    yield f"{stage}_010", refused(stage, _profile, "FAILED_ChargingProfileInvalid")
    yield f"{stage}_011", refused(stage, unknown, "FAILED_TariffSelectionInvalid")
    yield f"{stage}_014", too_early(stage)
    yield "SessionStop_001", answered("SessionStop", ends=True)
    yield from _errors("SessionStop", 2)


def _dc() -> Iterator[tuple[str, Station]]:
    stage, unknown = "PowerDelivery", changed(SAScheduleTupleID=STRANGE_SCHEDULE)
    insulated = (check.finished, check.insulated)
    for number, pilot in ((1, "C"), (2, "D")):
        yield f"CableCheck_{number:03}", answered("CableCheck", *insulated, pilot=pilot)
        slow = answered("CableCheck", check.waited, *insulated, pilot=pilot, before=slowly)
        yield f"CableCheck_{number + 5:03}", slow
    yield from _errors("CableCheck", 3)
    yield "CableCheck_008", without_pilot("CableCheck")
    yield "PreCharge_001", answered("PreCharge", check.ready, then="PowerDelivery")
    yield from _errors("PreCharge", 2)
    yield f"{stage}_001", answered(stage, then="CurrentDemand")
    yield f"{stage}_002", answered("Stop", then="WeldingDetection")
    for number, at in ((3, stage), (4, "Stop")):
        yield f"{stage}_{number:03}", sequence_error(at)
        yield f"{stage}_{number + 2:03}", unknown_session(at)
        yield f"{stage}_{number + 6:03}", silence(at)
    yield f"{stage}_007", refused(stage, _profile, "FAILED_ChargingProfileInvalid")
    yield f"{stage}_008", refused(stage, unknown, "FAILED_TariffSelectionInvalid")
    yield f"{stage}_011", renegotiated(goes_on=False)
    yield f"{stage}_012", renegotiated(goes_on=True)
    yield f"{stage}_013", too_early(stage)
    for number, error in enumerate(ERRORS, 14):
        yield f"{stage}_{number:03}", answered("Stop", then="WeldingDetection", error=error)
    yield "WeldingDetection_001", answered("WeldingDetection", check.dead, then="SessionStop")
    yield from _errors("WeldingDetection", 2)
    yield "WeldingDetection_005", without_pilot("WeldingDetection")
    yield "SessionStop_001", answered("SessionStop", ends=True, skip=("WeldingDetection",))
    yield "SessionStop_002", answered("SessionStop", ends=True)
    for number, skip in ((3, ("WeldingDetection",)), (7, ())):
        yield f"SessionStop_{number:03}", sequence_error("SessionStop", skip=skip)
        yield f"SessionStop_{number + 1:03}", unknown_session("SessionStop", skip=skip)
        yield f"SessionStop_{number + 2:03}", silence("SessionStop", skip=skip)
    yield "SessionStop_006", without_pilot("SessionStop", skip=("WeldingDetection",))


def slowly(visitor: Visitor) -> None:
    """Let the isolation test take a while."""
    visitor.station.controls.isolate("slow")
