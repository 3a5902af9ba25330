"""The simulated DC side: a supply with ramps, and the cable check with its isolation monitor.

There is one node, the cable between the charger's contactor and the car's. The supply drives it through the closed
contactor, the battery holds it when the car's contactor is closed, and otherwise it discharges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SAFE_V = 60.0
TEST_TOLERANCE_V = 10.0  # IEC 61851-23: the test voltage counts as reached within 10 V
HEADROOM_V = 1.0  # rounding of voltages on the wire
NO_CURRENT_A = 1.0

CheckState = Literal["idle", "running", "passed", "failed"]
Isolation = Literal["invalid", "valid", "warning", "fault", "no_imd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast the supply moves. `speed` 1 is quicker than real ones, so that a demonstration takes no time."""

    speed: float = 1.0

    @property
    def volts_per_s(self) -> float:
        """Slope of the voltage, up and down."""
        return 8_000.0 * self.speed

    @property
    def amperes_per_s(self) -> float:
        """Slope of the current, up and down."""
        return 1_000.0 * self.speed

    @property
    def isolation_s(self) -> float:
        """How long the isolation monitor measures."""
        return 0.08 / self.speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What the supply shall do: hold a voltage, give no more than a current."""

    voltage_v: float = 0.0
    current_a: float = 0.0


def towards(present: float, goal: float, step: float) -> float:
    """Move `present` to `goal`, at most by `step`."""
    return min(goal, present + step) if goal >= present else max(goal, present - step)


class Supply:
    """Voltage of the cable in volts and current into the car in amperes."""

    def __init__(self, pace: Pace) -> None:
        self.voltage_v = 0.0
        self.current_a = 0.0
        self._pace = pace

    def step(self, elapsed: float, drive: Drive | None, battery_v: float | None) -> None:
        """Let `elapsed` seconds pass; `drive` is None without a closed contactor, `battery_v` without the car's."""
        wanted = Drive() if drive is None else drive
        if battery_v is None:
            self.current_a = 0.0
            self.voltage_v = towards(self.voltage_v, wanted.voltage_v, self._pace.volts_per_s * elapsed)
            return
        self.voltage_v = battery_v
        goal = wanted.current_a if wanted.voltage_v >= battery_v - HEADROOM_V else 0.0
        reached = towards(self.current_a, goal, self._pace.amperes_per_s * elapsed)
        self.current_a = 0.0 if drive is None else reached


class CableCheck:
    """One cable check: contactor closed, test voltage up, isolation measured, down below 60 V again."""

    def __init__(self, pace: Pace) -> None:
        self.state: CheckState = "idle"
        self.isolation: Isolation = "invalid"
        self.reason = ""
        """Why the last check failed."""
        self._pace = pace
        self._test_v = 0.0
        self._until = 0.0
        self._measured_at: float | None = None
        self._verdict: Isolation | None = None

    def start(self, test_v: float, until: float) -> None:
        """Begin a check at `test_v` volts that must have passed at time `until`."""
        self.state, self.isolation, self.reason = "running", "invalid", ""
        self._test_v, self._until = test_v, until
        self._measured_at = self._verdict = None

    def reset(self) -> None:
        """Forget the outcome: the next charge needs a check of its own. A measured fault stays known."""
        self.state = "idle"
        if self.isolation != "fault":
            self.isolation = "invalid"

    def fail(self, reason: str) -> None:
        """End a running check."""
        self.state, self.reason = "failed", reason

    @property
    def drive(self) -> Drive | None:
        """What the check wants of the supply; None when it wants the contactor open."""
        if self.state != "running" or self._verdict is not None:
            return None
        return Drive(voltage_v=self._test_v)

    def step(self, now: float, *, voltage_v: float, closed: bool, monitor: Isolation) -> None:
        """Go on; `closed` is the contactor's level, `monitor` what the isolation monitor would find."""
        if self.state != "running":
            return
        if now > self._until:
            self.fail("not finished within its deadline")
        elif self._verdict is not None:
            self._finish(voltage_v, closed=closed)
        elif not closed or voltage_v < self._test_v - TEST_TOLERANCE_V:
            self._measured_at = None
        elif self._measured_at is None:
            self._measured_at = now + self._pace.isolation_s
        elif now >= self._measured_at:
            self._verdict = self.isolation = monitor

    def _finish(self, voltage_v: float, *, closed: bool) -> None:
        if self._verdict == "fault":
            self.fail("isolation fault")
        elif not closed and voltage_v < SAFE_V:
            self.state = "passed"
