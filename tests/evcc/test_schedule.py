"""The vehicle's reading of a schedule: what is allowed now, and a profile that never exceeds it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcc.schedule import Schedule
from v2g.messages import iso2
from v2g.messages.iso2 import PhysicalValue, UnitSymbol

steps = st.lists(st.integers(1, 16_777_214), unique=True, max_size=60).flatmap(
    lambda starts: st.lists(st.integers(0, 350_000), min_size=len(starts) + 1, max_size=len(starts) + 1).map(
        lambda powers: tuple(zip([0, *sorted(starts)], map(float, powers), strict=True))
    )
)


def at(function: list[tuple[int, float]], second: int) -> float:
    return [power for start, power in function if start <= second][-1]


@given(steps, st.integers(1, 400_000))
def test_the_profile_never_exceeds_schedule_or_vehicle(schedule: tuple[tuple[int, float], ...], max_w: int) -> None:
    profile = Schedule(steps=schedule).profile(float(max_w))
    powers = [(entry.ChargingProfileEntryStart, entry.ChargingProfileEntryMaxPower) for entry in profile.ProfileEntry]
    entries = [(start, power.Value * 10.0**power.Multiplier) for start, power in powers]
    assert 1 <= len(entries) <= 24
    assert entries[0][0] == 0
    for second in {start for start, _ in schedule} | {start for start, _ in entries} | {16_777_215}:
        assert at(entries, second) <= at(list(schedule), second) + 1e-6
        assert at(entries, second) <= max_w


@pytest.mark.parametrize(
    ("ago", "power"), [(0, 11_000), (59, 11_000), (60, 4_000), (119, 4_000), (121, 7_000), (9_999, 7_000)]
)
def test_the_step_in_force(ago: float, power: float) -> None:
    schedule = Schedule(steps=((0, 11_000), (60, 4_000), (120, 7_000)), told_at=time.monotonic() - ago)
    assert schedule.pmax_w == power


def test_a_power_below_zero_allows_nothing() -> None:
    lowest = PhysicalValue(Multiplier=3, Unit=UnitSymbol.W, Value=-32_768)
    entry = iso2.PMaxScheduleEntry(TimeInterval=iso2.RelativeTimeInterval(start=0), PMax=lowest)
    chosen = iso2.SAScheduleTuple(SAScheduleTupleID=3, PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=[entry]))
    schedule = Schedule.of(chosen)
    assert (schedule.tuple_id, schedule.pmax_w) == (3, 0)
    assert schedule.profile(11_000.0).ProfileEntry[0].ChargingProfileEntryMaxPower.Value == 0


@pytest.mark.parametrize(("ago", "idle"), [(0, False), (70, True), (130, False)])
def test_a_step_of_no_power_is_idle_time(ago: float, idle: bool) -> None:
    """What the vehicle itself does not mean to draw is none."""
    steps = ((0, 11_000), (60, 0), (120, 7_000))
    schedule = Schedule(steps=steps, intended=((0, 0.0),), told_at=time.monotonic() - ago)
    assert schedule.idle is idle
