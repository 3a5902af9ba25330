"""Whether a plan says something else than what the vehicle was offered."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import pytest

from secc import api
from secc.charger import Planned
from secc.limits import WHATEVER, Step
from secc.promise import Promise

Curve = Sequence[tuple[float, float]]
HOUR = 3_600.0
DAY = [(0.0, 11_040.0), (HOUR, 4_140.0)]


def planned(*curves: Curve, age_s: float = 0.0, **more: Any) -> Planned:
    schedules = [api.PlannedSchedule(steps=[api.PlanStep(start_s=at, max_w=w) for at, w in curve]) for curve in curves]
    return Planned(api.Plan(id="p", schedules=schedules, **more), time.monotonic() - age_s)


def promised(*curves: Curve, age_s: float = 0.0, lasts_s: float = 86_400.0, **more: Any) -> Promise:
    steps = {place: [Step(at, w) for at, w in curve] for place, curve in enumerate(curves)}
    since = time.monotonic() - age_s
    return Promise(curves=steps or {0: WHATEVER}, since=since, ends=since + lasts_s, **more)


@pytest.mark.parametrize(
    ("promise", "plan", "differs"),
    [
        (promised(DAY), planned(DAY), False),
        (promised(DAY, age_s=600), planned([(0, 11_040), (HOUR - 600, 4_140)]), False),
        (promised(DAY, age_s=600), planned(DAY), True),
        (promised(DAY, age_s=2), planned(DAY), False),
        (promised(DAY, age_s=HOUR), planned([(0, 4_140)]), False),
        (promised(DAY), planned([(0, 11_040)]), True),
        (promised(DAY), planned(DAY, DAY), True),
        (promised(DAY, resumed=True), planned(DAY, [(0, 6_900)]), False),
        (promised(DAY, DAY), planned(DAY), True),
        (promised(), planned(), False),
        (promised(), planned([(0, 22_080)]), False),
        (promised(), planned([(0, 22_079)]), True),
        (promised(DAY, lasts_s=HOUR), planned(DAY, duration_s=HOUR + 60), True),
        (promised(DAY, lasts_s=HOUR), planned(DAY, duration_s=HOUR), False),
        (promised(DAY), planned(DAY, signature=b"\x80"), True),
    ],
)
def test_what_is_another_plan(promise: Promise, plan: Planned, differs: bool) -> None:
    assert promise.differs(plan, 22_080) == differs


def test_what_the_station_cannot_do_makes_no_difference() -> None:
    assert not promised([(0, 11_040)]).differs(planned([(0, 22_080)]), 6_900)


def test_a_plan_that_ends_after_the_departure_says_no_more() -> None:
    departs = time.monotonic() + HOUR
    assert not promised(DAY, lasts_s=HOUR, departs=departs).differs(planned(DAY, duration_s=2 * HOUR), math.inf)
