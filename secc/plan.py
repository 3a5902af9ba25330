"""What one vehicle may draw when: asked for, offered, chosen. Reaches the vehicle as SAScheduleList.

A plan is asked for with every negotiation, where secc.toml says from whom. The vehicle is told to ask again until it
is there or its time is over; then the last plan holds, and without any, or where that one is over, the vehicle is
offered what the station can do. A vehicle that was paused is offered the schedule it had, and nothing else [V2G2-741];
another plan has it renegotiate later.
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from secc import api, schedules, tariffs
from secc.charger import Planned
from secc.limits import WHATEVER, Step, capped
from secc.promise import Promise
from secc.schedules import DAY_S, Schedule
from secc.visit import Visit
from v2g import units
from v2g.errors import Refused, Undecodable, Untrusted
from v2g.messages import iso2
from v2g.messages.xmldsig import Signature
from v2g.timing import Budget

NO_ENERGY_S = 1_800  # a vehicle that sleeps for want of energy comes back after that (IEC 61851-23:2023 CC.3.5)
TARIFF_AGE_S = 60.0  # its steps count from when it was signed, and nobody else may move them


@dataclass(slots=True, kw_only=True)
class Planning:
    """The schedules of one session."""

    visit: Visit
    kept: Schedule | None = None
    """The schedule of before the pause, where the session goes on from one, as of now."""
    offered: Sequence[Schedule] = ()
    chosen: Schedule | None = None
    since: float = 0.0
    """When the schedules were offered, monotonic: their steps count from then."""
    signature: Signature | None = None
    """The mobility operator's signature over the tariffs offered."""
    _published: api.Schedules = field(default_factory=api.Schedules)
    _told: iso2.SAScheduleList | None = None
    _last: Planned | None = None
    _budget: Budget = field(default_factory=lambda: Budget(0.0))

    # --- before the offer -------------------------------------------------------------------------------------------

    def ask(self, most: int) -> None:
        """Ask for a plan of at most so many steps, where somebody makes them and none is there that was not offered."""
        visit, settings = self.visit, self.visit.config.plan
        if settings.source == "none" or visit.limits.replanned:
            return
        wait_s = settings.wait_s * visit.timing.scale
        request = api.PlanRequest(
            id=secrets.token_hex(8),
            session=visit.session,
            deadline_s=wait_s,
            energy_mode=visit.energy_mode,
            max_charge_w=visit.limits.station().max_w,
            max_entries=most,
            departure_s=visit.vehicle.departure_s,
            energy_request_wh=visit.vehicle.energy_request_wh,
            emaid=None if visit.contract is None else visit.contract.emaid,
        )
        self._budget = Budget(wait_s)
        visit.limits.plan_request, visit.limits.plan_index = request.id, 0
        visit.charger.ask_plan(request, settings.source)

    @property
    def ready(self) -> bool:
        """Whether there is something to offer; False for as long as the vehicle has to ask again."""
        request = self.visit.limits.plan_request
        there = not request or self.visit.charger.planned(request) is not None
        return there or self.kept is not None or self._budget.over

    # --- the offer --------------------------------------------------------------------------------------------------

    def offer(self, most: int, departure_s: int | None) -> Sequence[Schedule]:
        """Put schedules of at most so many steps together, and put the first one in force until the vehicle chooses."""
        visit, now = self.visit, time.monotonic()
        most_w = visit.limits.station().max_w
        request = visit.limits.plan_request
        answer = visit.charger.planned(request) if request else None
        visit.limits.offered_plan = answer if self.kept is None else None
        planned = self._last = answer or self._last
        self.since, self.signature, self.chosen, self._told = now, None, None, None
        source = "default"
        if self.kept is not None:
            lowered = replace(self.kept, steps=capped(self.kept.uncapped, most_w))
            source, self.offered, self.kept = "resumed", [lowered], None
        elif planned is not None and not planned.over and planned.plan.schedules:
            source = visit.config.plan.source
            self.offered = self._from(planned.plan, now - planned.at, departure_s, most_w, most)
        else:
            steps = schedules.default_steps(most_w)
            longest_s = DAY_S if most_w > 0 else NO_ENERGY_S
            self.offered = [
                Schedule(steps=steps, uncapped=WHATEVER, duration_s=min(departure_s or longest_s, longest_s))
            ]
        if request and source != "resumed" and (answer is None or answer.over):
            waited = f"no plan within {visit.config.plan.wait_s:g} s"
            visit.charger.event("plan_missing", "the plan is over" if answer else waited)
        self._put_in_force(self.offered[0])
        visit.limits.differs = self._promise(departure_s, resumed=source == "resumed").differs
        offered = [_published(each) for each in self.offered]
        self._publish(source=source, offered=offered, chosen=None, profile=[])
        return self.offered

    def _promise(self, departure_s: int | None, *, resumed: bool) -> Promise:
        return Promise(
            curves={schedule.id - schedules.TUPLE_ID: schedule.uncapped for schedule in self.offered},
            since=self.since,
            ends=self.since + self.offered[0].duration_s,
            departs=self.since + departure_s if departure_s else math.inf,
            resumed=resumed,
        )

    @property
    def told(self) -> iso2.SAScheduleList:
        """The schedules offered, as a vehicle of ISO 15118-2 is told them; put together once, they may be long."""
        if self._told is None:
            self._told = schedules.sa_schedule_list(self.offered)
        return self._told

    def _from(
        self, plan: api.Plan, elapsed_s: float, departure_s: int | None, most_w: float, most: int
    ) -> list[Schedule]:
        """The schedules of a plan, as far as they are still ahead and as many steps as the vehicle takes."""
        signed = self._tariffs(plan, most, elapsed_s)
        self.signature = None if signed is None else signed.signature
        ends = [departure_s or None, None if plan.duration_s is None else plan.duration_s - elapsed_s]
        duration_s = min((end for end in ends if end is not None), default=DAY_S)
        made = []
        for number, planned in enumerate(plan.schedules):
            ahead = schedules.since([Step(step.start_s, step.max_w) for step in planned.steps], elapsed_s)
            steps = schedules.fewer(ahead, most)
            made.append(
                Schedule(
                    id=schedules.TUPLE_ID + number,
                    steps=capped(steps, most_w),
                    uncapped=steps,
                    duration_s=duration_s,
                    tariff=None if signed is None else signed.each[number],
                )
            )
        return made

    def _tariffs(self, plan: api.Plan, most: int, age_s: float) -> tariffs.Tariffs | None:
        """The tariffs that go with a plan; what a vehicle could not use is left out, and told."""
        try:
            signed = tariffs.read(plan, self.visit.contract, most)
        except (Undecodable, Untrusted) as error:
            self.visit.charger.event("tariff_dropped", str(error))
            return None
        if signed is not None and age_s > TARIFF_AGE_S:
            self.visit.charger.event("tariff_dropped", f"its times count from the plan, which came {age_s:.0f} s ago")
            return None
        return signed

    # --- the choice -------------------------------------------------------------------------------------------------

    def choose(self, power: iso2.PowerDeliveryReq) -> int:
        """Check which schedule the vehicle takes and how it means to charge, and tell the id; raises `Refused`."""
        visit, settings = self.visit, self.visit.config.session
        try:
            schedules.check_profile(power, self.told, tolerance=settings.profile_tolerance)
        except Refused as refusal:
            if settings.profile == "strict" or refusal.code != "FAILED_ChargingProfileInvalid":
                raise
            visit.charger.event("profile_exceeds", refusal.reason)
        self.take(power.SAScheduleTupleID, _profile(power))
        return power.SAScheduleTupleID

    def take(self, schedule_id: int, profile: Sequence[api.ProfileStep] = ()) -> None:
        """Put the schedule in force that the vehicle chose; raises ValueError for one that was not offered."""
        limits = self.visit.limits
        self.chosen = self.offered[[schedule.id for schedule in self.offered].index(schedule_id)]
        limits.plan_index = schedule_id - schedules.TUPLE_ID
        self._put_in_force(self.chosen)
        self._publish(chosen=self.chosen.id, profile=list(profile))

    @property
    def left(self) -> Schedule | None:
        """What is left of the schedule that was chosen; None where none was, or it is over."""
        return None if self.chosen is None else schedules.remaining(self.chosen, time.monotonic() - self.since)

    def _put_in_force(self, schedule: Schedule) -> None:
        self.visit.limits.schedule(schedule.steps, uncapped=schedule.uncapped, since=self.since)

    def _publish(self, **changes: Any) -> None:
        self._published = msgspec.structs.replace(self._published, **changes)
        self.visit.charger.schedules(self._published)


def most_entries(wanted: iso2.ChargeParameterDiscoveryReq) -> int:
    """How many entries of a schedule the vehicle takes: as many as there may be, where it does not say."""
    return wanted.MaxEntriesSAScheduleTuple or schedules.MOST_ENTRIES


def _published(schedule: Schedule) -> api.OfferedSchedule:
    return api.OfferedSchedule(
        id=schedule.id,
        entries=[api.ScheduleEntry(start_s=round(step.start_s, 1), max_w=step.max_w) for step in schedule.steps],
        duration_s=round(schedule.duration_s, 1),
        tariff=schedule.tariff is not None,
    )


def _profile(power: iso2.PowerDeliveryReq) -> list[api.ProfileStep]:
    """The profile as the vehicle wrote it; what is beyond all sense is left out."""
    entries = [] if power.ChargingProfile is None else power.ChargingProfile.ProfileEntry
    steps = [(each.ChargingProfileEntryStart, units.number(each.ChargingProfileEntryMaxPower)) for each in entries]
    return [api.ProfileStep(start_s=start, max_w=most) for start, most in steps if start <= 1e9 and abs(most) <= 1e9]
