"""One certificate, read completely: everything the checks look at, so that what cannot be read fails here."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pki.profiles import Usage

E = TypeVar("E", bound=x509.ExtensionType)
_MALFORMED = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
# UTF8String, PrintableString, TeletexString, IA5String, UniversalString, BMPString (RFC 5280 4.1.2.4)
_STRINGS = frozenset({12, 19, 20, 22, 28, 30})
_FILTERS = threading.RLock()
_VERSION = 0xA0
_UNIQUE_IDS = b"\x81\x82"
_AGREEMENT_ONLY = {Usage.ENCIPHER_ONLY, Usage.DECIPHER_ONLY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The facts of one certificate.

    `subject` and `issuer` are DER; `key` is None for a key nobody here can read, and `plain_key` tells whether it is
    written as RFC 5480 has it: the curve by its name, the point uncompressed. `usage`, `purposes` (the extended key
    usage), `ca` and the key identifiers are None where the extension is missing; `issuer_certificate` is what names
    the issuer's certificate by its own issuer (DER, of several kinds of name) and serial number. `critical` and
    `extensions` are the identifiers of (critical) extensions, `unique_ids` those of names reused, from X.509 of 1993.
    """

    der: bytes
    parsed: x509.Certificate
    subject: bytes
    issuer: bytes
    common_names: tuple[str, ...]
    components: tuple[str, ...]
    countries: tuple[str, ...]
    key: CertificatePublicKeyTypes | None
    plain_key: bool
    signature_algorithm: ObjectIdentifier
    serial: int
    not_before: datetime
    not_after: datetime
    usage: frozenset[Usage] | None
    purposes: frozenset[ObjectIdentifier] | None
    ca: bool | None
    path_length: int | None
    key_id: bytes | None
    issuer_key_id: bytes | None
    issuer_certificate: tuple[frozenset[bytes], int] | None
    extensions: frozenset[ObjectIdentifier]
    critical: frozenset[ObjectIdentifier]
    unique_ids: bool

    @property
    def common_name(self) -> str:
        """The first CN, or "" if there is none."""
        return self.common_names[0] if self.common_names else ""

    def names(self, issuer: Certificate) -> bool:
        """Tell whether this certificate says that `issuer` issued it.

        By name and, where both say so, by key identifier and by the issuer and serial number of that certificate.
        Names are compared byte by byte. Nothing is proved before the signature is checked.
        """
        if self.issuer != issuer.subject:
            return False
        if None not in (self.issuer_key_id, issuer.key_id) and self.issuer_key_id != issuer.key_id:
            return False
        if self.issuer_certificate is None:
            return True
        names, serial = self.issuer_certificate
        return serial == issuer.serial and (not names or issuer.issuer in names)


@contextmanager
def unwarned() -> Iterator[None]:
    """Hear no warnings about serial numbers, which the profile check judges, and lengths in names.

    One thread at a time: each puts back the filters of the whole process as it found them.
    """
    with _FILTERS, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def read(der: bytes) -> Certificate:
    """Read a DER certificate completely; raise ValueError if any part of it is malformed."""
    try:
        with unwarned():
            certificate = _describe(x509.load_der_x509_certificate(der))
    except _MALFORMED as error:
        raise ValueError(f"no well-formed X.509 certificate: {error}") from error
    if not all(_strings(certificate.subject)):
        raise ValueError("no well-formed X.509 certificate: a part of its name is no string")
    # Unused bits in the signature are ignored by the parser: one certificate would have several encodings.
    if not der.endswith(b"\x00" + certificate.parsed.signature):
        raise ValueError("no well-formed X.509 certificate: its signature has unused bits")
    return certificate


def _describe(parsed: x509.Certificate) -> Certificate:
    extensions = parsed.extensions
    constraints = _extension(extensions, x509.BasicConstraints)
    usage = _extension(extensions, x509.KeyUsage)
    purposes = _extension(extensions, x509.ExtendedKeyUsage)
    own = _extension(extensions, x509.SubjectKeyIdentifier)
    above = _extension(extensions, x509.AuthorityKeyIdentifier)
    # The issuer's name is asked for, too: `cryptography` reads a name only then, and a malformed one has to fail here.
    name, _ = parsed.subject, parsed.issuer
    key, fields = _key(parsed), _elements(parsed.tbs_certificate_bytes)
    # Version (if any), serial number, algorithm, issuer, validity, subject, key, perhaps unique ids and extensions.
    issuer, _, subject, info, *more = fields[3 if fields[0][0] == _VERSION else 2 :]
    return Certificate(
        der=parsed.public_bytes(Encoding.DER),
        parsed=parsed,
        subject=subject,
        issuer=issuer,
        common_names=_texts(name, NameOID.COMMON_NAME),
        components=_texts(name, NameOID.DOMAIN_COMPONENT),
        countries=_texts(name, NameOID.COUNTRY_NAME),
        key=key,
        plain_key=key is not None and key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) == info,
        signature_algorithm=parsed.signature_algorithm_oid,
        serial=parsed.serial_number,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        usage=None if usage is None else _usage(usage),
        purposes=None if purposes is None else frozenset(purposes),
        ca=None if constraints is None else constraints.ca,
        path_length=None if constraints is None else constraints.path_length,
        key_id=None if own is None else own.digest,
        issuer_key_id=None if above is None else above.key_identifier,
        issuer_certificate=None if above is None else _issuer_certificate(above),
        extensions=frozenset(extension.oid for extension in extensions),
        critical=frozenset(extension.oid for extension in extensions if extension.critical),
        unique_ids=any(field[0] in _UNIQUE_IDS for field in more),
    )


def signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether `issuer` is named in `certificate` and signed it."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _extension(extensions: x509.Extensions, kind: type[E]) -> E | None:
    try:
        return extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _texts(name: x509.Name, oid: ObjectIdentifier) -> tuple[str, ...]:
    return tuple(value for value in (part.value for part in name.get_attributes_for_oid(oid)) if isinstance(value, str))


def _key(parsed: x509.Certificate) -> CertificatePublicKeyTypes | None:
    try:
        return parsed.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None


def _issuer_certificate(above: x509.AuthorityKeyIdentifier) -> tuple[frozenset[bytes], int] | None:
    if above.authority_cert_serial_number is None:
        return None
    names = above.authority_cert_issuer or ()
    directory = frozenset(name.value.public_bytes() for name in names if isinstance(name, x509.DirectoryName))
    return directory, above.authority_cert_serial_number


def _elements(der: bytes) -> list[bytes]:
    """Split a SEQUENCE, known to be good DER, into its elements."""
    elements = []
    at, end = _content(der, 0)
    while at < end:
        _, behind = _content(der, at)
        elements.append(der[at:behind])
        at = behind
    return elements


def _strings(name: bytes) -> Iterator[bool]:
    """Tell of each part of a name, as DER, whether it is a string: the parser takes other types for text, too."""
    for several in _elements(name):
        for part in _elements(several):
            _, value = _elements(part)
            yield value[0] in _STRINGS


def _content(der: bytes, at: int) -> tuple[int, int]:
    """Return where the content of the element at a place starts, and where it ends."""
    start, length = at + 2, der[at + 1]
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(der[at + 2 : start])
    return start, start + length


def _usage(extension: x509.KeyUsage) -> frozenset[Usage]:
    # The last two bits mean nothing without keyAgreement, and asking for them raises.
    bits = frozenset(Usage) if extension.key_agreement else frozenset(Usage) - _AGREEMENT_ONLY
    return frozenset(bit for bit in bits if getattr(extension, bit))
