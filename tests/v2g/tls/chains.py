"""Throw-away certificate chains for tests of TLS and signatures: root, Sub 1, Sub 2, leaf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from v2g.tls.context import Identity

DAY = timedelta(days=1)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Chain:
    """A chain with the leaf's key; `certificates` is leaf, Sub 2, Sub 1, root."""

    certificates: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey
    root_key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> tuple[bytes, ...]:
        """Leaf, Sub 2, Sub 1."""
        return tuple(certificate.public_bytes(Encoding.DER) for certificate in self.certificates[:-1])

    @property
    def root(self) -> bytes:
        return self.certificates[-1].public_bytes(Encoding.DER)

    @property
    def identity(self) -> Identity:
        return Identity(self.der, self.key, root=self.root)

    def write(self, folder: Path) -> tuple[Path, Path, Path]:
        """Write leaf, sub CAs and key as PEM files."""
        leaf, subs, key = folder / "leaf.pem", folder / "subs.pem", folder / "key.pem"
        leaf.write_bytes(self.certificates[0].public_bytes(Encoding.PEM))
        subs.write_bytes(b"".join(authority.public_bytes(Encoding.PEM) for authority in self.certificates[1:-1]))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return leaf, subs, key


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@cache
def chain(
    name: str = "V2G",
    *,
    curve: type[ec.EllipticCurve] = ec.SECP256R1,
    begins: datetime = NOW - DAY,
    ends: datetime = NOW + DAY,
) -> Chain:
    """Issue a chain under a new root; curve and validity are the leaf's."""
    certificates: list[x509.Certificate] = []
    issuer, issuer_key = named(f"{name} Root"), ec.generate_private_key(ec.SECP256R1())
    key = root_key = issuer_key
    for level in ("Root", "Sub1", "Sub2", "SECC"):
        is_leaf = level == "SECC"
        if level != "Root":
            key = ec.generate_private_key(curve() if is_leaf else ec.SECP256R1())
        subject = named(f"{name} {level}")
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins if is_leaf else NOW - DAY)
            .not_valid_after(ends if is_leaf else NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=not is_leaf, path_length=None), critical=True)
        )
        certificates.insert(0, builder.sign(issuer_key, hashes.SHA256()))
        issuer, issuer_key = subject, key
    return Chain(tuple(certificates), key, root_key)
