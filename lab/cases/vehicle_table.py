"""Which case of a vehicle is which pattern, with its parameters: the stages that AC and DC share.

Where only numbers tell cases of a family apart, their requirements tell what they differ in (`catalogue.tsv`):
[V2G2-432] after ServiceDetail, [V2G2-740] after a pause, [V2G2-742] with a departure that has come nearer, [V2G2-891]
with a renewed contract, [V2G2-896] with an installed one, [V2G2-831] with a reading. After a pause the four ways to
wake up follow each other: the station's pilot, the vehicle's own, no power at first, no power later.
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.cases import responses as say
from lab.cases import vehicle_checks as check
from lab.cases import vehicle_energy
from lab.cases.station_discovery import PLAIN, TLS
from lab.cases.station_table import HEADER_FLAWS
from lab.cases.vehicle_discovery import (
    late,
    mute,
    no_protocol,
    protocol_offered,
    protocol_unanswered,
    response_ignored,
    sdp_request,
    sdp_response_ignored,
    unheard,
)
from lab.cases.vehicle_patterns import (
    ALWAYS,
    Vehicle,
    asks,
    endless,
    failures,
    lasting,
    pilot_error,
    refused,
    unanswered,
    wrong_response,
)

INSTALLS, UPDATES = ("provisioning", "installs"), ("provisioning", "updates")
INSTALLED = ("FAILED_SignatureError", "FAILED_CertificateExpired", "FAILED_CertificateRevoked")
NONE_THERE = "FAILED_NoCertificateAvailable"


def cases() -> Iterator[tuple[str, Vehicle]]:
    """Every case of a vehicle with its id."""
    for name, case in (*_opening(), *_services(), *_contracts()):
        yield f"TC_EVCC_CMN_VTB_{name}", case
    for energy in ("AC", "DC"):
        for name, case in vehicle_energy.cases(energy):
            yield f"TC_EVCC_{energy}_VTB_{name}", case
        for number in (4, 8):
            yield f"VERISCO_TC_EVCC_{energy}_VTB_Reliability_{number:03}", lasting(3)


def _opening() -> Iterator[tuple[str, Vehicle]]:
    yield "V2GTPSDP_001", sdp_request(None, PLAIN, "tls", "plain")
    yield "V2GTPSessionSetup_001", asks("SessionSetup", check.header)
    for number, flaw in HEADER_FLAWS.items():
        yield f"V2GTPSDP_{number:03}", sdp_response_ignored(flaw)
        yield f"V2GTPSessionSetup_{number:03}", response_ignored(flaw)
    yield "SDP_001", sdp_request(PLAIN, PLAIN)
    yield "SDP_002", sdp_request(TLS, TLS, "tls")
    yield "SDP_003", sdp_request(None, PLAIN, "tls", "plain")
    yield "SDP_004", sdp_request(TLS, TLS)
    yield "SDP_005", unheard()
    yield "SDP_006", late()
    yield "SDP_007", mute()
    yield "SupportedAppProtocol_001", protocol_offered()
    yield "SupportedAppProtocol_002", no_protocol()
    yield "SupportedAppProtocol_003", protocol_unanswered()
    yield "SupportedAppProtocol_004", protocol_offered("tls")
    yield "SupportedAppProtocol_005", protocol_offered()
    stage = "SessionSetup"
    yield f"{stage}_001", asks(stage, check.begins, then=("ServiceDiscovery",))
    yield f"{stage}_002", refused(stage, "FAILED")
    yield f"{stage}_003", refused(stage, "FAILED_SequenceError")
    yield f"{stage}_004", unanswered(stage)
    yield f"{stage}_005", wrong_response(stage)
    yield f"{stage}_006", pilot_error(stage, "E")
    yield f"{stage}_007", pilot_error(stage, "F")
    yield f"{stage}_008", asks(stage, check.names_itself)


def _services() -> Iterator[tuple[str, Vehicle]]:
    stage = "ServiceDiscovery"
    yield f"{stage}_001", asks(stage, check.in_session, then=("PaymentServiceSelection",))
    yield from failures(stage, 2, *ALWAYS, order="MEFW")
    stage, details = "ServiceDetail", asks("ServiceDetail", check.asks_for(say.INTERNET))
    yield from ((f"{stage}_{number:03}", details) for number in (1, 2))
    both = (*ALWAYS, "FAILED_ServiceIDInvalid")
    for place, code in enumerate(both):
        yield from ((f"{stage}_{number + 2 * place:03}", refused(stage, code)) for number in (3, 4))
    last = (unanswered(stage), wrong_response(stage), pilot_error(stage, "E"), pilot_error(stage, "F"))
    for place, case in enumerate(last):
        yield from ((f"{stage}_{number + 2 * place:03}", case) for number in (11, 12))
    chosen, selected = "PaymentServiceSelection", ("PaymentDetails", "Authorization")
    detailed = asks(chosen, check.selects, features=("tls", "internet"), then=selected)
    yield from ((f"ServiceDetailAndPaymentSelection_{number:03}", detailed) for number in (1, 2))
    invalid = ("PaymentSelectionInvalid", "ServiceSelectionInvalid", "NoChargeServiceSelected")
    codes = (*ALWAYS, *(f"FAILED_{each}" for each in invalid))
    yield from failures(chosen, 3, *codes, order="MWEF", family="ServiceDetailAndPaymentSelection")
    yield from ((f"{chosen}_{number:03}", detailed) for number in (1, 2))
    yield from ((f"{chosen}_{number:03}", asks(chosen, check.selects, then=selected)) for number in (3, 4))
    stage = "ChargeParameterDiscovery"
    yield f"{stage}_001", unanswered(stage)
    yield f"{stage}_002", wrong_response(stage)


def _contracts() -> Iterator[tuple[str, Vehicle]]:
    stage, details = "CertificateInstallation", ("PaymentDetails",)
    yield f"{stage}_001", asks(stage, check.signed, then=details)
    yield from failures(stage, 2, *ALWAYS, *INSTALLED, NONE_THERE, order="MWEF")
    stage = "CertificateUpdate"
    yield f"{stage}_001", asks(stage, check.signed, then=details)
    more = (*INSTALLED, NONE_THERE, "FAILED_ContractCanceled", "FAILED_ChallengeInvalid")
    yield from failures(stage, 2, *ALWAYS, *more, order="MWEF")
    stage, family = "PaymentDetails", "CertificateHandlingAndPaymentDetails"
    yield f"{family}_001", asks(stage, check.presents, then=("Authorization",))
    yield from failures(stage, 2, *ALWAYS, order="MWEF", family=family)
    for number, features in ((1, INSTALLS), (2, UPDATES), (3, ())):
        yield f"{stage}_{number:03}", asks(stage, check.presents, features=features, then=("Authorization",))
    stage, then = "Authorization", ("ChargeParameterDiscovery",)
    yield f"{stage}_001", asks(stage, check.proves, then=then)
    yield f"{stage}_002", asks(stage, check.external, then=then)
    codes = (*ALWAYS, "FAILED_ChallengeInvalid", "FAILED_SignatureError")
    for number, code in enumerate(codes, 3):
        yield f"{stage}_{number:03}", refused(stage, code)
    yield f"{stage}_008", unanswered(stage)
    yield f"{stage}_009", endless(stage, "ongoing_evcc", lambda _: say.authorization("Ongoing"), 1 / 200)
    for number, features in ((10, INSTALLS), (11, UPDATES)):
        yield f"{stage}_{number:03}", asks(stage, check.proves, features=features, then=then)
    yield f"{stage}_012", wrong_response(stage)
    yield f"{stage}_013", pilot_error(stage, "E")
    yield f"{stage}_014", pilot_error(stage, "F")
