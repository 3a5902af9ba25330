"""Contract provisioning: the EXI of a request for a contract certificate in, the EXI of its answer out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pki.certificate import read
from pki.contract.manner import ISO2_ALONE, Deviation, deviating
from pki.credentials import Credential
from pki.evidence import Status
from pki.operator import Operator
from pki.profiles import Tier
from pki.provisioning import ProvisioningService
from pki.provisioning_iso20 import LONGEST, ProvisioningService20
from pki.serve.ledger import Ledger
from pki.serve.misbehaviour import Service, faults
from pki.serve.realm import Realm
from pki.serve.reply import Reply, refused
from pki.serve.state import State
from v2g.errors import Undecodable
from v2g.messages import iso2
from v2g.messages.iso20 import common
from v2g.trust import Role, Rule, Verdict

__all__ = ["LONGEST", "MEDIA", "Contracts"]
MEDIA = "application/exi"


class _Served(Operator):
    """An operator that keeps every contract before it is delivered, and provides nothing to the revoked."""

    def __init__(self, realm: Realm, state: State, ledger: Ledger) -> None:
        super().__init__(realm.store, options=realm.tree.options)
        self._realm = realm
        self._state = state
        self._ledger = ledger
        self._authority = realm.issuer(Role.CONTRACT)

    def new_contract(self, emaid: str, at: datetime | None = None) -> Credential:
        """Make a contract and keep its certificate; raises `Unavailable` where it could not be kept."""
        credential = super().new_contract(emaid, at)
        self._state.record([self._realm.hold(read(credential.chain[0]), self._authority, Role.CONTRACT)])
        return credential

    def judge(self, chain: Sequence[bytes], role: Role, at: datetime | None = None) -> Verdict:
        """Judge a chain by the anchors of the tree and by what is revoked."""
        verdict, moment = super().judge(chain, role, at), at or datetime.now(UTC)
        if verdict.broken is not None:
            return verdict
        for tier, der in zip((Tier.LEAF, Tier.SUB2, Tier.SUB1), chain, strict=False):
            certificate = read(der)
            issuer = self._realm.above_of(certificate)
            standing = self._ledger.standing((issuer.id, certificate.serial), moment.timestamp()) if issuer else None
            if standing is not None and standing.status is Status.REVOKED:
                return replace(verdict, broken=Rule.REVOKED, tier=tier, detail=f"{tier}: it was revoked")
        return verdict


class Contracts:
    """Provides the contracts of one tree, of -2 or -20; its calls block and are made in threads."""

    def __init__(self, realm: Realm, state: State, ledger: Ledger) -> None:
        """Raises ValueError naming what the tree lacks."""
        operator = _Served(realm, state, ledger)
        second = operator.edition.second
        self._service = ProvisioningService20(operator) if second else ProvisioningService(operator)
        self._deviations = frozenset(Deviation) - (ISO2_ALONE if second else frozenset())
        self._ledger = ledger

    def post(self, exi: bytes, at: datetime) -> Reply:
        """Answer a request at a time (aware); raises `Unavailable`."""
        service = self._service
        try:
            if isinstance(service, ProvisioningService):
                envelope = service.read(exi)
                on = self._on(envelope.body)
                answer = service.respond(envelope, deviating(on & self._deviations), at)
                return _reply(service.write(answer), answer.body, on)
            request = service.read(exi)
            on = self._on(request)
            response = service.respond(request, deviating(on & self._deviations), at)
            return _reply(service.write(response), response, on)
        except Undecodable as error:
            return refused(400, str(error), outcome="undecodable")

    def _on(self, request: object) -> frozenset[str]:
        return faults(self._ledger.switches, Service.CONTRACT, _names(request))


def _reply(body: bytes, response: object, on: frozenset[str]) -> Reply:
    return Reply(body=body, media=MEDIA, outcome=str(getattr(response, "ResponseCode", "ok")), faults=on)


def _names(request: object) -> tuple[str, ...]:
    """Return serial number and CN of the certificate that asks."""
    match request:
        case iso2.CertificateInstallationReq():
            leaf = request.OEMProvisioningCert
        case iso2.CertificateUpdateReq():
            leaf = request.ContractSignatureCertChain.Certificate
        case common.CertificateInstallationReq():
            leaf = request.OEMProvisioningCertificateChain.Certificate
        case _:
            return ()
    try:
        certificate = read(leaf)
    except ValueError:
        return ()
    return str(certificate.serial), certificate.common_name
