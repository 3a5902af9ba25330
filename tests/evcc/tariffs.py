"""Schedules with tariffs for tests, as a station offers them, and the operator's signature over them."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ec

from v2g import signature
from v2g.messages import iso2
from v2g.messages.iso2 import CostKind, PhysicalValue, UnitSymbol
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema

Level = tuple[int, int]
"""Start in seconds, price."""


def watts(power: int) -> PhysicalValue:
    return PhysicalValue(Multiplier=1, Unit=UnitSymbol.W, Value=power // 10)


def pmax(*steps: tuple[int, int], lasts: int | None = 86_400) -> iso2.PMaxSchedule:
    entries = [
        iso2.PMaxScheduleEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=start, duration=lasts if place == len(steps) else None),
            PMax=watts(power),
        )
        for place, (start, power) in enumerate(steps, start=1)
    ]
    return iso2.PMaxSchedule(PMaxScheduleEntry=entries)


def levels(*steps: Level, number: int = 1, name: str | None = None) -> iso2.SalesTariff:
    """A tariff by price levels."""
    entries = [
        iso2.SalesTariffEntry(TimeInterval=iso2.RelativeTimeInterval(start=start), EPriceLevel=level)
        for start, level in steps
    ]
    return iso2.SalesTariff(Id=name, SalesTariffID=number, NumEPriceLevels=9, SalesTariffEntry=entries)


def band(from_w: int, kind: CostKind, amount: int, multiplier: int | None = None) -> iso2.ConsumptionCost:
    cost = iso2.Cost(costKind=kind, amount=amount, amountMultiplier=multiplier)
    return iso2.ConsumptionCost(startValue=watts(from_w), Cost=[cost])


def costs(*steps: tuple[int, Sequence[iso2.ConsumptionCost]], level: int | None = None) -> iso2.SalesTariff:
    entries = [
        iso2.SalesTariffEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=start), EPriceLevel=level, ConsumptionCost=list(bands)
        )
        for start, bands in steps
    ]
    return iso2.SalesTariff(SalesTariffID=1, SalesTariffEntry=entries)


def offered(number: int, schedule: iso2.PMaxSchedule, tariff: iso2.SalesTariff | None = None) -> iso2.SAScheduleTuple:
    return iso2.SAScheduleTuple(SAScheduleTupleID=number, PMaxSchedule=schedule, SalesTariff=tariff)


def signed(key: ec.EllipticCurvePrivateKey, *tariffs: iso2.SalesTariff) -> Signature:
    """What the operator puts into the header."""
    fragments = [(str(each.Id), schema("iso2").encode_fragment(each)) for each in tariffs]
    return signature.sign(fragments, key, "iso2")
