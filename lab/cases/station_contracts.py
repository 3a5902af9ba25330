"""Which case of a station about contracts and their certificates is which pattern, with its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from lab.cases import requests as say
from lab.cases import station_checks as check
from lab.cases.certificates import STRANGE_NAME, mixed
from lab.cases.station_patterns import (
    Check,
    Preparation,
    Station,
    altered,
    answered,
    changed,
    ongoing,
    refused,
    sequence_error,
    silence,
    unknown_session,
    wrong_key,
)
from lab.cases.station_pause import nobody
from lab.cases.visitor import Visitor
from pki.credentials import Credential
from pki.profiles import Tier, profile
from v2g.messages import iso2
from v2g.trust import Role

INSTALL, UPDATE, DETAILS = "CertificateInstallation", "CertificateUpdate", "PaymentDetails"
SIGNATURE = "FAILED_SignatureError"
RECEIPT = (SIGNATURE, "FAILED_MeteringSignatureNotValid")
"""The case list names the first, its requirement [V2G2-481] and the message's own codes the second."""
UNAVAILABLE = ("FAILED", "FAILED_NoCertificateAvailable")
CANCELED = (*UNAVAILABLE, "FAILED_ContractCanceled")
NOT_HERE = (*UNAVAILABLE, "FAILED_CertificateNotAllowedAtThisEVSE")
BROKEN = "FAILED_CertChainError"
INVALID_NAME = "??PCGC00000001V"


def cases() -> Iterator[tuple[str, Station]]:
    """Every one of them that is the same in AC and DC."""
    yield from _installation()
    yield from _update()
    yield from _details()
    yield "Authorization_002", answered("Authorization", check.finished, then="ChargeParameterDiscovery")
    challenge = changed(GenChallenge=bytes(16))
    yield "Authorization_007", refused("Authorization", challenge, "FAILED_ChallengeInvalid")
    yield "Authorization_010", wrong_key("Authorization", SIGNATURE)
    yield "Authorization_011", altered("Authorization", _other(GenChallenge=bytes(16)), SIGNATURE)
    for number, stage in ((12, INSTALL), (13, UPDATE)):
        certified = answered("Authorization", check.finished, features=("provisioning",), extra=(stage,))
        yield f"Authorization_{number:03}", certified
    yield "Authorization_015", ongoing("Authorization", nobody, "asks")
    for number, stage in ((16, INSTALL), (17, UPDATE)):
        waiting = ongoing("Authorization", nobody, "asks", "provisioning", extra=(stage,))
        yield f"Authorization_{number:03}", waiting


def in_the_loop(loop: str) -> Iterator[tuple[str, Station]]:
    """Readings and receipts in the charge loop of AC or DC."""
    yield f"{loop}_002", answered(loop, check.loops, check.wants_receipt, features=("receipts",))
    shown: dict[int, Check] = {7: check.tells_meter, 9: check.tells_reading}
    for number, shows in shown.items():
        yield f"{loop}_{number:03}", answered(loop, check.loops, check.wants_receipt, shows, features=("receipts",))
    shown = {10: check.loops, 11: check.tells_meter, 12: check.tells_reading}
    for number, shows in shown.items():
        yield f"{loop}_{number:03}", answered(loop, shows, check.wants_no_receipt, check.limits_by_contract)
    stage, receipts = "MeteringReceipt", ("receipts",)
    yield f"{stage}_001", answered(stage, features=receipts, then="Stop", extra=(stage,))
    yield f"{stage}_002", sequence_error(stage, features=receipts)
    yield f"{stage}_003", unknown_session(stage, features=receipts)
    yield f"{stage}_004", refused(stage, _misread, RECEIPT[1], features=receipts)
    yield f"{stage}_005", silence(stage, features=receipts)
    yield f"{stage}_006", wrong_key(stage, *RECEIPT, features=receipts)
    yield f"{stage}_007", altered(stage, _other(SAScheduleTupleID=77), *RECEIPT, features=receipts)


def _misread(_: Visitor, request: iso2.MeteringReceiptReq) -> iso2.MeteringReceiptReq:
    reading = msgspec.structs.replace(request.MeterInfo, MeterReading=(request.MeterInfo.MeterReading or 0) + 1)
    return msgspec.structs.replace(request, MeterInfo=reading)


def _other(**fields: Any) -> Callable[[Any], Any]:
    return lambda request: msgspec.structs.replace(request, **fields)


def _errors(stage: str, *features: str) -> Iterator[tuple[str, Station]]:
    yield f"{stage}_002", sequence_error(stage, features=features)
    yield f"{stage}_003", unknown_session(stage, features=features)
    yield f"{stage}_004", silence(stage, features=features)


def _installation() -> Iterator[tuple[str, Station]]:
    features = ("provisioning",)
    good = answered(INSTALL, check.delivers, check.same_account, features=features, then=DETAILS)
    yield f"{INSTALL}_001", good
    yield from _errors(INSTALL, *features)
    yield f"{INSTALL}_005", wrong_key(INSTALL, SIGNATURE, features=features)
    body = _other(ListOfRootCertificateIDs=_roots("CN=Other Root"))
    yield f"{INSTALL}_006", altered(INSTALL, body, SIGNATURE, features=features)
    yield f"{INSTALL}_007", _installs("FAILED_CertificateExpired", expired=Tier.LEAF)
    yield f"{INSTALL}_008", _installs(*UNAVAILABLE, domain=profile(Role.CONTRACT))


def _roots(name: str) -> iso2.ListOfRootCertificateIDs:
    first = msgspec.structs.replace(say.ROOTS.RootCertificateID[0], X509IssuerName=name)
    return iso2.ListOfRootCertificateIDs(RootCertificateID=[first])


def _installs(*codes: str, **flaw: Any) -> Station:
    """An installation for a vehicle whose provisioning certificate has a flaw."""

    def prepare(visitor: Visitor) -> None:
        visitor.maker = visitor.pixit.held.made(Role.OEM_PROVISIONING, **flaw)

    return refused(INSTALL, _same, *codes, features=("provisioning",), before=prepare)


def _same(_: Visitor, request: Any) -> Any:
    return request


def _update() -> Iterator[tuple[str, Station]]:
    features = ("provisioning",)
    yield f"{UPDATE}_001", answered(UPDATE, check.delivers, check.same_account, features=features, then=DETAILS)
    yield from _errors(UPDATE, *features)
    yield f"{UPDATE}_005", wrong_key(UPDATE, SIGNATURE, features=features)
    body = _other(ListOfRootCertificateIDs=_roots("CN=Other Root"))
    yield f"{UPDATE}_006", altered(UPDATE, body, SIGNATURE, features=features)
    yield f"{UPDATE}_007", _updates(BROKEN, chain=lambda own, _: [own.chain[0], own.chain[2], own.chain[1]])
    for number, places in ((8, (0,)), (9, (1,)), (10, (2,)), (11, (0, 1, 2))):
        yield f"{UPDATE}_{number:03}", _updates(BROKEN, chain=_replaced(places))
    yield f"{UPDATE}_012", refused(UPDATE, changed(eMAID=STRANGE_NAME), *CANCELED, features=features)
    yield f"{UPDATE}_013", refused(UPDATE, changed(eMAID=INVALID_NAME), *CANCELED, features=features)
    yield f"{UPDATE}_014", _updates(*CANCELED, name=STRANGE_NAME)
    yield f"{UPDATE}_015", _updates(*CANCELED, name=INVALID_NAME)
    yield f"{UPDATE}_016", _updates("FAILED_CertificateExpired", expired=Tier.LEAF)
    yield f"{UPDATE}_017", _updates(*UNAVAILABLE, country="00")


def _replaced(places: Sequence[int]) -> Callable[[Credential, Credential], list[bytes]]:
    return lambda own, foreign: mixed(own, foreign, *places)


def _updates(*codes: str, chain: Callable[[Credential, Credential], list[bytes]] | None = None, **flaw: Any) -> Station:
    """An update of a contract whose certificate, or whose chain, has a flaw."""
    return refused(UPDATE, _same, *codes, features=("provisioning",), before=_presents(chain, **flaw))


def _presents(chain: Callable[[Credential, Credential], list[bytes]] | None = None, **flaw: Any) -> Preparation:
    def prepare(visitor: Visitor) -> None:
        held = visitor.pixit.held
        if chain is not None:
            visitor.chain = chain(held.contract(), held.foreign())
        if flaw:
            visitor.own = held.made(Role.CONTRACT, **flaw)

    return prepare


def _details() -> Iterator[tuple[str, Station]]:
    yield f"{DETAILS}_001", answered(DETAILS, check.challenges, then="Authorization")
    for number, stage in ((2, INSTALL), (3, UPDATE)):
        certified = answered(DETAILS, check.challenges, features=("provisioning",), extra=(stage,))
        yield f"{DETAILS}_{number:03}", certified
    yield f"{DETAILS}_004", sequence_error(DETAILS)
    yield f"{DETAILS}_005", unknown_session(DETAILS)
    yield f"{DETAILS}_006", silence(DETAILS)
    yield f"{DETAILS}_007", _pays("FAILED_CertificateExpired", expired=Tier.LEAF)
    yield f"{DETAILS}_008", _pays(*NOT_HERE, domain=profile(Role.OEM_PROVISIONING))
    yield f"{DETAILS}_009", _pays(*NOT_HERE, expired=Tier.SUB1)
    yield f"{DETAILS}_010", _pays(*NOT_HERE, expired=Tier.SUB2)


def _pays(*codes: str, **flaw: Any) -> Station:
    """A contract whose certificate has a flaw."""
    return refused(DETAILS, _same, *codes, before=_presents(**flaw))
