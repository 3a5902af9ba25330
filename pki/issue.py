"""Makes one certificate with its key, as its row of the profile table says."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import x448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

from pki.keys import PrivateKey, PublicKey, pkcs8, suite_of
from pki.profiles import Profile, Tier, Usage
from pki.tree import Entry

CLOCK_SLACK = timedelta(hours=1)
"""How long before its making a certificate is already valid: clocks of cars and stations differ."""
KEYED = frozenset({ExtensionOID.SUBJECT_KEY_IDENTIFIER, ExtensionOID.AUTHORITY_KEY_IDENTIFIER})
"""The extensions that follow from keys, not from the declaration."""
SHORT_KEY_ID_BYTES = 8
_X448_BYTES = 56


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate and its private key; `second` is that of a certificate with two keys."""

    certificate: x509.Certificate
    key: PrivateKey
    second: x448.X448PrivateKey | None = None

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
        return pkcs8(self.key)

    @property
    def second_pem(self) -> bytes:
        """The second key as unencrypted PKCS#8 PEM; empty where there is none."""
        return self.second.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) if self.second else b""


def issue(
    entry: Entry, issuer: Issued | None, at: datetime, *, seed: bytes | None = None, key: PrivateKey | None = None
) -> Issued:
    """Make key and certificate of an entry, signed by `issuer` (itself if None).

    With a `seed`, key, serial number and signature follow from it, the place and the time: for fixtures alone. `key`
    is the one to certify where there is one already. Raise ValueError if it would be larger than its profile allows,
    naming the longest field.
    """
    row = entry.profile
    key = key or row.suite.generate(key_seed(seed, entry))
    second = _second_key(_derived(seed, entry.place, "second key")) if row.alternative else None
    signer = issuer.key if issuer else key
    builder = _builder(entry, key.public_key(), issuer, at, seed, second)
    issued = Issued(suite_of(signer).sign(builder, signer, deterministic=seed is not None), key, second)
    _check_size(issued.certificate, entry)
    return issued


def key_seed(seed: bytes | None, entry: Entry) -> bytes | None:
    """Return what the key of an entry follows from in a tree of this seed; None where it follows from nothing."""
    return _derived(seed, entry.place, "key")


def certify(entry: Entry, key: PublicKey, issuer: Issued, at: datetime) -> x509.Certificate:
    """Make the certificate of an entry for a key whose private half its owner keeps; raise ValueError as `issue`."""
    if entry.profile.alternative is not None:
        raise ValueError(f"{entry.place}: has a second key, which has to be made with it")
    certificate = suite_of(issuer.key).sign(_builder(entry, key, issuer, at), issuer.key)
    _check_size(certificate, entry)
    return certificate


def _builder(
    entry: Entry,
    key: PublicKey,
    issuer: Issued | None,
    at: datetime,
    seed: bytes | None = None,
    second: x448.X448PrivateKey | None = None,
) -> x509.CertificateBuilder:
    row, name = entry.profile, subject(entry)
    not_before = at.replace(microsecond=0) - CLOCK_SLACK
    builder = (
        x509.CertificateBuilder()
        .serial_number(_serial(row.serial_bits, _derived(seed, entry.place, not_before.isoformat())))
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key)
        .not_valid_before(not_before)
        .not_valid_after(end_of_validity(entry.days, not_before, issuer.certificate if issuer else None))
    )
    for extension, critical in (*declared(entry), *_keyed(row, key, issuer, second)):
        builder = builder.add_extension(extension, critical=critical)
    return builder


def subject(entry: Entry) -> x509.Name:
    """Return the distinguished name of an entry, its parts in the order its profile has them."""
    values = {
        NameOID.COMMON_NAME: entry.common_name,
        NameOID.ORGANIZATION_NAME: entry.organization,
        NameOID.COUNTRY_NAME: entry.country,
        NameOID.DOMAIN_COMPONENT: entry.profile.dc,
    }
    return x509.Name([x509.NameAttribute(oid, values[oid]) for oid in entry.profile.names if values[oid]])


def end_of_validity(days: int, not_before: datetime, issuer: x509.Certificate | None) -> datetime:
    """Return until when a certificate is valid: its declared days, but no longer than its issuer."""
    end = not_before + timedelta(days=days)
    return min(end, issuer.not_valid_after_utc) if issuer else end


def declared(entry: Entry) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Yield the extensions that follow from the declaration alone, each with whether it is critical."""
    row = entry.profile
    yield x509.BasicConstraints(ca=row.ca, path_length=row.path_length), True
    yield x509.KeyUsage(**{bit.value: bit in row.usage for bit in Usage}), True
    if row.purposes:
        yield x509.ExtendedKeyUsage(sorted(row.purposes, key=lambda oid: oid.dotted_string)), False
    if row.nocheck:
        yield x509.OCSPNoCheck(), False
    if entry.issuer is None or row.tier is Tier.OCSP:
        return
    ocsp, crl = entry.urls.of(entry.issuer.label)
    if ocsp:
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp))
        yield (
            x509.AuthorityInformationAccess([access]),
            ExtensionOID.AUTHORITY_INFORMATION_ACCESS in row.critical,
        )
    if crl:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl)], None, None, None)
        yield x509.CRLDistributionPoints([point]), ExtensionOID.CRL_DISTRIBUTION_POINTS in row.critical


def _keyed(
    row: Profile, key: PublicKey, issuer: Issued | None, second: x448.X448PrivateKey | None
) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """Yield the extensions that follow from keys."""
    own = x509.SubjectKeyIdentifier.from_public_key(key)
    if row.key_id == SHORT_KEY_ID_BYTES:
        own = short_key_id(own)
    yield own, ExtensionOID.SUBJECT_KEY_IDENTIFIER in row.critical
    if issuer is not None:
        above = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(above)
        yield identifier, ExtensionOID.AUTHORITY_KEY_IDENTIFIER in row.critical
    if row.alternative is not None and second is not None:
        info = second.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        yield x509.UnrecognizedExtension(row.alternative, info), False


def short_key_id(identifier: x509.SubjectKeyIdentifier) -> x509.SubjectKeyIdentifier:
    """Return the short form: 0100 and the last 60 bits of the hash (RFC 5280 4.2.1.2, method 2)."""
    last = identifier.digest[-SHORT_KEY_ID_BYTES:]
    return x509.SubjectKeyIdentifier(bytes([0x40 | last[0] & 0x0F]) + last[1:])


def _second_key(seed: bytes | None) -> x448.X448PrivateKey:
    if seed is None:
        return x448.X448PrivateKey.generate()
    return x448.X448PrivateKey.from_private_bytes(hashlib.shake_256(seed).digest(_X448_BYTES))


def _serial(bits: int, seed: bytes | None) -> int:
    """A positive number of that many bits at most, its first one set: of one length, and never twice."""
    number = secrets.randbits(bits) if seed is None else int.from_bytes(hashlib.shake_256(seed).digest(20))
    return number % (1 << (bits - 1)) | 1 << (bits - 1)


def _derived(seed: bytes | None, *purpose: str) -> bytes | None:
    """What follows from a seed for one purpose."""
    if seed is None:
        return None
    return hashlib.sha512(b"\x00".join([seed, *(part.encode() for part in purpose)])).digest()


def _check_size(certificate: x509.Certificate, entry: Entry) -> None:
    size = len(certificate.public_bytes(Encoding.DER))
    if size > entry.profile.size:
        names = [*certificate.subject, *certificate.issuer]
        longest = max(names, key=lambda part: len(str(part.value).encode()))
        raise ValueError(
            f"{entry.place}: {size} bytes, more than {entry.profile.size}; "
            f"shorten its longest field, {longest.rfc4514_attribute_name}={longest.value}, or the URLs"
        )
