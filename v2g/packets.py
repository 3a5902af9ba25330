"""IPv6 packets as they would have travelled, made around bytes that TCP or UDP carried.

The payload is what passed a socket; addresses and ports are the real ones. Sequence numbers, the cut into segments and
all acknowledgements are made up, as a network without loss would have it. Layouts: RFC 8200, RFC 9293, RFC 768.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from ipaddress import IPv4Address, IPv6Address, ip_address

SEGMENT = 1_440
"""Bytes of payload in a TCP segment: what fits an Ethernet frame."""
LARGEST_DATAGRAM = 65_527
TCP = 6
UDP = 17
_HOPS = 64
_WINDOW = 65_535
_MODULUS = 1 << 32


Name = tuple[str, int]
"""What a socket calls an end: address, be it with a scope id, and port."""


class Side(IntEnum):
    """Who sends; the vehicle is the one that connects."""

    VEHICLE = 0
    STATION = 1

    @property
    def other(self) -> Side:
        """Who receives."""
        return Side(1 - self)


class Flag(IntFlag):
    """Control bits of a TCP segment."""

    FIN = 1
    SYN = 2
    PSH = 8
    ACK = 16


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection. An IPv4 address stands mapped into IPv6."""

    address: IPv6Address
    port: int

    @classmethod
    def named(cls, name: Name) -> End:
        """Take what a socket calls it; a scope id does not travel. Raises ValueError for what is no IP address."""
        host = ip_address(name[0].partition("%")[0])
        return cls(IPv6Address(f"::ffff:{host}") if isinstance(host, IPv4Address) else host, name[1])


def datagram(sender: End, receiver: End, data: bytes) -> bytes:
    """Make the packet of one UDP datagram. Raises ValueError for one that is too long."""
    if len(data) > LARGEST_DATAGRAM:
        raise ValueError(f"{len(data)} bytes do not fit in a UDP datagram, at most {LARGEST_DATAGRAM} do")
    head = struct.pack("!HHHH", sender.port, receiver.port, 8 + len(data), 0)
    return _packet(sender, receiver, UDP, head + data, 6)


@dataclass(slots=True)
class Conversation:
    """One TCP connection: what each side sends, as packets."""

    vehicle: End
    station: End
    _next: list[int] = field(default_factory=lambda: [0, 0])
    _open: list[bool] = field(default_factory=lambda: [True, True])

    def begin(self) -> Iterator[bytes]:
        """Make the three packets that open a connection."""
        yield self._segment(Side.VEHICLE, Flag.SYN)
        yield self._segment(Side.STATION, Flag.SYN | Flag.ACK)
        yield self._segment(Side.VEHICLE, Flag.ACK)

    def say(self, side: Side, data: bytes) -> Iterator[bytes]:
        """Make the packets that carry bytes; none once the side has ended."""
        if self._open[side]:
            for start in range(0, len(data), SEGMENT):
                yield self._segment(side, Flag.PSH | Flag.ACK, data[start : start + SEGMENT])

    def end(self, side: Side) -> Iterator[bytes]:
        """Make the packets that end one direction; none if it has ended before."""
        if self._open[side]:
            self._open[side] = False
            yield self._segment(side, Flag.FIN | Flag.ACK)
            yield self._segment(side.other, Flag.ACK)

    def _segment(self, side: Side, flags: Flag, data: bytes = b"") -> bytes:
        """Make one segment and count what it takes of the sequence numbers."""
        sender, receiver = (self.vehicle, self.station)[:: 1 if side is Side.VEHICLE else -1]
        seen = self._next[side.other] if Flag.ACK in flags else 0
        numbers = (self._next[side], seen, 5 << 4, flags, _WINDOW, 0, 0)
        head = struct.pack("!HHIIBBHHH", sender.port, receiver.port, *numbers)
        length = len(data) + bool(flags & (Flag.SYN | Flag.FIN))
        self._next[side] = (self._next[side] + length) % _MODULUS
        return _packet(sender, receiver, TCP, head + data, 16)


def checksum(sender: IPv6Address, receiver: IPv6Address, protocol: int, payload: bytes) -> int:
    """Return the Internet checksum of a payload whose own checksum is zero, pseudo header included [RFC 8200, 8.1]."""
    covered = sender.packed + receiver.packed + struct.pack("!II", len(payload), protocol) + payload
    covered += bytes(len(covered) % 2)
    total: int = sum(struct.unpack(f"!{len(covered) // 2}H", covered))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def _packet(sender: End, receiver: End, protocol: int, payload: bytes, sum_at: int) -> bytes:
    """Make a packet of a payload with room for its checksum; none is written as 0, which UDP takes for "no sum"."""
    total = checksum(sender.address, receiver.address, protocol, payload) or 0xFFFF
    head = struct.pack("!IHBB", 6 << 28, len(payload), protocol, _HOPS)
    summed = payload[:sum_at] + struct.pack("!H", total) + payload[sum_at + 2 :]
    return head + sender.address.packed + receiver.address.packed + summed
