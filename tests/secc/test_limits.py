"""The authorised limits: what several sources allow together, when it may flow, and that it is told at once."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secc import api
from secc.limits import AuthorisedLimits, Claim, Step, combine
from tests.secc.bench_charger import AC_SETUP, DC_SETUP, BenchCharger

NOISE = 1e-8
"""What rounding in binary may add to a number that is exact in decimal."""

quantities = st.none() | st.floats(0, 1e5, allow_nan=False).map(lambda value: round(value, 2))
claims = st.builds(
    Claim, max_w=quantities, max_a=quantities, max_v=quantities, min_v=quantities, min_a=st.none() | st.floats(0, 20)
)
by_source = st.dictionaries(st.sampled_from(["ev", "evse", "hardware", "schedule", "contract"]), claims, max_size=5)
nominal = st.sampled_from([110.0, 230.0, 400.0 / math.sqrt(3)])


def amperes_of(claim: Claim, per_ampere: Fraction) -> list[Fraction]:
    """All bounds on the current that one AC claim makes, by power too."""
    stated = [Fraction(claim.max_a)] if claim.max_a is not None else []
    return stated + ([Fraction(claim.max_w) / per_ampere] if claim.max_w is not None else [])


@given(by_source, st.integers(1, 3), nominal)
def test_ac_by_exact_arithmetic(stated: dict[str, Claim], phases: int, nominal_v: float) -> None:
    """Every claim bounds the current, by amperes and by watts; too little is nothing."""
    bounds = combine(stated, energy="AC", phases=phases, nominal_v=nominal_v)
    per_ampere = Fraction(nominal_v) * phases
    all_bounds = [bound for claim in stated.values() for bound in amperes_of(claim, per_ampere)]
    exact = min(all_bounds, default=Fraction(0))
    least = max([Fraction(6), *(Fraction(claim.min_a) for claim in stated.values() if claim.min_a is not None)])
    if abs(float(exact - least)) < NOISE:
        return
    if exact < least:
        assert (bounds.max_a, bounds.max_w) == (0, 0)
        return
    assert float(exact) - 0.001 - NOISE <= bounds.max_a <= float(exact) + NOISE
    assert float(exact * per_ampere) - 0.001 - NOISE * 1e3 <= bounds.max_w <= float(exact * per_ampere) + NOISE * 1e3


@given(by_source)
def test_dc_by_exact_arithmetic(stated: dict[str, Claim]) -> None:
    bounds = combine(stated, energy="DC")
    watts = [claim.max_w for claim in stated.values() if claim.max_w is not None]
    amps = [claim.max_a for claim in stated.values() if claim.max_a is not None]
    least = max([claim.min_a for claim in stated.values() if claim.min_a is not None], default=0.0)
    enough = min(amps, default=0.0) >= least and 0 not in watts
    assert bounds.max_a == pytest.approx(min(amps, default=0.0) if enough else 0.0, abs=0.001)
    assert bounds.max_w == pytest.approx(min(watts, default=0.0) if enough else 0.0, abs=0.001)
    assert bounds.max_v == min([claim.max_v for claim in stated.values() if claim.max_v is not None], default=None)
    assert bounds.min_v == max([claim.min_v for claim in stated.values() if claim.min_v is not None], default=None)


@given(by_source, st.sampled_from(["AC", "DC"]), st.integers(1, 3))
def test_no_claim_is_ever_exceeded_and_maxima_are_rounded_down(
    stated: dict[str, Claim], energy: Any, phases: int
) -> None:
    bounds = combine(stated, energy=energy, phases=phases)
    for claim in stated.values():
        assert claim.max_w is None or bounds.max_w <= claim.max_w + NOISE
        assert claim.max_a is None or bounds.max_a <= claim.max_a + NOISE
    for bound in (bounds.max_w, bounds.max_a):
        assert bound >= 0
        assert bound * 1000 == pytest.approx(round(bound * 1000), abs=1e-3)


@given(by_source)
def test_the_source_named_is_one_that_states_the_bound(stated: dict[str, Claim]) -> None:
    bounds = combine(stated, energy="DC")
    for name in ("max_w", "max_a", "max_v", "min_v"):
        values = {source: getattr(claim, name) for source, claim in stated.items() if getattr(claim, name) is not None}
        assert (name in bounds.limited_by) == bool(values)
        if values:
            wanted = max(values.values()) if name == "min_v" else min(values.values())
            assert values[bounds.limited_by[name]] == wanted


@pytest.mark.parametrize(
    ("stated", "energy", "phases", "expected", "limited_by"),
    [
        # 11 kW on three phases of 230 V are 15.942 A, rounded down
        ({"evse": Claim(max_w=11_000, max_a=32)}, "AC", 3, (11_000, 15.942), "evse evse"),
        ({"evse": Claim(max_w=22_080, max_a=32), "ev": Claim(max_a=16)}, "AC", 3, (11_040, 16), "ev ev"),
        ({"evse": Claim(max_w=22_080, max_a=32), "ev": Claim(max_a=16)}, "AC", 1, (3_680, 16), "ev ev"),
        ({"evse": Claim(max_a=32), "schedule": Claim(max_w=6_900)}, "AC", 3, (6_900, 10), "schedule schedule"),
        ({"evse": Claim(max_a=6)}, "AC", 1, (1_380, 6), "evse evse"),
        ({"evse": Claim(max_a=5.999)}, "AC", 1, (0, 0), "evse evse"),
        ({"evse": Claim(max_a=16), "ev": Claim(min_a=17)}, "AC", 1, (0, 0), "evse evse"),
        ({"schedule": Claim(max_w=0), "evse": Claim(max_a=16)}, "AC", 3, (0, 0), "schedule schedule"),
        ({"evse": Claim(max_w=50_000, max_a=200), "ev": Claim(max_a=125)}, "DC", 1, (50_000, 125), "evse ev"),
        ({"evse": Claim(max_w=5_000, max_a=200, min_a=1), "ev": Claim(max_a=0.5)}, "DC", 1, (0, 0), "evse ev"),
        ({}, "DC", 1, (0, 0), " "),
        ({"hardware": Claim(max_w=-5_000), "evse": Claim(max_a=16)}, "AC", 3, (0, 0), "hardware hardware"),
    ],
)
def test_combinations(
    stated: dict[str, Claim], energy: Any, phases: int, expected: tuple[float, float], limited_by: str
) -> None:
    bounds = combine(stated, energy=energy, phases=phases)
    assert (bounds.max_w, bounds.max_a) == expected
    assert f"{bounds.limited_by.get('max_w', '')} {bounds.limited_by.get('max_a', '')}" == limited_by


# --- what is told, and when -----------------------------------------------------------------------------------------


def limits_at(charger: BenchCharger, **facts: Any) -> AuthorisedLimits:
    limits = AuthorisedLimits(charger=charger, **facts)
    limits.refresh()
    return limits


def flows(charger: BenchCharger) -> tuple[bool, float, float]:
    told = charger.limits_told[-1]
    return told.authorised, told.max_charge_w, told.max_current_a


@pytest.fixture
def charger() -> BenchCharger:
    return BenchCharger(AC_SETUP)


@contextlib.asynccontextmanager
async def kept(limits: AuthorisedLimits) -> AsyncIterator[None]:
    task = asyncio.create_task(limits.keep())
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def told(charger: BenchCharger, count: int) -> None:
    """Wait until so many limits were told."""
    over = time.monotonic() + 2
    while len(charger.limits_told) < count:
        assert time.monotonic() < over, "waited in vain"
        await asyncio.sleep(0.001)


def test_zero_until_authorised_and_begun(charger: BenchCharger) -> None:
    limits = limits_at(charger, phases=3)
    assert flows(charger) == (False, 0, 0)
    limits.allow("ev", max_a=16)
    limits.move("open")
    assert flows(charger) == (False, 0, 0)
    limits.move("closed")
    limits.authorised = True
    limits.refresh()
    assert flows(charger) == (True, 0, 0)
    limits.move("open")
    assert flows(charger) == (True, 11_040, 16)
    last = charger.limits_told[-1]
    assert (last.direction, last.max_discharge_w, last.max_charge_w_per_phase) == ("charge", 0, 3_680)
    limits.move("closed")
    assert flows(charger) == (True, 0, 0)
    assert charger.limits_told[-1].direction == "none"


def test_nothing_is_told_twice(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True)
    limits.allow("ev", max_a=32)
    limits.move("open")
    before = len(charger.limits_told)
    for _ in range(3):
        limits.refresh()
        limits.move("open")
        limits.allow("ev", max_a=32)
        limits.refresh()
    assert len(charger.limits_told) == before


def test_dc_tests_with_two_amperes_at_the_most() -> None:
    charger = BenchCharger(DC_SETUP)
    limits = limits_at(charger, authorised=True, energy="DC")
    limits.allow("ev", max_a=125, max_v=400, max_w=50_000)
    limits.move("testing")
    assert flows(charger) == (True, 800, 2)
    limits.allow("ev", max_a=1.5, max_v=400, max_w=50_000)
    limits.refresh()
    assert flows(charger) == (True, 600, 1.5)
    limits.allow("ev", max_a=125, max_v=400, max_w=100)
    limits.refresh()
    assert flows(charger) == (True, 100, 2)
    limits.schedule([Step(0, 0)])
    assert flows(charger) == (True, 100, 2), "a test needs no energy of a schedule"
    limits.move("open")
    assert flows(charger) == (True, 0, 0)
    limits.schedule([Step(0, 50_000)])
    assert flows(charger)[2] == 125
    assert charger.limits_told[-1].max_charge_w_per_phase is None


async def test_what_the_hardware_can_do_is_followed_at_once(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True, phases=3)
    limits.move("open")
    async with kept(limits):
        before = len(charger.limits_told)
        charger.hardware_limits = api.ChargerLimits(max_current_a=10)
        charger.report()
        await told(charger, before + 1)
        assert flows(charger) == (True, 6_900, 10)
        assert charger.limits_told[-1].limited_by["max_a"] == "hardware"
        charger.hardware_limits = None
        charger.report()
        await told(charger, before + 2)
        assert flows(charger) == (True, 22_080, 32)


async def test_trouble_is_zero_and_not_authorised(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True, contract="DEPCGC00000001V")
    limits.move("open")
    async with kept(limits):
        before = len(charger.limits_told)
        charger.fail("temperature", "stop")
        await told(charger, before + 1)
        assert flows(charger) == (False, 0, 0)


async def test_schedule_steps_take_effect_in_their_time(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True, phases=3)
    limits.move("open")
    async with kept(limits):
        before = len(charger.limits_told)
        limits.schedule([Step(0, 11_040), Step(0.1, 6_900), Step(0.2, 0), Step(0.3, 13_800)])
        charger.report()
        await told(charger, before + 4)
    powers = [each.max_charge_w for each in charger.limits_told[before:]]
    assert powers == [11_040, 6_900, 0, 13_800]
    first, *_, last = charger.limits_told[before:]
    assert first.limited_by["max_w"] == "schedule"
    assert [entry.max_w for entry in first.schedule] == [11_040, 6_900, 0, 13_800]
    assert first.valid_for_s == pytest.approx(0.1, abs=0.05)
    assert [entry.max_w for entry in last.schedule] == [13_800]
    assert last.valid_for_s is None


async def test_energy_that_comes_with_the_contract_ends(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True, phases=3, max_energy_wh=500)
    limits.move("open")
    assert charger.limits_told[-1].energy_left_wh == 500
    async with kept(limits):
        for reading, left in ((1_400, 22_080), (1_499, 22_080), (1_500, 0), (1_501, 0)):
            charger.meter = api.Meter(meter_id="M1", energy_import_wh=reading)
            charger.report()
            for _ in range(5):
                await asyncio.sleep(0)
            assert charger.limits_told[-1].max_charge_w == left
    assert charger.limits_told[-1].energy_left_wh == 0


@pytest.mark.parametrize("reading", [None, 900])
def test_energy_that_nobody_counts_is_none(charger: BenchCharger, reading: int | None) -> None:
    """A limited energy is not unlimited because its meter is silent or runs back."""
    limits = limits_at(charger, authorised=True, max_energy_wh=500)
    limits.move("open")
    assert charger.limits_told[-1].max_charge_w > 0
    charger.meter = None if reading is None else api.Meter(meter_id="M1", energy_import_wh=reading)
    limits.refresh()
    assert flows(charger) == (True, 0, 0)
    assert limits.spent


def test_without_a_limit_no_meter_is_needed(charger: BenchCharger) -> None:
    charger.meter = None
    limits = limits_at(charger, authorised=True)
    limits.move("open")
    assert charger.limits_told[-1].max_charge_w > 0
    assert charger.limits_told[-1].energy_left_wh is None
    assert not limits.spent


def test_the_name_of_the_contract_is_told_only_while_authorised(charger: BenchCharger) -> None:
    limits = limits_at(charger, authorised=True, contract="DEPCGC00000001V")
    assert charger.limits_told[-1].contract == "DEPCGC00000001V"
    limits.authorised = False
    limits.refresh()
    assert charger.limits_told[-1].contract is None


def test_without_a_charger_nothing_flows() -> None:
    charger = BenchCharger(msgspec.structs.replace(AC_SETUP))
    limits = limits_at(charger, authorised=True)
    charger.setup = None
    limits.move("open")
    assert flows(charger) == (True, 0, 0)


@pytest.mark.parametrize(("max_a", "outdated"), [(None, False), (32, False), (10, True), (1, True)])
def test_outdated_is_what_a_schedule_does_not_tell(charger: BenchCharger, max_a: float | None, outdated: bool) -> None:
    limits = limits_at(charger, phases=3)
    limits.schedule([Step(0, limits.station().max_w)])
    charger.hardware_limits = api.ChargerLimits(max_current_a=max_a)
    assert limits.outdated == outdated
