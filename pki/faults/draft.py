"""What a certificate says, open to any change before it is signed, and the signing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, ObjectIdentifier, SignatureAlgorithmOID

from pki.faults import der

Key = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey
V3 = 2
_TAGS = {NameOID.DOMAIN_COMPONENT: der.IA5, NameOID.COUNTRY_NAME: der.PRINTABLE}
_ECDSA = {
    "sha1": ObjectIdentifier("1.2.840.10045.4.1"),
    "sha256": SignatureAlgorithmOID.ECDSA_WITH_SHA256,
    "sha384": SignatureAlgorithmOID.ECDSA_WITH_SHA384,
    "sha512": SignatureAlgorithmOID.ECDSA_WITH_SHA512,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a name, as it is encoded."""

    oid: ObjectIdentifier
    tag: int
    content: bytes

    @property
    def der(self) -> bytes:
        """It as a set of its own, as names have them."""
        return der.tlv(der.SET, der.sequence(der.oid(self.oid), der.tlv(self.tag, self.content)))


def part(oid: ObjectIdentifier, text: str) -> Part:
    """A part of a name, in the type of text that it usually has."""
    return Part(oid, _TAGS.get(oid, der.UTF8), text.encode())


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension; `value` is DER."""

    oid: ObjectIdentifier
    critical: bool
    value: bytes

    @property
    def der(self) -> bytes:
        """It as a certificate has it."""
        critical = der.tlv(der.BOOLEAN, b"\xff") if self.critical else b""
        return der.sequence(der.oid(self.oid), critical, der.tlv(der.OCTETS, self.value))


def extension(value: x509.ExtensionType, *, critical: bool = False) -> Extension:
    """An extension with a value that `cryptography` knows to write."""
    return Extension(value.oid, critical, value.public_bytes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The fields of a certificate; `issuer`, `key` and `algorithm` are DER, times are aware.

    A `version` of None writes none, which means 1.
    """

    version: int | None = V3
    serial: int
    algorithm: bytes
    issuer: bytes
    not_before: datetime
    not_after: datetime
    subject: tuple[Part, ...]
    key: bytes
    extensions: tuple[Extension, ...]

    @classmethod
    def of(cls, certificate: x509.Certificate) -> Draft:
        """Take the fields of a certificate that is as it should be."""
        return cls(
            serial=certificate.serial_number,
            algorithm=b"",
            issuer=certificate.issuer.public_bytes(),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            subject=tuple(part(each.oid, str(each.value)) for each in certificate.subject),
            key=certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            extensions=tuple(extension(each.value, critical=each.critical) for each in certificate.extensions),
        )

    @property
    def name(self) -> bytes:
        """The subject, as DER."""
        return der.sequence(*(each.der for each in self.subject))

    @property
    def signed_part(self) -> bytes:
        """The DER that is signed."""
        version = b"" if self.version is None else der.tlv(der.VERSION, der.integer(self.version))
        listed = der.tlv(der.EXTENSIONS, der.sequence(*(each.der for each in self.extensions)))
        return der.sequence(
            version,
            der.integer(self.serial),
            self.algorithm,
            self.issuer,
            der.sequence(der.time(self.not_before), der.time(self.not_after)),
            self.name,
            self.key,
            listed if self.extensions else b"",
        )

    def named(self, oid: ObjectIdentifier, *texts: str) -> Draft:
        """The same with these parts of the name in place of those there are, at the end if there are none."""
        return self.with_parts(oid, [part(oid, text) for text in texts])

    def with_parts(self, oid: ObjectIdentifier, parts: Iterable[Part]) -> Draft:
        """The same with these parts of one kind in its name."""
        there = [place for place, each in enumerate(self.subject) if each.oid == oid]
        at = there[0] if there else len(self.subject)
        others = [each for each in self.subject if each.oid != oid]
        return replace(self, subject=(*others[:at], *parts, *others[at:]))

    def with_extension(self, wanted: Extension) -> Draft:
        """The same with an extension in place of the one of its kind, or at the end."""
        if all(each.oid != wanted.oid for each in self.extensions):
            return replace(self, extensions=(*self.extensions, wanted))
        return replace(self, extensions=tuple(wanted if each.oid == wanted.oid else each for each in self.extensions))

    def refreshed(self, wanted: Extension) -> Draft:
        """The same with another value of an extension, as critical as it was."""
        there = next((each for each in self.extensions if each.oid == wanted.oid), wanted)
        return self.with_extension(replace(wanted, critical=there.critical))

    def without(self, *oids: ObjectIdentifier) -> Draft:
        """The same without some extensions."""
        return replace(self, extensions=tuple(each for each in self.extensions if each.oid not in oids))

    def marked(self, oid: ObjectIdentifier, *, critical: bool) -> Draft:
        """The same with an extension critical or not."""
        return replace(
            self,
            extensions=tuple(replace(each, critical=critical) if each.oid == oid else each for each in self.extensions),
        )

    def has(self, oid: ObjectIdentifier) -> bool:
        """Tell whether there is such an extension."""
        return any(each.oid == oid for each in self.extensions)

    def valid(self, at: datetime, start_days: float, end_days: float) -> Draft:
        """The same, valid from and until so many days after a moment."""
        moment = at.replace(microsecond=0)
        return replace(
            self, not_before=moment + timedelta(days=start_days), not_after=moment + timedelta(days=end_days)
        )


@dataclass(frozen=True, slots=True)
class Signing:
    """A key, and the hash it signs with; Ed448 has none of its own."""

    key: Key
    digest: hashes.HashAlgorithm | None

    @property
    def algorithm(self) -> bytes:
        """How a certificate names the algorithm, as DER."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            return der.sequence(der.oid(SignatureAlgorithmOID.RSA_WITH_SHA256), der.tlv(der.NULL, b""))
        if isinstance(self.key, ed448.Ed448PrivateKey) or self.digest is None:
            return der.sequence(der.oid(SignatureAlgorithmOID.ED448))
        return der.sequence(der.oid(_ECDSA[self.digest.name]))

    def sign(self, data: bytes) -> bytes:
        """Sign data; raises ValueError for a hash that goes with no such key."""
        if isinstance(self.key, ed448.Ed448PrivateKey):
            return self.key.sign(data)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), hashes.SHA256())
        if self.digest is None:
            raise ValueError("a key on a curve signs with a hash")
        return self.key.sign(data, ec.ECDSA(self.digest))


def sign(draft: Draft, signing: Signing) -> bytes:
    """Return the DER of a certificate; a draft that names an algorithm keeps it, whatever it is signed with."""
    draft = draft if draft.algorithm else replace(draft, algorithm=signing.algorithm)
    signed = draft.signed_part
    return der.sequence(signed, signing.algorithm, der.bits(signing.sign(signed)))
