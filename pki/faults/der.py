"""DER of a few types, written as asked for: the builders of `cryptography` refuse what is wrong, and so has to be."""

from __future__ import annotations

from datetime import datetime

from cryptography.x509.oid import ObjectIdentifier

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
UTF8, PRINTABLE, IA5, UTC_TIME, GENERALIZED_TIME, BMP = 0x0C, 0x13, 0x16, 0x17, 0x18, 0x1E
SEQUENCE, SET = 0x30, 0x31
VERSION, EXTENSIONS = 0xA0, 0xA3
"""The tags of a certificate's fields that have one of their own."""
_LAST_UTC_YEAR = 2049


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length and content."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    """A SEQUENCE of parts that are DER already."""
    return tlv(SEQUENCE, b"".join(parts))


def integer(number: int) -> bytes:
    """An INTEGER of any sign and size."""
    bits_needed = (~number if number < 0 else number).bit_length()
    return tlv(INTEGER, number.to_bytes(bits_needed // 8 + 1, signed=True))


def bits(content: bytes, unused: int = 0) -> bytes:
    """A BIT STRING, the last `unused` bits of which do not count."""
    return tlv(BITS, bytes([unused]) + content)


def oid(identifier: ObjectIdentifier) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *others = (int(arc) for arc in identifier.dotted_string.split("."))
    return tlv(OID, b"".join(map(_base128, (first * 40 + second, *others))))


def time(moment: datetime) -> bytes:
    """A time of X.509, aware and in whole seconds: UTCTime up to 2049, GeneralizedTime after (RFC 5280 4.1.2.5)."""
    if moment.year > _LAST_UTC_YEAR:
        return tlv(GENERALIZED_TIME, f"{moment:%Y%m%d%H%M%S}Z".encode())
    return tlv(UTC_TIME, f"{moment:%y%m%d%H%M%S}Z".encode())


def _base128(number: int) -> bytes:
    septets = [number & 0x7F]
    while number := number >> 7:
        septets.append(number & 0x7F | 0x80)
    return bytes(reversed(septets))
