"""The keys of V2G certificates: which kinds there are, how each is made, recognised and signed with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ObjectIdentifier, SignatureAlgorithmOID

PrivateKey = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
PublicKey = ec.EllipticCurvePublicKey | ed448.Ed448PublicKey
Digest = hashes.SHA256 | hashes.SHA512
Signed = TypeVar("Signed", covariant=True)
_ED448_BYTES = 57


class Signable(Protocol[Signed]):
    """A builder of `cryptography`: of a certificate, a request, a CRL, an OCSP response."""

    @property
    def sign(self) -> Callable[..., Signed]:
        """Sign what was built with a private key and a hash."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A kind of key and the signatures made with it; `curve` and `digest` are None for Ed448."""

    name: str
    algorithm: ObjectIdentifier
    curve: type[ec.EllipticCurve] | None
    digest: type[Digest] | None

    def generate(self, seed: bytes | None = None) -> PrivateKey:
        """Make a key, always the same one from a seed: such a key is as secret as its seed."""
        if self.curve is None:
            return ed448.Ed448PrivateKey.generate() if seed is None else _ed448_of(seed)
        curve = self.curve()
        if seed is None:
            return ec.generate_private_key(curve)
        # 64 bits more than the order has leave no bias worth the name (FIPS 186-5 A.2.1).
        wide = int.from_bytes(hashlib.shake_256(seed).digest(curve.key_size // 8 + 9))
        return ec.derive_private_key(wide % (curve.group_order - 1) + 1, curve)

    def fits(self, key: object) -> bool:
        """Tell whether a key, public or private, is of this kind."""
        if self.curve is None:
            return isinstance(key, ed448.Ed448PublicKey | ed448.Ed448PrivateKey)
        return isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey) and isinstance(
            key.curve, self.curve
        )

    def sign(self, builder: Signable[Signed], key: PrivateKey, *, deterministic: bool = False) -> Signed:
        """Sign what a builder holds. `deterministic` gives the same bytes every time (RFC 6979; Ed448 always does)."""
        if self.digest is None:
            return builder.sign(key, None)
        options: dict[str, Any] = {"ecdsa_deterministic": True} if deterministic else {}
        return builder.sign(key, self.digest(), **options)


P256 = Suite("P-256", SignatureAlgorithmOID.ECDSA_WITH_SHA256, ec.SECP256R1, hashes.SHA256)
"""[V2G2-006], [V2G2-007]"""
P521 = Suite("P-521", SignatureAlgorithmOID.ECDSA_WITH_SHA512, ec.SECP521R1, hashes.SHA512)
"""[V2G20-2674], [V2G20-2675]"""
ED448 = Suite("Ed448", SignatureAlgorithmOID.ED448, None, None)
"""[V2G20-2319]"""
SUITES = (P256, P521, ED448)


def suite_of(key: object) -> Suite:
    """Return the suite of a key, public or private; raise ValueError for a kind that no V2G certificate has."""
    for suite in SUITES:
        if suite.fits(key):
            return suite
    raise ValueError(f"a key of kind {kind_of(key)}; V2G certificates have {', '.join(s.name for s in SUITES)}")


def kind_of(key: object) -> str:
    """Say what kind a key is, for people."""
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.EllipticCurve):
        return curve.name
    return type(key).__name__.replace("PrivateKey", "").replace("PublicKey", "")


def pkcs8(key: PrivateKey) -> bytes:
    """Return a private key as unencrypted PKCS#8 PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _ed448_of(seed: bytes) -> ed448.Ed448PrivateKey:
    return ed448.Ed448PrivateKey.from_private_bytes(hashlib.shake_256(seed).digest(_ED448_BYTES))
