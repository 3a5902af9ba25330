"""The Certificate message: the chain a peer sent, exactly as it sent it, with what it stapled to each of its parts.

Layouts: RFC 5246 section 7.4.2 (TLS 1.2), RFC 8446 section 4.4.2 (TLS 1.3).
"""

from __future__ import annotations

from dataclasses import dataclass

from v2g.tls.client_hello import Extension
from v2g.tls.reader import Reader

MESSAGE_CERTIFICATE = 11
_OCSP = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate, DER, and the OCSP response stapled to it, DER; b"" for none."""

    der: bytes
    staple: bytes = b""


def entries(message: bytes, *, second: bool) -> tuple[Entry, ...]:
    """Read a Certificate message with its header; `second` is how TLS 1.3 lays it out. Raises `Undecodable`."""
    body = Reader(message[4:], "Certificate")
    if second:
        body.block(1, "certificate_request_context")
    found = body.block(3, "certificate_list").every(_stapled if second else _bare)
    body.end()
    return found


def _bare(reader: Reader) -> Entry:
    return Entry(reader.block(3, "cert_data").rest())


def _stapled(reader: Reader) -> Entry:
    der, staple = reader.block(3, "cert_data").rest(), b""
    extensions = reader.block(2, "extensions")
    while extensions:
        number, content = extensions.number(2), extensions.block(2, "extension")
        if number == Extension.STATUS_REQUEST and content.number(1) == _OCSP:
            staple = content.block(3, "response").rest()
    return Entry(der, staple)
