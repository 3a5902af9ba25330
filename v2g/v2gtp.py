"""V2GTP: the 8-byte header before every payload, and a framer that takes a stream apart.

What ends a stream and what is merely skipped [V2G2-800]:

1. A header is plausible when its length is within the cap and its first two bytes look like a version and its
   inverse: at least one of them is ours (01, FE), or they complement each other (a version we do not speak).
2. Anything else is garbage: no later byte can be trusted to begin a frame, so the stream is `Undecodable`, for ever.
3. A plausible header with a foreign version, a payload type not accepted, or length 0 is skipped together with the
   payload it announces, counted and never acted on. The payload type is looked at before the length [V2G2-092].
"""

from __future__ import annotations

import struct
from collections.abc import Container
from enum import IntEnum
from typing import NamedTuple

from v2g.errors import Undecodable

VERSION = 0x01
INVERSE = 0xFE
HEADER_SIZE = 8
LIMIT = 65_536  # ours: certificate messages need a few kB; nothing larger is ever buffered or decoded

_HEADER = struct.Struct(">BBHI")


class PayloadType(IntEnum):
    """The payload types of DIN 70121, ISO 15118-2 and ISO 15118-20.

    `EXI` is the handshake and all of DIN and -2. In -20 the type tells the schema: the main stream, one type for each
    kind of energy transfer (those of Amendment 1 from one source, unverified), and the streams beside the main one.
    """

    EXI = 0x8001
    MAINSTREAM = 0x8002
    AC = 0x8003
    DC = 0x8004
    ACDP = 0x8005
    WPT = 0x8006
    AC_DER_IEC = 0x8010
    AC_DER_SAE = 0x8011
    SCHEDULE_RENEGOTIATION = 0x8101
    METERING_CONFIRMATION = 0x8102
    ACDP_SYSTEM_STATUS = 0x8103
    PARKING_STATUS = 0x8104
    SDP_REQUEST = 0x9000
    SDP_RESPONSE = 0x9001


class Header(NamedTuple):
    """What stands before a payload; `length` is the payload's."""

    version: int
    inverse: int
    payload_type: int
    length: int

    @property
    def is_ours(self) -> bool:
        """Whether it is of the version we speak."""
        return (self.version, self.inverse) == (VERSION, INVERSE)


class Frame(NamedTuple):
    """One payload with its type, header removed."""

    payload_type: int
    payload: bytes


def frame(payload_type: int, payload: bytes) -> bytes:
    """Put the header before a payload; raises ValueError for an empty payload or a type outside 16 bits."""
    if not payload:
        raise ValueError("a V2GTP payload cannot be empty: the receiver would ignore it")
    if not 0 <= payload_type <= 0xFFFF:
        raise ValueError(f"payload type {payload_type:#x} does not fit 16 bits")
    return _HEADER.pack(VERSION, INVERSE, payload_type, len(payload)) + payload


def unframe(datagram: bytes, payload_type: int) -> bytes:
    """Return the payload of a datagram that must be exactly one frame of `payload_type`, or raise `Undecodable`."""
    if len(datagram) < HEADER_SIZE:
        raise Undecodable(f"{len(datagram)} bytes", path="V2GTP", expected=f"at least {HEADER_SIZE}")
    version, inverse, found, length = _HEADER.unpack_from(datagram)
    if (version, inverse) != (VERSION, INVERSE):
        raise Undecodable(f"version {version:02x} {inverse:02x}", path="V2GTP", bit=0, expected="01 fe")
    if found != payload_type:
        raise Undecodable(f"payload type {found:#06x}", path="V2GTP", bit=16, expected=f"{payload_type:#06x}")
    if length != len(datagram) - HEADER_SIZE:
        raise Undecodable(f"length {length}", path="V2GTP", bit=32, expected=f"{len(datagram) - HEADER_SIZE}")
    return datagram[HEADER_SIZE:]


def header_of(data: bytes, limit: int = LIMIT) -> Header:
    """Read the header these bytes begin with. Raises `Undecodable` where no later byte can be trusted."""
    if len(data) < HEADER_SIZE:
        raise Undecodable(f"{len(data)} bytes of a header", path="V2GTP", expected=f"{HEADER_SIZE}")
    header = Header._make(_HEADER.unpack_from(data))
    _check(header.version, header.inverse, header.length, limit)
    return header


def _plausible(version: int, inverse: int) -> bool:
    return version == VERSION or inverse == INVERSE or version ^ inverse == 0xFF


def _check(version: int, inverse: int, length: int, limit: int) -> None:
    if not _plausible(version, inverse):
        raise Undecodable(f"bytes {version:02x} {inverse:02x} begin no header", path="V2GTP", expected="01 fe")
    if length > limit:
        raise Undecodable(f"length {length}", path="V2GTP", bit=32, expected=f"at most {limit}")


class Framer:
    """Takes bytes in any pieces and gives the frames whose payload type is in `accept`.

    Holds what was fed and not yet taken by `next`; a frame to skip is never collected, only counted down.
    """

    def __init__(self, accept: Container[int], limit: int = LIMIT) -> None:
        self._accept = accept
        self._limit = limit
        self._buffer = bytearray()
        self._left_to_skip = 0
        self.skipped = 0

    @property
    def pending(self) -> bool:
        """Whether bytes are held, or still to be skipped, that `next` has not used up."""
        return bool(self._buffer) or self._left_to_skip > 0

    def feed(self, data: bytes) -> None:
        """Take bytes from the stream; call `next` until it gives None before feeding more."""
        dropped = min(self._left_to_skip, len(data))
        self._left_to_skip -= dropped
        self._buffer += data[dropped:]

    def next(self) -> Frame | None:
        """Return the next whole frame, None while there is none; raises `Undecodable` where nothing can follow."""
        while len(self._buffer) >= HEADER_SIZE:
            version, inverse, payload_type, length = _HEADER.unpack_from(self._buffer)
            _check(version, inverse, length, self._limit)
            end = HEADER_SIZE + length
            if (version, inverse) != (VERSION, INVERSE) or payload_type not in self._accept or length == 0:
                self._skip(end)
            elif len(self._buffer) < end:
                return None
            else:
                payload = bytes(self._buffer[HEADER_SIZE:end])
                del self._buffer[:end]
                return Frame(payload_type, payload)
        return None

    def _skip(self, size: int) -> None:
        self.skipped += 1
        self._left_to_skip = max(0, size - len(self._buffer))
        del self._buffer[:size]
