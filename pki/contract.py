"""Delivery of a contract in ISO 15118-2: what the provisioning service (CPS) signs for one vehicle, made and opened.

Four parts are delivered: the contract's chain, its encrypted key, the sender's ephemeral public key and the EMAID. The
leaf of the CPS signs exactly these, each by its Id; its own chain travels beside them. The vehicle checks in this
order: provider, signature, chain of the contract, EMAID, key. It takes all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pki.credentials import Credential
from pki.keys import PrivateKey, PublicKey
from v2g import identifiers, signature
from v2g.errors import Untrusted
from v2g.keywrap import iso2 as keywrap
from v2g.keywrap.wrapped import WrappedKey
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.trust import Role, Rule, Verify

SCHEMA = "iso2"
CHAIN = "ContractSignatureCertChain"
Response = iso2.CertificateInstallationRes | iso2.CertificateUpdateRes


class Flaw(StrEnum):
    """Why a delivery is not accepted, in the order of the checks."""

    PROVIDER = "provider"
    SIGNATURE = "signature"
    CHAIN = "contract-chain"
    EMAID = "emaid"
    KEY = "key"


class NotAccepted(Untrusted):
    """A delivery that must not be used; `flaw` names the check that it failed."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        self.flaw = flaw
        super().__init__(f"delivered contract, {flaw}", detail)


# --- made by the provisioning service -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """A contract for one vehicle: the fields that installation and update share, and the signature of the header."""

    fields: dict[str, Any]
    signature: Signature

    def installed(self) -> iso2.CertificateInstallationRes:
        """Answer a CertificateInstallationReq."""
        return iso2.CertificateInstallationRes(ResponseCode=ResponseCode.OK, **self.fields)

    def updated(self, retry: int = 0) -> iso2.CertificateUpdateRes:
        """Answer a CertificateUpdateReq; `retry` is the RetryCounter, of no meaning in success (unverified)."""
        return iso2.CertificateUpdateRes(ResponseCode=ResponseCode.OK, RetryCounter=retry, **self.fields)


def deliver(contract: Credential, receiver: PublicKey, provider: Credential) -> Delivery:
    """Wrap a contract for the owner of `receiver` and have the provider sign it.

    The receiver's key is that of the provisioning certificate [V2G2-820], in an update that of the old contract
    [V2G2-821]. Raises ValueError where a key is not on P-256, or the contract's CN is no EMAID.
    """
    wrapped = keywrap.wrap(contract.key, receiver)
    fields: dict[str, Any] = {
        "SAProvisioningCertificateChain": chain_message(provider.chain),
        "ContractSignatureCertChain": chain_message(contract.chain, "id1"),
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKey(
            Id="id2", value=wrapped.encrypted
        ),
        "DHpublickey": iso2.DiffieHellmanPublickey(Id="id3", value=wrapped.sender),
        "eMAID": iso2.EMAID(Id="id4", value=identifiers.emaid(common_name(contract.chain[0]))),
    }
    parts = _signed_parts(iso2.CertificateInstallationRes(ResponseCode=ResponseCode.OK, **fields))
    fragments = [(str(part.Id), schema(SCHEMA).encode_fragment(part, name)) for part, name in parts]
    return Delivery(fields, signature.sign(fragments, provider.key, SCHEMA))


def chain_message(chain: Sequence[bytes], name: str | None = None) -> iso2.CertificateChain:
    """A chain of DER certificates, leaf first, as messages carry it; `name` is its Id."""
    leaf, *subs = chain
    return iso2.CertificateChain(
        Id=name, Certificate=leaf, SubCertificates=iso2.SubCertificates(Certificate=subs) if subs else None
    )


def chain_of(message: iso2.CertificateChain) -> list[bytes]:
    """The DER certificates of a chain in a message, leaf first."""
    return [message.Certificate, *(message.SubCertificates.Certificate if message.SubCertificates else ())]


def common_name(der: bytes) -> str:
    """The CN of a certificate, empty where it has none; raises ValueError for what is no certificate."""
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _signed_parts(response: Response) -> list[tuple[Any, str | None]]:
    """The four parts that are signed; of the chain the class does not tell the element's name."""
    others = (response.ContractSignatureEncryptedPrivateKey, response.DHpublickey, response.eMAID)
    return [(response.ContractSignatureCertChain, CHAIN), *((part, None) for part in others)]


# --- opened by the vehicle ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A contract that passed every check; `chain` is DER, leaf first and without the root."""

    emaid: str
    chain: Sequence[bytes]
    key: ec.EllipticCurvePrivateKey


def receive(
    response: Response,
    signed: Signature | None,
    receiver: PrivateKey,
    verify: Verify,
    *,
    rooted: bool = False,
) -> Received:
    """Check a delivery completely and decrypt its key with the receiver's own; raises `NotAccepted`.

    `verify` judges the chains of provider and contract. A vehicle need not know the roots of mobility operators:
    unless `rooted`, a contract under an unknown root is taken as the provider signed it, if it is valid now.
    """
    _check_signature(response, signed, _check_provider(response, verify))
    chain = chain_of(response.ContractSignatureCertChain)
    verdict = verify(chain, Role.CONTRACT)
    if verdict.broken is not None and (rooted or verdict.broken is not Rule.ANCHOR):
        raise NotAccepted(Flaw.CHAIN, f"{verdict.broken}: {verdict.detail}")
    _check_validity(chain)
    if not identifiers.same_emaid(response.eMAID.value, verdict.subject):
        raise NotAccepted(Flaw.EMAID, "the eMAID is not the one of the contract certificate")
    try:
        wrapped = WrappedKey(response.ContractSignatureEncryptedPrivateKey.value, response.DHpublickey.value)
        key = keywrap.unwrap(wrapped, receiver, x509.load_der_x509_certificate(chain[0]).public_key()).key
    except Untrusted as error:
        raise NotAccepted(Flaw.KEY, error.detail) from error
    return Received(emaid=identifiers.emaid(verdict.subject), chain=tuple(chain), key=key)


def _check_provider(response: Response, verify: Verify) -> x509.Certificate:
    """The leaf of the provider's chain, which has to hold."""
    chain = chain_of(response.SAProvisioningCertificateChain)
    verdict = verify(chain, Role.CPS)
    if verdict.broken is not None:
        raise NotAccepted(Flaw.PROVIDER, f"{verdict.broken}: {verdict.detail}")
    return x509.load_der_x509_certificate(chain[0])


def _check_validity(chain: Sequence[bytes]) -> None:
    """Refuse what is not valid now: a chain whose root is unknown is judged no further than to that."""
    now = datetime.now(UTC)
    for der in chain:
        certificate = x509.load_der_x509_certificate(der)
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise NotAccepted(Flaw.CHAIN, f"{certificate.subject.rfc4514_string()} is not valid now")


def _check_signature(response: Response, signed: Signature | None, provider: x509.Certificate) -> None:
    """Refuse unless the provider signed exactly the four parts."""
    if signed is None:
        raise NotAccepted(Flaw.SIGNATURE, "the response is not signed")
    parts = {part.Id or "": (part, name) for part, name in _signed_parts(response)}
    try:
        forms = {name: schema(SCHEMA).fragment_forms(*part) for name, part in parts.items()}
        signature.verify(signed, forms, provider.public_key(), SCHEMA)
    except (Untrusted, ValueError) as error:
        raise NotAccepted(Flaw.SIGNATURE, str(error)) from error
    if len(parts) < signature.MAX_REFERENCES:
        raise NotAccepted(Flaw.SIGNATURE, "two parts share an Id, or have none")
