"""Finds the certificates in bytes: PEM (one, many, among keys), DER, PKCS#7 and PKCS#12, bare base64 as EST has it."""

from __future__ import annotations

import base64
import binascii
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7, pkcs12

from pki.lint.finding import Remark
from pki.lint.tlv import INTEGER, OCTETS, OID, SEQUENCE, Element, Walk

MAX_CERTIFICATE = 64 << 10
"""Bytes of the largest certificate that is looked into."""
_MARK = re.compile(
    rb"^-----(?:BEGIN (?P<begin>[A-Z0-9 #]{1,40})-----[ \t]*\r?$|END (?P<end>[A-Z0-9 #]{1,40})-----)", re.MULTILINE
)
_BEGIN = b"-----BEGIN "
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
_SIGNED_DATA = (b"PKCS7", b"CMS", b"PKCS #7 SIGNED DATA")
_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_PKCS12_VERSION = b"\x03"
_SHORTEST = 4
_LONGEST_HEAD = 6  # a tag and a length of up to four octets more


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one certificate, as they are; `line` is where it begins in a PEM file."""

    der: bytes
    line: int | None = None


Contents = tuple[list[Piece], list[Remark]]


def looks_like_certificates(data: bytes) -> bool:
    """Tell whether bytes may hold certificates, without reading them."""
    if _BEGIN in data:
        return any(b"-----BEGIN " + label + b"-----" in data for label in (*_CERTIFICATES, *_SIGNED_DATA))
    first = _first_child(data)
    return first is not None and (first.universal(SEQUENCE) or first.universal(OID) or _is_pkcs12(data, first))


def certificates_in(data: bytes, password: bytes = b"") -> Contents:
    """Return the certificates in bytes and what was noticed; never raises. Keys are not read, only noticed."""
    if _BEGIN in data:
        return _pem(data)
    if data[:1] != b"\x30" and _BASE64.fullmatch(data):
        data = _debased(data) or data
    first = _first_child(data)
    if data[:1] != b"\x30":
        return [], []
    if first is not None and first.universal(OID):
        return _packed(data, "unreadable", _pkcs7)
    if first is not None and _is_pkcs12(data, first):
        return _packed(data, "locked", lambda packed: _pkcs12(packed, password))
    if first is not None and _is_key(data, first):
        return [], [_key("the file is one")]
    return _checked([Piece(data)])


def _pem(data: bytes) -> Contents:
    pieces: list[Piece] = []
    remarks: list[Remark] = []
    blocks = 0
    for label, line, text in _blocks(data):
        blocks += 1
        if label.endswith(b"PRIVATE KEY"):
            remarks.append(_key(f"there is one in line {line}"))
        elif label in _CERTIFICATES or label in _SIGNED_DATA:
            der = _debased(text)
            if der is None:
                remarks.append(Remark("unreadable", f"the block in line {line} is no base64"))
            elif label in _CERTIFICATES:
                pieces.append(Piece(der, line))
            else:
                packed, told = _packed(der, "unreadable", _pkcs7)
                pieces += packed
                remarks += told
    if data.count(_BEGIN) > blocks:
        remarks.append(Remark("unreadable", "a PEM block has no end"))
    pieces, told = _checked(pieces)
    return pieces, remarks + told


def _blocks(data: bytes) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield label, line and text of every PEM block, in one pass: a file may be full of blocks without an end."""
    begin, line, counted = None, 1, 0
    for mark in _MARK.finditer(data):
        if mark["begin"] is not None:
            begin = mark
        elif begin is not None and begin["begin"] == mark["end"]:
            line += data.count(b"\n", counted, begin.start())
            counted = begin.start()
            yield begin["begin"], line, data[begin.end() : mark.start()]
            begin = None


def _checked(pieces: list[Piece]) -> Contents:
    """Leave out what is too large to be looked into."""
    remarks = [
        Remark("unreadable", f"a certificate has {len(piece.der)} bytes, which none has")
        for piece in pieces
        if len(piece.der) > MAX_CERTIFICATE
    ]
    return [piece for piece in pieces if len(piece.der) <= MAX_CERTIFICATE], remarks


def _debased(text: bytes) -> bytes | None:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True) or None
    except binascii.Error:
        return None


def _packed(data: bytes, rule: str, load: Callable[[bytes], list[x509.Certificate]]) -> Contents:
    try:
        with warnings.catch_warnings():
            # About oddities in foreign files: the rules judge what matters of them.
            warnings.simplefilter("ignore")
            found = load(data)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        return [], [Remark(rule, f"what it packs cannot be read: {error}")]
    return _checked([Piece(one.public_bytes(Encoding.DER)) for one in found])


def _pkcs7(data: bytes) -> list[x509.Certificate]:
    return pkcs7.load_der_pkcs7_certificates(data)


def _pkcs12(data: bytes, password: bytes) -> list[x509.Certificate]:
    packed = pkcs12.load_pkcs12(data, password or None)
    return [one.certificate for one in (packed.cert, *packed.additional_certs) if one is not None]


def _key(text: str) -> Remark:
    return Remark("private-key", f"a private key: {text}")


def _content_at(data: bytes) -> int:
    """Return where the content of the first element begins."""
    return 2 + (data[1] & 0x7F if data[1] & 0x80 else 0)


def _first_child(data: bytes) -> Element | None:
    """Return the first element of a SEQUENCE, by its head alone: what follows may be anything."""
    if data[:1] != b"\x30" or len(data) < _SHORTEST or _content_at(data) > _LONGEST_HEAD:
        return None
    start = _content_at(data)
    return Walk(data[start : start + MAX_CERTIFICATE]).first()


def _inside(data: bytes, first: Element) -> bytes:
    """Return the content of that first element."""
    start = _content_at(data)
    return data[start + first.start : start + first.end]


def _is_pkcs12(data: bytes, first: Element) -> bool:
    return first.universal(INTEGER) and _inside(data, first) == _PKCS12_VERSION


def _is_key(data: bytes, first: Element) -> bool:
    """Tell whether it is PKCS#8 or an old EC key, which begin with a number, or an encrypted PKCS#8."""
    if first.universal(INTEGER):
        return _inside(data, first) in (b"\x00", b"\x01")
    second = Walk(data[_content_at(data) + first.end :]).first()
    return first.universal(SEQUENCE) and second is not None and second.universal(OCTETS)
