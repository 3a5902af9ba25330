"""PhysicalValue against worked examples, and the rounding rules against fractions over the whole range."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.messages import din
from v2g.messages.iso2 import PhysicalValue, UnitSymbol
from v2g.units import exact, maximum, minimum, nearest, number

A, V, W = UnitSymbol.A, UnitSymbol.V, UnitSymbol.W


def physical(multiplier: int, value: int, unit: UnitSymbol = A) -> PhysicalValue:
    return PhysicalValue(Multiplier=multiplier, Unit=unit, Value=value)


@pytest.mark.parametrize(
    ("value", "unit", "multiplier", "expected"),
    [
        (50_000, W, 1, 5_000),
        (250.5, A, -1, 2_505),
        (400, V, -1, 4_000),
        (11_040, W, 0, 11_040),
        (3_276.7, A, -1, 32_767),
        (3_276.76, A, 0, 3_277),
        (0.05, A, -1, 1),
        (-0.05, A, -1, -1),
        (0.5, W, 0, 1),
        (-0.5, W, 0, -1),
        (0, A, -1, 0),
        (32_767_000, W, 3, 32_767),
        (-32_767_000, W, 3, -32_767),
        (Decimal("0.1"), V, -1, 1),
    ],
)
def test_nearest(value: float | Decimal, unit: UnitSymbol, multiplier: int, expected: int) -> None:
    assert nearest(value, unit) == physical(multiplier, expected, unit)


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [(250.55, 2505, 2506), (250.5, 2505, 2505), (0.1 + 0.2, 3, 3), (32.0 - 1e-12, 320, 320), (-0.55, -6, -5)],
)
def test_limits_round_to_their_safe_side_and_float_noise_does_not_count(value: float, down: int, up: int) -> None:
    assert maximum(value, A) == physical(-1, down)
    assert minimum(value, A) == physical(-1, up)


def test_a_minimum_that_rounds_past_the_value_takes_the_next_multiplier() -> None:
    assert minimum(3_276.75, A) == physical(0, 3_277)
    assert maximum(3_276.75, A) == physical(-1, 32_767)


def test_a_limit_is_safe_to_six_decimals() -> None:
    assert maximum(16.0999994, A) == physical(-1, 160)
    assert maximum(16.0999996, A) == physical(-1, 161)
    assert minimum(6.0000006, A) == physical(-1, 61)
    assert minimum(6.0000004, A) == physical(-1, 60)


NO_NUMBERS = [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("sNaN"), True, False, None, "16", [16]]


@pytest.mark.parametrize("value", [*NO_NUMBERS, 32_768_000, 1e300, -1e300])
def test_what_cannot_be_expressed_is_said_so(value: Any) -> None:
    for encode in (nearest, maximum, minimum):
        with pytest.raises(ValueError, match="PhysicalValue"):
            encode(value, W)


@pytest.mark.parametrize(
    ("multiplier", "value", "expected"), [(1, 10, 100.0), (-1, 2505, 250.5), (-3, 1, 0.001), (-1, -24136, -2413.6)]
)
def test_any_form_is_read(multiplier: int, value: int, expected: float) -> None:
    assert number(physical(multiplier, value)) == expected
    assert exact(physical(multiplier, value)) == Decimal(repr(expected))


UNITS = st.sampled_from([A, V, W, UnitSymbol.Wh])
VALUES = st.decimals(min_value=-32_767_000, max_value=32_767_000, places=3)


def fraction(value: PhysicalValue) -> Fraction:
    return Fraction(value.Value) * Fraction(10) ** value.Multiplier


@given(VALUES, UNITS)
def test_limits_lie_on_their_side_and_within_one_step(value: Decimal, unit: UnitSymbol) -> None:
    low, high, near = maximum(value, unit), minimum(value, unit), nearest(value, unit)
    assert fraction(low) <= Fraction(value) <= fraction(high)
    assert Fraction(value) - fraction(low) < Fraction(10) ** low.Multiplier
    assert fraction(high) - Fraction(value) < Fraction(10) ** high.Multiplier
    assert abs(fraction(near) - Fraction(value)) * 2 <= Fraction(10) ** near.Multiplier


@given(VALUES, UNITS)
def test_no_smaller_multiplier_would_do(value: Decimal, unit: UnitSymbol) -> None:
    found = nearest(value, unit)
    lowest = -1 if unit in {A, V} else 0
    assert -32_767 <= found.Value <= 32_767
    assert lowest <= found.Multiplier <= 3
    if found.Multiplier > lowest:
        assert abs(Fraction(value)) / Fraction(10) ** (found.Multiplier - 1) >= Fraction(65_535, 2)


@given(st.integers(-3, 3), st.integers(-32_767, 32_767), UNITS)
def test_number_is_the_float_nearest_to_the_exact_value(multiplier: int, value: int, unit: UnitSymbol) -> None:
    assert number(physical(multiplier, value, unit)) == float(fraction(physical(multiplier, value, unit)))


@given(VALUES, UNITS)
def test_a_value_of_din_has_the_same_number(value: Decimal, unit: UnitSymbol) -> None:
    for encode in (nearest, maximum, minimum):
        found = encode(value, din.UnitSymbol(unit.value))
        assert isinstance(found, din.PhysicalValue)
        expected = encode(value, unit)
        assert (found.Multiplier, found.Unit, found.Value) == (expected.Multiplier, unit.value, expected.Value)
        assert exact(found) == exact(expected)


def test_a_value_of_din_may_lack_its_unit() -> None:
    assert number(din.PhysicalValue(Multiplier=-1, Value=2505)) == 250.5
