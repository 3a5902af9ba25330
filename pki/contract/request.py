"""What a vehicle of either edition asks for a contract with, signed with the key that its maker gave it."""

from __future__ import annotations

from collections.abc import Sequence

from pki.certificate import read
from pki.contract import iso2 as contract2
from pki.contract import iso20 as contract20
from pki.contract.document import Document
from pki.credentials import Credential
from pki.operator import edition_of
from v2g import signature
from v2g.dialect import Envelope
from v2g.iso2 import ISO2
from v2g.messages import iso2
from v2g.messages.iso20 import common, common_types
from v2g.messages.xmldsig import X509IssuerSerial
from v2g.protocols import schema

_CHAIN = "OEMProvisioningCertificateChain"
_MOST_ROOTS = 20
"""What the schemas have room for."""


def installation(vehicle: Credential, roots: Sequence[bytes], session_id: bytes = bytes(8)) -> Document:
    """Make a CertificateInstallationReq of the edition that the vehicle's key is of.

    `vehicle` is its provisioning chain and key, `roots` the DER certificates of the roots it knows, of which the first
    20 are told. Raises ValueError for a key of no edition.
    """
    known = [_named(root) for root in roots[:_MOST_ROOTS]]
    return (_iso20 if edition_of(vehicle.key).second else _iso2)(vehicle, known, session_id)


def _iso2(vehicle: Credential, known: Sequence[X509IssuerSerial], session_id: bytes) -> Document:
    body = iso2.CertificateInstallationReq(
        Id=contract20.SIGNED_ID,
        OEMProvisioningCert=vehicle.chain[0],
        ListOfRootCertificateIDs=iso2.ListOfRootCertificateIDs(RootCertificateID=list(known)),
    )
    fragment = schema(contract2.SCHEMA).encode_fragment(body)
    signed = signature.sign([(contract20.SIGNED_ID, fragment)], vehicle.key, contract2.SCHEMA)
    envelope = Envelope(session_id=session_id, body=body, signature=signed)
    return Document(contract2.SCHEMA, ISO2.wrap(envelope))


def _iso20(vehicle: Credential, known: Sequence[X509IssuerSerial], session_id: bytes) -> Document:
    chain = contract20.request_chain(vehicle.chain)
    fragment = schema(contract20.SCHEMA).encode_fragment(chain, _CHAIN)
    signed = signature.sign([(chain.Id, fragment)], vehicle.key, contract20.SCHEMA)
    message = common.CertificateInstallationReq(
        Header=contract20.header(session_id, signed),
        OEMProvisioningCertificateChain=chain,
        ListOfRootCertificateIDs=common_types.ListOfRootCertificateIDs(RootCertificateID=list(known)),
        MaximumContractCertificateChains=1,
    )
    return Document(contract20.SCHEMA, message)


def _named(root: bytes) -> X509IssuerSerial:
    """A root as requests name it."""
    certificate = read(root)
    issuer = certificate.parsed.issuer.rfc4514_string()
    return X509IssuerSerial(X509IssuerName=issuer, X509SerialNumber=certificate.serial)
