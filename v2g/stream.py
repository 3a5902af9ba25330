"""The byte stream a session runs on, and what is known about it."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Protocol

from v2g.errors import PeerGone
from v2g.tls.suites import Generation

READ_SIZE = 65536
ESTABLISHED = 1  # tcpi_state of Linux while both sides may speak
FAREWELL = 1.0
"""Seconds the last bytes may take to leave when a connection ends; a peer that does not read holds up nobody."""
OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4),
)
"""What we ask of a connection: send at once, and find a peer that began anew in 2 s, one that is off in 6 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a session may know about its transport; None and empty mean "no TLS".

    `peer_subject` is the common name of the peer's leaf. The rest is as in `v2g.tls.session.Negotiated`.
    """

    peer: str
    tls: str | None = None
    suite: str = ""
    group: str = ""
    generation: Generation | None = None
    peer_subject: str = ""
    chain: str = ""
    chain_by: str = ""
    staple: str = ""

    @property
    def secure(self) -> bool:
        """Whether the bytes travel inside TLS."""
        return self.tls is not None

    @property
    def told(self) -> dict[str, str]:
        """What is known of TLS, for journals and people; empty where nothing is."""
        facts = {
            "version": self.tls,
            "suite": self.suite,
            "group": self.group,
            "generation": self.generation,
            "chain": self.chain,
            "chain_by": self.chain_by,
            "staple": self.staple,
            "peer_subject": self.peer_subject,
        }
        return {name: str(value) for name, value in facts.items() if value}


class Stream(Protocol):
    """Bytes both ways. `receive` returns b"" once the peer has closed; `close` may be called twice."""

    facts: Facts

    @property
    def ended(self) -> bool:
        """Whether the peer has closed or reset the connection, whatever of its bytes is still to be received."""

    async def receive(self) -> bytes:
        """Wait for bytes from the peer; b"" when it has closed or reset the connection."""

    async def send(self, data: bytes) -> None:
        """Hand `data` over as one write. Raises `PeerGone` when the peer no longer reads."""

    async def close(self) -> None:
        """End the connection; returns when its end was sent, does not wait for the peer."""


class TcpStream:
    """A plain TCP connection; one write per message, and no waiting for a peer that does not exist any more."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._socket = writer.get_extra_info("socket")
        if self._socket is not None:
            for option in OPTIONS:
                self._socket.setsockopt(*option)
        peer = writer.get_extra_info("peername") or ("?", 0)
        self.facts = Facts(peer=f"[{peer[0]}]:{peer[1]}")

    @property
    def ends(self) -> tuple[tuple[str, int], tuple[str, int]] | None:
        """Our own and the peer's address and port; None where there is no socket, or no longer."""
        ours, theirs = (self._writer.get_extra_info(name) for name in ("sockname", "peername"))
        return None if not ours or not theirs else ((ours[0], ours[1]), (theirs[0], theirs[1]))

    @property
    def ended(self) -> bool:
        """Whether the peer has closed or reset the connection; the kernel knows it before anybody reads."""
        if self._socket is None:
            return False
        try:
            state: int = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        except OSError:
            return True
        return state != ESTABLISHED

    async def receive(self) -> bytes:
        """Wait for bytes from the peer; b"" when it has closed or reset the connection."""
        try:
            return await self._reader.read(READ_SIZE)
        except OSError:
            return b""

    async def send(self, data: bytes) -> None:
        """Hand `data` to the kernel. Raises `PeerGone` when the peer no longer reads."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise PeerGone(f"send to {self.facts.peer}: {error}") from error

    async def close(self) -> None:
        """Send FIN, or reset a peer that does not take what is left; an abrupt end by the peer is no error here."""
        self._writer.close()
        try:
            async with asyncio.timeout(FAREWELL):
                await asyncio.shield(self._writer.wait_closed())  # unshielded, the next call would be cancelled too
        except TimeoutError:
            self._writer.transport.abort()
        except OSError:
            return
