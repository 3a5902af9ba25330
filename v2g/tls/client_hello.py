"""What a vehicle's ClientHello says, read before any TLS library sees it.

The station peeks at it to choose a certificate chain and to say clearly why a handshake cannot work. The parser is
bounded and does no I/O. Layouts: RFC 5246 and RFC 8446 (records, hello), RFC 6066 section 6 (trusted_ca_keys).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from v2g.errors import Undecodable
from v2g.tls.reader import Item, Reader

MAX_HELLO = 16_384
MAX_RECORD = 16_384
MAX_RECORDS = 64
MAX_AUTHORITIES = 256
"""Entries of trusted_ca_keys; who trusts more roots than that is no vehicle."""

RECORD_HANDSHAKE = 22
MESSAGE_CLIENT_HELLO = 1
_SHA1_SIZE = 20
_RECORD_HEADER = 5


class Extension(IntEnum):
    """The extensions that are read here, by their IANA number."""

    TRUSTED_CA_KEYS = 3
    STATUS_REQUEST = 5
    SUPPORTED_GROUPS = 10
    SIGNATURE_ALGORITHMS = 13
    SUPPORTED_VERSIONS = 43
    CERTIFICATE_AUTHORITIES = 47


class Identifier(IntEnum):
    """How an entry of trusted_ca_keys names its root certificate; UNKNOWN ends a list we cannot read further."""

    PRE_AGREED = 0
    KEY_SHA1 = 1
    X509_NAME = 2
    CERT_SHA1 = 3
    UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """One entry of trusted_ca_keys: a hash of 20 bytes, a DER name, or nothing for PRE_AGREED."""

    identifier: Identifier
    value: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHello:
    """What the client offers; numbers are IANA's, sequences are in the client's order of preference."""

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    extensions: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    signature_schemes: tuple[int, ...] = ()
    trusted_ca_keys: tuple[TrustedAuthority, ...] = ()
    certificate_authorities: tuple[bytes, ...] = ()


def parse(buffer: bytes) -> ClientHello | None:
    """Read the ClientHello at the start of `buffer`; None while it is incomplete.

    Raises `Undecodable` for anything that is no ClientHello or is larger than the bounds above.
    """
    return Intake().feed(buffer)


class Intake:
    """Takes a ClientHello in pieces, however small, and looks at no byte twice; `arrived` holds all that came."""

    def __init__(self) -> None:
        self.arrived = bytearray()
        self._message = bytearray()
        self._records = 0
        self._record_at = 0

    def feed(self, data: bytes) -> ClientHello | None:
        """Take more bytes; None while the ClientHello is incomplete. Raises `Undecodable` as `parse` does."""
        self.arrived += data
        while record := self._next_record():
            self._message += record
            wanted = _message_size(self._message)
            if wanted is not None and len(self._message) >= wanted:
                return _hello(Reader(bytes(self._message[4:wanted]), "ClientHello"))
            if self._records == MAX_RECORDS:
                raise Undecodable("ClientHello in too many pieces", expected=f"at most {MAX_RECORDS} TLS records")
        return None

    @property
    def random(self) -> bytes:
        """The client's 32 random bytes, by which a key log names the session; fewer while they are incomplete."""
        return bytes(self._message[6:38])

    def _next_record(self) -> bytes:
        """Return what the next record holds, nothing while it is incomplete: it is never empty itself."""
        start = self._record_at + _RECORD_HEADER
        header = bytes(self.arrived[self._record_at : start])
        _check_record(header)
        end = start + int.from_bytes(header[3:])
        if len(header) < _RECORD_HEADER or len(self.arrived) < end:
            return b""
        self._records += 1
        self._record_at = end
        return bytes(self.arrived[start:end])


def _check_record(header: bytes) -> None:
    """Refuse a record header as soon as one of its bytes cannot belong to a ClientHello."""
    if header[:1] and header[0] != RECORD_HANDSHAKE:
        raise Undecodable(f"first byte 0x{header[0]:02x} of a TLS record", expected="0x16, a handshake record")
    if header[1:2] and header[1] != 3:
        raise Undecodable(f"TLS record of major version {header[1]}", expected="3")
    if len(header) == _RECORD_HEADER and not 0 < int.from_bytes(header[3:5]) <= MAX_RECORD:
        raise Undecodable(f"TLS record of {int.from_bytes(header[3:5])} bytes", expected=f"1 to {MAX_RECORD}")


def _message_size(message: bytearray) -> int | None:
    """Size of the handshake message with its header, in bytes; None while the header is incomplete."""
    if message and message[0] != MESSAGE_CLIENT_HELLO:
        raise Undecodable(f"handshake message {message[0]}", expected="1, ClientHello")
    if len(message) < 4:
        return None
    size = int.from_bytes(message[1:4])
    if size > MAX_HELLO:
        raise Undecodable(f"ClientHello of {size} bytes", expected=f"at most {MAX_HELLO}")
    return 4 + size


def _number16(reader: Reader) -> int:
    return reader.number(2)


def _name(reader: Reader) -> bytes:
    return reader.block(2, "name").rest()


def _trusted_authority(reader: Reader) -> TrustedAuthority:
    """Read an entry; one of a kind we do not know takes the rest with it, since its length is unknown."""
    kind = reader.number(1)
    if kind == Identifier.PRE_AGREED:
        return TrustedAuthority(Identifier.PRE_AGREED)
    if kind in (Identifier.KEY_SHA1, Identifier.CERT_SHA1):
        return TrustedAuthority(Identifier(kind), reader.take(_SHA1_SIZE))
    if kind == Identifier.X509_NAME:
        return TrustedAuthority(Identifier.X509_NAME, _name(reader))
    return TrustedAuthority(Identifier.UNKNOWN, bytes([kind]) + reader.rest())


def _hello(reader: Reader) -> ClientHello:
    """Read the body of the message."""
    legacy_version = reader.number(2)
    reader.take(32)
    reader.block(1, "session_id")
    suites = reader.block(2, "cipher_suites").every(_number16)
    reader.block(1, "compression_methods")
    extensions = _extensions(reader.block(2, "extensions")) if reader else {}
    reader.end()

    def listed(
        extension: Extension, size: int, read: Callable[[Reader], Item], most: int = MAX_HELLO
    ) -> tuple[Item, ...]:
        """Read an extension that is one list with `size` bytes of length; empty when it is absent."""
        if extension not in extensions:
            return ()
        body = Reader(extensions[extension], f"ClientHello.{extension.name.lower()}")
        items = body.block(size, "list").every(read, most)
        body.end()
        return items

    return ClientHello(
        versions=listed(Extension.SUPPORTED_VERSIONS, 1, _number16) or (legacy_version,),
        suites=suites,
        extensions=tuple(extensions),
        groups=listed(Extension.SUPPORTED_GROUPS, 2, _number16),
        signature_schemes=listed(Extension.SIGNATURE_ALGORITHMS, 2, _number16),
        trusted_ca_keys=listed(Extension.TRUSTED_CA_KEYS, 2, _trusted_authority, MAX_AUTHORITIES),
        certificate_authorities=listed(Extension.CERTIFICATE_AUTHORITIES, 2, _name),
    )


def _extensions(reader: Reader) -> dict[int, bytes]:
    """Read the extensions in their order; the same one twice is refused."""
    found: dict[int, bytes] = {}
    while reader:
        number = reader.number(2)
        if number in found:
            raise Undecodable(f"extension {number} twice", path="ClientHello.extensions")
        found[number] = reader.block(2, str(number)).rest()
    return found
