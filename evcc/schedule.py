"""The schedule a station offered and the vehicle chose: what it allows now, and the profile that keeps to it."""

from __future__ import annotations

import time
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from v2g import units
from v2g.messages import iso2
from v2g.messages.iso2 import UnitSymbol

MOST_ENTRIES = 24  # of a ChargingProfile
A_DAY_S = 86_400
SOONEST_S = 10.0
"""Nobody is asked for another schedule sooner."""

Steps = tuple[tuple[int, float], ...]
"""Start in seconds and power in watts from there on, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One SAScheduleTuple, in seconds after it was told.

    `ends_s` is where its last step ends, None where it says nothing. `intended` is what the vehicle means to draw at
    the most, where that is less.
    """

    tuple_id: int = 1
    steps: Steps = ((0, 0.0),)
    ends_s: int | None = None
    intended: Steps = ()
    told_at: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, chosen: iso2.SAScheduleTuple) -> Schedule:
        """Read a tuple as it was offered just now; a power below zero allows nothing."""
        entries = sorted(chosen.PMaxSchedule.PMaxScheduleEntry, key=start_of)
        steps = tuple((start_of(entry), max(0.0, units.number(entry.PMax))) for entry in entries)
        last = entries[-1].TimeInterval
        lasts = last.duration if isinstance(last, iso2.RelativeTimeInterval) else None
        return cls(
            tuple_id=chosen.SAScheduleTupleID, steps=steps, ends_s=None if lasts is None else steps[-1][0] + lasts
        )

    @property
    def pmax_w(self) -> float:
        """The power allowed now, and intended."""
        elapsed = time.monotonic() - self.told_at
        return min(power_at(steps, elapsed) for steps in (self.steps, self.intended) if steps)

    @property
    def idle(self) -> bool:
        """Whether the station allows nothing now."""
        return power_at(self.steps, time.monotonic() - self.told_at) <= 0

    def expires(self, departure_s: float | None) -> bool:
        """Whether it is time to ask for another, as this one ends too early.

        That is when its last step begins [V2G2-305], and after half of its time where it has no other.
        """
        if self.ends_s is None or self.ends_s >= min(departure_s or A_DAY_S, A_DAY_S):
            return False
        return time.monotonic() - self.told_at >= max(self.steps[-1][0] or self.ends_s / 2, SOONEST_S)

    def profile(self, max_w: float) -> iso2.ChargingProfile:
        """All that schedule, intention and vehicle allow; what exceeds its entries is the least of the rest."""
        both = (steps for steps in (self.steps, self.intended) if steps)
        steps = _even([(start, min(power, max_w)) for start, power in least(*both)])
        if len(steps) > MOST_ENTRIES:
            rest = min(power for _, power in steps[MOST_ENTRIES - 1 :])
            steps = [*steps[: MOST_ENTRIES - 1], (steps[MOST_ENTRIES - 1][0], rest)]
        entries = [
            iso2.ProfileEntry(
                ChargingProfileEntryStart=start,
                ChargingProfileEntryMaxPower=units.maximum(power, UnitSymbol.W),
            )
            for start, power in steps
        ]
        return iso2.ChargingProfile(ProfileEntry=entries)


def start_of(entry: iso2.Entry) -> int:
    """The second an entry of a schedule or tariff begins."""
    interval = entry.TimeInterval
    return interval.start if isinstance(interval, iso2.RelativeTimeInterval) else 0


def power_at(steps: Steps, second: float) -> float:
    """The power in force; before the first step that of the first."""
    return steps[max(0, bisect_right(steps, second, key=itemgetter(0)) - 1)][1]


def least(*several: Steps) -> Steps:
    """At any time the least of several."""
    starts = sorted({start for steps in several for start, _ in steps})
    return tuple((start, min(power_at(steps, start) for steps in several)) for start in starts)


def _even(steps: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Leave out the steps that change nothing."""
    return [next(same) for _, same in groupby(steps, key=itemgetter(1))]
