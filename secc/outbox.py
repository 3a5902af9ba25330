"""What still has to go out to the broker: bounded, and after a loss reduced to what is still true."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

LIMIT = 512
EVENTS_KEPT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One payload on its way; `deadline_s` is the time within which it is worth anything."""

    topic: str
    data: bytes
    qos: int
    retained: bool
    deadline_s: float | None = None


class Outbox:
    """Packets in the order they were said. Levels are remembered, so that a new connection can repeat them."""

    def __init__(self) -> None:
        self._levels: dict[str, Packet] = {}
        self._waiting: deque[Packet] = deque()
        self._filled = asyncio.Event()
        self._open = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, packet: Packet) -> None:
        """Queue a packet; without a connection only what will still be true later is kept."""
        if packet.retained:
            self._levels[packet.topic] = packet
        if self._open or _lasting(packet):
            self._waiting.append(packet)
        if len(self._waiting) > LIMIT:
            self._condense()
        if self._waiting:
            self._filled.set()

    async def take(self) -> Packet:
        """Wait for the next packet."""
        while not self._waiting:
            self._filled.clear()
            await self._filled.wait()
        return self._waiting.popleft()

    def open(self) -> None:
        """Begin a connection: every level once, then what happened meanwhile."""
        self._open = True
        self._condense()

    def close(self) -> None:
        """End a connection: orders with a deadline and periodic values are void from now on."""
        self._open = False
        self._condense()

    def _condense(self) -> None:
        """Keep the newest of each level and the youngest of the rest."""
        rest = [packet for packet in self._waiting if _lasting(packet)]
        self._waiting = deque([*self._levels.values(), *rest[-EVENTS_KEPT:]])
        if self._waiting:
            self._filled.set()


def _lasting(packet: Packet) -> bool:
    """Tell whether a packet that is no level is worth sending after a pause."""
    return not packet.retained and packet.qos > 0 and packet.deadline_s is None
