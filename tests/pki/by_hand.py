"""Certificates put together byte by byte, for what no library would write; knows nothing of the code it tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.pki.chains import Key, p256

SEQUENCE, SET, INTEGER, BIT_STRING, OCTET_STRING, OID, BOOLEAN, NULL = 0x30, 0x31, 2, 3, 4, 6, 1, 5
UTF8, PRINTABLE, IA5, T61, BMP, UNIVERSAL, NUMERIC = 12, 19, 22, 20, 30, 28, 18
UTC_TIME, GENERALIZED = 23, 24


def tlv(tag: int, *content: bytes) -> bytes:
    """Tag, shortest length, content."""
    data = b"".join(content)
    if len(data) < 128:
        return bytes([tag, len(data)]) + data
    length = len(data).to_bytes((len(data).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + data


def integer(value: int) -> bytes:
    """An INTEGER in as few bytes as it needs."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *rest = map(int, dotted.split("."))
    content = bytearray()
    for number in (first * 40 + second, *rest):
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        content += bytes(reversed(groups))
    return tlv(OID, bytes(content))


COMMON_NAME, ORGANIZATION, DOMAIN = oid("2.5.4.3"), oid("2.5.4.10"), oid("0.9.2342.19200300.100.1.25")
CONSTRAINTS, USAGE = "2.5.29.19", "2.5.29.15"
ECDSA_SHA256 = tlv(SEQUENCE, oid("1.2.840.10045.4.3.2"))
ECDSA_SHA512 = tlv(SEQUENCE, oid("1.2.840.10045.4.3.4"))
ED448 = tlv(SEQUENCE, oid("1.3.101.113"))
EC_KEY = oid("1.2.840.10045.2.1")
P256_CURVE = oid("1.2.840.10045.3.1.7")


def part(kind: bytes, text: str, tag: int = UTF8) -> bytes:
    """One attribute of a name."""
    codec = {BMP: "utf-16-be", UNIVERSAL: "utf-32-be", T61: "latin-1"}.get(tag, "utf-8")
    return tlv(SEQUENCE, kind, tlv(tag, text.encode(codec)))


def name(*parts: bytes) -> bytes:
    """A name of attributes, each for itself."""
    return tlv(SEQUENCE, *(tlv(SET, each) for each in parts))


def named(cn: str, dc: str) -> bytes:
    """The usual name: CN and DC."""
    return name(part(COMMON_NAME, cn), part(DOMAIN, dc, IA5))


def extension(dotted: str, value: bytes, critical: bytes = tlv(BOOLEAN, b"\xff")) -> bytes:
    """One extension; `critical` is the field as it is written."""
    return tlv(SEQUENCE, oid(dotted), critical, tlv(OCTET_STRING, value))


def constraints(path_length: int | None = None, *, ca: bool = True) -> bytes:
    """Basic constraints, critical."""
    length = b"" if path_length is None else integer(path_length)
    return extension(CONSTRAINTS, tlv(SEQUENCE, tlv(BOOLEAN, b"\xff") if ca else b"", length))


SERIAL_OF_SUB1 = integer(0x1234567891)
SIGNS = extension(USAGE, tlv(BIT_STRING, b"\x07\x80"))
ISSUES = extension(USAGE, tlv(BIT_STRING, b"\x01\x06"))


def times(first: str, last: str) -> bytes:
    """A validity, each end by the length of its text: UTCTime or GeneralizedTime."""
    return tlv(SEQUENCE, *(tlv(UTC_TIME if len(text) < 15 else GENERALIZED, text.encode()) for text in (first, last)))


def public(key: Key) -> bytes:
    """The SubjectPublicKeyInfo of a key."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signature(key: Key, data: bytes) -> bytes:
    """Sign, with the hash that belongs to the key."""
    if isinstance(key, ed448.Ed448PrivateKey):
        return key.sign(data)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(data, ec.ECDSA(hashes.SHA256() if key.key_size == 256 else hashes.SHA512()))


@dataclass(frozen=True)
class Draft:
    """The fields of a certificate as DER; `outer` is the algorithm beside the signature, the inner one if None."""

    subject: bytes
    extensions: tuple[bytes, ...]
    key: Key = field(default_factory=p256)
    issuer: bytes | None = None
    version: bytes = tlv(0xA0, integer(2))
    serial: bytes = integer(0x1234567890)
    validity: bytes = times("260501000000Z", "261001000000Z")
    algorithm: bytes = ECDSA_SHA256
    outer: bytes | None = None
    spki: bytes | None = None
    unique: bytes = b""
    listed: bytes | None = None
    """The field of extensions, where it is not simply the list of `extensions`."""

    def signed(self, issuer: Draft) -> bytes:
        """Return the certificate, signed by the key of `issuer`."""
        listed = tlv(0xA3, tlv(SEQUENCE, *self.extensions)) if self.listed is None else self.listed
        body = tlv(
            SEQUENCE,
            *(self.version, self.serial, self.algorithm, issuer.subject if self.issuer is None else self.issuer),
            *(self.validity, self.subject, public(self.key) if self.spki is None else self.spki, self.unique, listed),
        )
        return self.wrapped(body, signature(issuer.key, body))

    def wrapped(self, body: bytes, signed: bytes) -> bytes:
        """Return the certificate of a body and a signature."""
        outer = self.algorithm if self.outer is None else self.outer
        return tlv(SEQUENCE, body, outer, tlv(BIT_STRING, b"\x00", signed))


def drafts(leaf: str = "DE*ABC*E1", dc: str = "CPO", above: str = "V2G") -> dict[str, Draft]:
    """The drafts of a good SECC chain of -2."""
    return {
        "root": Draft(named("Root", "V2G"), (constraints(), ISSUES)),
        "sub1": Draft(named("Sub1", above), (constraints(1), ISSUES), serial=SERIAL_OF_SUB1),
        "sub2": Draft(named("Sub2", above), (constraints(0), ISSUES)),
        "leaf": Draft(named(leaf, dc), (constraints(ca=False), SIGNS)),
    }


def chain(changes: Mapping[str, Mapping[str, Any]] | None = None, **kind: Any) -> tuple[list[bytes], list[bytes]]:
    """Return chain and anchors of drafts that were changed; `kind` goes for all of them."""
    found = {tier: replace(draft, **kind) for tier, draft in drafts().items()}
    found |= {tier: replace(found[tier], **change) for tier, change in (changes or {}).items()}
    order = ("leaf", "sub2", "sub1", "root", "root")
    made = [found[tier].signed(found[above]) for tier, above in pairwise(order)]
    return made[:3], made[3:]
