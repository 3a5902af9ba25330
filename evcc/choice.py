"""Which of the schedules offered the vehicle takes, and when within it the vehicle means to draw power."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from evcc.schedule import A_DAY_S, Schedule, Steps, power_at
from evcc.tariff import Measure, Tariff, common_measure
from v2g.messages.iso2 import SAScheduleTuple
from v2g.record import Record

Wanted = Literal["first", "cheapest"] | int
SECONDS_PER_HOUR = 3600


class OfferedSchedule(Record):
    """A schedule as it was offered last, for the result.

    `tariff` is what was made of its SalesTariff: taken, ignored (`reason` says why) or none; `cost` is in no unit, and
    known only where costs were compared.
    """

    schedule_id: int
    entries: int
    ends_s: int | None
    tariff: Literal["taken", "ignored"] | None = None
    reason: str = ""
    cost: float | None = None
    chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What the vehicle wants: energy until it departs, if it knows when; below `least_w` it takes none."""

    energy_wh: float
    most_w: float
    least_w: float = 0.0
    within_s: float | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A schedule with what the vehicle means to draw, what that costs, and the energy that it lacks at departure."""

    schedule: Schedule
    missing_wh: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of time in which nothing changes."""

    start: int
    lasts_s: float
    power_w: float
    price: float

    @property
    def energy_wh(self) -> float:
        return self.power_w * self.lasts_s / SECONDS_PER_HOUR


def choose(
    tuples: Sequence[SAScheduleTuple], flaws: Mapping[int, str], need: Need, wanted: Wanted
) -> tuple[Schedule | None, list[OfferedSchedule]]:
    """Take one schedule of those offered, None where the wanted one is not among them.

    `flaws` tells by tuple id why a tariff must not be used. The cheapest is one that gets the vehicle its energy in
    time, if there is any, and of those the one that costs least.
    """
    schedules = [Schedule.of(each) for each in tuples]
    tariffs = {
        each.SAScheduleTupleID: Tariff.of(each.SalesTariff)
        for each in tuples
        if each.SalesTariff is not None and not flaws.get(each.SAScheduleTupleID)
    }
    drafts = {}
    if wanted == "cheapest" and (measure := common_measure(tariffs.values())) is not None:
        drafts = {
            each.tuple_id: draft(each, tariffs[each.tuple_id], measure, need)
            for each in schedules
            if each.tuple_id in tariffs
        }
    chosen = _pick(schedules, list(drafts.values()), wanted)
    told = [
        OfferedSchedule(
            schedule_id=schedule.tuple_id,
            entries=len(schedule.steps),
            ends_s=schedule.ends_s,
            tariff=None if each.SalesTariff is None else "taken" if schedule.tuple_id in tariffs else "ignored",
            reason=flaws.get(schedule.tuple_id, ""),
            cost=drafts[schedule.tuple_id].cost if schedule.tuple_id in drafts else None,
            chosen=chosen is not None and chosen.tuple_id == schedule.tuple_id,
        )
        for schedule, each in zip(schedules, tuples, strict=True)
    ]
    return chosen, told


def _pick(schedules: Sequence[Schedule], drafts: Sequence[Draft], wanted: Wanted) -> Schedule | None:
    if isinstance(wanted, int):
        return next((each for each in schedules if each.tuple_id == wanted), None)
    if not drafts:
        return schedules[0]
    return min(drafts, key=lambda each: (round(each.missing_wh), each.cost or 0.0)).schedule


def draft(schedule: Schedule, tariff: Tariff, measure: Measure, need: Need) -> Draft:
    """Put the energy where it is cheapest before departure; a vehicle without one takes it as soon as it can."""
    horizon = min(need.within_s or A_DAY_S, schedule.ends_s or A_DAY_S)
    pieces = _pieces(schedule, tariff, measure, need, horizon)
    spread = bool(need.within_s)
    missing, cost, taken = need.energy_wh, 0.0, dict[int, float]()
    for piece in sorted(pieces, key=lambda each: each.price) if spread else pieces:
        energy_wh = min(piece.energy_wh, missing)
        missing -= energy_wh
        cost += energy_wh * piece.price
        taken[piece.start] = max(energy_wh * SECONDS_PER_HOUR / piece.lasts_s, need.least_w) if energy_wh > 0 else 0.0
    intended: Steps = ()
    if spread:
        intended = (*((each.start, taken[each.start]) for each in pieces), (math.ceil(horizon), need.most_w))
    return Draft(replace(schedule, intended=intended), missing, cost)


def _pieces(schedule: Schedule, tariff: Tariff, measure: Measure, need: Need, horizon: float) -> list[_Piece]:
    """Cut the time until the horizon where power or price changes."""
    starts = {0, *(start for start, _ in schedule.steps), *tariff.starts}
    cuts = sorted(start for start in starts if start < horizon)
    pieces = []
    for start, end in zip(cuts, [*cuts[1:], horizon], strict=True):
        power_w = min(power_at(schedule.steps, start), need.most_w)
        price = tariff.price(start, power_w, measure)
        pieces.append(_Piece(start, end - start, power_w if power_w >= need.least_w else 0.0, price or 0.0))
    return pieces
