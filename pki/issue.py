"""Makes one certificate with its key, as its row of the profile table says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pki.profiles import Profile, Usage
from pki.tree import Entry

CLOCK_SLACK = timedelta(hours=1)
"""How long before its making a certificate is already valid: clocks of cars and stations differ."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        """The key as unencrypted PKCS#8 PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def issue(entry: Entry, issuer: Issued | None, at: datetime) -> Issued:
    """Make key and certificate of an entry, signed by `issuer` (itself if None).

    Raise ValueError if it would be larger than its profile allows, naming the longest field.
    """
    suite = entry.profile.suite
    key = ec.generate_private_key(suite.curve())
    name = subject(entry)
    not_before = at.replace(microsecond=0) - CLOCK_SLACK
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .not_valid_before(not_before)
        .not_valid_after(end_of_validity(entry.days, not_before, issuer.certificate if issuer else None))
    )
    builder = _extend(builder, entry.profile, key, issuer)
    issued = Issued(builder.sign(issuer.key if issuer else key, suite.digest()), key)
    _check_size(issued, entry)
    return issued


def subject(entry: Entry) -> x509.Name:
    """Return the distinguished name of an entry: CN, O, C, DC, in the order other V2G tools write them."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, entry.common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, entry.organization),
            x509.NameAttribute(NameOID.COUNTRY_NAME, entry.country),
            x509.NameAttribute(NameOID.DOMAIN_COMPONENT, entry.profile.dc),
        ]
    )


def end_of_validity(days: int, not_before: datetime, issuer: x509.Certificate | None) -> datetime:
    """Return until when a certificate is valid: its declared days, but no longer than its issuer."""
    end = not_before + timedelta(days=days)
    return min(end, issuer.not_valid_after_utc) if issuer else end


def _extend(
    builder: x509.CertificateBuilder, row: Profile, key: ec.EllipticCurvePrivateKey, issuer: Issued | None
) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(**{bit.value: bit in row.usage for bit in Usage})
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=row.ca, path_length=row.path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
    )
    if issuer is None:
        return builder
    return builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )


def _check_size(issued: Issued, entry: Entry) -> None:
    size = len(issued.der)
    if size > entry.profile.size:
        names = [*issued.certificate.subject, *issued.certificate.issuer]
        longest = max(names, key=lambda part: len(str(part.value).encode()))
        raise ValueError(
            f"{entry.place}: {size} bytes, more than {entry.profile.size} [V2G2-010]; "
            f"shorten its longest field, {longest.rfc4514_attribute_name}={longest.value}"
        )
