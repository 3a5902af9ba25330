"""What a charging station shows a vehicle in TLS, and the checks it passes before anything listens."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from v2g.tls.client_hello import Identifier, TrustedAuthority

MAX_CHAIN = 3
"""Certificates without the root [V2G2-009]."""


class BadIdentity(ValueError):
    """A certificate chain or key that no vehicle would accept; the text says what to do about it."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A SECC leaf with its sub CAs and its private key.

    `chain` is DER, leaf first, without the root. `root` (DER) is never sent: with it the station recognises a vehicle
    that names its roots by hash.
    """

    chain: tuple[bytes, ...]
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey
    root: bytes | None = None

    def certificates(self) -> tuple[x509.Certificate, ...]:
        """Parse the chain. Raises `BadIdentity`."""
        return tuple(_parse(der, f"certificate {place} of the chain") for place, der in enumerate(self.chain, 1))

    def check(self, at: datetime | None = None) -> None:
        """Raise `BadIdentity` unless the chain is in order, P-256, valid now (or `at`) and fits the key."""
        certificates = self.certificates()
        if not 1 <= len(certificates) <= MAX_CHAIN:
            raise BadIdentity(f"{len(certificates)} certificates; give leaf, Sub-CA 2 and Sub-CA 1, 1 to 3 in all")
        _check_curve(certificates[0], self.key)
        if certificates[0].public_key() != self.key.public_key():
            raise BadIdentity("the private key does not belong to the leaf; give key and leaf of one issue")
        for lower, upper in pairwise(certificates):
            _check_issued(lower, upper)
        if certificates[-1].issuer == certificates[-1].subject:
            raise BadIdentity(f"the chain contains the root {_called(certificates[-1])}; leave it out")
        for certificate in certificates:
            _check_valid(certificate, at or datetime.now(UTC))

    def authorities(self) -> frozenset[TrustedAuthority]:
        """Every way in which a vehicle may name a CA above the leaf. Raises `BadIdentity`."""
        last = self.certificates()[-1]
        known = {TrustedAuthority(Identifier.X509_NAME, last.issuer.public_bytes())}
        for der in (*self.chain[1:], *([self.root] if self.root else [])):
            known.update(_names(der))
        return frozenset(known)


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


def _check_curve(leaf: x509.Certificate, key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey) -> None:
    for what, public in (("leaf", leaf.public_key()), ("private", key.public_key())):
        if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
            raise BadIdentity(f"the {what} key is not on secp256r1; ISO 15118-2 allows no other, issue such a leaf")


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
