"""The schedule a station offered and the vehicle chose: what it allows now, and the profile that keeps to it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from v2g import units
from v2g.messages import iso2
from v2g.messages.iso2 import UnitSymbol

MOST_ENTRIES = 24  # of a ChargingProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One SAScheduleTuple: steps of start in seconds after it was told and power in watts, in their order."""

    tuple_id: int = 1
    steps: tuple[tuple[int, float], ...] = ((0, 0.0),)
    told_at: float = field(default_factory=time.monotonic)

    @classmethod
    def of(cls, chosen: iso2.SAScheduleTuple) -> Schedule:
        """Read a tuple as it was offered just now; a power below zero allows nothing."""
        steps = tuple(
            (_start(entry.TimeInterval), max(0.0, units.number(entry.PMax)))
            for entry in chosen.PMaxSchedule.PMaxScheduleEntry
        )
        return cls(tuple_id=chosen.SAScheduleTupleID, steps=steps)

    @property
    def pmax_w(self) -> float:
        """The power allowed now."""
        elapsed = time.monotonic() - self.told_at
        reached = [power for start, power in self.steps if start <= elapsed]
        return reached[-1] if reached else self.steps[0][1]

    def profile(self, max_w: float) -> iso2.ChargingProfile:
        """All that schedule and vehicle allow; where the entries do not suffice, the last is the least of the rest."""
        steps = list(self.steps[:MOST_ENTRIES])
        if len(self.steps) > MOST_ENTRIES:
            steps[-1] = (steps[-1][0], min(power for _, power in self.steps[MOST_ENTRIES - 1 :]))
        entries = [
            iso2.ProfileEntry(
                ChargingProfileEntryStart=start,
                ChargingProfileEntryMaxPower=units.maximum(min(power, max_w), UnitSymbol.W),
            )
            for start, power in steps
        ]
        return iso2.ChargingProfile(ProfileEntry=entries)


def _start(interval: iso2.TimeInterval) -> int:
    return interval.start if isinstance(interval, iso2.RelativeTimeInterval) else 0
