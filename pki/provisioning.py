"""A provisioning service on a tree of `pki init`: who gets a contract, and which. It holds the keys of MO and CPS.

The tree says who is known: a provisioning certificate `leaf/oem-provisioning/<id>` has the account of
`leaf/contract/<id>`. Each delivery is a new key and a new certificate for that account, signed by the MO's Sub2 and
delivered by the CPS; nothing of it is kept. Whoever is refused gets a response with the code that says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki import contract, credentials
from pki.contract import chain_of
from pki.credentials import Credential
from pki.issue import Issued, issue
from pki.keys import PublicKey
from pki.profiles import Tier, profile
from pki.store import Store
from pki.tree import Entry
from pki.validate import validate
from v2g import identifiers, protocols, signature
from v2g.dialect import Envelope, Refusing
from v2g.errors import Refused, Undecodable, Untrusted
from v2g.iso2 import ISO2
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.trust import Role, Rule, Verdict

LONGEST = 10_240
"""Bytes of a request: a chain of certificates, a signature, and the names of 20 roots."""
DAYS = 730
ISSUER = "ca/mo/sub2"
Request = iso2.CertificateInstallationReq | iso2.CertificateUpdateReq


class ProvisioningService:
    """Answers the requests of vehicles from one tree; `days` is how long the contracts it makes are valid."""

    def __init__(self, tree: Store, *, days: int = DAYS) -> None:
        """Read what is needed of the tree; raises ValueError naming what is missing."""
        self._issuer = _issuer(tree)
        self._subs = {branch: _subs(tree, branch) for branch in ("mo", "oem")}
        self._anchors = [
            der for file in sorted(tree.folder.glob("trust/*.pem")) for der in credentials.load_anchors(file)
        ]
        self._days = days
        self._accounts = _accounts(tree)
        self.provider = _provider(tree)

    def answer(self, exi: bytes) -> bytes:
        """Answer a whole V2G message, as EXI. Raises `Undecodable` for one that is no certificate request."""
        return self.write(self.respond(self.read(exi)))

    def read(self, exi: bytes) -> Envelope:
        """Read a V2G message; raises `Undecodable`."""
        if len(exi) > LONGEST:
            raise Undecodable(f"{len(exi)} bytes are no certificate request")
        return ISO2.unwrap(protocols.schema(contract.SCHEMA).decode(exi))

    def write(self, envelope: Envelope) -> bytes:
        """Write a V2G message."""
        return protocols.schema(contract.SCHEMA).encode(ISO2.wrap(envelope))

    def respond(self, envelope: Envelope) -> Envelope:
        """Answer a request; raises `Undecodable` for another message."""
        request = envelope.body
        try:
            match request:
                case iso2.CertificateInstallationReq():
                    delivery = self.install(request, envelope.signature)
                    body: iso2.BodyElement = delivery.installed()
                case iso2.CertificateUpdateReq():
                    delivery = self.update(request, envelope.signature)
                    body = delivery.updated()
                case _:
                    raise Undecodable(f"{type(request).__name__} is no certificate request")
        except Refused as refusal:
            refused = ISO2.refusal(request, refusal.code, Refusing())
            return Envelope(session_id=envelope.session_id, body=refused)
        return Envelope(session_id=envelope.session_id, body=body, signature=delivery.signature)

    def install(self, request: iso2.CertificateInstallationReq, signed: Signature | None) -> contract.Delivery:
        """Deliver the contract of the vehicle that a provisioning certificate names. Raises `Refused`."""
        chain = [request.OEMProvisioningCert, *self._subs["oem"]]
        verdict = self._judge(chain, Role.OEM_PROVISIONING)
        if verdict.broken is not None:
            raise _refusal(verdict, "FAILED_NoCertificateAvailable")
        key = _key(chain[0])
        _check_signature(request, signed, key)
        account = self._accounts.get(verdict.subject.upper())
        if account is None:
            raise Refused("FAILED_NoCertificateAvailable", "no contract belongs to this vehicle")
        return self.deliver(account, key)

    def update(self, request: iso2.CertificateUpdateReq, signed: Signature | None) -> contract.Delivery:
        """Deliver a new certificate for the contract that signs. Raises `Refused`."""
        chain = chain_of(request.ContractSignatureCertChain)
        verdict = self._judge(chain, Role.CONTRACT)
        if verdict.broken is not None:
            raise _refusal(verdict, "FAILED_CertChainError")
        if not identifiers.same_emaid(request.eMAID, verdict.subject):
            raise Refused("FAILED_NoCertificateAvailable", "the eMAID is not the one of the contract certificate")
        key = _key(chain[0])
        _check_signature(request, signed, key)
        if not any(identifiers.same_emaid(verdict.subject, known) for known in self._accounts.values()):
            raise Refused("FAILED_ContractCanceled", "there is no such contract")
        return self.deliver(identifiers.emaid(verdict.subject), key)

    def deliver(self, emaid: str, receiver: PublicKey) -> contract.Delivery:
        """Make a certificate with a new key for an account, and wrap it for the receiver."""
        return contract.deliver(self.new_contract(emaid), receiver, self.provider)

    def new_contract(self, emaid: str) -> Credential:
        """Make a certificate with a new key for an account."""
        names = {part.oid: str(part.value) for part in self._issuer.certificate.subject}
        entry = Entry(
            profile=profile(Role.CONTRACT),
            name=emaid,
            common_name=emaid,
            organization=names.get(NameOID.ORGANIZATION_NAME, "test"),
            country=names.get(NameOID.COUNTRY_NAME, "DE"),
            days=self._days,
        )
        issued = issue(entry, self._issuer, datetime.now(UTC))
        return Credential([issued.der, *self._subs["mo"]], issued.key)

    def _judge(self, chain: Sequence[bytes], role: Role) -> Verdict:
        return validate(chain, role, self._anchors)


# --- the tree -------------------------------------------------------------------------------------------------------


def _issuer(tree: Store) -> Issued:
    """The MO's Sub2 with its key."""
    if ISSUER not in tree.places():
        raise ValueError(f"{tree.folder}: has no {ISSUER}; `plugcharge pki init` makes a tree that has one")
    return tree.load(ISSUER)


def _subs(tree: Store, branch: str) -> list[bytes]:
    """The Sub-CAs of a branch, Sub2 first."""
    places = [f"ca/{branch}/sub2", f"ca/{branch}/sub1"]
    there = [tree.load_certificate(place) for place in places if tree.certificate(place).exists()]
    return [certificate.public_bytes(Encoding.DER) for certificate in there]


def _leaves(tree: Store, role: Role) -> dict[str, str]:
    """The places of the leaves of a role, by id."""
    places = [place for place in tree.places() if place.startswith(f"leaf/{role}/")]
    return {place.rpartition("/")[2]: place for place in places}


def _accounts(tree: Store) -> dict[str, str]:
    """The EMAID of each PCID: of the leaves that share an id."""

    def named(place: str) -> str:
        return contract.common_name(tree.load_certificate(place).public_bytes(Encoding.DER))

    vehicles, contracts = _leaves(tree, Role.OEM_PROVISIONING), _leaves(tree, Role.CONTRACT)
    return {
        named(vehicles[name]).upper(): identifiers.emaid(named(contracts[name]))
        for name in vehicles
        if name in contracts
    }


def _provider(tree: Store) -> Credential:
    """Chain and key of the CPS, the first one of the tree."""
    places = list(_leaves(tree, Role.CPS).values())
    if not places:
        raise ValueError(
            f"{tree.folder}: has no {Role.CPS} leaf; declare one in pki.toml and run `plugcharge pki init`"
        )
    return credentials.load_credential(tree.chain(places[0]), tree.key(places[0]))


# --- one request ----------------------------------------------------------------------------------------------------


def _refusal(verdict: Verdict, otherwise: str) -> Refused:
    """Say which code tells a vehicle that its chain is broken; only its own certificate is called expired."""
    expired = verdict.broken in (Rule.EXPIRED, Rule.NOT_YET_VALID) and verdict.tier == Tier.LEAF
    return Refused("FAILED_CertificateExpired" if expired else otherwise, f"{verdict.broken}: {verdict.detail}")


def _key(der: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a certificate whose chain holds, which is on P-256."""
    key = x509.load_der_x509_certificate(der).public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise Refused("FAILED_NoCertificateAvailable", "the certificate's key is on no curve")
    return key


def _check_signature(request: Request, signed: Signature | None, key: ec.EllipticCurvePublicKey) -> None:
    """Refuse a request that the owner of the key did not sign."""
    if signed is None:
        raise Refused("FAILED_SignatureError", "the request is not signed")
    forms = protocols.schema(contract.SCHEMA).fragment_forms(request)
    try:
        signature.verify(signed, {request.Id: forms}, key, contract.SCHEMA)
    except Untrusted as error:
        raise Refused("FAILED_SignatureError", str(error)) from error
