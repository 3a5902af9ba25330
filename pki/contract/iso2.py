"""Delivery of a contract in ISO 15118-2: what the provisioning service (CPS) signs for one vehicle, made and opened.

Four parts are delivered: the contract's chain, its encrypted key, the sender's ephemeral public key and the EMAID. The
leaf of the CPS signs exactly these, each by its Id; its own chain travels beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from pki.certificate import Certificate
from pki.contract.chain import chain_of, common_name
from pki.contract.checks import Examination, Parcel, Received, Trust
from pki.contract.faults import forger, neighbour, other_account, other_key, turned
from pki.contract.manner import STANDARD, Deviation, Manner
from pki.contract.recipient import Recipient
from pki.credentials import Credential
from pki.keys import PrivateKey, PublicKey
from v2g import identifiers, signature
from v2g.keywrap import iso2 as keywrap
from v2g.keywrap.wrapped import Opened, WrappedKey, untrusted
from v2g.messages import iso2
from v2g.messages.iso2 import ResponseCode
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.trust import Verify

SCHEMA = "iso2"
CHAIN = "ContractSignatureCertChain"
Response = iso2.CertificateInstallationRes | iso2.CertificateUpdateRes
ScalarKey = ec.EllipticCurvePrivateKey


# --- made by the provisioning service -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """A contract for one vehicle: the fields that installation and update share, and the signature of the header.

    There is a signature, unless it was left out on purpose.
    """

    fields: dict[str, Any]
    signature: Signature | None

    def installed(self) -> iso2.CertificateInstallationRes:
        """Answer a CertificateInstallationReq."""
        return iso2.CertificateInstallationRes(ResponseCode=ResponseCode.OK, **self.fields)

    def updated(self, retry: int = 0) -> iso2.CertificateUpdateRes:
        """Answer a CertificateUpdateReq; `retry` is the RetryCounter, of no meaning in success (unverified)."""
        return iso2.CertificateUpdateRes(ResponseCode=ResponseCode.OK, RetryCounter=retry, **self.fields)


def deliver(contract: Credential, receiver: PublicKey, provider: Credential, manner: Manner = STANDARD) -> Delivery:
    """Wrap a contract for the owner of `receiver`, a public key, and have the provider sign it.

    The receiver's key is that of the provisioning certificate [V2G2-820], in an update that of the old contract
    [V2G2-821]. Raises ValueError where a key is not on P-256, the contract's CN is no EMAID, or for a manner of -20.
    """
    check_manner(manner)
    key = other_key(contract.key) if Deviation.WRONG_KEY in manner else contract.key
    wrapped = _wrapped(_scalar_key("contract", key), receiver, manner)
    account = identifiers.emaid(common_name(contract.chain[0]))
    leaf, *subs = contract.chain
    fields: dict[str, Any] = {
        "SAProvisioningCertificateChain": chain_message(provider.chain),
        "ContractSignatureCertChain": chain_message(
            [leaf, *(reversed(subs) if Deviation.WRONG_ORDER in manner else subs)], "id1"
        ),
        "ContractSignatureEncryptedPrivateKey": iso2.ContractSignatureEncryptedPrivateKey(
            Id="id2", value=wrapped.encrypted
        ),
        "DHpublickey": iso2.DiffieHellmanPublickey(Id="id3", value=wrapped.sender),
        "eMAID": iso2.EMAID(Id="id4", value=other_account(account) if Deviation.OTHER_EMAID in manner else account),
    }
    signed = None if Deviation.UNSIGNED in manner else _signed(fields, provider.key, manner)
    if Deviation.CHANGED in manner:
        fields |= {_KEY: msgspec.structs.replace(fields[_KEY], value=turned(wrapped.encrypted))}
    return Delivery(fields, signed)


def check_manner(manner: Manner) -> None:
    """Raise ValueError for what a delivery of -2 has no place for."""
    if manner.additional is not STANDARD.additional:
        raise ValueError(f"additional data {manner.additional.name}: -2 protects none, only -20 does; leave them out")
    if manner.padded:
        raise ValueError("padded: -2 has no X448 keys, only -20 has; leave it out")
    if manner.derivation.hash is not None:
        raise ValueError(f"key derivation {manner.derivation.name}: -2 has this hash anyway; leave out what names it")


def _wrapped(key: ScalarKey, receiver: PublicKey, manner: Manner) -> WrappedKey:
    if isinstance(receiver, ec.EllipticCurvePublicKey):
        target = neighbour(receiver) if Deviation.WRONG_RECIPIENT in manner else receiver
        return keywrap.wrap(key, target, manner.derivation)
    raise ValueError("the key of the receiver is Ed448, and -2 knows P-256 alone")


def chain_message(chain: Sequence[bytes], name: str | None = None) -> iso2.CertificateChain:
    """A chain of DER certificates, leaf first, as messages carry it; `name` is its Id."""
    leaf, *subs = chain
    return iso2.CertificateChain(
        Id=name, Certificate=leaf, SubCertificates=iso2.SubCertificates(Certificate=subs) if subs else None
    )


def signed_parts(response: Response) -> list[tuple[Any, str | None]]:
    """The four parts that are signed; of the chain the class does not tell the element's name."""
    others = (response.ContractSignatureEncryptedPrivateKey, response.DHpublickey, response.eMAID)
    return [(response.ContractSignatureCertChain, CHAIN), *((part, None) for part in others)]


_KEY = "ContractSignatureEncryptedPrivateKey"


def _signed(fields: dict[str, Any], key: PrivateKey, manner: Manner) -> Signature:
    parts = signed_parts(iso2.CertificateInstallationRes(ResponseCode=ResponseCode.OK, **fields))
    fragments = [(str(part.Id), schema(SCHEMA).encode_fragment(part, name)) for part, name in parts]
    if Deviation.THREE_REFERENCES in manner:
        fragments.pop()
    return signature.sign(fragments, forger(key) if Deviation.WRONG_SIGNER in manner else key, SCHEMA)


def _scalar_key(whose: str, key: PrivateKey) -> ScalarKey:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key
    raise ValueError(f"the key of the {whose} is Ed448, and -2 knows P-256 alone")


# --- opened by the vehicle ------------------------------------------------------------------------------------------


def receive(
    response: Response,
    signed: Signature | None,
    receiver: PrivateKey,
    verify: Verify,
    *,
    rooted: bool = False,
) -> Received[ScalarKey]:
    """Check a delivery completely and decrypt its key with the receiver's own; raises `NotAccepted`.

    `verify` judges the chains of provider and contract. A vehicle need not know the roots of mobility operators:
    unless `rooted`, a contract under an unknown root is taken as the provider signed it, if it is valid now.
    """
    recipient = Recipient(key=_scalar_key("receiver", receiver))
    return examination(response, signed, recipient, Trust(verify=verify, rooted=rooted)).receive()


def examination(
    response: Response, signed: Signature | None, recipient: Recipient, trust: Trust
) -> Examination[ScalarKey]:
    """Prepare the checks of a delivery, to be made up to the first flaw or all."""
    return Examination(_parcel(response, recipient), signed, trust)


def _parcel(response: Response, recipient: Recipient) -> Parcel[ScalarKey]:
    return Parcel(
        schema=SCHEMA,
        provider=chain_of(response.SAProvisioningCertificateChain),
        chain=chain_of(response.ContractSignatureCertChain),
        parts=signed_parts(response),
        emaid=response.eMAID.value,
        open=_opener(response, recipient),
    )


def _opener(response: Response, recipient: Recipient) -> Callable[[Certificate], Opened[ScalarKey]]:
    def opened(leaf: Certificate) -> Opened[ScalarKey]:
        if leaf.key is None or not isinstance(recipient.key, ec.EllipticCurvePrivateKey):
            raise untrusted("no key on P-256 is at hand on both sides")
        wrapped = WrappedKey(response.ContractSignatureEncryptedPrivateKey.value, response.DHpublickey.value)
        return keywrap.unwrap(wrapped, recipient.key, leaf.key, recipient.derivations)

    return opened
