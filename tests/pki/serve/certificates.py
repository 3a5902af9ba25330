"""What the tests ask the servers for: statuses of certificates, and certificates."""

from __future__ import annotations

import base64
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from pki.ocsp import ask
from tests.pki.serve.serving import Served

EVSE = "leaf/secc/evse1"
SUB2 = "ca/cpo/sub2"
OIDS = {
    "O": NameOID.ORGANIZATION_NAME,
    "C": NameOID.COUNTRY_NAME,
    "DC": NameOID.DOMAIN_COMPONENT,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey


def request(served: Served, *, nonce: bytes | None = None, tree: str = "iso2") -> bytes:
    """An OCSP request about the station of a tree."""
    return ask(served.certificate(EVSE, tree), served.certificate(SUB2, tree), nonce=nonce)


@cache
def key_of(name: str, kind: str = "P-256") -> Key:
    """A key that stays the same for a name."""
    del name
    if kind == "Ed448":
        return ed448.Ed448PrivateKey.generate()
    return ec.generate_private_key(ec.SECP521R1() if kind == "P-521" else ec.SECP256R1())


def signing_request(common_name: str, kind: str = "P-256", **more: str) -> tuple[Key, bytes]:
    """A key, and a signing request for it as EST carries it; `more` are parts of the name, O, C, DC."""
    key = key_of(common_name, kind)
    return key, base64.encodebytes(signed(subject(common_name, **more), key).public_bytes(Encoding.DER))


def subject(common_name: str, **more: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    return x509.Name([*parts, *(x509.NameAttribute(OIDS[name], value) for name, value in more.items())])


def signed(name: x509.Name, key: Key) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    if isinstance(key, ed448.Ed448PrivateKey):
        return builder.sign(key, None)
    return builder.sign(key, hashes.SHA256() if key.key_size == 256 else hashes.SHA512())
