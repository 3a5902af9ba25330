"""Which schedule the vehicle takes, and when it means to draw power: figures worked out by hand."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcc.choice import Need, Wanted, choose, draft
from evcc.schedule import Schedule, power_at
from evcc.tariff import Tariff, judge
from tests.evcc.tariffs import levels, offered, pmax
from v2g.messages import iso2

HOUR = 3600
NEED = Need(energy_wh=11_000, most_w=11_000, least_w=4_000)


def costs_of(tuples: list[iso2.SAScheduleTuple], need: Need = NEED, **flaws: str) -> dict[int, float | None]:
    _, told = choose(tuples, {int(name[1:]): flaw for name, flaw in flaws.items()}, need, "cheapest")
    return {each.schedule_id: each.cost for each in told}


def chosen(tuples: list[iso2.SAScheduleTuple], need: Need = NEED, **flaws: str) -> int | None:
    schedule, told = choose(tuples, {int(name[1:]): flaw for name, flaw in flaws.items()}, need, "cheapest")
    assert [each.schedule_id for each in told if each.chosen] == ([] if schedule is None else [schedule.tuple_id])
    return None if schedule is None else schedule.tuple_id


def test_the_first_and_one_by_its_id() -> None:
    tuples = [offered(number, pmax((0, 11_000))) for number in (7, 3, 9)]
    cases: list[tuple[Wanted, int]] = [("first", 7), (3, 3), (9, 9)]
    for wanted, number in cases:
        schedule, told = choose(tuples, {}, NEED, wanted)
        assert schedule is not None
        assert schedule.tuple_id == number
        assert [each.chosen for each in told] == [each.schedule_id == number for each in told]
    schedule, told = choose(tuples, {}, NEED, 4)
    assert schedule is None
    assert not any(each.chosen for each in told)


def test_a_car_in_a_hurry_compares_what_charging_at_once_costs() -> None:
    """An hour at 11 kW: 11 kWh at level 3; or half an hour at 1 and half at 4, which is 2.5 on average."""
    tuples = [
        offered(1, pmax((0, 11_000)), levels((0, 3))),
        offered(2, pmax((0, 11_000)), levels((0, 1), (HOUR // 2, 4))),
    ]
    assert costs_of(tuples) == {1: 33_000, 2: pytest.approx(27_500)}
    assert chosen(tuples) == 2


def test_a_car_with_time_waits_for_the_cheap_hours() -> None:
    """Dear for two hours, then cheap: until departure in four hours the cheap ones suffice."""
    tuples = [
        offered(1, pmax((0, 11_000)), levels((0, 2))),
        offered(2, pmax((0, 11_000)), levels((0, 5), (2 * HOUR, 1), (3 * HOUR, 4))),
    ]
    patient = Need(energy_wh=11_000, most_w=11_000, least_w=4_000, within_s=4 * HOUR)
    assert chosen(tuples) == 1
    assert chosen(tuples, patient) == 2
    schedule, _ = choose(tuples, {}, patient, "cheapest")
    assert schedule is not None
    assert [power_at(schedule.intended, at) for at in (0, HOUR, 2 * HOUR, 3 * HOUR - 1, 3 * HOUR)] == [
        0, 0, 11_000, 11_000, 0,
    ]  # fmt: skip
    watts = [
        (each.ChargingProfileEntryStart, each.ChargingProfileEntryMaxPower.Value)
        for each in schedule.profile(11_000).ProfileEntry
    ]
    assert watts == [(0, 0), (2 * HOUR, 11_000), (3 * HOUR, 0), (4 * HOUR, 11_000)]


def test_energy_in_time_ranks_before_its_price() -> None:
    """The cheap one gives 4.1 kW: 8.2 kWh in two hours."""
    tuples = [
        offered(1, pmax((0, 4_100)), levels((0, 1))),
        offered(2, pmax((0, 11_000)), levels((0, 9))),
    ]
    assert chosen(tuples, Need(energy_wh=11_000, most_w=11_000, within_s=2 * HOUR)) == 2
    assert chosen(tuples, Need(energy_wh=8_000, most_w=11_000, within_s=2 * HOUR)) == 1


def test_power_below_the_cars_least_is_none() -> None:
    tuples = [offered(1, pmax((0, 3_900)), levels((0, 1))), offered(2, pmax((0, 4_000)), levels((0, 9)))]
    assert chosen(tuples) == 2


def test_a_tariff_not_believed_is_no_tariff() -> None:
    tuples = [
        offered(1, pmax((0, 11_000)), levels((0, 5))),
        offered(2, pmax((0, 11_000)), levels((0, 1))),
        offered(3, pmax((0, 11_000))),
    ]
    assert chosen(tuples) == 2
    assert chosen(tuples, _2="it is not signed") == 1
    _, told = choose(tuples, {1: "", 2: "it is not signed"}, NEED, "cheapest")
    assert [(each.tariff, each.reason) for each in told] == [("taken", ""), ("ignored", "it is not signed"), (None, "")]
    assert chosen(tuples, _1="no", _2="no") == 1


def test_what_cannot_be_compared_leaves_the_first() -> None:
    entry = iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=0))
    mute = iso2.SalesTariff(SalesTariffID=1, SalesTariffEntry=[entry])
    tuples = [offered(1, pmax((0, 11_000)), mute), offered(2, pmax((0, 11_000)), levels((0, 1)))]
    assert chosen(tuples) == 1


slots = st.lists(st.tuples(st.integers(0, 22), st.integers(0, 9)), min_size=1, max_size=6)


@given(slots, st.integers(1, 60_000), st.integers(1, 5))
def test_no_better_spread_exists(hours: list[tuple[int, int]], energy_wh: int, until: int) -> None:
    """Against all ways to fill whole hours: none that brings the energy in time is cheaper."""
    power = [kilowatts * 1_000 for kilowatts, _ in hours]
    tariff = Tariff.of(levels(*((HOUR * place, level) for place, (_, level) in enumerate(hours))))
    schedule = Schedule(steps=tuple((HOUR * place, float(watts)) for place, watts in enumerate(power)))
    need = Need(energy_wh=energy_wh, most_w=11_000, within_s=HOUR * until)
    made = draft(schedule, tariff, "level", need)
    usable = [min(watts, 11_000) for watts in [*power, *[power[-1]] * until][:until]]
    price = [level for _, level in [*hours, *[hours[-1]] * until][:until]]
    assert made.missing_wh == pytest.approx(max(0.0, energy_wh - sum(usable)))
    wanted = energy_wh - made.missing_wh
    best = min(filled(order, usable, price, wanted) for order in itertools.permutations(range(until)))
    assert made.cost == pytest.approx(best)


def filled(order: tuple[int, ...], usable: list[int], price: list[int], energy_wh: float) -> float:
    """What it costs to fill the hours in this order."""
    cost = 0.0
    for hour in order:
        taken = min(energy_wh, usable[hour])
        cost, energy_wh = cost + taken * price[hour], energy_wh - taken
    return cost


@given(slots, st.integers(1, 60_000), st.integers(0, 30_000))
def test_the_intention_keeps_to_the_schedule_and_brings_the_energy(
    hours: list[tuple[int, int]], energy_wh: int, within_s: int
) -> None:
    tariff = Tariff.of(levels(*((HOUR * place, level) for place, (_, level) in enumerate(hours))))
    schedule = Schedule(steps=tuple((HOUR * place, 1_000.0 * kilowatts) for place, (kilowatts, _) in enumerate(hours)))
    made = draft(schedule, tariff, "level", Need(energy_wh=energy_wh, most_w=11_000, least_w=4_000, within_s=within_s))
    if not made.schedule.intended:
        assert not within_s
        return
    starts = [start for start, _ in made.schedule.intended if start < within_s]
    brought = 0.0
    for start, end in zip(starts, [*starts[1:], within_s], strict=True):
        power = power_at(made.schedule.intended, start)
        assert power == 0 or 4_000 <= power <= min(power_at(schedule.steps, start), 11_000) + 1e-6
        brought += power * (end - start) / HOUR
    assert brought >= energy_wh - made.missing_wh - 1e-6


values = st.builds(
    iso2.PhysicalValue,
    Multiplier=st.integers(-3, 3),
    Unit=st.sampled_from(iso2.UnitSymbol),
    Value=st.integers(-32_768, 32_767),
)
intervals = st.builds(
    iso2.RelativeTimeInterval, start=st.integers(0, 16_777_214), duration=st.none() | st.integers(0, 86_400)
) | st.just(iso2.TimeInterval())
money = st.builds(
    iso2.Cost,
    costKind=st.sampled_from(iso2.CostKind),
    amount=st.integers(0, 2**32 - 1),
    amountMultiplier=st.none() | st.integers(-3, 3),
)
bands = st.builds(iso2.ConsumptionCost, startValue=values, Cost=st.lists(money, min_size=1, max_size=3))
told = st.builds(
    iso2.SalesTariff,
    SalesTariffID=st.integers(1, 255),
    SalesTariffEntry=st.lists(
        st.builds(
            iso2.SalesTariffEntry,
            TimeInterval=intervals,
            EPriceLevel=st.none() | st.integers(0, 255),
            ConsumptionCost=st.lists(bands, max_size=3),
        ),
        min_size=1,
        max_size=4,
    ),
)
powers = st.builds(
    iso2.PMaxSchedule,
    PMaxScheduleEntry=st.lists(
        st.builds(iso2.PMaxScheduleEntry, TimeInterval=intervals, PMax=values), min_size=1, max_size=5
    ),
)
anything = st.lists(
    st.builds(
        iso2.SAScheduleTuple,
        SAScheduleTupleID=st.integers(1, 255),
        PMaxSchedule=powers,
        SalesTariff=st.none() | told,
    ),
    min_size=1,
    max_size=3,
)
needs = st.builds(
    Need,
    energy_wh=st.floats(0, 1e6),
    most_w=st.floats(1, 1e6),
    least_w=st.floats(0, 1e6),
    within_s=st.none() | st.integers(0, 2**31),
)


@given(anything, needs, st.sampled_from(["first", "cheapest", 1]))
def test_whatever_a_station_offers_can_be_chosen_from(
    tuples: list[iso2.SAScheduleTuple], need: Need, wanted: Wanted
) -> None:
    """In any order, with powers below zero, without an end, twice the same: the profile fits the message."""
    schedule, reports = choose(tuples, judge(tuples, None, None), need, wanted)
    assert len(reports) == len(tuples)
    if schedule is None:
        assert wanted == 1
        return
    entries = schedule.profile(need.most_w).ProfileEntry
    assert 1 <= len(entries) <= 24
    assert all(each.ChargingProfileEntryMaxPower.Value >= 0 for each in entries)
    starts = [each.ChargingProfileEntryStart for each in entries]
    assert starts == sorted(set(starts))
    assert schedule.pmax_w >= 0
    schedule.expires(need.within_s)
