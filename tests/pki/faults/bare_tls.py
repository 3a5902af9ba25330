"""A TLS 1.2 server that shows any bytes as its certificates, and hears what the client says to that.

No library would load half of them. ServerHello and Certificate are all a client needs to make up its mind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_HANDSHAKE, _ALERT, _TLS_1_2, _FATAL = 22, 21, b"\x03\x03", 2
_SUITE = 0xC023
_RENEGOTIATION_INFO = bytes.fromhex("ff01 0001 00")
ALERTS = {
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    50: "decode_error",
}


@dataclass
class BareStation:
    """One listener; `alerts` are the fatal ones that came, by name, `beyond` whatever else came after the hello."""

    chain: Sequence[bytes]
    port: int = 0
    alerts: list[str] = field(default_factory=list)
    beyond: list[int] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            kind, _ = await _record(reader)
            assert kind == _HANDSHAKE
            writer.write(_in_record(_message(2, _server_hello()) + _message(11, _certificates(self.chain))))
            while True:
                kind, content = await _record(reader)
                if kind == _ALERT and content[0] == _FATAL:
                    self.alerts.append(ALERTS.get(content[1], str(content[1])))
                else:
                    self.beyond.append(kind)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            self.left.set()


async def _record(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readexactly(5)
    return head[0], await reader.readexactly(int.from_bytes(head[3:]))


def _in_record(content: bytes) -> bytes:
    assert len(content) <= 16_384
    return bytes([_HANDSHAKE]) + _TLS_1_2 + len(content).to_bytes(2) + content


def _message(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + len(content).to_bytes(3) + content


def _server_hello() -> bytes:
    extensions = _RENEGOTIATION_INFO
    head = _TLS_1_2 + os.urandom(32) + b"\x00" + _SUITE.to_bytes(2) + b"\x00"
    return head + len(extensions).to_bytes(2) + extensions


def _certificates(chain: Sequence[bytes]) -> bytes:
    listed = b"".join(len(each).to_bytes(3) + each for each in chain)
    return len(listed).to_bytes(3) + listed


@asynccontextmanager
async def bare(chain: Sequence[bytes]) -> AsyncIterator[BareStation]:
    """Run such a server on ::1."""
    station = BareStation(chain)
    server = await asyncio.start_server(station.serve, "::1", 0)
    station.port = server.sockets[0].getsockname()[1]
    try:
        yield station
    finally:
        server.close()
