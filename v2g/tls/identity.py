"""What a station or a vehicle shows its peer in TLS, and the checks it passes before anything listens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from v2g.tls.client_hello import Identifier, TrustedAuthority
from v2g.tls.suites import ECDSA_P256, ECDSA_P521, ED448, Code, Generation


@dataclass(frozen=True, slots=True)
class TokenUri:
    """The PKCS#11 URI (RFC 7512) of a key in a secure element, for GnuTLS; it may hold the PIN, so it is not shown."""

    uri: str = field(repr=False)

    @classmethod
    def of(cls, text: str) -> TokenUri | None:
        """Take a text that is such a URI; None for another."""
        return cls(text) if text.startswith("pkcs11:") else None


Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | Path | TokenUri
"""A private key, or what tells where in a secure element it is: a file for OpenSSL, a URI for GnuTLS."""

_TOKEN_KEY = b"-----BEGIN PKCS#11 PROVIDER URI-----"
MAX_CHAIN = {Generation.ISO2: 3, Generation.ISO20: 4}
"""Certificates without the root [V2G2-009]; -20 has cross certificates, too [V2G20-1003]."""


class BadIdentity(ValueError):
    """A certificate chain or key that no vehicle would accept; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A SECC or vehicle leaf with its sub CAs and its private key.

    `chain` is DER, leaf first, without the root, unless that is a private operator's, which signed the leaf itself and
    goes with it [V2G2-872]. `key` is the private key, or the path of a PEM file of the type
    "PKCS#11 PROVIDER URI" that names a key in a secure element, or a `TokenUri`. `generation` is the one the leaf's
    key is of. `root` (DER) is never sent: with it the station recognises a vehicle that names its roots by hash.
    """

    chain: tuple[bytes, ...]
    key: Key
    generation: Generation = Generation.ISO2
    root: bytes | None = None

    @classmethod
    def of(cls, chain: Sequence[bytes], key: Key, root: bytes | None = None) -> Identity:
        """Make an identity of the generation that its leaf's key is of. Raises `BadIdentity`."""
        if not chain:
            raise BadIdentity("0 certificates; give leaf, Sub-CA 2 and Sub-CA 1, 1 to 3 in all")
        return cls(tuple(chain), key, generation_of_leaf(chain[0]), root)

    @property
    def scheme(self) -> Code:
        """The scheme that the leaf's key signs with. Raises `BadIdentity` for a key that no generation has."""
        return _scheme(self.chain[0])

    @property
    def subject(self) -> str:
        """The leaf's subject, for people."""
        return _called(self.certificates()[0])

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """Parse the chain. Raises `BadIdentity`."""
        return tuple(_parse(der, f"certificate {place} of the chain") for place, der in enumerate(self.chain, 1))

    @property
    def private(self) -> bool:
        """Whether the chain is a leaf and the root that signed it. Raises `BadIdentity`."""
        *below, top = self.certificates()
        return len(below) == 1 and top.issuer == top.subject

    def check(self, at: datetime | None = None) -> None:
        """Raise `BadIdentity` unless the chain is in order, of its generation, valid now (or `at`) and fits the key."""
        certificates = self.certificates()
        most = MAX_CHAIN[self.generation]
        if not 1 <= len(certificates) <= most:
            raise BadIdentity(f"{len(certificates)} certificates; give leaf, Sub-CA 2 and Sub-CA 1, 1 to {most} in all")
        self._check_key(certificates[0].public_key())
        for lower, upper in pairwise(certificates):
            _check_issued(lower, upper)
        if certificates[-1].issuer == certificates[-1].subject and not self.private:
            raise BadIdentity(f"the chain contains the root {_called(certificates[-1])}; leave it out")
        for certificate in certificates:
            _check_valid(certificate, at or datetime.now(UTC))

    def authorities(self) -> frozenset[TrustedAuthority]:
        """Every way in which a vehicle may name a CA above the leaf. Raises `BadIdentity`."""
        return _authorities(self.chain, self.root)

    def _check_key(self, public: object) -> None:
        """Raise `BadIdentity` unless leaf and key belong together and to the generation; a token tells later."""
        keys = {"leaf": public}
        if not isinstance(self.key, Path | TokenUri):
            keys["private"] = self.key.public_key()
        for what, each in keys.items():
            generation, _ = _kind(each, what)
            if generation is not self.generation:
                raise BadIdentity(f"the {what} key is of {generation}, not of {self.generation}; issue another leaf")
        if len(keys) > 1 and keys["leaf"] != keys["private"]:
            raise BadIdentity("the private key does not belong to the leaf; give key and leaf of one issue")


@lru_cache(maxsize=256)
def _authorities(chain: tuple[bytes, ...], root: bytes | None) -> frozenset[TrustedAuthority]:
    last = _parse(chain[-1], "the last of the chain")
    known = {TrustedAuthority(Identifier.X509_NAME, last.issuer.public_bytes())}
    for der in (*chain[1:], *([root] if root else [])):
        known.update(_names(der))
    return frozenset(known)


@lru_cache(maxsize=256)
def _scheme(leaf: bytes) -> Code:
    return _kind(_parse(leaf, "the leaf").public_key(), "leaf")[1]


def in_secure_element(key: Path) -> bool:
    """Tell whether a PEM file names a key in a secure element, rather than hold one; no for one that cannot be read."""
    try:
        return _TOKEN_KEY in key.read_bytes()
    except OSError:
        return False


def generation_of_leaf(der: bytes) -> Generation:
    """Tell the generation that a leaf is of, by its key. Raises `BadIdentity`."""
    return _kind(_parse(der, "certificate 1 of the chain").public_key(), "leaf")[0]


def cert_sha1(der: bytes) -> TrustedAuthority:
    """Name a certificate as RFC 6066 does by hash; the hash identifies, it protects nothing."""
    return TrustedAuthority(Identifier.CERT_SHA1, hashlib.sha1(der, usedforsecurity=False).digest())


def _names(der: bytes) -> Iterator[TrustedAuthority]:
    """Name a CA in the three ways RFC 6066 has."""
    authority = _parse(der, "a CA certificate")
    yield cert_sha1(der)
    key_id = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())  # SHA-1 of the key bits, as key_sha1
    yield TrustedAuthority(Identifier.KEY_SHA1, key_id.digest)
    yield TrustedAuthority(Identifier.X509_NAME, authority.subject.public_bytes())


def _parse(der: bytes, what: str) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise BadIdentity(f"{what} is no X.509 certificate in DER: {error}") from error


def _called(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _kind(key: object, what: str) -> tuple[Generation, Code]:
    """Tell the generation that a public key is of, and the scheme it is for. Raises `BadIdentity`."""
    if isinstance(key, ed448.Ed448PublicKey):
        return Generation.ISO20, ED448
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.SECP256R1):
        return Generation.ISO2, ECDSA_P256
    if isinstance(curve, ec.SECP521R1):
        return Generation.ISO20, ECDSA_P521
    raise BadIdentity(
        f"the {what} key is not on secp256r1 (ISO 15118-2), secp521r1 or Ed448 (ISO 15118-20); issue such a leaf"
    )


def _check_issued(lower: x509.Certificate, upper: x509.Certificate) -> None:
    try:
        lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature) as error:
        text = f"{_called(lower)} is not issued by {_called(upper)}, the next of the chain; order: leaf, Sub 2, Sub 1"
        raise BadIdentity(text) from error


def _check_valid(certificate: x509.Certificate, at: datetime) -> None:
    if certificate.not_valid_after_utc < at:
        ended = f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        raise BadIdentity(f"{_called(certificate)} expired {ended}; issue a new one, or set the clock")
    if certificate.not_valid_before_utc > at:
        begins = f"{certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"
        raise BadIdentity(f"{_called(certificate)} is not valid before {begins}; set the clock")
