"""How much of what the charger controller said still counts. Time is an argument, always monotonic, taken at receipt.

A retained level is what somebody said once. It counts only while its writer is online and its heartbeat with the same
`boot` is alive; a new `boot` makes everything said before it void.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Annotated, TypeVar

from msgspec import Meta

from secc.api import Beat, ChargerStatus, Level, Measurement, Topic
from v2g.record import Record
from v2g.timing import Timing

BOOTS_REMEMBERED = 16

Patience = Annotated[float, Meta(ge=0.01, le=60)]
Pace = Annotated[float, Meta(ge=0.01, le=0.5)]
L = TypeVar("L", bound=Level)


class ControllerSettings(Record, forbid_unknown_fields=True):
    """How long silence is borne, and how often we speak."""

    heartbeat_s: Annotated[float, Meta(ge=0.01, le=1)] = 0.5  # controllers open after 1.5 s without one
    target_s: Pace = 0.25
    controller_timeout_s: Patience = 2.0
    measurement_timeout_s: Patience = 1.0
    loop_silence_s: Patience = Timing.loop_silence.seconds
    watch_s: Pace = 0.05


class Liveness:
    """One writer's levels, and whether it is alive to stand by them."""

    def __init__(self, timeout_s: float) -> None:
        self.boot: str | None = None
        """The process start whose heartbeat was heard last."""
        self._timeout_s = timeout_s
        self._online: str | None = None
        self._beat_at = -math.inf
        self._counter = -1
        self._levels: dict[str, Level] = {}
        self._past: deque[str] = deque(maxlen=BOOTS_REMEMBERED)

    def beat(self, beat: Beat, now: float) -> None:
        """Take a sign of life; a counter that stands still is none."""
        if beat.boot in self._past:
            return
        if beat.boot != self.boot:
            if self.boot is not None:
                self._past.append(self.boot)
            self.boot = beat.boot
        elif beat.counter <= self._counter:
            return
        self._counter = beat.counter
        self._beat_at = now

    def status(self, status: ChargerStatus) -> None:
        """Take a status. Its `seq` decides nothing: a last will was sealed before everything said after it."""
        if status.state == "online" and status.boot not in self._past:
            self._online = status.boot
        elif status.boot == self._online:
            self._online = None

    def take(self, topic: str, level: Level) -> None:
        """Keep a level, unless it is older than what is known."""
        known = self._levels.get(topic)
        late = known is not None and known.boot == level.boot and level.seq < known.seq
        if not late and level.boot not in self._past:
            self._levels[topic] = level

    def forget(self) -> None:
        """Believe nothing until it is said anew: the connection over which all this came is gone."""
        self._levels.clear()
        self._online = None
        self._beat_at = -math.inf

    def alive(self, now: float) -> bool:
        """Whether the writer is online and was heard within the bound."""
        return self._online is not None and self._online == self.boot and now - self._beat_at <= self._timeout_s

    def level(self, topic: Topic[L], now: float) -> L | None:
        """Return what the living writer says on a topic."""
        level = self._levels.get(topic.name)
        if level is None or level.boot != self.boot or not self.alive(now):
            return None
        return level if isinstance(level, topic.payload) else None


class Gauge:
    """The last measurement; its age counts from the last *new* sample, so that a frozen counter grows old."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._last: Measurement | None = None
        self._at = -math.inf

    def take(self, measurement: Measurement, now: float) -> None:
        """Take a measurement; a sample number seen before changes nothing."""
        last = self._last
        if last is None or last.boot != measurement.boot or measurement.sample > last.sample:
            self._last = measurement
            self._at = now

    def read(self, boot: str | None, now: float) -> Measurement | None:
        """Return the measurement of this `boot`, None when it is too old."""
        fresh = now - self._at <= self._timeout_s
        return self._last if fresh and self._last is not None and self._last.boot == boot else None
