"""What the vehicle was offered, and whether a plan says anything else: only then is it worth a renegotiation."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secc.api import PlannedSchedule
from secc.charger import Planned
from secc.limits import WHATEVER, Step

ALIKE_S = 5.0  # a plan said again comes a little later or earlier; as long as the grace around each step


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Schedules as they were planned, by their place in the plan. Times are monotonic; their steps count from `since`.

    `resumed` is the one schedule that a vehicle goes on with after a pause, though there may have been others.
    """

    curves: Mapping[int, Sequence[Step]]
    since: float
    ends: float
    departs: float = math.inf
    resumed: bool = False

    def differs(self, planned: Planned, most_w: float) -> bool:
        """Whether a plan says something else from now on, as far as the station can do it, up to `most_w`.

        A plan with tariffs always does: their times count from the plan.
        """
        plan, now = planned.plan, time.monotonic()
        if plan.signature is not None:
            return True
        if plan.duration_s is not None and abs(min(planned.at + plan.duration_s, self.departs) - self.ends) > ALIKE_S:
            return True
        curves = dict(enumerate(map(_steps, plan.schedules))) or {0: WHATEVER}
        if self.curves.keys() - curves.keys() or not (self.resumed or curves.keys() == self.curves.keys()):
            return True
        return any(
            _differ(_from(now, steps, self.since, most_w), _from(now, curves[place], planned.at, most_w))
            for place, steps in self.curves.items()
        )


def _steps(schedule: PlannedSchedule) -> Sequence[Step]:
    return [Step(step.start_s, step.max_w) for step in schedule.steps]


def _from(now: float, steps: Sequence[Step], since: float, most_w: float) -> list[Step]:
    """The step reached by now and those ahead, in seconds from now, lowered to `most_w`."""
    ahead = [Step(since + step.start_s - now, min(step.max_w, most_w)) for step in steps]
    reached = max(0, bisect_right(ahead, 0.0, key=lambda step: step.start_s) - 1)
    return [Step(0.0, ahead[reached].max_w), *ahead[reached + 1 :]]


def _differ(one: Sequence[Step], other: Sequence[Step]) -> bool:
    """Whether two curves are apart for longer than it takes to call them alike."""
    starts = sorted({step.start_s for step in (*one, *other)})
    ends = [*starts[1:], math.inf]
    return any(
        _at(one, start) != _at(other, start) and end - start > ALIKE_S for start, end in zip(starts, ends, strict=True)
    )


def _at(steps: Sequence[Step], at_s: float) -> float:
    return steps[max(0, bisect_right(steps, at_s, key=lambda step: step.start_s) - 1)].max_w
