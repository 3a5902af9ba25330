"""Loopback connections for tests of TLS, and a stream that remembers what was sent on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from v2g.stream import Facts, Stream, TcpStream


class Tapped:
    """A stream that keeps each piece handed to `send`, and what came."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.facts: Facts = stream.facts
        self.sent: list[bytes] = []
        self.received = b""
        self.closed = False

    @property
    def ended(self) -> bool:
        return self._stream.ended

    async def receive(self) -> bytes:
        data = await self._stream.receive()
        self.received += data
        return data

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        await self._stream.send(data)

    async def close(self) -> None:
        self.closed = True
        await self._stream.close()


def records(data: bytes) -> list[tuple[int, int]]:
    """List type and length of the TLS records in `data`."""
    found = []
    while data:
        size = int.from_bytes(data[3:5])
        found.append((data[0], size))
        data = data[5 + size :]
    return found


@asynccontextmanager
async def tcp_pair() -> AsyncIterator[tuple[Tapped, Tapped]]:
    """Connect two plain streams over 127.0.0.1: the vehicle's end and the station's."""
    accepted: asyncio.Queue[Tapped] = asyncio.Queue()

    def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(Tapped(TcpStream(reader, writer)))

    server = await asyncio.start_server(welcome, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    vehicle = Tapped(TcpStream(*await asyncio.open_connection(host, port)))
    station = await accepted.get()
    server.close()
    try:
        yield vehicle, station
    finally:
        await vehicle.close()
        await station.close()
