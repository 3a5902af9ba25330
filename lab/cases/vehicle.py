"""A vehicle under test: how it is set off, what is seen of it at the plug, and where it finds the tester."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, Protocol

from lab.cases.peer import Line, Peer
from lab.cases.verdict import Unclear, Unmet

HOST = "::1"
COMES_S = 5.0


class VehicleControls(Protocol):
    """What somebody does at the vehicle, and what its end of the plug shows."""

    @property
    def pilot(self) -> str:
        """The control pilot state that it signals now."""

    @property
    def contactor(self) -> str:
        """What its contactors are now."""

    @property
    def evcc_id(self) -> bytes:
        """Its EVCCID: the MAC address of its data link."""

    def server(self) -> ssl.SSLContext:
        """What a station needs to speak TLS with it."""

    def start(self, *, port: int = 0, sdp_port: int = 0) -> None:
        """Plug it in; the tester listens on a port, or is found by SDP."""

    def signal(self, state: Literal["on", "off", "E", "F"]) -> None:
        """Set the station's end of the control pilot."""

    def rest(self) -> None:
        """Let the driver ask for a pause."""

    @property
    def signalled(self) -> str:
        """The pilot states that it signalled so far, one letter each, in order."""

    async def close(self) -> None:
        """End whatever it does."""


@dataclass(slots=True)
class VehiclePeer(Peer):
    """A vehicle, and the connections that it makes with the tester."""

    controls: VehicleControls = field(kw_only=True)
    _coming: asyncio.Queue[Line] = field(default_factory=asyncio.Queue)
    _lines: list[Line] = field(default_factory=list)
    _server: asyncio.Server | None = None

    async def listen(self, *, tls: bool) -> int:
        """Listen for the vehicle; returns the port."""
        context = self.controls.server() if tls else None
        self._server = await asyncio.start_server(self._came, HOST, 0, ssl=context)
        return int(self._server.sockets[0].getsockname()[1])

    async def comes(self, within: float = COMES_S) -> Line:
        """Wait for the vehicle's next connection; raises `Unmet` where none comes."""
        try:
            async with asyncio.timeout(within):
                return await self._coming.get()
        except TimeoutError:
            raise Unmet(f"the vehicle does not connect within {within:.3g} s") from None

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer, self.evidence)
        self.evidence.append("< connected")
        self._lines.append(line)
        self._coming.put_nowait(line)

    async def close(self) -> None:
        """Close what is open and end the vehicle."""
        for line in self._lines:
            await line.close()
        if self._server is not None:
            self._server.close()
        await self.controls.close()


class Discovery:
    """The tester's SDP server: datagrams of the vehicle come in, any answer goes out."""

    def __init__(self, opened: socket.socket, evidence: list[str]) -> None:
        self._socket = opened
        self._evidence = evidence
        self._sender: tuple[str, int] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    async def hear(self, within: float) -> bytes | None:
        """The next datagram; None where none comes in time."""
        try:
            async with asyncio.timeout(within):
                data, self._sender = await asyncio.get_running_loop().sock_recvfrom(self._socket, 256)
        except TimeoutError:
            return None
        self._evidence.append(f"< SDP {data.hex()}")
        return data

    async def say(self, datagram: bytes) -> None:
        """Answer whoever asked last."""
        if self._sender is None:
            raise Unclear("nobody asked")
        self._evidence.append(f"> SDP {datagram.hex()}")
        await asyncio.get_running_loop().sock_sendto(self._socket, datagram, self._sender)


@asynccontextmanager
async def discovery(peer: VehiclePeer) -> AsyncIterator[Discovery]:
    """Listen for SDP on a port of the loopback."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
        opened.setblocking(False)
        opened.bind((HOST, 0))
        yield Discovery(opened, peer.evidence)
