"""Schedules offered, and the check of the profile that comes back, against a second-by-second reading of the rules."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from secc import schedules
from secc.limits import Step
from tests.secc.bench_requests import power, value, watts
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import PhysicalValue, UnitSymbol

DAY = 86_400
HORIZON = 300


def entry(start: int, most: PhysicalValue, duration: int | None = None) -> iso2.PMaxScheduleEntry:
    return iso2.PMaxScheduleEntry(TimeInterval=iso2.RelativeTimeInterval(start=start, duration=duration), PMax=most)


def offered(*entries: iso2.PMaxScheduleEntry, tuple_id: int = 1) -> iso2.SAScheduleList:
    return iso2.SAScheduleList(
        SAScheduleTuple=[
            iso2.SAScheduleTuple(
                SAScheduleTupleID=tuple_id, PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=list(entries))
            )
        ]
    )


def told(steps: Sequence[Step], duration_s: float) -> iso2.SAScheduleList:
    return schedules.sa_schedule_list([schedules.Schedule(steps=steps, uncapped=steps, duration_s=duration_s)])


def verdict(profile: list[tuple[int, PhysicalValue]] | None, schedule: iso2.SAScheduleList, **options: Any) -> str:
    try:
        schedules.check_profile(power("Start", profile=profile), schedule, **options)
    except Refused as refusal:
        return refusal.code
    return "fits"


@pytest.mark.parametrize(
    ("departure", "duration"),
    [(None, DAY), (0, DAY), (1, 1), (3_600, 3_600), (DAY, DAY), (DAY + 1, DAY), (2**32 - 1, DAY)],
)
def test_the_default_schedule(departure: int | None, duration: int) -> None:
    [only] = told(schedules.default_steps(22_080), departure or DAY).SAScheduleTuple
    [single] = only.PMaxSchedule.PMaxScheduleEntry
    assert only.SAScheduleTupleID == 1
    assert single.TimeInterval == iso2.RelativeTimeInterval(start=0, duration=duration)
    assert single.PMax == PhysicalValue(Multiplier=0, Unit=UnitSymbol.W, Value=22_080)


def test_only_the_last_entry_has_a_duration_and_later_steps_are_left_out() -> None:
    steps = [Step(0, 10_000), Step(1_800, 5_000), Step(7_200, 1_000)]
    entries = told(steps, 3_600).SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
    assert [each.TimeInterval for each in entries] == [
        iso2.RelativeTimeInterval(start=0), iso2.RelativeTimeInterval(start=1_800, duration=1_800)
    ]  # fmt: skip


def test_pmax_is_rounded_down() -> None:
    offer = told(schedules.default_steps(50_009.9), DAY)
    assert offer.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry[0].PMax == watts(50_000)


ONE = offered(entry(0, watts(11_000), DAY))
TWO = offered(entry(0, watts(11_000)), entry(3_600, watts(5_000), 3_600))


@pytest.mark.parametrize(
    ("schedule", "profile", "expected"),
    [
        (ONE, None, "fits"),
        (ONE, [(0, watts(11_000))], "fits"),
        (ONE, [(0, watts(11_010))], "fits"),  # within half a percent
        (ONE, [(0, watts(11_050))], "fits"),
        (ONE, [(0, watts(11_060))], "FAILED_ChargingProfileInvalid"),
        (ONE, [(DAY - 1, watts(22_000))], "fits"),  # the last second lies within the grace
        (ONE, [(DAY - 10, watts(22_000))], "FAILED_ChargingProfileInvalid"),
        (ONE, [(DAY, watts(22_000))], "fits"),
        (ONE, [(2**32 - 1, watts(22_000))], "fits"),
        (TWO, [(0, watts(11_000)), (3_600, watts(5_000))], "fits"),
        (TWO, [(0, watts(11_000)), (3_605, watts(5_000))], "fits"),
        (TWO, [(0, watts(11_000)), (3_606, watts(5_000))], "FAILED_ChargingProfileInvalid"),
        (TWO, [(0, watts(5_000))], "fits"),
        (TWO, [(0, watts(11_000))], "FAILED_ChargingProfileInvalid"),
        (TWO, [(0, watts(5_000)), (7_200, watts(22_000))], "fits"),  # beyond the schedule
        (TWO, [(3_595, watts(11_000)), (3_600, watts(0))], "fits"),
        (TWO, [(0, watts(0))], "fits"),
        (TWO, [(0, watts(-10))], "FAILED_ChargingProfileInvalid"),
        (TWO, [(0, value(1, "A"))], "FAILED_ChargingProfileInvalid"),
        (TWO, [(0, watts(1)), (0, watts(1))], "FAILED_ChargingProfileInvalid"),
        (offered(entry(0, watts(0), DAY)), [(0, watts(0))], "fits"),
        (offered(entry(0, watts(0), DAY)), [(0, watts(10))], "FAILED_ChargingProfileInvalid"),
        (offered(entry(0, watts(100), DAY), tuple_id=2), None, "FAILED_TariffSelectionInvalid"),
        (offered(entry(0, watts(100))), [(2**32 - 1, watts(110))], "FAILED_ChargingProfileInvalid"),  # open end
        (iso2.SAScheduleList(SAScheduleTuple=[]), None, "FAILED_TariffSelectionInvalid"),
    ],
)
def test_profiles(
    schedule: iso2.SAScheduleList, profile: list[tuple[int, PhysicalValue]] | None, expected: str
) -> None:
    assert verdict(profile, schedule) == expected


def test_many_short_entries_slip_through_no_grace() -> None:
    profile = [(start, watts(22_000)) for start in range(0, 240, 10)]
    assert verdict(profile, ONE) == "FAILED_ChargingProfileInvalid"


@pytest.mark.parametrize(
    ("tolerance", "expected"), [(0, "FAILED_ChargingProfileInvalid"), (0.005, "fits"), (0.2, "fits")]
)
def test_tolerance(tolerance: float, expected: str) -> None:
    assert verdict([(0, watts(11_050))], ONE, tolerance=tolerance) == expected


# --- second by second -----------------------------------------------------------------------------------------------

powers = st.sampled_from([0, 1_380, 3_680, 3_690, 11_000, 11_040, 22_080])
starts = st.lists(st.integers(1, HORIZON), unique=True, max_size=6).map(lambda drawn: [0, *sorted(drawn)])


@st.composite
def step_functions(draw: st.DrawFn) -> list[tuple[int, int]]:
    return [(start, draw(powers)) for start in draw(starts)]


def at(steps: list[tuple[int, int]], second: int) -> int:
    """The value of a step function; before its first step the first value."""
    return [most for start, most in steps if start <= second][-1]


def fits_by_hand(profile: list[tuple[int, int]], schedule: list[tuple[int, int]], end: int) -> bool:
    """At every second the power fits what is allowed then, or within five seconds of then, the end included."""
    for second in range(min(end, HORIZON + 50)):
        if second + 5 >= end:
            return True
        most = max(at(schedule, other) for other in range(max(0, second - 5), second + 6))
        if Fraction(at(profile, second)) > Fraction(most) * Fraction(1005, 1000):
            return False
    return True


@given(step_functions(), step_functions(), st.integers(1, HORIZON))
def test_profiles_second_by_second(profile: list[tuple[int, int]], schedule: list[tuple[int, int]], last: int) -> None:
    *firsts, final = schedule
    end = final[0] + last
    assume(end <= HORIZON + 50)
    offer = offered(
        *(entry(start, watts(most)) for start, most in firsts), entry(final[0], watts(final[1]), duration=last)
    )
    found = verdict([(start, watts(most)) for start, most in profile], offer)
    assert (found == "fits") == fits_by_hand(profile, schedule, end)


@given(st.lists(st.tuples(st.integers(0, 50), powers), min_size=1, max_size=8))
def test_starts_must_rise(profile: list[tuple[int, int]]) -> None:
    rising = all(earlier < later for (earlier, _), (later, _) in pairwise(profile))
    schedule = offered(entry(0, watts(22_080), DAY))
    found = verdict([(start, watts(most)) for start, most in profile], schedule)
    assert (found == "fits") == rising


# --- what becomes of a plan -----------------------------------------------------------------------------------------


@st.composite
def plans(draw: st.DrawFn) -> list[Step]:
    """Steps from 0 on, at any fraction of a second."""
    starts = draw(st.lists(st.floats(0.1, HORIZON - 1), unique=True, max_size=30))
    powers = draw(st.lists(st.integers(0, 50_000), min_size=len(starts) + 1, max_size=len(starts) + 1))
    return [Step(start, power) for start, power in zip([0.0, *sorted(starts)], powers, strict=True)]


def planned_at(steps: Sequence[Step], second: float) -> float:
    """The power of the last step that has begun: what a plan means, read from its definition."""
    return [step.max_w for step in steps if step.start_s <= second][-1]


@given(plans(), st.integers(1, 40), st.floats(0, HORIZON))
def test_fewer_steps_never_allow_more(steps: list[Step], most: int, second: float) -> None:
    kept = schedules.fewer(steps, most)
    assert len(kept) <= most
    assert kept[0].start_s == 0
    assert all(later.start_s > earlier.start_s for earlier, later in pairwise(kept))
    assert planned_at(kept, second) <= planned_at(steps, second)
    if len(steps) <= most:
        assert kept == steps


@given(plans(), st.floats(0, HORIZON), st.floats(0, HORIZON))
def test_what_is_left_of_steps_is_what_they_were(steps: list[Step], elapsed: float, second: float) -> None:
    left = schedules.since(steps, elapsed)
    assert left[0].start_s == 0
    assume(all(abs(step.start_s - (elapsed + second)) > 1e-6 for step in steps))
    assert planned_at(left, second) == planned_at(steps, elapsed + second)


@given(plans(), st.floats(0.6, HORIZON))
@example([Step(0, 0), Step(0.5, 0), Step(1, 1)], 2.0)
def test_what_is_told_of_steps_is_in_order_and_no_more(steps: list[Step], duration: float) -> None:
    """Beginnings are told in whole seconds; within the half second of that a lower step may begin late, or early.

    What begins right between two seconds may be told at either.
    """
    [only] = told(steps, duration).SAScheduleTuple
    entries = only.PMaxSchedule.PMaxScheduleEntry
    starts = [interval(each)[0] for each in entries]
    assert starts[0] == 0
    assert all(later > earlier for earlier, later in pairwise(starts))
    assert [interval(each)[1] for each in entries[:-1]] == [None] * (len(entries) - 1)
    assert starts[-1] + (interval(entries[-1])[1] or 0) == max(1, round(duration))
    for entry, start in zip(entries, starts, strict=True):
        near = [planned_at(steps, max(0.0, start + offset)) for offset in (-0.5, 0.5)]
        begun = [step.max_w for step in steps if abs(step.start_s - start) < 0.5]
        power = entry.PMax.Value * 10**entry.PMax.Multiplier
        assert power <= min(begun, default=max(near))


def interval(entry: iso2.PMaxScheduleEntry) -> tuple[int, int | None]:
    assert isinstance(entry.TimeInterval, iso2.RelativeTimeInterval)
    return entry.TimeInterval.start, entry.TimeInterval.duration


@given(plans(), st.floats(1, HORIZON), st.floats(0, HORIZON))
def test_a_schedule_ends_when_it_did_before(steps: list[Step], duration: float, elapsed: float) -> None:
    schedule = schedules.Schedule(id=3, steps=steps, uncapped=steps, duration_s=duration)
    left = schedules.remaining(schedule, elapsed)
    if left is None:
        assert duration - elapsed < 1
    else:
        assert (left.id, left.tariff) == (3, None)
        assert left.duration_s + elapsed == pytest.approx(duration)
