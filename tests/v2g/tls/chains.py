"""Throw-away certificate chains for tests of TLS and signatures: root, Sub 1, Sub 2, leaf."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from v2g.tls.context import Generation, Identity

Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Chain:
    """A chain with the leaf's key; `certificates` is leaf, Sub 2, Sub 1, root."""

    certificates: tuple[x509.Certificate, ...]
    key: Key
    root_key: Key

    @property
    def der(self) -> tuple[bytes, ...]:
        """Leaf, Sub 2, Sub 1."""
        return tuple(certificate.public_bytes(Encoding.DER) for certificate in self.certificates[:-1])

    @property
    def root(self) -> bytes:
        return self.certificates[-1].public_bytes(Encoding.DER)

    @property
    def identity(self) -> Identity:
        """As the station or vehicle shows it; of -2 unless its leaf is of -20."""
        second = isinstance(self.key, ed448.Ed448PrivateKey) or isinstance(self.key.curve, ec.SECP521R1)
        return Identity(self.der, self.key, Generation.ISO20 if second else Generation.ISO2, self.root)

    def write(self, folder: Path) -> tuple[Path, Path, Path]:
        """Write leaf, sub CAs and key as PEM files."""
        leaf, subs, key = folder / "leaf.pem", folder / "subs.pem", folder / "key.pem"
        leaf.write_bytes(self.certificates[0].public_bytes(Encoding.PEM))
        subs.write_bytes(b"".join(authority.public_bytes(Encoding.PEM) for authority in self.certificates[1:-1]))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return leaf, subs, key


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def on(curve: type[ec.EllipticCurve]) -> Callable[[], Key]:
    return lambda: ec.generate_private_key(curve())


P256, P384, P521 = (on(curve) for curve in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1))
ED448: Callable[[], Key] = ed448.Ed448PrivateKey.generate


@cache
def chain(
    name: str = "V2G",
    *,
    curve: type[ec.EllipticCurve] = ec.SECP256R1,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> Chain:
    """Issue a chain of -2 under a new root; curve and validity are the leaf's."""
    return issued(name, P256, on(curve), (begins, ends))


@cache
def second(name: str = "V2G20", make: Callable[[], Key] = P521) -> Chain:
    """Issue a chain of -20 under a new root, all of its keys of one kind."""
    return issued(name, make, make)


def issued(
    name: str,
    make_authority: Callable[[], Key],
    make_leaf: Callable[[], Key],
    valid: tuple[datetime, datetime] = (NOW - DAY, NOW + DAY),
    critical: x509.ExtensionType | None = None,
) -> Chain:
    """Issue a chain under a new root, of keys made this way; validity and a critical extension are the leaf's."""
    certificates: list[x509.Certificate] = []
    issuer, issuer_key = named(f"{name} Root"), make_authority()
    key = root_key = issuer_key
    for level in ("Root", "Sub1", "Sub2", "SECC"):
        is_leaf = level == "SECC"
        if level != "Root":
            key = make_leaf() if is_leaf else make_authority()
        subject = named(f"{name} {level}")
        begins, ends = valid if is_leaf else (NOW - DAY, NOW + DAY)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(x509.BasicConstraints(ca=not is_leaf, path_length=None), critical=True)
        )
        if is_leaf and critical is not None:
            builder = builder.add_extension(critical, critical=True)
        certificates.insert(0, builder.sign(issuer_key, _digest(issuer_key)))
        issuer, issuer_key = subject, key
    return Chain(tuple(certificates), key, root_key)


def _digest(key: Key) -> hashes.SHA256 | hashes.SHA512 | None:
    if isinstance(key, ed448.Ed448PrivateKey):
        return None
    return hashes.SHA512() if isinstance(key.curve, ec.SECP521R1) else hashes.SHA256()
