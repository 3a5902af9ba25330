"""A charger in memory: it obeys at once, can be told not to, and keeps every order with its place in the sequence.

It watches over the order of power by itself: what no order may ever do stands in `violations`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from secc import api
from secc.charger import Planned, Presented, Recall, Trouble, Wish

AC_SETUP = api.Setup(
    evse_id="DE*PCG*E0001",
    energy_modes=["AC1", "AC3"],
    max_current_a=32.0,
    max_voltage_v=400.0,
    max_power_w=22_080.0,
    min_current_a=6.0,
)
DC_SETUP = api.Setup(
    evse_id="DE*PCG*E0001",
    energy_modes=["DC"],
    connector="cCombo2",
    max_current_a=200.0,
    max_voltage_v=500.0,
    max_power_w=60_000.0,
    min_voltage_v=150.0,
    min_current_a=1.0,
)
FINAL_EVENTS = {
    "session_ended", "session_paused", "refused", "silence", "gone", "undecodable", "handshake", "untrusted", "internal"
}  # fmt: skip
Check = Literal["passes", "fails", "faulty", "hangs"]
Outcome = Literal["idle", "running", "passed", "failed"]
OUTCOMES: dict[Check, tuple[Outcome, str]] = {
    "passes": ("passed", "valid"),
    "fails": ("failed", "invalid"),
    "faulty": ("passed", "fault"),
    "hangs": ("running", "invalid"),
}


class Order(NamedTuple):
    """One thing the station did, in sequence with all others; `sent` is a write to the vehicle."""

    kind: str
    facts: dict[str, Any]


class BenchCharger:
    """Implements `secc.charger.Charger`; attributes without underscore are the script."""

    def __init__(self, setup: api.Setup) -> None:
        self.setup: api.Setup | None = setup
        self.dc = "DC" in setup.energy_modes
        self.hardware_limits: api.ChargerLimits | None = None
        self.meter: api.Meter | None = api.Meter(meter_id="M1", energy_import_wh=1_000)
        self.linked = True
        self.link_reported = False
        self.wish: Wish = "none"
        self.cable_check: Outcome = "idle"
        self.silent: Trouble | None = None
        self.measuring = True
        self.voltage_v = 0.0
        self.current_a = 0.0
        self.power_w: float | None = None
        self.closes = True
        self.opens = True
        self.locks = True
        self.check: Check = "passes"
        self.card: Literal["accepted", "rejected", "none"] = "accepted"
        self.granted: dict[str, Any] = {}
        self.shown: Presented | None = None
        self.readmitted: tuple[str, Presented] | None = None
        self.breaks_at: str | None = None
        """The action that raises, as a fault of ours would."""
        self.orders: list[Order] = []
        self.violations: list[str] = []
        self.levels = {"lock": "unlocked", "contactor": "open", "power": "off"}
        self.running = False
        self.asked: list[api.AuthorizationRequest] = []
        self.backend: Callable[[api.CertificateRequest], api.BackendCertificate | None] = lambda _: None
        """The operator's answer to a certificate request; None is silence."""
        self.certificates: list[api.CertificateRequest] = []
        self.recall: Recall = "none"
        self.planner: Callable[[api.PlanRequest], api.Plan | None] = lambda _: None
        """Who is asked for a plan; None is silence. `replan` speaks later."""
        self.plans_asked: list[api.PlanRequest] = []
        self.plan_age_s = 0.0
        """How long ago a plan came when the station first sees it."""
        self._plan: Planned | None = None
        self._delivered: dict[str, api.BackendCertificate | None] = {}
        self._checked = False
        self._forbidden = ""
        self._sample = 0
        self._changed = asyncio.Event()
        self._state = api.ChargerState(
            plug="B", contactor="open", lock="unlocked", isolation="invalid", cable_check="idle", ready=True, faults=[]
        )

    # --- the script -----------------------------------------------------------------------------------------------

    @property
    def state(self) -> api.ChargerState | None:
        return None if self.silent is not None else self._state

    def change(self, **what: Any) -> None:
        """Report another state."""
        self._state = msgspec.structs.replace(self._state, **what)
        self.report()

    def report(self) -> None:
        """Wake whoever waits."""
        self._changed.set()
        self._changed = asyncio.Event()

    def fail(self, kind: str, severity: str) -> None:
        """Report a fault."""
        self.change(faults=[msgspec.convert({"kind": kind, "severity": severity}, api.Fault)])

    def forbid(self, why: str) -> None:
        """From now on, until the session ends, any order that energises is a violation."""
        self._forbidden = why

    def said(self, kind: str) -> list[dict[str, Any]]:
        """The facts of all orders of a kind."""
        return [order.facts for order in self.orders if order.kind == kind]

    @property
    def limits_told(self) -> list[api.Limits]:
        """All limits published."""
        return [facts["limits"] for facts in self.said("limits")]

    def index(self, kind: str, /, **facts: Any) -> int:
        """Where the last order of a kind with these facts stands; fails when there is none."""
        found = [
            place
            for place, order in enumerate(self.orders)
            if order.kind == kind and facts.items() <= order.facts.items()
        ]
        assert found, f"no order {kind} {facts}"
        return found[-1]

    # --- what the station reads -------------------------------------------------------------------------------------

    @property
    def measurement(self) -> api.Measurement | None:
        if not self.measuring:
            return None
        self._sample += 1
        flows = {"voltage_v": self.voltage_v, "current_a": self.current_a, "power_w": self.power_w}
        return msgspec.convert({"boot": "b", "sample": self._sample} | flows, api.Measurement)

    @property
    def trouble(self) -> Trouble | None:
        if self.silent is not None:
            return self.silent
        gravest = sorted(self._state.faults, key=lambda fault: fault.severity)
        return Trouble(kind=gravest[0].kind, emergency=gravest[0].severity == "emergency") if gravest else None

    def answered(self, request_id: str, source: Literal["charger", "backend"]) -> Presented | None:
        if self.readmitted is not None and self.readmitted[0] == request_id:
            revoked = Presented(accepted=False, source=source)
            return revoked if self.card == "rejected" else self.readmitted[1]
        if self.card == "none" or not any(each.id == request_id for each in self.asked):
            return None
        return Presented(accepted=self.card == "accepted", source=source, **self.granted)

    def advance(self, source: Literal["charger", "backend"], request_id: str) -> Presented | None:
        shown, self.shown = self.shown, None
        return shown

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # --- what the station does --------------------------------------------------------------------------------------

    def _note(self, kind: str, /, **facts: Any) -> None:
        self.orders.append(Order(kind, facts))
        if kind == self.breaks_at:
            self.breaks_at = None
            raise RuntimeError("a fault of ours, made on purpose")

    def begin(self, session: str, *, resumed: bool = False) -> None:
        self._note("begin", session=session, resumed=resumed)
        self.running, self._checked, self._forbidden = True, False, ""
        self.cable_check = "idle"

    def end(self, *, paused: bool = False) -> None:
        self._note("end", paused=paused)
        self._obey(contactor="open", power="off")
        self.running = False
        self.wish = "none"

    def followed(self) -> None:
        self._note("followed")
        self.wish = "none"

    def permit(
        self,
        *,
        lock: Literal["locked", "unlocked"] | None = None,
        contactor: Literal["open", "closed"] | None = None,
        power: Literal["off", "on"] | None = None,
        reason: str = "",
    ) -> None:
        if contactor == "closed" or power == "on":
            self._watch_over_power(reason)
        self._obey(lock=lock, contactor=contactor, power=power)
        self._note("permit", lock=lock, contactor=contactor, power=power, reason=reason)

    def _watch_over_power(self, reason: str) -> None:
        state = self._state
        rules = {
            f"energised in pilot state {state.plug}": state.plug in "CD",
            "energised outside a session": self.running,
            "energised with the plug unlocked": state.lock == "locked" or not (self.setup and self.setup.locks),
            "energised without a passed cable check": not self.dc or self._checked,
            f"energised though {self._forbidden}": not self._forbidden,
            "energised in trouble": self.trouble is None,
        }
        self.violations += [f"{rule} ({reason})" for rule, holds in rules.items() if not holds]

    def _obey(self, **levels: str | None) -> None:
        self.levels |= {name: level for name, level in levels.items() if level is not None}
        if levels.get("lock") and self.locks:
            self.change(lock=levels["lock"])
        if levels.get("contactor") == "closed" and self.closes:
            self.change(contactor="closed")
        if levels.get("contactor") == "open" and self.opens:
            self.current_a = self.voltage_v = 0.0
            self.change(contactor="open")

    def target(
        self,
        phase: Literal["idle", "precharge", "charge", "welding"],
        voltage_v: float = 0.0,
        current_a: float = 0.0,
        *,
        vehicle_max_voltage_v: float | None = None,
    ) -> None:
        self._note("target", phase=phase, voltage_v=voltage_v, current_a=current_a, maximum_v=vehicle_max_voltage_v)
        if self.levels["contactor"] == "closed" and self.levels["power"] == "on" and phase in ("precharge", "charge"):
            self.voltage_v, self.current_a = voltage_v, current_a if phase == "charge" else 0.0
        else:
            self.current_a = 0.0
        self.report()

    def check_cable(self, *, test_voltage_v: float, vehicle_max_voltage_v: float, deadline_s: float) -> None:
        self._note("check_cable", test_voltage_v=test_voltage_v, maximum_v=vehicle_max_voltage_v, deadline_s=deadline_s)
        if self._state.contactor != "open" or self.voltage_v >= 60:
            self.violations.append(f"cable check with {self.voltage_v} V and contactor {self._state.contactor}")
        self._checked = self.check == "passes"
        self.cable_check, isolation = OUTCOMES[self.check]
        self.change(isolation=isolation)

    def limits(self, limits: api.Limits) -> None:
        self._note("limits", limits=limits)
        if not limits.authorised and (limits.max_charge_w or limits.max_current_a):
            self.violations.append(f"limits without authorization: {limits}")

    def session(self, session: api.Session) -> None:
        self._note("session", session=session)

    def vehicle(self, vehicle: api.Vehicle) -> None:
        self._note("vehicle", vehicle=vehicle)

    def event(self, kind: str, reason: str = "", **facts: str) -> None:
        self._note("event", kind=kind, reason=reason, **facts)

    def services(self, selected: Sequence[api.SelectedService]) -> None:
        self._note("services", selected=list(selected))

    def schedules(self, schedules: api.Schedules) -> None:
        self._note("schedules", schedules=schedules)

    def receipt(self, receipt: api.Receipt) -> None:
        self._note("receipt", receipt=receipt)

    def wake_up(self, session: str, deadline_s: float) -> None:
        self._note("wake_up", session=session, deadline_s=deadline_s)
        self.recall = "none"

    def readmit(self, source: Literal["charger", "backend"], request_id: str, word: Presented) -> None:
        self._note("readmit", source=source, id=request_id, word=word)
        self.readmitted = (request_id, word)

    def ask_plan(self, request: api.PlanRequest, source: Literal["charger", "backend"]) -> None:
        self._note("ask_plan", request=request, source=source)
        self.plans_asked.append(request)
        self._plan = None
        if (plan := self.planner(request)) is not None:
            self.replan(*plan.schedules, signature=plan.signature, duration_s=plan.duration_s)

    def planned(self, request_id: str) -> Planned | None:
        asked = bool(self.plans_asked) and self.plans_asked[-1].id == request_id
        return self._plan if asked else None

    def replan(self, *schedules: api.PlannedSchedule, **more: Any) -> None:
        """Say a plan for the last request."""
        plan = api.Plan(id=self.plans_asked[-1].id, schedules=list(schedules), **more)
        self._plan = Planned(plan, time.monotonic() - self.plan_age_s)
        self.report()

    def ask(self, request: api.AuthorizationRequest) -> None:
        self._note("ask", request=request)
        self.asked.append(request)
        self.report()

    def ask_certificate(self, request: api.CertificateRequest) -> None:
        self._note("ask_certificate", request=request)
        self.certificates.append(request)
        self._delivered[request.id] = self.backend(request)
        self.report()

    def certificate(self, request_id: str) -> api.BackendCertificate | None:
        return self._delivered.get(request_id)
