"""Which wrong system each pattern has to fail for, and each check within it: an id, what is wrong, and the mutant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from lab.cases.peer import framed, offer
from lab.cases.requests import amperes, volts, watts
from tests.lab.mutants import Change, Mutant, after, anonymous, coded, later, unsigned, wrong
from v2g.messages import app_protocol, iso2
from v2g.protocols import schema

SECC, EVCC = "TC_SECC_{}_VTB_{}", "TC_EVCC_{}_VTB_{}"
LATER_ID = bytes(7) + b"\x01"


def said(**changes: Any) -> Mutant:
    return Mutant(message=wrong(**changes))


def codes(code: str, *names: str) -> Mutant:
    return Mutant(message=coded(code, *names))


def with_status(field: str, **changes: Any) -> Callable[[Any], Any]:
    return lambda body: msgspec.structs.replace(
        body, **{field: msgspec.structs.replace(getattr(body, field), **changes)}
    )


def entries(change: Callable[[list[Any]], list[Any]]) -> Mutant:
    """Other entries in the schedules."""

    def changed(body: Any) -> Any:
        tuples = [
            msgspec.structs.replace(
                each, PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=change(each.PMaxSchedule.PMaxScheduleEntry))
            )
            for each in body.SASchedules.SAScheduleTuple
        ]
        return msgspec.structs.replace(body, SASchedules=iso2.SAScheduleList(SAScheduleTuple=tuples))

    return said(ChargeParameterDiscoveryRes=changed)


def interval(entry: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(entry, TimeInterval=msgspec.structs.replace(entry.TimeInterval, **changes))


def no_tariff(body: Any) -> Any:
    tuples = [msgspec.structs.replace(each, SalesTariff=None) for each in body.SASchedules.SAScheduleTuple]
    return msgspec.structs.replace(body, SASchedules=iso2.SAScheduleList(SAScheduleTuple=tuples))


def other(body: iso2.BodyElement) -> Change:
    return lambda received: received._replace(body=body)


def replaced(name: str, body: iso2.BodyElement, number: int = 1) -> Mutant:
    return Mutant(message=later(number, name, other(body)))


NO_PROTOCOL = schema("sap").encode(
    app_protocol.SupportedAppProtocolRes(ResponseCode=app_protocol.ResponseCode.Failed_NoNegotiation)
)
DIN_ONLY = schema("sap").encode(offer("urn:din:70121:2012:MsgDef"))
CLINGS, HASTY = Mutant(clings=True), Mutant(hasty=True)
STOP = iso2.SessionStopReq(ChargingSession=iso2.ChargingSession.Terminate)
NO_METER = {"MeterInfo": None}
NO_READING = with_status("MeterInfo", MeterReading=None)


def _stations() -> Iterator[tuple[str, str, str, Mutant]]:
    yield (
        "CMN",
        "V2GTPSDP_001",
        "wrong payload type",
        Mutant(datagram=lambda data: data and data[:3] + b"\x02" + data[4:]),
    )
    yield "CMN", "V2GTPSessionSetup_001", "wrong version", Mutant(header=lambda head: b"\x02" + head[1:])
    for number in (2, 3, 4, 5):
        yield "CMN", f"V2GTPSDP_{number:03}", "answers all", Mutant(datagram=lambda data: data or b"\0")
        yield "CMN", f"V2GTPSessionSetup_{number:03}", "stays", CLINGS
    yield "CMN", "SDP_001", "other security", Mutant(datagram=lambda data: data and data[:-2] + b"\x00\x00")
    yield "CMN", "SDP_007", "other security", Mutant(datagram=lambda data: data and data[:-2] + b"\x00\x00")
    yield "CMN", "SDP_002", "port of nobody", Mutant(datagram=lambda data: data and data[:-4] + b"\0\1" + data[-2:])
    yield "CMN", "SDP_004", "stays for ever", Mutant(pace={"setup_secc": 100.0})
    yield "CMN", "SupportedAppProtocol_005", "stays for ever", Mutant(pace={"setup_secc": 100.0})
    yield "CMN", "SupportedAppProtocol_001", "no protocol", Mutant(payload=lambda _: NO_PROTOCOL)
    yield "CMN", "SupportedAppProtocol_002", "stays", CLINGS
    yield "CMN", "SessionSetup_004", "too late", Mutant(pace={"setup_secc": 10.0})
    yield "CMN", "SessionSetup_004", "too soon", HASTY
    yield "CMN", "ServiceDiscovery_004", "too late", Mutant(pace={"sequence": 10.0})
    yield "CMN", "ServiceDiscovery_004", "too soon", Mutant(pace={"sequence": 0.7})
    for name in ("ServiceDiscovery_002", "ServiceDiscovery_003", "ServiceDetail_007", "CertificateUpdate_008"):
        yield "CMN", name, "says OK", codes("OK")
        yield "CMN", name, "says FAILED", codes("FAILED")
        yield "CMN", name, "stays", CLINGS
    for name in (
        "CertificateInstallation_005",
        "CertificateInstallation_006",
        "Authorization_010",
        "Authorization_011",
    ):
        yield "CMN", name, "says OK", codes("OK")
        yield "CMN", name, "stays", CLINGS
    yield "CMN", "ServiceDiscovery_002", "another session", Mutant(message=later(1, "AuthorizationRes", anonymous))
    yield "CMN", "Authorization_014", "too late", Mutant(pace={"ongoing_secc": 10.0})
    yield "CMN", "Authorization_014", "too soon", Mutant(pace={"ongoing_secc": 0.5})
    yield (
        "CMN",
        "Authorization_015",
        "finishes",
        said(AuthorizationRes={"EVSEProcessing": iso2.EVSEProcessing.Finished}),
    )
    yield "AC", "SessionSetup_001", "new session", codes("OK_NewSessionEstablished", "SessionSetupRes")
    yield "AC", "SessionSetup_002", "old session", codes("OK_OldSessionJoined", "SessionSetupRes")
    both = iso2.PaymentOptionList(PaymentOption=list(iso2.PaymentOption))
    yield "DC", "ServiceDiscovery_001", "another choice", said(ServiceDiscoveryRes={"PaymentOptionList": both})
    yield "AC", "Reliability_001", "stays", CLINGS
    yield (
        "AC",
        "PowerDelivery_003",
        "refuses",
        Mutant(message=later(2, "ChargeParameterDiscoveryRes", coded("FAILED", "ChargeParameterDiscoveryRes"))),
    )
    yield "AC", "PowerDelivery_014", "says OK", codes("OK")
    for name in ("CableCheck_008", "WeldingDetection_005", "SessionStop_006"):
        yield "DC", name, "says OK", codes("OK")
        yield "DC", name, "stays", CLINGS
    yield from _schedules()
    yield from _answers()


def _schedules() -> Iterator[tuple[str, str, str, Mutant]]:
    stage = "ChargeParameterDiscovery"
    yield "AC", f"{stage}_001", "refuses", codes("FAILED", f"{stage}Res")
    yield "AC", f"{stage}_001", "begins late", entries(lambda all_: [interval(all_[0], start=5), *all_[1:]])
    yield "AC", f"{stage}_001", "is short", entries(lambda all_: [*all_[:-1], interval(all_[-1], duration=60)])
    yield (
        "AC",
        f"{stage}_001",
        "inner durations",
        entries(lambda all_: [interval(each, duration=90_000) for each in all_]),
    )
    yield "DC", f"{stage}_006", "is short", entries(lambda all_: [*all_[:-1], interval(all_[-1], duration=60)])
    many = entries(lambda all_: [interval(all_[0], start=each) for each in range(5)])
    yield "AC", f"{stage}_012", "too many entries", many
    yield "AC", f"{stage}_008", "no tariff", said(ChargeParameterDiscoveryRes=no_tariff)
    yield "DC", f"{stage}_008", "unsigned", Mutant(message=unsigned)
    yield "AC", f"{stage}_002", "refuses", Mutant(message=later(2, f"{stage}Res", coded("FAILED", f"{stage}Res")))
    yield "DC", f"{stage}_007", "refuses", Mutant(message=later(2, f"{stage}Res", coded("FAILED", f"{stage}Res")))


def _answers() -> Iterator[tuple[str, str, str, Mutant]]:
    yield "CMN", "SessionSetup_001", "joins", codes("OK_OldSessionJoined", "SessionSetupRes")
    yield "CMN", "SessionSetup_001", "no id", Mutant(message=anonymous)
    yield "CMN", "SessionSetup_001", "odd EVSEID", said(SessionSetupRes={"EVSEID": "DE8EV8EVE0001"})
    yield "CMN", "ServiceDiscovery_001", "refuses", codes("FAILED", "ServiceDiscoveryRes")
    nothing = iso2.PaymentOptionList(PaymentOption=[])
    yield "CMN", "ServiceDiscovery_001", "no payment", said(ServiceDiscoveryRes={"PaymentOptionList": nothing})
    yield "CMN", "ServiceDiscovery_001", "other id", said(ServiceDiscoveryRes=with_status("ChargeService", ServiceID=9))
    odd = iso2.SupportedEnergyTransferMode(
        EnergyTransferMode=[iso2.EnergyTransferMode.AC_single_phase_core, iso2.EnergyTransferMode.DC_core]
    )
    yield (
        "CMN",
        "ServiceDiscovery_001",
        "mixed modes",
        said(ServiceDiscoveryRes=with_status("ChargeService", SupportedEnergyTransferMode=odd)),
    )
    yield "CMN", "ServiceDetail_011", "other service", said(ServiceDetailRes={"ServiceID": 9})
    yield "CMN", "ServiceDetail_011", "no parameters", said(ServiceDetailRes={"ServiceParameterList": None})
    yield "CMN", "PaymentDetails_001", "no challenge", said(PaymentDetailsRes={"GenChallenge": bytes(16)})
    yield "CMN", "CertificateInstallation_001", "unsigned", Mutant(message=unsigned)
    yield "CMN", "CertificateUpdate_001", "unsigned", Mutant(message=unsigned)
    yield (
        "DC",
        "CableCheck_001",
        "not ready",
        said(CableCheckRes=with_status("DC_EVSEStatus", EVSEStatusCode=iso2.DC_EVSEStatusCode.EVSE_NotReady)),
    )
    yield (
        "DC",
        "CableCheck_001",
        "insulation",
        said(CableCheckRes=with_status("DC_EVSEStatus", EVSEIsolationStatus=iso2.IsolationLevel.Fault)),
    )
    yield "DC", "CableCheck_006", "never Ongoing", said(CableCheckRes={"EVSEProcessing": iso2.EVSEProcessing.Finished})
    yield (
        "DC",
        "PreCharge_001",
        "not ready",
        said(PreChargeRes=with_status("DC_EVSEStatus", EVSEStatusCode=iso2.DC_EVSEStatusCode.EVSE_NotReady)),
    )
    yield "DC", "WeldingDetection_001", "under voltage", said(WeldingDetectionRes={"EVSEPresentVoltage": volts(400)})
    yield "AC", "SessionStop_001", "stays", CLINGS
    for energy, loop, field in (("AC", "ChargingStatus", "AC_EVSEStatus"), ("DC", "CurrentDemand", "DC_EVSEStatus")):
        res, stop = f"{loop}Res", iso2.EVSENotification.StopCharging
        yield energy, f"{loop}_001", "wishes", said(**{res: with_status(field, EVSENotification=stop)})
        yield energy, f"{loop}_001", "other EVSE", said(**{res: {"EVSEID": "?"}})
        yield energy, f"{loop}_001", "other schedule", said(**{res: {"SAScheduleTupleID": 77}})
        yield energy, f"{loop}_001", "receipt", said(**{res: {"ReceiptRequired": True}})
        yield energy, f"{loop}_002", "no receipt", said(**{res: {"ReceiptRequired": False}})
        yield energy, f"{loop}_006", "no meter", said(**{res: NO_METER})
        yield energy, f"{loop}_008", "no reading", said(**{res: NO_READING})
        yield energy, f"{loop}_012", "no reading", said(**{res: NO_READING})
    yield "AC", "ChargingStatus_010", "EVSEMaxCurrent", said(ChargingStatusRes={"EVSEMaxCurrent": amperes(16)})
    yield "AC", "MeteringReceipt_001", "refuses", codes("FAILED", "MeteringReceiptRes")
    yield (
        "DC",
        "PowerDelivery_014",
        "refuses",
        Mutant(message=later(2, "PowerDeliveryRes", coded("FAILED", "PowerDeliveryRes"))),
    )


def _vehicles() -> Iterator[tuple[str, str, str, Mutant]]:
    odd = Mutant(datagram=lambda data: data and data[:8] + b"\x20\x00")
    yield "CMN", "V2GTPSDP_001", "odd security", odd
    yield "CMN", "V2GTPSDP_001", "header", Mutant(datagram=lambda data: data and b"\x02" + data[1:])
    yield "CMN", "SDP_001", "asks for TLS", Mutant(datagram=lambda data: data and data[:8] + b"\x00\x00")
    yield "CMN", "V2GTPSDP_002", "asks once", Mutant(datagram=after(1, None))
    for number in (2, 3, 4, 5):
        yield "CMN", f"V2GTPSessionSetup_{number:03}", "stays", CLINGS
    yield "CMN", "SDP_005", "too few", Mutant(datagram=after(49, None))
    yield "CMN", "SDP_005", "too many", Mutant(datagram=lambda data: data or b"\0")
    yield "CMN", "SDP_005", "too fast", Mutant(pace={"sdp_wait": 0.5})
    yield "CMN", "SDP_006", "asks once", Mutant(datagram=after(1, None))
    yield "CMN", "SDP_007", "answers", Mutant(datagram=after(1, framed(bytes(20), 0x9001)))
    yield "CMN", "SupportedAppProtocol_001", "DIN alone", Mutant(payload=lambda _: DIN_ONLY)
    for name in ("SupportedAppProtocol_002", "SupportedAppProtocol_003", "SessionSetup_002", "SessionSetup_005"):
        yield "CMN", name, "stays", CLINGS
    for name in ("SessionSetup_002", "SessionSetup_004", "SessionSetup_005", "SessionSetup_006"):
        yield "CMN", name, "stays in C", Mutant(pilot="C")
    yield "CMN", "SessionSetup_006", "stays", CLINGS
    yield "CMN", "SessionSetup_004", "too soon", Mutant(pace={"message": 0.5})
    yield "CMN", "SessionSetup_004", "too late", Mutant(pace={"message": 20.0})
    yield "DC", "CurrentDemand_005", "too soon", Mutant(pace={"message": 0.5})
    for energy, name, timer in (
        ("CMN", "Authorization_009", "ongoing_evcc"),
        ("AC", "ChargeParameterDiscovery_007", "ongoing_evcc"),
        ("DC", "CableCheck_006", "cable_check_evcc"),
        ("DC", "PreCharge_006", "precharge_evcc"),
    ):
        yield energy, name, "too soon", Mutant(pace={timer: 0.5})
        yield energy, name, "too late", Mutant(pace={timer: 10.0})
    yield from _requests()
    yield from _ways()


def _requests() -> Iterator[tuple[str, str, str, Mutant]]:
    yield "CMN", "V2GTPSessionSetup_001", "header", Mutant(header=lambda head: b"\x02" + head[1:])
    yield "CMN", "SessionSetup_001", "old id", Mutant(message=lambda received: received._replace(session_id=LATER_ID))
    yield "CMN", "SessionSetup_001", "goes elsewhere", replaced("ServiceDiscoveryReq", STOP)
    yield "CMN", "SessionSetup_008", "other EVCCID", said(SessionSetupReq={"EVCCID": bytes(6)})
    yield "CMN", "ServiceDiscovery_001", "no session", Mutant(message=later(1, "ServiceDiscoveryReq", anonymous))
    yield "CMN", "ServiceDetail_001", "other service", said(ServiceDetailReq={"ServiceID": 9})
    pays = iso2.PaymentOption
    for number, option in ((3, pays.ExternalPayment), (4, pays.Contract)):
        chosen = said(PaymentServiceSelectionReq={"SelectedPaymentOption": option})
        yield "CMN", f"PaymentServiceSelection_{number:03}", "other payment", chosen
    nothing = iso2.SelectedServiceList(SelectedService=[])
    yield (
        "CMN",
        "PaymentServiceSelection_003",
        "no charging",
        said(PaymentServiceSelectionReq={"SelectedServiceList": nothing}),
    )
    yield "CMN", "PaymentDetails_003", "other eMAID", said(PaymentDetailsReq={"eMAID": "DEXXXC99999999X"})
    for name in ("CertificateInstallation_001", "CertificateUpdate_001", "Authorization_001"):
        yield "CMN", name, "unsigned", Mutant(message=unsigned)
    yield "CMN", "Authorization_001", "other challenge", said(AuthorizationReq={"GenChallenge": bytes(16)})
    yield "CMN", "Authorization_002", "challenge", said(AuthorizationReq={"GenChallenge": bytes(16)})
    parameters, mode = "ChargeParameterDiscoveryReq", iso2.EnergyTransferMode.DC_unique
    yield (
        "AC",
        "ChargeParameterDiscovery_001",
        "other mode",
        said(**{parameters: {"RequestedEnergyTransferMode": mode}}),
    )
    gone = with_status("EVChargeParameter", DepartureTime=None)
    there = with_status("EVChargeParameter", DepartureTime=60)
    yield "AC", "ChargeParameterDiscovery_001", "no departure", said(**{parameters: gone})
    yield "DC", "ChargeParameterDiscovery_012", "departure", said(**{parameters: there})
    yield "DC", "CableCheck_001", "in B", Mutant(pilot="B")
    yield "DC", "WeldingDetection_001", "in C", Mutant(pilot="C")
    yield "DC", "PreCharge_001", "current", said(PreChargeReq={"EVTargetCurrent": amperes(20)})
    yield "DC", "PreCharge_001", "no voltage", said(PreChargeReq={"EVTargetVoltage": volts(0)})
    yield "AC", "PowerDelivery_001", "other schedule", said(PowerDeliveryReq={"SAScheduleTupleID": 77})
    yield "AC", "PowerDelivery_001", "no profile", said(PowerDeliveryReq={"ChargingProfile": None})
    much = iso2.ProfileEntry(ChargingProfileEntryStart=0, ChargingProfileEntryMaxPower=watts(200_000))
    greedy = said(PowerDeliveryReq={"ChargingProfile": iso2.ChargingProfile(ProfileEntry=[much])})
    yield "AC", "PowerDelivery_015", "too much", greedy
    yield "DC", "PreChargeOrPowerDelivery_001", "too much", greedy
    yield "AC", "PowerDelivery_020", "dearest", said(PowerDeliveryReq={"SAScheduleTupleID": 1})
    yield (
        "AC",
        "MeteringReceipt_013",
        "other reading",
        said(MeteringReceiptReq={"MeterInfo": iso2.MeterInfo(MeterID="M2")}),
    )
    yield "AC", "MeteringReceipt_001", "other session", said(MeteringReceiptReq={"SessionID": LATER_ID})
    yield "DC", "MeteringReceipt_001", "other schedule", said(MeteringReceiptReq={"SAScheduleTupleID": 77})
    yield "DC", "MeteringReceipt_001", "unsigned", Mutant(message=unsigned)


def _ways() -> Iterator[tuple[str, str, str, Mutant]]:
    progress, renegotiate = iso2.ChargeProgress, "ChargingLoopAcOrPowerDelivery"
    yield (
        "AC",
        f"{renegotiate}_001",
        "renegotiates",
        Mutant(message=later(2, "PowerDeliveryReq", wrong(PowerDeliveryReq={"ChargeProgress": progress.Renegotiate}))),
    )
    yield (
        "AC",
        f"{renegotiate}_008",
        "stops",
        Mutant(message=later(2, "PowerDeliveryReq", wrong(PowerDeliveryReq={"ChargeProgress": progress.Stop}))),
    )
    yield "AC", f"{renegotiate}_013", "leaves", replaced("ChargeParameterDiscoveryReq", STOP, 2)
    for place in range(4):
        yield "AC", f"SDP_{1 + 4 * place:03}", "never asks again", Mutant(datagram=after(1, None))
        yield "AC", f"SessionSetup_{1 + place:03}", "forgets", Mutant(message=later(2, "SessionSetupReq", anonymous))
    pays = iso2.PaymentOption
    changed = wrong(PaymentServiceSelectionReq={"SelectedPaymentOption": pays.Contract})
    yield (
        "DC",
        "PaymentServiceSelection_004",
        "chooses anew",
        Mutant(message=later(2, "PaymentServiceSelectionReq", changed)),
    )
    parameters = "ChargeParameterDiscoveryReq"
    late = wrong(**{parameters: with_status("EVChargeParameter", DepartureTime=90_000)})
    more = wrong(**{parameters: with_status("EVChargeParameter", EAmount=watts(90_000))})
    yield "AC", "ChargeParameterDiscovery_017", "departs later", Mutant(message=later(2, parameters, late))
    yield "AC", "ChargeParameterDiscovery_015", "more energy", Mutant(message=later(2, parameters, more))
    pauses = said(SessionStopReq={"ChargingSession": iso2.ChargingSession.Pause})
    yield "AC", "SessionStop_001", "pauses", pauses
    yield "AC", "SessionStop_009", "pauses", pauses
    yield (
        "DC",
        "SessionStop_013",
        "terminates",
        said(SessionStopReq={"ChargingSession": iso2.ChargingSession.Terminate}),
    )
    yield "DC", "WeldingDetectionOrSessionStop_001", "in C", Mutant(pilot="C")
    yield "DC", "SessionStop_002", "stays", CLINGS
    yield "DC", "Reliability_001", "stays", CLINGS


MUTANTS: tuple[tuple[str, str, Mutant], ...] = (
    *((SECC.format(energy, name), why, mutant) for energy, name, why, mutant in _stations()),
    *((EVCC.format(energy, name), why, mutant) for energy, name, why, mutant in _vehicles()),
)
