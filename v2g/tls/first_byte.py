"""A port that serves TLS and plain V2GTP alike: the first byte of a connection tells which of them it is."""

from __future__ import annotations

import asyncio

from v2g.errors import PeerGone, Silence
from v2g.stream import Stream
from v2g.v2gtp import VERSION


class Replayed:
    """A stream of which some bytes were read already; they are received first."""

    def __init__(self, stream: Stream, read: bytes) -> None:
        self._stream = stream
        self._read = read
        self.facts = stream.facts

    @property
    def ended(self) -> bool:
        """Whether the peer has closed or reset the connection, whatever of its bytes is still to be received."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """Return the bytes that were read already, then wait for more; b"" when the peer has closed."""
        if self._read:
            read, self._read = self._read, b""
            return read
        return await self._stream.receive()

    async def send(self, data: bytes) -> None:
        """Hand `data` over as one write. Raises `PeerGone` when the peer no longer reads."""
        await self._stream.send(data)

    async def close(self) -> None:
        """End the connection."""
        await self._stream.close()


async def plain(stream: Stream, within_s: float) -> tuple[Stream, bool]:
    """Wait for the first byte; return the stream, nothing of it lost, and whether it speaks V2GTP in clear.

    Anything else is left to TLS, which says what is wrong with it. Raises `PeerGone` or `Silence`.
    """
    try:
        async with asyncio.timeout(within_s):
            read = await stream.receive()
    except TimeoutError as error:
        raise Silence("first byte", within_s) from error
    if not read:
        raise PeerGone(f"{stream.facts.peer} closed the connection before it said anything")
    return Replayed(stream, read), read[0] == VERSION
