"""Delivery of a contract in ISO 15118-20: SignedInstallationData, signed as one by the provisioning service (CPS).

It holds the contract's chain, the curve, the sender's ephemeral public key and the encrypted key. The EMAID is the CN
of the contract certificate and nothing else tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, x448

from pki.certificate import Certificate, read
from pki.contract.chain import chain_of
from pki.contract.checks import Examination, Parcel, Received, Trust
from pki.contract.faults import forger, neighbour, other_key, turned
from pki.contract.manner import ISO2_ALONE, STANDARD, Deviation, Manner
from pki.contract.recipient import Recipient
from pki.credentials import Credential
from v2g import signature
from v2g.keywrap import iso20 as keywrap
from v2g.keywrap.additional import readings
from v2g.keywrap.agreement import X448_BYTES, ReceiverPublicKey
from v2g.keywrap.iso20 import SENDER_BYTES, ContractKey
from v2g.keywrap.wrapped import Opened, WrappedKey, untrusted
from v2g.messages.iso20 import common, common_types
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema
from v2g.trust import Verify

SCHEMA = "iso20.common"
SIGNED_ID = "id1"
Response = common.CertificateInstallationRes


# --- made by the provisioning service -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delivery:
    """A contract for one vehicle, the chain of who signed it, and the signature, unless it was left out on purpose."""

    data: common.SignedInstallationData
    provider: common.CertificateChain
    signature: Signature | None

    def installed(self, session_id: bytes, *, remaining: int = 0, at: datetime | None = None) -> Response:
        """Answer a CertificateInstallationReq; `remaining` more contracts can be had."""
        return Response(
            Header=header(session_id, self.signature, at),
            ResponseCode=common_types.ResponseCode.OK,
            EVSEProcessing=common_types.Processing.Finished,
            CPSCertificateChain=self.provider,
            SignedInstallationData=self.data,
            RemainingContractCertificateChains=remaining,
        )


def header(session_id: bytes, signed: Signature | None, at: datetime | None = None) -> common_types.MessageHeader:
    """The header of a message, sent at a time: now where it is None."""
    seconds = int((at or datetime.now(UTC)).timestamp())
    return common_types.MessageHeader(SessionID=session_id, TimeStamp=seconds, Signature=signed)


def deliver(
    contract: Credential, receiver: ReceiverPublicKey, provider: Credential, pcid: str, manner: Manner = STANDARD
) -> Delivery:
    """Wrap a contract for the owner of `receiver`, whom the PCID names, and have the provider sign it.

    The receiver's key is on P-521 for a contract on P-521, and on X448 for one on Ed448, which `manner.form` has to
    allow. Raises ValueError for keys that do not go together, and for a deviation that -20 has no place for.
    """
    check_manner(manner)
    key = other_key(contract.key) if Deviation.WRONG_KEY in manner else contract.key
    additional = manner.additional.make(pcid, _ski(read(contract.chain[0])))
    target = neighbour(receiver) if Deviation.WRONG_RECIPIENT in manner else receiver
    wrapped = keywrap.wrap(key, target, additional, manner.derivation, form=manner.form)
    data = _data(contract.chain, wrapped, manner)
    signed = None
    if Deviation.UNSIGNED not in manner:
        signer = forger(provider.key) if Deviation.WRONG_SIGNER in manner else provider.key
        signed = signature.sign([(SIGNED_ID, schema(SCHEMA).encode_fragment(data))], signer, SCHEMA)
    if Deviation.CHANGED in manner:
        data = _data(contract.chain, WrappedKey(turned(wrapped.encrypted), wrapped.sender), manner)
    leaf, *subs = provider.chain
    chain = common.CertificateChain(Certificate=leaf, SubCertificates=_subs(subs) if subs else None)
    return Delivery(data, chain, signed)


def check_manner(manner: Manner) -> None:
    """Raise ValueError for a deviation that a delivery of -20 has no place for."""
    for deviation in sorted(manner.deviations & ISO2_ALONE):
        raise ValueError(f"{deviation}: a delivery of -20 has one reference and no eMAID; leave it out")


def request_chain(chain: Sequence[bytes], name: str = SIGNED_ID) -> common.SignedCertificateChain:
    """A provisioning chain, leaf first, as a request carries it; `name` is its Id."""
    leaf, *subs = chain
    return common.SignedCertificateChain(Id=name, Certificate=leaf, SubCertificates=_subs(subs) if subs else None)


def _data(chain: Sequence[bytes], wrapped: WrappedKey, manner: Manner) -> common.SignedInstallationData:
    """What is signed; a sender's X448 key is shorter than the schema has it [V2G20-2495]."""
    leaf, *subs = chain
    on_x448 = len(wrapped.sender) == X448_BYTES
    data = common.SignedInstallationData(
        Id=SIGNED_ID,
        ContractCertificateChain=common.ContractCertificateChain(
            Certificate=leaf,
            SubCertificates=_subs(subs[::-1] if Deviation.WRONG_ORDER in manner else subs),
        ),
        ECDHCurve=common.ECDHCurve.X448 if on_x448 else common.ECDHCurve.SECP521,
        DHPublicKey=wrapped.sender.ljust(SENDER_BYTES, b"\0") if manner.padded else wrapped.sender,
    )
    if on_x448:
        return msgspec.structs.replace(data, X448_EncryptedPrivateKey=wrapped.encrypted)
    return msgspec.structs.replace(data, SECP521_EncryptedPrivateKey=wrapped.encrypted)


def _subs(chain: Sequence[bytes]) -> common.SubCertificates:
    return common.SubCertificates(Certificate=list(chain))


def _ski(certificate: Certificate) -> bytes:
    """The subject key identifier of a contract; part of what is protected [V2G20-2492]."""
    if certificate.key_id is None:
        raise ValueError("the contract certificate has no subject key identifier, and the delivery needs it")
    return certificate.key_id


# --- opened by the vehicle ------------------------------------------------------------------------------------------


def receive(response: Response, recipient: Recipient, verify: Verify, *, rooted: bool = False) -> Received[ContractKey]:
    """Check a delivery completely and decrypt its key with the recipient's own; raises `NotAccepted`.

    A vehicle of -20 does not have to judge the contract's chain: unless `rooted`, one under an unknown root is taken
    as the provider signed it, if it is valid now. All readings of the additional data are tried: `opened` of what comes
    back tells which fitted, and belongs into the log.
    """
    return examination(response, recipient, Trust(verify=verify, rooted=rooted)).receive()


def examination(response: Response, recipient: Recipient, trust: Trust) -> Examination[ContractKey]:
    """Prepare the checks of a delivery, to be made up to the first flaw or all."""
    data = response.SignedInstallationData
    parcel = Parcel(
        schema=SCHEMA,
        provider=chain_of(response.CPSCertificateChain),
        chain=chain_of(data.ContractCertificateChain),
        parts=[(data, None)],
        emaid=None,
        open=_opener(data, recipient),
    )
    return Examination(parcel, response.Header.Signature, trust)


def _opener(data: common.SignedInstallationData, recipient: Recipient) -> Callable[[Certificate], Opened[ContractKey]]:
    def opened(leaf: Certificate) -> Opened[ContractKey]:
        if leaf.key is None:
            raise untrusted("the contract's key cannot be read")
        return keywrap.unwrap(
            WrappedKey(_encrypted(data, recipient), data.DHPublicKey),
            recipient.key,
            leaf.key,
            readings(recipient.pcid, _ski(leaf)),
            recipient.derivations,
            experimental=recipient.experimental,
        )

    return opened


def _encrypted(data: common.SignedInstallationData, recipient: Recipient) -> bytes:
    """The encrypted key, if it is for a key of the recipient's kind."""
    if data.TPM_EncryptedPrivateKey is not None:
        raise untrusted("it is for a TPM, and there is none")
    match recipient.key, data.ECDHCurve:
        case ec.EllipticCurvePrivateKey(), common.ECDHCurve.SECP521:
            found = data.SECP521_EncryptedPrivateKey
        case x448.X448PrivateKey(), common.ECDHCurve.X448:
            found = data.X448_EncryptedPrivateKey
        case _:
            raise untrusted(f"ECDHCurve is {data.ECDHCurve}, and the recipient's key is on another curve")
    if found is None:
        raise untrusted(f"ECDHCurve is {data.ECDHCurve}, and the encrypted key is for another curve")
    return found
