"""Contract certificates through this station: what is offered, what is checked, and how the operator is asked.

The vehicle's request goes to the operator as it came, and his answer to the vehicle as it came: contract and key are
neither's of ours. Checked here is what the request itself can prove, its signature and the dates and chain it brings,
so that nobody keeps the operator busy with what must fail; whether the vehicle is known is his to say. Of the answer
is checked that it is one: of this session, to this request, and no larger than such messages get.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from pki.certificate import read as read_certificate
from pki.contract.chain import chain_of
from pki.keys import P256
from secc import api
from secc.visit import Visit
from v2g import identifiers, protocols, signature
from v2g.dialect import Dialect
from v2g.errors import Refused, Undecodable, Untrusted
from v2g.link import SeccLink
from v2g.messages import iso2
from v2g.timing import Budget
from v2g.trust import Role, Rule, Verdict

SERVICE = 2
Action = Literal["install", "update"]
SETS: dict[Action, tuple[int, str]] = {"install": (1, "Installation"), "update": (2, "Update")}
"""ParameterSetID and the value of the parameter `Service`; that an update is set 2 is (unverified)."""
Response = iso2.CertificateInstallationRes | iso2.CertificateUpdateRes
Request = iso2.CertificateInstallationReq | iso2.CertificateUpdateReq
REFUSED = "certificate_refused"
HANDED_ON = "certificate_delivered"


# --- the offer ------------------------------------------------------------------------------------------------------


def offered(visit: Visit) -> tuple[Action, ...]:
    """What is offered: inside TLS, to a vehicle that may pay by contract, and where the configuration says so."""
    settings = visit.config.provisioning
    wanted: dict[Action, bool] = {"install": settings.install, "update": settings.update}
    possible = visit.secure and "contract" in visit.payments
    return tuple(action for action, here in wanted.items() if here and possible)


def service(visit: Visit) -> iso2.Service | None:
    """The certificate service for the list of services; None where nothing is offered."""
    if not offered(visit):
        return None
    return iso2.Service(
        ServiceID=SERVICE,
        ServiceName="Certificate",
        ServiceCategory=iso2.ServiceCategory.ContractCertificate,
        FreeService=visit.config.provisioning.free,
    )


def parameters(visit: Visit) -> list[iso2.ParameterSet]:
    """The parameter sets of the certificate service."""
    return [
        iso2.ParameterSet(ParameterSetID=number, Parameter=[iso2.Parameter(Name="Service", stringValue=name)])
        for number, name in (SETS[action] for action in offered(visit))
    ]


# --- the request ----------------------------------------------------------------------------------------------------


async def provide(ev: SeccLink, visit: Visit, request: Request) -> iso2.PaymentDetailsReq:
    """Have a certificate request answered by the operator; only PaymentDetailsReq may follow [V2G2-554] [V2G2-557].

    Raises `Refused` with the code for what the request cannot prove, with the operator's own refusal, and with FAILED
    where there is no answer within the station's time, or none that can be handed on.
    """
    budget = Budget(visit.timing.message_performance(ev.dialect.protocol.key, type(request).__name__))
    action: Action = "install" if isinstance(request, iso2.CertificateInstallationReq) else "update"
    if action not in offered(visit):
        raise Refused("FAILED", f"certificates are not provided here: {action}")
    check(ev, visit, request)
    payload = await ask(visit, action, ev.received, budget)
    try:
        response = read(payload, request, ev.dialect, ev.session_id)
    except Undecodable as error:
        visit.charger.event(REFUSED, str(error), topic=api.BACKEND_CERTIFICATE.name)
        raise Refused("FAILED", f"the operator's answer cannot be handed on: {error}") from error
    code = ev.dialect.code(response)
    if code.startswith("FAILED"):
        visit.charger.event(REFUSED, f"the operator says {code}")
        raise Refused(code, "the operator refuses a certificate", payload=payload)
    visit.charger.event(HANDED_ON, action)
    return await ev.relay(response, payload, iso2.PaymentDetailsReq)


def check(ev: SeccLink, visit: Visit, request: Request) -> None:
    """Check what the request proves by itself; raises `Refused` with the code that says what is wrong."""
    key = _installing(request) if isinstance(request, iso2.CertificateInstallationReq) else _updating(request, visit)
    if ev.signature is None:
        raise Refused("FAILED_SignatureError", "the request is not signed")
    forms = protocols.schema("iso2").fragment_forms(request)
    try:
        proof = signature.verify(ev.signature, {request.Id: forms}, key, "iso2")
    except Untrusted as error:
        raise Refused("FAILED_SignatureError", str(error)) from error
    visit.journal.record("signature", verified=str(proof))


def _installing(request: iso2.CertificateInstallationReq) -> PublicKeyTypes:
    """The key of a provisioning certificate that is valid today; its issuers are not in the message."""
    try:
        certificate = read_certificate(request.OEMProvisioningCert)
    except ValueError as error:
        raise Refused("FAILED_NoCertificateAvailable", "OEMProvisioningCert is no certificate") from error
    if not certificate.not_before <= datetime.now(UTC) <= certificate.not_after:
        raise Refused("FAILED_CertificateExpired", "the provisioning certificate is not valid today [V2G2-468]")
    if certificate.key is None or not P256.fits(certificate.key):
        raise Refused("FAILED_NoCertificateAvailable", "the provisioning certificate has no key on P-256 [V2G2-006]")
    return certificate.key


def _updating(request: iso2.CertificateUpdateReq, visit: Visit) -> PublicKeyTypes:
    """The key of the contract to be renewed, whose chain has to hold.

    Where it is still being found out whether it is revoked, that is left to the operator: nothing is charged on it.
    """
    chain = chain_of(request.ContractSignatureCertChain)
    verdict = visit.verify(chain, Role.CONTRACT)
    if verdict.broken is not None and not (verdict.broken is Rule.REVOCATION and verdict.pending):
        raise Refused(_update_code(verdict), f"{verdict.broken}: {verdict.detail}")
    if not identifiers.same_emaid(request.eMAID, verdict.subject):
        raise Refused("FAILED_NoCertificateAvailable", "the eMAID is not the one of the contract certificate")
    return x509.load_der_x509_certificate(chain[0]).public_key()


def _update_code(verdict: Verdict) -> str:
    match verdict.broken:
        case Rule.EXPIRED | Rule.NOT_YET_VALID if verdict.tier == "leaf":
            return "FAILED_CertificateExpired"
        case Rule.PROFILE | Rule.REVOCATION:
            return "FAILED_NoCertificateAvailable"
        case Rule.REVOKED:
            return "FAILED_CertificateRevoked"
        case _:
            return "FAILED_CertChainError"


# --- the operator ---------------------------------------------------------------------------------------------------


async def ask(visit: Visit, action: Action, exi: bytes, budget: Budget) -> bytes:
    """Ask the operator and wait for his answer as long as the vehicle lets us; raises `Refused`."""
    charger, request_id = visit.charger, secrets.token_hex(8)
    if len(exi) > api.EXI_LIMIT:
        raise Refused("FAILED", f"a request of {len(exi)} bytes is no certificate request")
    charger.ask_certificate(
        api.CertificateRequest(
            id=request_id,
            session=visit.session,
            action=action,
            deadline_s=budget.left(),
            namespace=protocols.ISO2.namespace,
            exi=exi,
        )
    )
    await charger.until(lambda: bool(visit.over) or charger.certificate(request_id) is not None, budget.left())
    answer = charger.certificate(request_id)
    if visit.over:
        raise Refused("FAILED", visit.over)
    if answer is None:
        charger.event(REFUSED, "the operator did not answer in time", id=request_id)
        raise Refused("FAILED", "the operator did not answer in time")
    if answer.status != "accepted" or answer.exi is None:
        charger.event(REFUSED, "the operator has no answer", id=request_id)
        raise Refused("FAILED", "the operator has no answer")
    return answer.exi


def read(payload: bytes, request: Request, dialect: Dialect, session_id: bytes) -> Response:
    """Read the operator's answer; raises `Undecodable` for one to another request or of another session."""
    envelope = dialect.unwrap(protocols.schema(dialect.protocol.schema).decode(payload))
    if not isinstance(envelope.body, request.Response):
        raise Undecodable(f"{type(envelope.body).__name__} came in answer to {type(request).__name__}")
    if envelope.session_id != session_id:
        raise Undecodable("the answer bears another session id")
    return envelope.body
