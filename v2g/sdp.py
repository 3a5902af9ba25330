"""SECC discovery without sockets: the two datagrams of DIN and -2, what answer is usable, how often to ask.

A response names an endpoint to a vehicle that cannot know who sent it. So only what lies on the link is usable, and
what is not usable is worth a log line and nothing else: one forged datagram must not end discovery.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator
from enum import IntEnum
from ipaddress import IPv6Address
from typing import Literal, TypeVar

from v2g.errors import Undecodable, V2GError
from v2g.record import Record
from v2g.timing import Clock
from v2g.v2gtp import PayloadType, frame, unframe

PORT = 15118
GROUP = IPv6Address("ff02::1")
LOOPBACK = IPv6Address("::1")
MAX_REQUESTS = 50  # [V2G2-161]

_REQUEST = struct.Struct(">BB")
_RESPONSE = struct.Struct(">16sHBB")


class Security(IntEnum):
    """Whether the connection runs inside TLS."""

    TLS = 0x00
    NONE = 0x10


class Transport(IntEnum):
    """The transport protocol; UDP is reserved and never answered."""

    TCP = 0x00
    UDP = 0x10


Octet = TypeVar("Octet", Security, Transport)


class SdpRequest(Record):
    """What the vehicle asks for."""

    security: Security
    transport: Transport = Transport.TCP

    def encode(self) -> bytes:
        """Return the datagram: 8 bytes of header, 2 of payload."""
        return frame(PayloadType.SDP_REQUEST, _REQUEST.pack(self.security, self.transport))

    @classmethod
    def parse(cls, datagram: bytes) -> SdpRequest:
        """Read a datagram; raises `Undecodable` for anything but one exact request."""
        payload = _sized(unframe(datagram, PayloadType.SDP_REQUEST), _REQUEST)
        security, transport = _REQUEST.unpack(payload)
        return cls(
            security=_member(Security, security, "SdpRequest.Security"),
            transport=_member(Transport, transport, "SdpRequest.TransportProtocol"),
        )


class SdpResponse(Record):
    """Where the station listens, and how."""

    address: IPv6Address
    port: int
    security: Security
    transport: Transport = Transport.TCP

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 0xFFFF:
            raise ValueError(f"port {self.port}: must be from 0 to 65535")

    def encode(self) -> bytes:
        """Return the datagram: 8 bytes of header, 20 of payload; a scope id stays at home."""
        payload = _RESPONSE.pack(self.address.packed, self.port, self.security, self.transport)
        return frame(PayloadType.SDP_RESPONSE, payload)

    @classmethod
    def parse(cls, datagram: bytes) -> SdpResponse:
        """Read a datagram; raises `Undecodable` for anything but one exact response, usable or not."""
        payload = _sized(unframe(datagram, PayloadType.SDP_RESPONSE), _RESPONSE)
        address, port, security, transport = _RESPONSE.unpack(payload)
        return cls(
            address=IPv6Address(address),
            port=port,
            security=_member(Security, security, "SdpResponse.Security"),
            transport=_member(Transport, transport, "SdpResponse.TransportProtocol"),
        )


class Unusable(V2GError):
    """A well-formed response that names no endpoint to connect to; `reason` is the field that forbids it."""

    def __init__(self, reason: Literal["transport", "port", "address", "security"], detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"SDP response with unusable {reason}: {detail}")


def usable(
    response: SdpResponse, asked: Security, *, loopback: bool, anywhere: bool = False, plain: bool = False
) -> None:
    """Return if a vehicle that asked for `asked` may connect to `response`, else raise `Unusable`.

    `loopback` says that discovery runs on `lo`: there `::1` is the only address, elsewhere only fe80::/10 is.
    `anywhere` admits any other unicast address (lab networks). `plain` admits TCP although TLS was asked: the
    vehicle's own choice, external payment only [V2G2-628] [V2G2-635].
    """
    if response.transport is not Transport.TCP:
        raise Unusable("transport", f"{response.transport.name}, only TCP exists")
    if response.port == 0:
        raise Unusable("port", "0")
    if not _reachable(response.address, loopback=loopback, anywhere=anywhere):
        wanted = "::1" if loopback else "a link-local one"
        raise Unusable("address", f"{response.address}, expected {wanted}")
    if asked is Security.TLS and response.security is not Security.TLS and not plain:
        raise Unusable("security", "no TLS, although TLS was asked")


def attempts(wait: float, clock: Clock = time.monotonic) -> Iterator[float]:
    """Yield, for each request to send now, until when to wait for its answer: 50 times, never earlier than `wait`."""
    for _ in range(MAX_REQUESTS):
        yield clock() + wait


def _reachable(address: IPv6Address, *, loopback: bool, anywhere: bool) -> bool:
    if loopback:
        return address == LOOPBACK
    if address.is_link_local:
        return True
    special = address.is_unspecified or address.is_multicast or address.is_loopback or address.ipv4_mapped is not None
    return anywhere and not special


def _sized(payload: bytes, layout: struct.Struct) -> bytes:
    if len(payload) != layout.size:
        raise Undecodable(f"SDP payload of {len(payload)} bytes", path="SDP", expected=f"{layout.size}")
    return payload


def _member(kind: type[Octet], value: int, path: str) -> Octet:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(f"{each.name} {each:#04x}" for each in kind)
        raise Undecodable(f"{value:#04x}", path=path, expected=known) from None
