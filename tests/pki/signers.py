"""Who signs responses and lists in the tests, made by hand, and what is wrong with some of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.certificate import Certificate, read
from pki.evidence import Signer
from tests.pki.chains import Key, Made, Path, Spec, build, ed, make, p256

PURPOSE = (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), False)
NO_CHECK = (x509.OCSPNoCheck(), False)
DELEGATE = Spec(cn=("OCSP signer",), dc=("CPO",), usage="s", ca=False, extensions=(PURPOSE, NO_CHECK))
LONG = (-10, 36_500)


def p521() -> Key:
    return ec.generate_private_key(ec.SECP521R1())


KINDS: dict[str, dict[str, Any]] = {
    "P-256": {"key": p256},
    "P-521": {"key": p521, "digest": hashes.SHA512()},
    "Ed448": {"key": ed},
}


def path_of(kind: str, /, **more: Any) -> Path:
    """Make a path of one kind of key, each certificate with its subject key identifier left out."""
    return build("secc", **dict.fromkeys(("root", "sub1", "sub2", "leaf"), KINDS[kind] | more))


@dataclass(frozen=True)
class Signs:
    """A certificate and a key that sign, together or, for a fault, not belonging together."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey


def signs(made: Made) -> Signer:
    assert isinstance(made.key, ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey)
    return Signs(made.certificate, made.key)


def delegate(issuer: Made, /, **changes: Any) -> Made:
    return make(replace(DELEGATE, **changes), issuer)


def facts(made: Made) -> Certificate:
    return read(made.der)
