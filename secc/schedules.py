"""Schedules offered to the vehicle, and the check of the profile it sends back.

All comparisons are made in whole milliwatts and seconds: two step functions fit or they do not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import msgspec

from secc.limits import Step
from v2g import units
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import UnitSymbol

DAY_S = 86_400
FOR_EVER = 2**40
GRACE_S = 5  # around each step [V2G2-833] [V2G2-834]; the length is ours
TUPLE_ID = 1
MOST_ENTRIES = 1_024
LAST_START_S = 16_777_214


def default_steps(max_w: float) -> list[Step]:
    """One step for as long as the vehicle stays: what the station can do."""
    return [Step(0, max_w)]


def since(steps: Sequence[Step], elapsed_s: float) -> list[Step]:
    """What is left of steps after some time: the step that is reached begins at once."""
    later = [Step(step.start_s - elapsed_s, step.max_w) for step in steps if step.start_s > elapsed_s]
    reached = [step.max_w for step in steps if step.start_s <= elapsed_s]
    return [Step(0, reached[-1] if reached else steps[0].max_w), *later]


def fewer(steps: Sequence[Step], most: int) -> list[Step]:
    """Put neighbours together, at the lowest power of each, until a vehicle with room for `most` steps takes them."""
    size = math.ceil(len(steps) / max(1, min(most, MOST_ENTRIES)))
    groups = [steps[first : first + size] for first in range(0, len(steps), size)]
    return [Step(group[0].start_s, min(step.max_w for step in group)) for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One schedule as a vehicle is offered it: steps from now on, how long it holds, and the tariff that goes with it.

    `uncapped` are the steps as they were planned, whatever the station can do now.
    """

    id: int = TUPLE_ID
    steps: Sequence[Step]
    uncapped: Sequence[Step]
    duration_s: float
    tariff: iso2.SalesTariff | None = None


def remaining(schedule: Schedule, elapsed_s: float) -> Schedule | None:
    """What is left of a schedule after some time, without its tariff, whose steps nobody may move; None: it is over."""
    if schedule.duration_s - elapsed_s < 1:
        return None
    return replace(
        schedule,
        steps=since(schedule.steps, elapsed_s),
        uncapped=since(schedule.uncapped, elapsed_s),
        duration_s=schedule.duration_s - elapsed_s,
        tariff=None,
    )


def sa_schedule_list(offered: Sequence[Schedule]) -> iso2.SAScheduleList:
    """Tell schedules to a vehicle."""
    return iso2.SAScheduleList(SAScheduleTuple=[_tuple(schedule) for schedule in offered])


def _tuple(schedule: Schedule) -> iso2.SAScheduleTuple:
    """One SAScheduleTuple: only its last entry carries a duration [V2G2-331], steps after the end are left out."""
    end_s = max(1, round(schedule.duration_s))
    told = [(start, most) for start, most in _whole_seconds(schedule.steps) if start < end_s]
    last_s = min(DAY_S, end_s - told[-1][0])
    entries = [
        iso2.PMaxScheduleEntry(
            TimeInterval=iso2.RelativeTimeInterval(start=start, duration=last_s if start == told[-1][0] else None),
            PMax=units.maximum(most, UnitSymbol.W),
        )
        for start, most in told
    ]
    return iso2.SAScheduleTuple(
        SAScheduleTupleID=schedule.id,
        PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=entries),
        SalesTariff=schedule.tariff,
    )


def _whole_seconds(steps: Sequence[Step]) -> list[tuple[int, float]]:
    """Round starts; of steps that fall on one second the lowest power holds."""
    told: dict[int, float] = {}
    for step in steps:
        start = min(LAST_START_S, round(step.start_s))
        told[start] = min(step.max_w, told.get(start, math.inf))
    return list(told.items())


def check_profile(request: iso2.PowerDeliveryReq, offered: iso2.SAScheduleList, *, tolerance: float = 0.005) -> None:
    """Refuse a tuple that was not offered, and a ChargingProfile that exceeds its PMax at any time.

    A profile that fits must be accepted [V2G2-224]; none at all is no fault, and beyond the schedule's end nothing is
    limited by it. `tolerance` is the fraction above PMax that still counts as fitting: vehicles compute power from
    rounded volts and amperes. A negative power is read as the positive one it was before it met 16 bits: a vehicle
    sends 4140.0 W like that, and nothing is discharged here.
    """
    chosen = [each for each in offered.SAScheduleTuple if each.SAScheduleTupleID == request.SAScheduleTupleID]
    if not chosen:
        raise Refused("FAILED_TariffSelectionInvalid", f"SAScheduleTupleID {request.SAScheduleTupleID} is not offered")
    if request.ChargingProfile is None:
        return
    entries = chosen[0].PMaxSchedule.PMaxScheduleEntry
    ends = _end(entries[-1])
    allowed = [
        (start, end, power + int(power * Decimal(str(tolerance))))
        for start, end, power in _spans([(_start(entry), _milliwatt(entry.PMax)) for entry in entries], ends)
    ]
    wanted = [
        (entry.ChargingProfileEntryStart, _milliwatt(_unwrapped(entry.ChargingProfileEntryMaxPower)))
        for entry in request.ChargingProfile.ProfileEntry
    ]
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(wanted)):
        raise Refused("FAILED_ChargingProfileInvalid", "the starts of the ChargingProfile do not rise")
    for start, end, power in _spans(wanted, FOR_EVER):
        room = [(begin, until) for begin, until, most in allowed if most >= power]
        if not _covered(start, end, [*room, (ends, FOR_EVER)]):
            raise Refused("FAILED_ChargingProfileInvalid", f"{power // 1000} W from {start} s on exceed the schedule")


def _start(entry: iso2.PMaxScheduleEntry) -> int:
    interval = entry.TimeInterval
    return interval.start if isinstance(interval, iso2.RelativeTimeInterval) else 0


def _end(last: iso2.PMaxScheduleEntry) -> int:
    """When the schedule ends; without a duration it does not."""
    interval = last.TimeInterval
    duration = interval.duration if isinstance(interval, iso2.RelativeTimeInterval) else None
    return FOR_EVER if duration is None else _start(last) + duration


def _unwrapped(power: iso2.PhysicalValue) -> iso2.PhysicalValue:
    return msgspec.structs.replace(power, Value=power.Value + 2**16) if power.Value < 0 else power


def _milliwatt(power: iso2.PhysicalValue) -> int:
    if power.Unit is not UnitSymbol.W:
        raise Refused("FAILED_ChargingProfileInvalid", f"power in {power.Unit} [V2G2-832]")
    return int(units.exact(power) * 1000)


def _spans(steps: Sequence[tuple[int, int]], end: int) -> list[tuple[int, int, int]]:
    ends = [start for start, _ in steps[1:]] + [end]
    return [(start, until, power) for (start, power), until in zip(steps, ends, strict=True)]


def _covered(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether the spans, each with its grace at both ends, leave no gap between `start` and `end`."""
    for begin, until in spans:
        if begin - GRACE_S <= start:
            start = max(start, until + GRACE_S)
    return start >= end
