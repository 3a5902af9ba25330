"""Schedules offered to the vehicle, and the check of the profile it sends back.

All comparisons are made in whole milliwatts and seconds: two step functions fit or they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise

from secc.limits import Step
from v2g import units
from v2g.errors import Refused
from v2g.messages import iso2
from v2g.messages.iso2 import UnitSymbol

DAY_S = 86_400
FOR_EVER = 2**40
GRACE_S = 5  # around each step [V2G2-833] [V2G2-834]; the length is ours
TUPLE_ID = 1


def default_steps(max_w: float) -> list[Step]:
    """One step for as long as the vehicle stays: what the station can do."""
    return [Step(0, max_w)]


def sa_schedule_list(steps: Sequence[Step], departure_s: int | None) -> iso2.SAScheduleList:
    """One SAScheduleTuple from steps, ending at the departure or after 24 h [V2G2-303] [V2G2-304].

    Only the last entry carries a duration [V2G2-331]; steps after the departure are left out.
    """
    end_s = departure_s or DAY_S
    told = [step for step in steps if step.start_s < end_s]
    last_duration = min(DAY_S, max(0, end_s - round(told[-1].start_s)))
    entries = [
        iso2.PMaxScheduleEntry(
            TimeInterval=iso2.RelativeTimeInterval(
                start=round(step.start_s), duration=last_duration if step is told[-1] else None
            ),
            PMax=units.maximum(step.max_w, UnitSymbol.W),
        )
        for step in told
    ]
    schedule = iso2.SAScheduleTuple(
        SAScheduleTupleID=TUPLE_ID, PMaxSchedule=iso2.PMaxSchedule(PMaxScheduleEntry=entries)
    )
    return iso2.SAScheduleList(SAScheduleTuple=[schedule])


def check_profile(request: iso2.PowerDeliveryReq, offered: iso2.SAScheduleList, *, tolerance: float = 0.005) -> None:
    """Refuse a tuple that was not offered, and a ChargingProfile that exceeds its PMax at any time.

    A profile that fits must be accepted [V2G2-224]; none at all is no fault, and beyond the schedule's end nothing is
    limited by it. `tolerance` is the fraction above PMax that still counts as fitting: vehicles compute power from
    rounded volts and amperes. A negative power says nothing: vehicles send what became one in 16 bits.
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
        (entry.ChargingProfileEntryStart, _milliwatt(entry.ChargingProfileEntryMaxPower))
        for entry in request.ChargingProfile.ProfileEntry
    ]
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(wanted)):
        raise Refused("FAILED_ChargingProfileInvalid", "the starts of the ChargingProfile do not rise")
    for start, end, power in _spans(wanted, FOR_EVER):
        if power < 0:
            continue
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
