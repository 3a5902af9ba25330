"""PhysicalValue of DIN 70121 and ISO 15118-2 to and from numbers in A, V, W, Wh and s.

A limit is rounded to its safe side, a maximum down and a minimum up; everything else to the nearest, half away from
zero. The multiplier is the smallest that keeps the decimals a unit deserves and fits the value into 16 bits. All
arithmetic is decimal, so that 250.5 A is 2505 x 10^-1 and never one step less. Before anything else a number is
rounded to six decimals: a limit may lie half a millionth of its unit on the other side of it. Whose unit is given,
of that standard the value is.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import overload

from v2g.messages import din, iso2

LARGEST = 32_767
MULTIPLIERS = range(-3, 4)
DECIMALS = {"A": 1, "V": 1}  # the other units are sent as whole numbers

# Computed floats carry noise behind the last digit that means something; it must not push a limit one step further.
_NOISE = Decimal("0.000001")

Number = float | Decimal
Unit = iso2.UnitSymbol | din.UnitSymbol
PhysicalValue = iso2.PhysicalValue | din.PhysicalValue


@overload
def nearest(value: Number, unit: iso2.UnitSymbol) -> iso2.PhysicalValue: ...
@overload
def nearest(value: Number, unit: din.UnitSymbol) -> din.PhysicalValue: ...
def nearest(value: Number, unit: Unit) -> PhysicalValue:
    """Encode a measurement or a target, half away from zero; raises ValueError when it cannot be expressed."""
    return _encode(value, unit, ROUND_HALF_UP)


@overload
def maximum(value: Number, unit: iso2.UnitSymbol) -> iso2.PhysicalValue: ...
@overload
def maximum(value: Number, unit: din.UnitSymbol) -> din.PhysicalValue: ...
def maximum(value: Number, unit: Unit) -> PhysicalValue:
    """Encode an upper limit, never above `value` to six decimals; raises ValueError when it cannot be expressed."""
    return _encode(value, unit, ROUND_FLOOR)


@overload
def minimum(value: Number, unit: iso2.UnitSymbol) -> iso2.PhysicalValue: ...
@overload
def minimum(value: Number, unit: din.UnitSymbol) -> din.PhysicalValue: ...
def minimum(value: Number, unit: Unit) -> PhysicalValue:
    """Encode a lower limit, never below `value` to six decimals; raises ValueError when it cannot be expressed."""
    return _encode(value, unit, ROUND_CEILING)


def number(physical: PhysicalValue) -> float:
    """Return the number in the value's own unit, as the float nearest to it; any multiplier is read."""
    return float(exact(physical))


def exact(physical: PhysicalValue) -> Decimal:
    """Return the number in the value's own unit without loss, for comparisons with limits."""
    return Decimal(physical.Value).scaleb(physical.Multiplier)


def _encode(value: Number, unit: Unit, rounding: str) -> PhysicalValue:
    try:
        amount = value if isinstance(value, Decimal) else Decimal(repr(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"{value} {unit} is no number a PhysicalValue can express")
    if abs(amount) < Decimal(10) ** 9:
        amount = amount.quantize(_NOISE)
        for multiplier in range(-DECIMALS.get(unit.value, 0), MULTIPLIERS.stop):
            scaled = int(amount.scaleb(-multiplier).to_integral_value(rounding))
            if abs(scaled) <= LARGEST:
                if isinstance(unit, din.UnitSymbol):
                    return din.PhysicalValue(Multiplier=multiplier, Unit=unit, Value=scaled)
                return iso2.PhysicalValue(Multiplier=multiplier, Unit=unit, Value=scaled)
    raise ValueError(f"{value} {unit} does not fit a PhysicalValue, which ends at {LARGEST * 1000} {unit}")
