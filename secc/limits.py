"""The limits in force: what vehicle, station, schedule and contract allow together, with the source of each bound.

    limits = min(EV, EVSE rating, charger/limits now, schedule step now, plan now, contract)

per quantity. They are zero unless the session is authorised and its power window is open; published at once whenever
one of them changes and at every step of the schedule. No limit stated is not zero, and zero is not absent.
"""

from __future__ import annotations

import asyncio
import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from secc import api
from secc.charger import Charger, Planned

Energy = Literal["AC", "DC"]
Window = Literal["closed", "testing", "open"]

TEST_CURRENT_A = 2.0
AC_MINIMUM_A = 6.0
BREATH_S = 60.0
AHEAD = 32
NOT_THE_STATIONS = frozenset({"ev", "schedule"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one source allows; None says nothing about that quantity. Maxima of current are per phase."""

    max_w: float | None = None
    max_a: float | None = None
    max_v: float | None = None
    min_v: float | None = None
    min_a: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The combination of all claims; `limited_by` names the source of each bound."""

    max_w: float
    max_a: float
    max_v: float | None
    min_v: float | None
    limited_by: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """From `start_s` on (seconds after the schedule was told) at most `max_w`."""

    start_s: float
    max_w: float


WHATEVER = (Step(0, math.inf),)


def capped(steps: Iterable[Step], max_w: float) -> list[Step]:
    """Lower all steps to what the station can do."""
    return [Step(step.start_s, min(step.max_w, max_w)) for step in steps]


_CHOICES: dict[str, Callable[[Iterable[tuple[float, str]]], tuple[float, str]]] = {
    "max_w": min, "max_a": min, "max_v": min, "min_v": max, "min_a": max,
}  # fmt: skip


def combine(claims: Mapping[str, Claim], *, energy: Energy, phases: int = 1, nominal_v: float = 230.0) -> Bounds:
    """Take the smallest maximum and the largest minimum of all claims, each with its source.

    Power and current bound each other in AC (P = n x U x I). What falls below the largest minimum current is zero,
    never rounded up; no power is no current.
    """
    picked = {name: _pick(claims, name, choose) for name, choose in _CHOICES.items()}
    sources = {name: source for name, (_, source) in picked.items() if source and name != "min_a"}
    max_w, max_a, max_v, min_v = (picked[name][0] for name in ("max_w", "max_a", "max_v", "min_v"))
    min_a = picked["min_a"][0] or 0.0
    if energy == "AC":
        per_ampere = nominal_v * phases
        if max_a is None or (max_w is not None and max_w < max_a * per_ampere):
            max_a = (max_w or 0.0) / per_ampere
            sources["max_a"] = sources.get("max_w", "evse")
        else:
            max_w = max_a * per_ampere
            sources["max_w"] = sources["max_a"]
        min_a = max(min_a, AC_MINIMUM_A)
    powerless = max_w is not None and max_w <= 0
    max_a, max_w = max(0.0, max_a or 0.0), max(0.0, max_w or 0.0)
    if max_a < min_a or powerless:
        max_a = max_w = 0.0
    return Bounds(max_w=_down(max_w), max_a=_down(max_a), max_v=max_v, min_v=min_v, limited_by=sources)


def _pick(
    claims: Mapping[str, Claim], name: str, choose: Callable[[Iterable[tuple[float, str]]], tuple[float, str]]
) -> tuple[float | None, str]:
    """Choose among the values stated for a quantity; tell it with its source, or None where nobody states one."""
    stated = [(value, source) for source, claim in claims.items() if (value := getattr(claim, name)) is not None]
    return choose(stated) if stated else (None, "")


def _down(value: float) -> float:
    """Round a maximum down to three decimals; the tiny addend keeps exact values exact."""
    return math.floor(value * 1000 + 1e-6) / 1000


@dataclass(slots=True, kw_only=True)
class AuthorisedLimits:
    """Keeps `secc/limits` true during one session.

    `contract` is what the published limits call the contract (the EMAID or its hash); `claims` are by source.
    `plan_request` names the request whose newest plan binds at once, `plan_index` the schedule of it that was chosen.
    """

    charger: Charger
    energy: Energy = "AC"
    phases: int = 1
    authorised: bool = False
    contract: str | None = None
    max_energy_wh: float | None = None
    window: Window = "closed"
    claims: dict[str, Claim] = field(default_factory=dict)
    steps: Sequence[Step] = ()
    plan_request: str = ""
    plan_index: int = 0
    offered_plan: Planned | None = None
    """The plan that the vehicle was offered schedules of."""
    differs: Callable[[Planned, float], bool] = lambda _planned, _most_w: True
    """Whether a plan says something else than what the vehicle was offered, up to what the station can do."""
    _uncapped: Sequence[Step] = WHATEVER
    _told_at: float = field(default_factory=time.monotonic)
    _published: object = None
    _meter_began: int | None = None

    def station(self) -> Bounds:
        """What the station can do now, whatever the vehicle wants and was told."""
        return self.bounds(without=NOT_THE_STATIONS)

    @property
    def outdated(self) -> bool:
        """Whether the station would offer another schedule than the one in force: 0 W where it can do nothing."""
        return bool(self.steps) and capped(self._uncapped, self.station().max_w) != list(self.steps)

    @property
    def withholds(self) -> bool:
        """Whether the schedule in force allows nothing now, whatever the station can do."""
        return bool(self.steps) and self._step_now() == 0

    @property
    def replanned(self) -> bool:
        """Whether a plan, not over yet, says something else than what the vehicle was offered."""
        plan = self._plan
        if plan is None or plan is self.offered_plan or plan.over:
            return plan is None and self.offered_plan is not None
        return self.differs(plan, self.station().max_w)

    @property
    def _plan(self) -> Planned | None:
        return self.charger.planned(self.plan_request) if self.plan_request else None

    def bounds(self, *, without: frozenset[str] = frozenset()) -> Bounds:
        """What may flow once the window is open, by all claims as they are now, or `without` some sources."""
        setup = self.charger.setup
        claims = {source: claim for source, claim in self.claims.items() if source not in without}
        if setup is not None:
            claims["evse"] = Claim(
                max_w=setup.max_power_w,
                max_a=setup.max_current_a,
                max_v=setup.max_voltage_v,
                min_v=setup.min_voltage_v,
                min_a=setup.min_current_a,
            )
        hardware = self.charger.hardware_limits
        if hardware is not None:
            claims["hardware"] = Claim(
                max_w=hardware.max_charge_w,
                max_a=hardware.max_current_a,
                max_v=hardware.max_voltage_v,
                min_v=hardware.min_voltage_v,
            )
        if self.steps and "schedule" not in without:
            claims["schedule"] = Claim(max_w=self._step_now())
        if "schedule" not in without and (plan_w := self._planned_now()) is not None:
            claims["plan"] = Claim(max_w=plan_w)
        nominal_v = setup.nominal_voltage_v if setup is not None else 230.0
        return combine(claims, energy=self.energy, phases=self.phases, nominal_v=nominal_v)

    def allow(
        self,
        source: str,
        *,
        max_w: float | None = None,
        max_a: float | None = None,
        max_v: float | None = None,
        min_a: float | None = None,
    ) -> None:
        """State what one source allows from now on."""
        self.claims[source] = Claim(max_w=max_w, max_a=max_a, max_v=max_v, min_a=min_a)

    def schedule(
        self, steps: Sequence[Step], *, uncapped: Sequence[Step] = WHATEVER, since: float | None = None
    ) -> None:
        """Put a schedule in force, from now on or as of `since` (monotonic).

        `uncapped` is what it was made of, before it was lowered to what the station can do.
        """
        self.steps, self._uncapped = tuple(steps), tuple(uncapped)
        self._told_at = time.monotonic() if since is None else since
        self.refresh()

    def move(self, window: Window) -> None:
        """Open, narrow or close the power window, and publish what follows from it at once."""
        self.window = window
        self.refresh()

    def refresh(self) -> Bounds:
        """Publish the limits if they differ from what was published last; return what may flow now."""
        bounds = self.bounds() if self.authorised else _NOTHING
        flowing = self._through_window(bounds)
        said = (self.authorised, self.charger.trouble is None, flowing, self.steps)
        if said != self._published:
            self._published = said
            self.charger.limits(self._limits(flowing))
        return flowing

    async def keep(self) -> None:
        """Refresh for as long as the session runs: on every change the charger reports, at every schedule step."""
        while True:
            await self._change(self._seen())
            self.refresh()
            await asyncio.sleep(0)

    async def _change(self, seen: object) -> None:
        """Wait until the charger reports something else, or the next step begins."""
        await self.charger.until(lambda: self._seen() != seen, min(self._valid_for() or BREATH_S, BREATH_S))

    def _seen(self) -> object:
        """What limits depend on and no action of the session announces; and the schedule, whose steps are awaited."""
        charger = self.charger
        changing = (charger.setup, charger.hardware_limits, charger.trouble, self._energy_left(), self._told_at)
        return (*changing, id(self._plan))

    def _through_window(self, bounds: Bounds) -> Bounds:
        if self.window == "closed" or self.charger.trouble is not None or self._energy_left() == 0:
            return _NOTHING
        if self.window == "open":
            return bounds
        bounds = self.bounds(without=frozenset({"schedule"}))  # a test needs no energy of a schedule
        max_a = min(TEST_CURRENT_A, bounds.max_a)
        max_w = min(bounds.max_w, _down(max_a * (bounds.max_v or 0.0)))
        return replace(bounds, max_a=max_a, max_w=max_w)

    def _energy_left(self) -> float | None:
        """What is left of a limited energy; nothing where the meter that should count it is silent or runs back."""
        if self.max_energy_wh is None:
            return None
        meter = self.charger.meter
        if meter is None:
            return 0.0
        if self._meter_began is None:
            self._meter_began = meter.energy_import_wh
        used_wh = meter.energy_import_wh - self._meter_began
        return max(0.0, self.max_energy_wh - used_wh) if used_wh >= 0 else 0.0

    @property
    def energy_left_wh(self) -> float | None:
        """What is left of the energy that came with the authorization; None where it is not limited."""
        return self._energy_left()

    @property
    def spent(self) -> bool:
        """Whether the energy that came with the authorization is used up."""
        return self.authorised and self._energy_left() == 0

    def _limits(self, flowing: Bounds) -> api.Limits:
        charging = flowing.max_w > 0
        return api.Limits(
            authorised=self.authorised and self.charger.trouble is None,
            direction="charge" if charging else "none",
            max_charge_w=flowing.max_w,
            max_discharge_w=0.0,
            max_current_a=flowing.max_a,
            max_charge_w_per_phase=_down(flowing.max_w / self.phases) if charging and self.energy == "AC" else None,
            contract=self.contract if self.authorised else None,
            max_voltage_v=flowing.max_v,
            min_voltage_v=flowing.min_v,
            energy_left_wh=self._energy_left(),
            valid_for_s=None if (valid := self._valid_for()) is None else round(valid, 3),
            limited_by=dict(flowing.limited_by),
            schedule=self._ahead(),
        )

    def _step_now(self) -> float:
        return _at(self.steps, time.monotonic() - self._told_at)

    def _planned_now(self) -> float | None:
        """What the newest plan allows now; None where there is none, or none that says anything."""
        steps, began = self._planned_steps()
        return _at(steps, time.monotonic() - began) if steps else None

    def _planned_steps(self) -> tuple[Sequence[api.PlanStep], float]:
        """The steps of the newest plan, for the schedule that was chosen, and when they began."""
        planned = self._plan
        if planned is None or planned.over or not planned.plan.schedules:
            return (), 0.0
        chosen = planned.plan.schedules[min(self.plan_index, len(planned.plan.schedules) - 1)]
        return chosen.steps, planned.at

    def _ahead(self) -> list[api.ScheduleEntry]:
        """The step in force and the next ones, relative to now; limits may change many times a second."""
        elapsed = time.monotonic() - self._told_at
        reached = _reached(self.steps, elapsed)
        return [
            api.ScheduleEntry(start_s=round(step.start_s - elapsed, 1), max_w=step.max_w)
            for step in self.steps[reached : reached + AHEAD]
        ]

    def _valid_for(self) -> float | None:
        now = time.monotonic()
        planned, began = self._planned_steps()
        starts = [self._told_at + step.start_s for step in self.steps] + [began + step.start_s for step in planned]
        return min((start - now for start in starts if start > now), default=None)


def _at(steps: Sequence[Step] | Sequence[api.PlanStep], elapsed_s: float) -> float:
    """Tell the power of the step that is reached; before the first one it is the first."""
    return steps[_reached(steps, elapsed_s)].max_w


def _reached(steps: Sequence[Step] | Sequence[api.PlanStep], elapsed_s: float) -> int:
    return max(0, bisect_right(steps, elapsed_s, key=_start) - 1)


def _start(step: Step | api.PlanStep) -> float:
    return step.start_s


_NOTHING = Bounds(max_w=0.0, max_a=0.0, max_v=None, min_v=None, limited_by={})
