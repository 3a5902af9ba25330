"""The rules for one certificate by itself: its profile, its dates, its names, its keys and identifiers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from pki.certificate import Certificate
from pki.fit import Check, misfits
from pki.lint.finding import Remark
from pki.lint.guess import identifies
from pki.profiles import Profile
from pki.shown import shown
from v2g import identifiers
from v2g.identifiers import BadIdentifier
from v2g.trust import Role

NOTICE = timedelta(days=14)
_NEAR = 0.95  # of the largest size
_RANDOM_BITS = 48  # a shorter serial number is a counter or a constant, not 63 random bits
_OLD_BITS = 63
_SHORT_KEY_ID = 8
_LISTED_ROOT = "v2g-root"
_EMAID_WITH_CHECK = 15
_FIELDS: Mapping[Check, str] = MappingProxyType(
    {
        Check.VERSION: "version",
        Check.KEY: "subjectPublicKeyInfo",
        Check.ALGORITHM: "signatureAlgorithm",
        Check.COMMON_NAME: "subject.CN",
        Check.COUNTRY: "subject.C",
        Check.COMPONENT: "subject.DC",
        Check.NAMES: "subject",
        Check.CONSTRAINTS: "extensions.basicConstraints",
        Check.PATH_LENGTH: "extensions.basicConstraints",
        Check.CONSTRAINTS_CRITICAL: "extensions.basicConstraints",
        Check.USAGE: "extensions.keyUsage",
        Check.USAGE_CRITICAL: "extensions.keyUsage",
        Check.PURPOSE: "extensions.extKeyUsage",
        Check.EXTENSIONS: "extensions",
        Check.ACCESS: "extensions",
        Check.SERIAL: "serialNumber",
        Check.SELF_SIGNED: "signatureValue",
        Check.SIZE: "",
    }
)
_REFUSED = {
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER: "authorityKeyIdentifier",
    ExtensionOID.SUBJECT_KEY_IDENTIFIER: "subjectKeyIdentifier",
    ExtensionOID.AUTHORITY_INFORMATION_ACCESS: "authorityInfoAccess",
}


def profile(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """What its row of the profile table demands, as issuer and validator have it."""
    for misfit in misfits(certificate, row):
        yield Remark(f"profile-{misfit.check}", str(misfit), _FIELDS[misfit.check])


def dates(certificate: Certificate, at: datetime) -> Iterator[Remark]:
    """Whether it is valid at a time."""
    begin, end = certificate.not_before, certificate.not_after
    if begin > end:
        yield Remark("validity-order", f"it is valid from {_day(begin)}, until {_day(end)}", "validity")
    elif at < begin:
        yield Remark("not-yet-valid", f"it is valid from {_day(begin)}", "validity.notBefore")
    elif at > end:
        yield Remark("expired", f"it was valid until {_day(end)}", "validity.notAfter")
    elif end - at < NOTICE:
        yield Remark("expires-soon", f"it is valid until {_day(end)}", "validity.notAfter")


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def lifetime(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """Whether it lives no longer than the profile table has it."""
    life = certificate.not_after - certificate.not_before
    if life > timedelta(days=row.days):
        yield Remark("lifetime", f"it is valid for {life.days} days; {row.role} has {row.days}", "validity")


def size(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """Whether it comes near the largest size."""
    count = len(certificate.der)
    if _NEAR * row.size <= count <= row.size:
        yield Remark("size-near", f"it has {count} of {row.size} bytes")


def identifier(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """What the CN stands for, beyond what the profile demands."""
    text = certificate.common_name
    match row.role:
        case Role.CONTRACT:
            yield from _emaid(text)
        case Role.OEM_PROVISIONING if not identifies(row.role, text):
            yield Remark("pcid", "the CN is no PCID of 17 or 18 letters and digits", "subject.CN")
        case Role.SECC if not identifies(row.role, text):
            yield Remark("station-name", "the CN is neither an EVSEID nor a SECCID", "subject.CN")


def _emaid(text: str) -> Iterator[Remark]:
    try:
        plain = identifiers.emaid(text)
    except BadIdentifier:
        return
    if plain != text:
        yield Remark("emaid-form", "the EMAID is not written as on the wire", "subject.CN")
    if len(plain) == _EMAID_WITH_CHECK:
        right = identifiers.check_character(plain[:-1])
        if plain[-1] != right:
            yield Remark("emaid-check", f"the check character is {plain[-1]} instead of {right}", "subject.CN")


def names(certificate: Certificate) -> Iterator[Remark]:
    """Whether somebody who looks at a name sees all of it."""
    for part in certificate.parsed.subject:
        text = part.value if isinstance(part.value, str) else ""
        if text != text.strip() or not text.isprintable():
            field = f"subject.{part.rfc4514_attribute_name}"
            yield Remark("name-hidden", f"it has a name with hidden characters: {shown(text)!r}", field)


def key_identifiers(certificate: Certificate, row: Profile | None) -> Iterator[Remark]:
    """Whether keys can be told apart by their identifiers."""
    field = "extensions.subjectKeyIdentifier"
    if certificate.key_id is None:
        yield Remark("key-id-missing", "it has no subject key identifier", field)
    elif certificate.key is not None and certificate.key_id not in _key_ids(certificate):
        yield Remark("key-id-method", f"its key identifier, {certificate.key_id.hex()[:64]}, is not of RFC 5280", field)
    if certificate.subject != certificate.issuer and certificate.issuer_key_id is None:
        text = "it does not say which key signed it"
        yield Remark("authority-id-missing", text, "extensions.authorityKeyIdentifier")
    if row is not None and row.role == Role.CONTRACT and row.edition.second and certificate.key_id is not None:
        octets = len(certificate.key_id)
        if octets != _SHORT_KEY_ID:
            yield Remark("key-id-delivery", f"its key identifier has {octets} octets", field)


def _key_ids(certificate: Certificate) -> set[bytes]:
    """The identifiers of RFC 5280 4.2.1.2 and RFC 7093: hashes of the key bits, or of all of the key's encoding."""
    key = certificate.key
    if key is None:
        return set()
    bits = x509.SubjectKeyIdentifier.from_public_key(key).digest
    found = {bits, bytes([0x40 | bits[-8] & 0x0F]) + bits[-7:]}
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for encoded in (info, _point(key)):
        found |= {algorithm(encoded).digest()[:20] for algorithm in (hashlib.sha256, hashlib.sha384, hashlib.sha512)}
        found.add(hashlib.sha256(encoded).digest())
    return found


def _point(key: CertificatePublicKeyTypes) -> bytes:
    """Return the key bits alone; of kinds that no V2G certificate has, all of the encoding."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, ed448.Ed448PublicKey):
        return key.public_bytes_raw()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def serial(certificate: Certificate, row: Profile | None) -> Iterator[Remark]:
    """Whether a serial number is random, and short enough for old peers, who carry those of roots."""
    bits = certificate.serial.bit_length()
    if 0 < bits < _RANDOM_BITS:
        yield Remark("serial-short", f"its serial number has {bits} bits", "serialNumber")
    elif bits > _OLD_BITS and row is not None and row.role == _LISTED_ROOT:
        yield Remark("serial-long", f"the serial number of this root has {bits} bits", "serialNumber")


def usage(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """Bits and purposes that no rule forbids, and no profile has."""
    extra = (certificate.usage or frozenset()) - row.usage - row.usage_demanded - row.usage_forbidden
    if extra:
        yield Remark("usage-extra", f"its key usage also has {', '.join(sorted(extra))}", "extensions.keyUsage")
    if not row.edition.second and certificate.purposes and not row.purpose_demanded:
        listed = ", ".join(sorted(oid.dotted_string for oid in certificate.purposes))
        yield Remark("purpose-iso2", f"it has the extended key usage {listed}", "extensions.extKeyUsage")


def extensions(certificate: Certificate) -> Iterator[Remark]:
    """What others trip over."""
    if ExtensionOID.SUBJECT_ALTERNATIVE_NAME in certificate.extensions:
        yield Remark("alternative-name", "it has a subject alternative name", "extensions.subjectAltName")
    for oid, name in _REFUSED.items():
        if oid in certificate.critical:
            yield Remark("critical-refused", "the extension is critical, which OpenSSL refuses", f"extensions.{name}")
    for field, url in _urls(certificate.parsed):
        if not url.startswith("http://"):
            yield Remark("url-form", f"the address is {shown(url)!r}", field)


def _urls(parsed: x509.Certificate) -> Iterator[tuple[str, str]]:
    for extension in parsed.extensions:
        if isinstance(extension.value, x509.AuthorityInformationAccess):
            places = [
                ("extensions.authorityInfoAccess", one.access_location)
                for one in extension.value
                if one.access_method == AuthorityInformationAccessOID.OCSP
            ]
        elif isinstance(extension.value, x509.CRLDistributionPoints):
            full = [name for point in extension.value for name in point.full_name or ()]
            places = [("extensions.cRLDistributionPoints", name) for name in full]
        else:
            continue
        yield from ((field, name.value) for field, name in places if isinstance(name, x509.UniformResourceIdentifier))
