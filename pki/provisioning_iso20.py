"""The provisioning service of ISO 15118-20: answers CertificateInstallationReq from one tree of -20.

Whoever is refused gets a response with the code that says why, and the least content that is valid.
"""

from __future__ import annotations

from datetime import datetime

from pki.certificate import Certificate, read
from pki.contract import iso20 as contract
from pki.contract.chain import chain_of
from pki.contract.manner import STANDARD, Manner
from pki.contract.recipient import receiver_key
from pki.keys import PublicKey
from pki.operator import Operator
from pki.profiles import Tier
from v2g import protocols, signature
from v2g.errors import Refused, Undecodable, Untrusted
from v2g.exi.message import Message
from v2g.keywrap.iso20 import SCALAR_BYTES, SENDER_BYTES
from v2g.messages.iso20 import common, common_types
from v2g.messages.iso20.common_types import ResponseCode
from v2g.messages.xmldsig import Signature
from v2g.trust import Role, Rule, Verdict

LONGEST = 20_480
"""Bytes of a request: a chain of up to four certificates of 1,600 bytes, a signature, and the names of 20 roots."""
Request = common.CertificateInstallationReq
Response = common.CertificateInstallationRes
_CODES = {
    Rule.EXPIRED: ResponseCode.WARNING_CertificateExpired,
    Rule.NOT_YET_VALID: ResponseCode.WARNING_CertificateNotYetValid,
    Rule.REVOKED: ResponseCode.WARNING_CertificateRevoked,
}
_WRAPPED_BYTES = 12 + SCALAR_BYTES + 16


class ProvisioningService20:
    """Answers the requests of vehicles; `manner` is how its deliveries are made.

    An Ed448 contract, for a provisioning certificate on Ed448 with a second key on X448, is delivered only where
    `manner.form` allows the experiment.
    """

    def __init__(self, operator: Operator, manner: Manner = STANDARD) -> None:
        """Serve the tree of an operator; raises ValueError for one that is not of -20."""
        if not operator.edition.second:
            raise ValueError(f"the tree is of {operator.edition}, whose keys -20 does not deliver; name one of -20")
        self.operator = operator
        self.manner = manner

    def answer(self, exi: bytes) -> bytes:
        """Answer a whole message, as EXI. Raises `Undecodable` for one that is no certificate request."""
        return self.write(self.respond(self.read(exi)))

    def read(self, exi: bytes) -> Request:
        """Read a request; raises `Undecodable`."""
        if len(exi) > LONGEST:
            raise Undecodable(f"{len(exi)} bytes are no certificate request")
        return expect(protocols.schema(contract.SCHEMA).decode(exi))

    def write(self, response: Response) -> bytes:
        """Write a response; an X448 key is shorter than the schema has it."""
        return protocols.schema(contract.SCHEMA).encode(response, strict=False)

    def respond(self, request: Request, manner: Manner | None = None, at: datetime | None = None) -> Response:
        """Answer a request; raises ValueError for a manner it cannot have."""
        try:
            return self.fulfil(request, manner, at)
        except Refused as refusal:
            return self.refusal(request, refusal.code, at)

    def fulfil(self, request: Request, manner: Manner | None = None, at: datetime | None = None) -> Response:
        """Answer a request that can be granted; raises `Refused` for another one, else as `respond`."""
        how = manner or self.manner
        contract.check_manner(how)
        return self.install(request, how, at).installed(request.Header.SessionID, at=at)

    def refusal(self, request: Request, code: str, at: datetime | None = None) -> Response:
        """Answer a request that cannot be granted."""
        return refusal_of(request.Header.SessionID, ResponseCode(code), at)

    def install(self, request: Request, manner: Manner = STANDARD, at: datetime | None = None) -> contract.Delivery:
        """Deliver the contract of the vehicle that a provisioning chain names. Raises `Refused`.

        Of the accounts that a request prefers none is looked for: a vehicle has one here.
        """
        chain = chain_of(request.OEMProvisioningCertificateChain)
        verdict = self.operator.judge(chain, Role.OEM_PROVISIONING, at)
        if verdict.broken is not None:
            raise _refusal(verdict)
        certificate = read(chain[0])
        _check_signature(request.OEMProvisioningCertificateChain, request.Header.Signature, certificate)
        account = self.operator.account(verdict.subject)
        if account is None:
            raise Refused(ResponseCode.WARNING_NoContractMatchingPCIDFound, "no contract belongs to this vehicle")
        return self.deliver(account, certificate, manner, at)

    def deliver(
        self, emaid: str, vehicle: Certificate, manner: Manner = STANDARD, at: datetime | None = None
    ) -> contract.Delivery:
        """Make a certificate with a new key for an account, and wrap it for the owner of a provisioning certificate.

        Raises `Refused` where the vehicle has no key for it.
        """
        made = self.operator.new_contract(emaid, at)
        try:
            receiver = receiver_key(vehicle, self.operator.options)
            return contract.deliver(made, receiver, self.operator.provider, vehicle.common_name, manner)
        except ValueError as error:
            raise Refused(ResponseCode.WARNING_NoCertificateAvailable, str(error)) from error


def expect(message: Message) -> Request:
    """Take a message for a request; raises `Undecodable` for another one."""
    if isinstance(message, Request):
        return message
    raise Undecodable(f"{type(message).__name__} is no certificate request")


def refusal_of(session_id: bytes, code: ResponseCode, at: datetime | None = None) -> Response:
    """A response that delivers nothing: what must be there is filled with zeros."""
    data = common.SignedInstallationData(
        Id=contract.SIGNED_ID,
        ContractCertificateChain=common.ContractCertificateChain(
            Certificate=b"", SubCertificates=common.SubCertificates(Certificate=[b""])
        ),
        ECDHCurve=common.ECDHCurve.SECP521,
        DHPublicKey=bytes(SENDER_BYTES),
        SECP521_EncryptedPrivateKey=bytes(_WRAPPED_BYTES),
    )
    return Response(
        Header=contract.header(session_id, None, at),
        ResponseCode=code,
        EVSEProcessing=common_types.Processing.Finished,
        CPSCertificateChain=common.CertificateChain(Certificate=b""),
        SignedInstallationData=data,
        RemainingContractCertificateChains=0,
    )


def _refusal(verdict: Verdict) -> Refused:
    """Say which code tells a vehicle that its chain is broken; only of its own certificate is a reason told."""
    code = _CODES.get(verdict.broken or Rule.CHECK) if verdict.tier == Tier.LEAF else None
    return Refused(code or ResponseCode.WARNING_CertificateValidationError, f"{verdict.broken}: {verdict.detail}")


def _check_signature(chain: common.SignedCertificateChain, signed: Signature | None, leaf: Certificate) -> None:
    """Refuse a request whose chain element the owner of the leaf did not sign."""
    if signed is None:
        raise Refused(ResponseCode.FAILED_SignatureError, "the request is not signed")
    if not isinstance(leaf.key, PublicKey):
        raise Refused(ResponseCode.WARNING_CertificateValidationError, "the certificate's key signs nothing")
    forms = protocols.schema(contract.SCHEMA).fragment_forms(chain, "OEMProvisioningCertificateChain")
    try:
        signature.verify(signed, {chain.Id: forms}, leaf.key, contract.SCHEMA)
    except Untrusted as error:
        raise Refused(ResponseCode.FAILED_SignatureError, str(error)) from error
