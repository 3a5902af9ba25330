"""May this car charge? Identification from outside (EIM) and contracts, decided here, by the charger or the operator.

A contract passes four checks before anybody is asked: chain, EMAID, challenge, signature. All of them fail closed.
Whose word counts afterwards is a setting: `local` (those checks alone), `charger`, or `backend`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pki.contract.chain import chain_of
from secc import api
from secc.charger import Charger, Presented
from secc.ocsp import request_data
from v2g import identifiers, protocols, signature
from v2g.errors import Refused, Untrusted
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.record import Record
from v2g.timing import Budget
from v2g.trust import Role, Rule, Verdict, Verify

CHALLENGE_BYTES = 16
EXPIRES_SOON = timedelta(days=21)  # [V2G2-690]


class AuthorizationSettings(Record, forbid_unknown_fields=True):
    """Whose word counts; `external_wait_s` is how long a driver may take to identify."""

    contract: api.Verdict = "local"
    external: api.Verdict = "charger"
    external_wait_s: api.Second = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract whose chain holds, and the challenge that its owner still has to sign."""

    emaid: str
    chain: Sequence[bytes]
    verdict: Verdict
    challenge: bytes
    public_key: ec.EllipticCurvePublicKey

    @property
    def expires_soon(self) -> bool:
        """Whether the vehicle should renew it."""
        return self.verdict.expires is not None and self.verdict.expires - datetime.now(UTC) < EXPIRES_SOON


# Which response code of -2 tells the vehicle which rule its chain broke; an expired issuer makes none available.
CHAIN_CODES = {
    Rule.EXPIRED: "FAILED_CertificateExpired",
    Rule.NOT_YET_VALID: "FAILED_CertificateExpired",  # reported the same way [V2G2-824]
    Rule.PROFILE: "FAILED_CertificateNotAllowedAtThisEVSE",
    Rule.ANCHOR: "FAILED_NoCertificateAvailable",
    Rule.REVOKED: "FAILED_CertificateRevoked",
    # Nothing is wrong with it but that this station asks for more; a vehicle told that it is revoked would drop it.
    Rule.REVOCATION: "FAILED_CertificateNotAllowedAtThisEVSE",
}
# AuthorizationRes knows one of these codes (unverified).
LATE_CODES = {Rule.REVOKED: "FAILED_CertificateRevoked"}


def accept_contract(request: iso2.PaymentDetailsReq, verify: Verify) -> Contract:
    """Check chain and EMAID of a PaymentDetailsReq; raises `Refused` with the code that says what is wrong.

    Where it is still being found out whether the contract is revoked, `reconsider` has the last word.
    """
    chain = chain_of(request.ContractSignatureCertChain)
    verdict = verify(chain, Role.CONTRACT)
    if verdict.broken is not None and not (verdict.broken is Rule.REVOCATION and verdict.pending):
        raise Refused(_chain_code(verdict.broken, verdict.tier), f"{verdict.broken}: {verdict.detail}")
    if not identifiers.same_emaid(request.eMAID, verdict.subject):
        raise Refused("FAILED_CertChainError", "the eMAID of the request is not the one of the contract certificate")
    key = x509.load_der_x509_certificate(chain[0]).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("FAILED_CertChainError", "the contract certificate holds no EC key")
    return Contract(
        emaid=identifiers.emaid(verdict.subject),
        chain=chain,
        verdict=verdict,
        challenge=secrets.token_bytes(CHALLENGE_BYTES),  # [V2G2-697] [V2G2-825]
        public_key=key,
    )


def reconsider(contract: Contract, verify: Verify, *, last: bool) -> Contract:
    """Judge a contract again while it is being found out whether it is revoked; raises `Refused`.

    The contract may charge once its verdict is not pending any more. `last` says that nobody waits any longer: what is
    known then decides.
    """
    if not contract.verdict.pending:
        return contract
    verdict = verify(contract.chain, Role.CONTRACT)
    if last:
        verdict = replace(verdict, pending=False)
    if verdict.broken is not None and not (verdict.broken is Rule.REVOCATION and verdict.pending):
        raise Refused(LATE_CODES.get(verdict.broken, "FAILED"), f"{verdict.broken}: {verdict.detail}")
    return replace(contract, verdict=verdict)


def _chain_code(broken: Rule, tier: str) -> str:
    if broken in (Rule.EXPIRED, Rule.NOT_YET_VALID) and tier != "leaf":
        return "FAILED_NoCertificateAvailable"
    return CHAIN_CODES.get(broken, "FAILED_CertChainError")


def prove_contract(request: iso2.AuthorizationReq, signed: Signature | None, contract: Contract) -> signature.Verified:
    """Check challenge and signature together; raises `Refused`. A challenge is asked for once and never again."""
    if request.GenChallenge is None or not secrets.compare_digest(request.GenChallenge, contract.challenge):
        raise Refused("FAILED_ChallengeInvalid", "the GenChallenge is not the one this session was given [V2G2-475]")
    if signed is None or request.Id is None:
        raise Refused("FAILED_SignatureError", "a contract needs a signed AuthorizationReq with an Id")
    forms = protocols.schema("iso2").fragment_forms(request)
    try:
        return signature.verify(signed, {request.Id: forms}, contract.public_key, "iso2")
    except Untrusted as error:
        raise Refused("FAILED_SignatureError", str(error)) from error


Decision = Literal["pending", "accepted", "rejected"]


class Grant:
    """The answer to one authorization, polled while the vehicle asks again and again."""

    def __init__(self, charger: Charger, request_id: str, source: api.Verdict, budget: Budget) -> None:
        self.source = source
        self.id = request_id
        self.budget = budget
        self._charger = charger
        self._early: Presented | None = None
        if source == "local":
            self._early = Presented(accepted=True, source="local")

    @property
    def presented(self) -> Presented | None:
        """The latest word of whoever decides; None while there is none."""
        if self.source == "local":
            return self._early
        return self._charger.answered(self.id, self.source) or self._early

    @property
    def decision(self) -> Decision:
        """What was decided so far; an acceptance may turn into a rejection later, which revokes it."""
        presented = self.presented
        if presented is None:
            return "pending"
        return "accepted" if presented.accepted else "rejected"

    def use(self, presented: Presented | None) -> None:
        """Take a card shown before the plug as the word on this grant."""
        self._early = presented


class Given(NamedTuple):
    """The word that was given on a request."""

    id: str
    word: Presented


def ask_external(charger: Charger, session: str, settings: AuthorizationSettings, before: Given | None = None) -> Grant:
    """Ask for identification from outside; a card shown before the plug counts once, `before` a pause it counts on."""
    source = settings.external
    grant = Grant(charger, before.id if before else _request_id(), source, Budget(settings.external_wait_s))
    if source != "local":
        if before is not None:
            charger.readmit(source, *before)
        grant.use(before.word if before is not None else charger.advance(source, grant.id))
        if grant.presented is None:
            charger.ask(
                api.AuthorizationRequest(
                    id=grant.id, session=session, kind="external", deadline_s=settings.external_wait_s
                )
            )
    return grant


def ask_contract(
    charger: Charger, session: str, settings: AuthorizationSettings, contract: Contract, wait_s: float
) -> Grant:
    """Ask whether a contract that holds may charge here; `wait_s` is the time the vehicle lets us ask."""
    grant = Grant(charger, _request_id(), settings.contract, Budget(wait_s))
    if settings.contract != "local":
        charger.ask(
            api.AuthorizationRequest(
                id=grant.id,
                session=session,
                kind="contract",
                deadline_s=wait_s,
                emaid=contract.emaid,
                chain="".join(_pem(der) for der in contract.chain),
                ocsp=_ocsp_requests(contract.chain),
                local_check="passed",
            )
        )
    return grant


def _ocsp_requests(chain: Sequence[bytes]) -> list[api.OcspRequestData]:
    """What an OCSP request about each certificate needs, for all whose issuer stands in the chain."""
    certificates = [x509.load_der_x509_certificate(der) for der in chain]
    try:
        return [request_data(certificate, issuer) for certificate, issuer in pairwise(certificates)]
    except ValueError as error:
        raise Refused("FAILED_CertChainError", str(error)) from error


def _request_id() -> str:
    return secrets.token_hex(8)


def _pem(der: bytes) -> str:
    return x509.load_der_x509_certificate(der).public_bytes(serialization.Encoding.PEM).decode("ascii")
