"""The provisioning service of ISO 15118-2: answers the requests of vehicles for contracts, installed or updated.

Whoever is refused gets a response with the code that says why.
"""

from __future__ import annotations

from datetime import datetime

from pki.certificate import read
from pki.contract import iso2 as contract
from pki.contract.chain import chain_of
from pki.contract.manner import STANDARD, Manner
from pki.credentials import Credential
from pki.keys import PublicKey
from pki.operator import Operator
from pki.profiles import Tier
from pki.store import Store
from v2g import identifiers, protocols, signature
from v2g.dialect import Envelope, Refusing
from v2g.errors import Refused, Undecodable, Untrusted
from v2g.iso2 import ISO2
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.trust import Role, Rule, Verdict

LONGEST = 10_240
"""Bytes of a request: a chain of certificates, a signature, and the names of 20 roots."""
Request = iso2.CertificateInstallationReq | iso2.CertificateUpdateReq


class ProvisioningService:
    """Answers the requests of vehicles from one tree; `days` is how long the contracts it makes are valid.

    `manner` is how its deliveries are made, `at` the time of an answer: now where it is None.
    """

    def __init__(self, tree: Store | Operator, *, days: int | None = None, manner: Manner = STANDARD) -> None:
        """Read what is needed of the tree, unless an operator has; raises ValueError naming what is missing."""
        self.operator = tree if isinstance(tree, Operator) else Operator(tree, days=days)
        self.manner = manner

    @property
    def provider(self) -> Credential:
        """Chain and key of the CPS."""
        return self.operator.provider

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

    def respond(self, envelope: Envelope, manner: Manner | None = None, at: datetime | None = None) -> Envelope:
        """Answer a request; raises `Undecodable` for another message, and ValueError for a manner it cannot have."""
        try:
            return self.fulfil(envelope, manner, at)
        except Refused as refusal:
            return self.refusal(envelope, refusal.code)

    def fulfil(self, envelope: Envelope, manner: Manner | None = None, at: datetime | None = None) -> Envelope:
        """Answer a request that can be granted; raises `Refused` for another one, else as `respond`."""
        request, how = envelope.body, manner or self.manner
        contract.check_manner(how)
        match request:
            case iso2.CertificateInstallationReq():
                delivery = self.install(request, envelope.signature, how, at)
                body: iso2.BodyElement = delivery.installed()
            case iso2.CertificateUpdateReq():
                delivery = self.update(request, envelope.signature, how, at)
                body = delivery.updated()
            case _:
                raise Undecodable(f"{type(request).__name__} is no certificate request")
        return Envelope(session_id=envelope.session_id, body=body, signature=delivery.signature)

    def refusal(self, envelope: Envelope, code: str) -> Envelope:
        """Answer a request that cannot be granted."""
        return Envelope(session_id=envelope.session_id, body=ISO2.refusal(envelope.body, code, Refusing()))

    def install(
        self,
        request: iso2.CertificateInstallationReq,
        signed: Signature | None,
        manner: Manner = STANDARD,
        at: datetime | None = None,
    ) -> contract.Delivery:
        """Deliver the contract of the vehicle that a provisioning certificate names. Raises `Refused`."""
        chain = self.operator.completed(request.OEMProvisioningCert)
        verdict = self.operator.judge(chain, Role.OEM_PROVISIONING, at)
        if verdict.broken is not None:
            raise _refusal(verdict, "FAILED_NoCertificateAvailable")
        key = _key(chain[0])
        _check_signature(request, signed, key)
        account = self.operator.account(verdict.subject)
        if account is None:
            raise Refused("FAILED_NoCertificateAvailable", "no contract belongs to this vehicle")
        return self.deliver(account, key, manner, at)

    def update(
        self,
        request: iso2.CertificateUpdateReq,
        signed: Signature | None,
        manner: Manner = STANDARD,
        at: datetime | None = None,
    ) -> contract.Delivery:
        """Deliver a new certificate for the contract that signs. Raises `Refused`."""
        chain = chain_of(request.ContractSignatureCertChain)
        verdict = self.operator.judge(chain, Role.CONTRACT, at)
        if verdict.broken is not None:
            raise _refusal(verdict, "FAILED_CertChainError")
        if not identifiers.same_emaid(request.eMAID, verdict.subject):
            raise Refused("FAILED_NoCertificateAvailable", "the eMAID is not the one of the contract certificate")
        key = _key(chain[0])
        _check_signature(request, signed, key)
        if not self.operator.knows(verdict.subject):
            raise Refused("FAILED_ContractCanceled", "there is no such contract")
        return self.deliver(identifiers.emaid(verdict.subject), key, manner, at)

    def deliver(
        self, emaid: str, receiver: PublicKey, manner: Manner = STANDARD, at: datetime | None = None
    ) -> contract.Delivery:
        """Make a certificate with a new key for an account, and wrap it for the receiver."""
        return contract.deliver(self.new_contract(emaid, at), receiver, self.provider, manner)

    def new_contract(self, emaid: str, at: datetime | None = None) -> Credential:
        """Make a certificate with a new key for an account."""
        return self.operator.new_contract(emaid, at)


def _refusal(verdict: Verdict, otherwise: str) -> Refused:
    """Say which code tells a vehicle that its chain is broken; only of its own is a reason told."""
    codes = {
        Rule.EXPIRED: "FAILED_CertificateExpired",
        Rule.NOT_YET_VALID: "FAILED_CertificateExpired",
        Rule.REVOKED: "FAILED_CertificateRevoked",
    }
    code = codes.get(verdict.broken or Rule.CHECK, otherwise) if verdict.tier == Tier.LEAF else otherwise
    return Refused(code, f"{verdict.broken}: {verdict.detail}")


def _key(der: bytes) -> PublicKey:
    """The key of a certificate whose chain holds."""
    key = read(der).key
    if isinstance(key, PublicKey):
        return key
    raise Refused("FAILED_NoCertificateAvailable", "the certificate's key is on no curve")


def _check_signature(request: Request, signed: Signature | None, key: PublicKey) -> None:
    """Refuse a request that the owner of the key did not sign."""
    if signed is None:
        raise Refused("FAILED_SignatureError", "the request is not signed")
    forms = protocols.schema(contract.SCHEMA).fragment_forms(request)
    try:
        signature.verify(signed, {request.Id: forms}, key, contract.SCHEMA)
    except Untrusted as error:
        raise Refused("FAILED_SignatureError", str(error)) from error
