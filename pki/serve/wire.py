"""The two structures of EST that are more than base64: certificates alone as CMS, and what a request should hold."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurveOID
from cryptography.x509.oid import ObjectIdentifier

from pki.keys import P256, P521, Suite

_SEQUENCE, _SET, _OID, _OWN = 0x30, 0x31, 0x06, 0xA0
_SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
_DATA = ObjectIdentifier("1.2.840.113549.1.7.1")
_EC_PUBLIC_KEY = ObjectIdentifier("1.2.840.10045.2.1")
_VERSION_1 = b"\x02\x01\x01"
_ARMOR = re.compile(rb"-----(BEGIN|END) (NEW )?CERTIFICATE REQUEST-----")


def certs_only(certificates: Sequence[bytes], *, ordered: bool = False) -> bytes:
    """Return a SignedData of DER certificates alone (RFC 5272 4.1).

    In DER it is a set, sorted by its bytes: who reads it finds the leaf by its key. `ordered` keeps the order given,
    which BER allows and few readers expect.
    """
    if not ordered:
        certificates = sorted(certificates)
    content = _VERSION_1 + _tlv(_SET) + _tlv(_SEQUENCE, _oid(_DATA)) + _tlv(_OWN, *certificates) + _tlv(_SET)
    return _tlv(_SEQUENCE, _oid(_SIGNED_DATA), _tlv(_OWN, _tlv(_SEQUENCE, content)))


def attributes(suite: Suite) -> bytes:
    """Return CsrAttrs (RFC 7030 4.5.2): the kind of key, and the algorithm it signs its request with."""
    curves = {P256.name: EllipticCurveOID.SECP256R1, P521.name: EllipticCurveOID.SECP521R1}
    if suite.name not in curves:
        return _tlv(_SEQUENCE, _oid(suite.algorithm))
    curve = _tlv(_SEQUENCE, _oid(_EC_PUBLIC_KEY), _tlv(_SET, _oid(curves[suite.name])))
    return _tlv(_SEQUENCE, curve, _oid(suite.algorithm))


def armored(der: bytes) -> bytes:
    """Write base64 in lines, as EST carries everything."""
    return base64.encodebytes(der)


def plain(body: bytes) -> bytes:
    """Read base64 with lines and spaces, and PEM; raise ValueError for anything else."""
    text = b"".join(_ARMOR.sub(b"", body).split())
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("the request is not base64 (RFC 7030 4.2.1)") from error


def _oid(oid: ObjectIdentifier) -> bytes:
    first, second, *rest = (int(arc) for arc in oid.dotted_string.split("."))
    return _tlv(_OID, *(_base128(arc) for arc in (40 * first + second, *rest)))


def _base128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))


def _tlv(tag: int, *contents: bytes) -> bytes:
    content = b"".join(contents)
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content
