"""Blocks of a pcapng file: raw IP packets, and the TLS secrets that read them.

Layout: the IETF's draft-ietf-opsawg-pcapng. A reader uses a block of secrets only for packets that follow it.
"""

from __future__ import annotations

import struct

LINKTYPE_RAW = 101
"""Packets begin with their IP header."""
TLS_KEY_LOG = 0x544C534B
NANOSECONDS = 9

_SECTION = 0x0A0D0D0A
_INTERFACE = 1
_PACKET = 6
_SECRETS = 10
_BYTE_ORDER = 0x1A2B3C4D
_UNKNOWN_LENGTH = -1
_END_OF_OPTIONS = 0
_NAME = 2
_APPLICATION = 4
_RESOLUTION = 9
_NO_LIMIT = 0


def section(application: str) -> bytes:
    """Begin a file; `application` is who writes it."""
    head = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, _UNKNOWN_LENGTH)
    return _block(_SECTION, head + _options((_APPLICATION, application.encode())))


def interface(name: str) -> bytes:
    """Describe the interface that all packets are of; their times are nanoseconds since 1970."""
    options = _options((_NAME, name.encode()), (_RESOLUTION, bytes([NANOSECONDS])))
    return _block(_INTERFACE, struct.pack("<HHI", LINKTYPE_RAW, 0, _NO_LIMIT) + options)


def secrets(lines: bytes) -> bytes:
    """Keep lines of an NSS key log, for the packets that follow."""
    return _block(_SECRETS, struct.pack("<II", TLS_KEY_LOG, len(lines)) + _padded(lines))


def packet(at_ns: int, data: bytes) -> bytes:
    """Keep one IP packet; `at_ns` is its time in nanoseconds since 1970."""
    head = struct.pack("<IIIII", 0, at_ns >> 32, at_ns & 0xFFFF_FFFF, len(data), len(data))
    return _block(_PACKET, head + _padded(data))


def _block(kind: int, body: bytes) -> bytes:
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _options(*options: tuple[int, bytes]) -> bytes:
    encoded = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join([*encoded, struct.pack("<HH", _END_OF_OPTIONS, 0)])


def _padded(data: bytes) -> bytes:
    """Fill up to a multiple of four bytes."""
    return data + bytes(-len(data) % 4)
