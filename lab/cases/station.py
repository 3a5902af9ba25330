"""A station under test: how it is reached, and what can be done at it besides talking to it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from lab.cases.peer import Line, Peer
from lab.cases.pixit import Pixit
from lab.cases.verdict import Unclear
from v2g.messages import iso2


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """From this second on at most so much power."""

    start_s: int
    max_w: float


class StationControls(Protocol):
    """What an operator does at the station, and where it listens."""

    @property
    def host(self) -> str:
        """The address of its listeners and of its SDP server."""

    @property
    def sdp_port(self) -> int:
        """The port of its SDP server."""

    def port(self, *, tls: bool) -> int | None:
        """The port of a listener, None where there is none."""

    def client(self) -> ssl.SSLContext:
        """What a vehicle needs to speak TLS with it."""

    def pilot(self, state: Literal["A", "B", "C", "D"]) -> None:
        """Signal a control pilot state at the plug."""

    def link(self) -> None:
        """Match the data link, as SLAC does; the setup time runs from here."""

    def authorize(self, word: Literal["accepted", "none"]) -> None:
        """Identify a driver, or let nobody come."""

    def isolate(self, outcome: Literal["passes", "slow"]) -> None:
        """Let the next isolation tests take no time, or a while."""

    def plan(self, steps: Sequence[PlannedStep] | None, *, tariff: bool = False) -> None:
        """Plan what vehicles may draw, perhaps at a price; None leaves the station without a plan."""

    async def wake(self) -> bool:
        """Ask for the vehicle of the paused session; returns whether the station wakes it by its pilot."""

    async def free(self) -> None:
        """Wait until the station has forgotten the last connection."""


@dataclass(slots=True)
class StationPeer(Peer):
    """A station, and the connections that the tester has with it."""

    controls: StationControls = field(kw_only=True)
    _lines: list[Line] = field(default_factory=list)

    async def connect(self, pixit: Pixit) -> Line:
        """Connect as the run needs it. Raises `Unclear`."""
        tls = pixit.tls
        port = self.controls.port(tls=tls)
        if port is None:
            raise Unclear(f"there is no listener {'with' if tls else 'without'} TLS")
        context = self.controls.client() if tls else None
        try:
            reader, writer = await asyncio.open_connection(self.controls.host, port, ssl=context)
        except OSError as error:
            raise Unclear(f"no connection: {error}") from error
        line = Line(reader, writer, self.evidence)
        self.evidence.append(f"> connected {'with' if tls else 'without'} TLS")
        self._lines.append(line)
        return line

    async def close(self) -> None:
        """Close what is open, and leave the station to the next case."""
        for line in self._lines:
            await line.close()
        self._lines.clear()
        await self.controls.free()

    async def discover(self, datagram: bytes, within: float) -> bytes | None:
        """Send a datagram to the SDP server; None where nothing comes back in time."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as opened:
            opened.setblocking(False)
            opened.bind((self.controls.host, 0))
            await loop.sock_sendto(opened, datagram, (self.controls.host, self.controls.sdp_port))
            self.evidence.append(f"> SDP {datagram.hex()}")
            try:
                async with asyncio.timeout(within):
                    answer = await loop.sock_recv(opened, 256)
            except TimeoutError:
                return None
        self.evidence.append(f"< SDP {answer.hex()}")
        return answer


def notification(body: Any) -> str:
    """What a status asks of the vehicle."""
    status = getattr(body, "AC_EVSEStatus", None) or getattr(body, "DC_EVSEStatus", None) or body.EVSEStatus
    return str(status.EVSENotification)


def entries(response: iso2.ChargeParameterDiscoveryRes) -> list[list[iso2.PMaxScheduleEntry]]:
    """The PMax entries of every schedule offered."""
    schedules = response.SASchedules
    tuples = schedules.SAScheduleTuple if isinstance(schedules, iso2.SAScheduleList) else []
    return [each.PMaxSchedule.PMaxScheduleEntry for each in tuples]
