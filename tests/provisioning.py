"""A vehicle that asks for contracts, and deliveries that are right or wrong in one point, for tests on both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import strategies as st

from pki import credentials
from pki.contract import iso2 as contract
from pki.contract.iso2 import Delivery, chain_message
from pki.credentials import Credential
from pki.keys import PrivateKey, PublicKey
from pki.provisioning import ProvisioningService
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature, X509IssuerSerial
from v2g.protocols import schema
from v2g.signature import sign

PCID = "PCGPLUGCHARGE0001"
EMAID = "DEPCGC00000001V"
SESSION = bytes.fromhex("0102030405060708")
ROOTS = iso2.ListOfRootCertificateIDs(
    RootCertificateID=[X509IssuerSerial(X509IssuerName="CN=V2G Root CA", X509SerialNumber=1)]
)
EXI = schema("iso2")


def leaf(tree: Path, role: str, name: str) -> Credential:
    folder = tree / "leaf" / role / name
    return credentials.load_credential(folder / "chain.pem", folder / "key.pem")


def signed(request: Any, key: PrivateKey) -> Signature:
    """The signature over a request's body."""
    return sign([(request.Id, EXI.encode_fragment(request))], key, "iso2")


def installation(vehicle: Credential) -> iso2.CertificateInstallationReq:
    return iso2.CertificateInstallationReq(
        Id="id1", OEMProvisioningCert=vehicle.chain[0], ListOfRootCertificateIDs=ROOTS
    )


def renewal(old: Credential, emaid: str = EMAID) -> iso2.CertificateUpdateReq:
    return iso2.CertificateUpdateReq(
        Id="id1", ContractSignatureCertChain=chain_message(old.chain), eMAID=emaid, ListOfRootCertificateIDs=ROOTS
    )


def message(body: Any, signature: Signature | None = None, session_id: bytes = SESSION) -> bytes:
    """A whole V2G message, as EXI."""
    header = iso2.MessageHeader(SessionID=session_id, Signature=signature)
    return EXI.encode(iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=body)))


def opened(exi: bytes) -> iso2.V2G_Message:
    read = EXI.decode(exi)
    assert isinstance(read, iso2.V2G_Message)
    return read


@st.composite
def changes(draw: st.DrawFn, exi: bytes) -> bytes:
    """A message with a few of its bits turned, or cut."""
    data = bytearray(exi)
    for bit in draw(st.lists(st.integers(0, len(exi) * 8 - 1), min_size=1, max_size=3)):
        data[bit // 8] ^= 1 << bit % 8
    return bytes(data[: draw(st.integers(0, len(exi)) | st.just(len(exi)))])


@dataclass(frozen=True)
class Stage:
    """Who takes part in a delivery: the service, the vehicle, and a stranger with a PKI of the same look."""

    service: ProvisioningService
    vehicle: Credential
    stranger: ProvisioningService
    station: Credential

    def good(self) -> Delivery:
        return self.service.deliver(EMAID, self.receiver)

    @property
    def receiver(self) -> PublicKey:
        return self.vehicle.key.public_key()


def resigned(delivery: Delivery, stage: Stage, **fields: Any) -> Delivery:
    """The same with other fields, signed again by the true provider: what he should never have signed."""
    response = iso2.CertificateInstallationRes(ResponseCode=iso2.ResponseCode.OK, **(delivery.fields | fields))
    fragments = [(part.Id, EXI.encode_fragment(part, name)) for part, name in contract.signed_parts(response)]
    return Delivery(delivery.fields | fields, sign(fragments, stage.service.provider.key, "iso2"))


def changed(delivery: Delivery, part: str, **values: Any) -> Delivery:
    """The same with a part changed after it was signed."""
    return replace(delivery, fields=delivery.fields | {part: msgspec.structs.replace(delivery.fields[part], **values)})


def _only(delivery: Delivery, count: int) -> Delivery:
    assert delivery.signature
    info = delivery.signature.SignedInfo
    fewer = msgspec.structs.replace(info, Reference=info.Reference[:count])
    return replace(delivery, signature=msgspec.structs.replace(delivery.signature, SignedInfo=fewer))


def _other_emaid(stage: Stage) -> Delivery:
    return resigned(stage.good(), stage, eMAID=iso2.EMAID(Id="id4", value="DEPCGC00000002X"))


def _provider(stage: Stage, provider: Credential) -> Delivery:
    return contract.deliver(stage.service.new_contract(EMAID), stage.receiver, provider)


def _unfit_key(stage: Stage) -> Delivery:
    right = stage.service.new_contract(EMAID)
    mixed = Credential(right.chain, ec.generate_private_key(ec.SECP256R1()))
    return contract.deliver(mixed, stage.receiver, stage.service.provider)


def _replay(stage: Stage) -> Delivery:
    """A delivery for another vehicle, true in every word."""
    return stage.service.deliver(EMAID, ec.generate_private_key(ec.SECP256R1()).public_key())


def _same_ids(stage: Stage) -> Delivery:
    good = stage.good()
    return replace(good, fields=good.fields | {"eMAID": iso2.EMAID(Id="id1", value=EMAID)})


ATTACKS: dict[str, tuple[str, Callable[[Stage], Delivery]]] = {
    "a provider of a foreign PKI": ("provider", lambda at: _provider(at, at.stranger.provider)),
    "the station as provider": ("provider", lambda at: _provider(at, at.station)),
    "the vehicle as provider": ("provider", lambda at: _provider(at, at.vehicle)),
    "a contract as provider": ("provider", lambda at: _provider(at, at.service.new_contract(EMAID))),
    "another key than the provider's": (
        "signature",
        lambda at: _provider(at, Credential(at.service.provider.chain, at.stranger.provider.key)),
    ),
    "eMAID swapped": ("signature", lambda at: changed(at.good(), "eMAID", value="DEPCGC00000002X")),
    "key swapped": (
        "signature",
        lambda at: changed(at.good(), "ContractSignatureEncryptedPrivateKey", value=bytes(48)),
    ),
    "chain swapped": (
        "signature",
        lambda at: replace(
            at.good(),
            fields=at.good().fields
            | {"ContractSignatureCertChain": chain_message(at.service.new_contract(EMAID).chain, "id1")},
        ),
    ),
    "three references": ("signature", lambda at: _only(at.good(), 3)),
    "two parts of one Id": ("signature", _same_ids),
    "another account in the certificate": ("emaid", _other_emaid),
    "a contract of a foreign PKI": (
        "contract-chain",
        lambda at: contract.deliver(at.stranger.new_contract(EMAID), at.receiver, at.service.provider),
    ),
    "a provider in place of a contract": (
        "contract-chain",
        lambda at: resigned(at.good(), at, ContractSignatureCertChain=chain_message(at.service.provider.chain, "id1")),
    ),
    "a key that does not fit": ("key", _unfit_key),
    "a delivery for another vehicle": ("key", _replay),
    "a point off the curve": (
        "key",
        lambda at: resigned(at.good(), at, DHpublickey=iso2.DiffieHellmanPublickey(Id="id3", value=b"\x04" * 65)),
    ),
    "a key of 47 bytes": (
        "key",
        lambda at: resigned(
            at.good(),
            at,
            ContractSignatureEncryptedPrivateKey=iso2.ContractSignatureEncryptedPrivateKey(Id="id2", value=bytes(47)),
        ),
    ),
}
"""Deliveries that must not be used: the flaw that has to be named, and how to make one."""
