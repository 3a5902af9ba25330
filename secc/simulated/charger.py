"""The simulated charger controller without its connection: payloads in, payloads out, time as an argument."""

from __future__ import annotations

from collections import OrderedDict
from typing import Literal

from secc import api
from secc.simulated.car import ForeignCar
from secc.simulated.card import CardReader
from secc.simulated.config import PlannedFault, SimulatorConfig
from secc.simulated.hardware import UNPLUGGED, Hardware, Mode
from secc.simulated.orders import Mandate, Orders
from secc.simulated.planner import Planner
from secc.simulated.reports import Reports, Say
from v2g.cable import CableVehicle
from v2g.record import Record

ANSWERS_KEPT = 256
LOW_TEST_V = 500.0

Wish = Literal["stop", "pause", "resume", "renegotiate", "emergency_stop"]


def test_voltage(command: api.Command, highest_v: float) -> float:
    """Volts of a cable check: as commanded, else from the vehicle's maximum as IEC 61851-23:2023 has it."""
    if command.test_voltage_v is not None:
        return min(command.test_voltage_v, highest_v)
    car_v = command.vehicle_max_voltage_v
    if car_v is None:
        return min(LOW_TEST_V, highest_v)
    return min(car_v + 50.0, LOW_TEST_V, highest_v) if car_v <= LOW_TEST_V else min(1.1 * car_v, highest_v)


class SimulatedCharger:
    """What a charger's firmware does: obey the SECC as far as the hardware allows, and report."""

    def __init__(self, config: SimulatorConfig, *, boot: str, now: float, say: Say) -> None:
        setup = config.setup()
        self.hardware = Hardware(
            setup, now=now, speed=config.speed, monitor=config.isolation, lock_fails=config.lock_fails
        )
        self.mandate = Mandate()
        self.reports = Reports(config, self.hardware, boot=boot, say=say)
        self._config = config
        self._boot = boot
        self._say = say
        self._began = now
        self._answers: OrderedDict[str, api.Ack] = OrderedDict()
        self._cards = CardReader(config.card, config.card_delay_s)
        self._planner = Planner(config.plan)
        self._woken = False
        self._pilot = "A"
        self._planned: list[PlannedFault] = list(config.faults)
        self._stop_after = config.stop_after_s
        self._session: api.Session | None = None
        self._phases: int | None = None
        self._checking: str | None = None
        self._checked_for: str | None = None
        self._car = UNPLUGGED
        self._foreign = ForeignCar(setup) if config.cable == "none" else None
        self._charging_since: float | None = None
        self._requests = 0

    # --- what others say --------------------------------------------------------------------------------------------

    def hear(self, payload: Record, *, retained: bool, now: float) -> None:
        """Take one payload that passed the checks of the bus, and act on it."""
        self.step(now)
        if isinstance(payload, api.Level) and not payload.boot:
            return
        match payload:
            case api.SeccStatus():
                self.mandate.status(payload)
            case api.Beat():
                self.mandate.beat(payload, now)
            case api.Session():
                self._session = payload
            case api.Limits():
                self.mandate.limits(payload, now)
            case api.Permit():
                self._permit(payload, retained=retained, now=now)
            case api.Target():
                self.mandate.target(payload, now)
            case api.Command():
                self._command(payload, now)
            case api.AuthorizationRequest():
                self._cards.ask(payload, now)
            case api.PlanRequest():
                self._say_plan(self._planner.ask(payload))
            case CableVehicle():
                self._car = payload
            case _:
                return
        self.step(now)

    def fault(self, kind: api.FaultKind) -> None:
        """Break something; it acts and is reported with the next step."""
        self.hardware.faults.provoke(kind)

    def mend(self, kind: api.FaultKind) -> None:
        """Take a fault's cause away."""
        self.hardware.faults.mend(kind)

    def leave(self) -> None:
        """Switch off: open, say so, and say goodbye."""
        self.mandate.spend()
        self.hardware.shut()
        self.reports.goodbye()

    def restrict(self, limits: api.ChargerLimits) -> None:
        """Lower what the hardware can do from now on; what is not stated keeps its rating."""
        self.hardware.limits = limits

    def show_card(self, *, accepted: bool) -> None:
        """Show a card to the reader; without a request that waits for one it is shown in advance."""
        self._say(api.CHARGER_AUTHORIZATION, self._cards.show(accepted=accepted))

    def plan(self, text: str) -> None:
        """Plan otherwise from now on, also for the session that asked last. Raises ValueError."""
        self._say_plan(self._planner.change(text))

    def _say_plan(self, plan: api.Plan | None) -> None:
        if plan is not None:
            self._say(api.CHARGER_PLAN, plan)

    def request(self, do: Wish, reason: str = "") -> str:
        """Ask something of the running session; returns the request's id."""
        self._requests += 1
        request = api.ChargerRequest(id=f"{self._boot}-{self._requests}", do=do, reason=reason or None)
        self._say(api.CHARGER_REQUEST, request)
        return request.id

    # --- orders -----------------------------------------------------------------------------------------------------

    def _permit(self, permit: api.Permit, *, retained: bool, now: float) -> None:
        key = f"{permit.boot}/{permit.seq}"
        if key not in self._answers:
            reason = self.mandate.permit(permit, retained=retained, now=now, obstacle=self._obstacle)
            self._answer(key, "rejected" if reason else "accepted", reason, seq=permit.seq)
        self._say(api.CHARGER_ACK, self._answers[key])

    def _obstacle(self, permit: api.Permit) -> str:
        """Why the hardware refuses a permit, or nothing."""
        self._keep_check(permit.session)
        return self.hardware.obstacle(permit.lock, permit.power, permit.contactor)

    def _keep_check(self, session: str | None) -> None:
        """Keep the outcome of a cable check only for the session that asked for it."""
        if session not in {None, self._checked_for}:
            self.hardware.forget_check()

    def _command(self, command: api.Command, now: float) -> None:
        if command.id not in self._answers:
            reason = self._unfit(command, now) or self._execute(command, now)
            done: Literal["accepted", "done"] = "accepted" if command.do == "start_cable_check" else "done"
            self._answer(command.id, "rejected" if reason else done, reason, ident=command.id)
        self._say(api.CHARGER_ACK, self._answers[command.id])

    def _unfit(self, command: api.Command, now: float) -> str:
        """Why a command is not for us or not for now, or nothing."""
        if not self.mandate.in_charge(command.boot):
            return "another SECC process is in charge"
        if command.deadline_s <= 0:
            return "its deadline has passed"
        if command.do == "wake_up":
            return "" if self._stage(now) == "paused" else "nobody is paused"
        return self.mandate.void(command.session, now)

    def _execute(self, command: api.Command, now: float) -> str:
        """Do what is commanded; return why not, or nothing."""
        hardware = self.hardware
        if command.do == "start_cable_check":
            orders = self.mandate.orders(now)
            if not orders.energy:
                return "no authorised limits"
            volts = test_voltage(command, hardware.setup.max_voltage_v)
            reason = hardware.start_check(volts, now + command.deadline_s, locked=orders.lock == "locked")
            if not reason:
                self._checking, self._checked_for = command.id, command.session
            return reason
        if command.do == "set_phases":
            if hardware.contactor.conducts:
                return "phases change only with an open contactor"
            self._phases = command.phases
        if command.do == "read_meter":
            self.reports.meter()
        if command.do == "wake_up":
            self._woken = True
        return ""

    def _answer(
        self, key: str, result: Literal["accepted", "done", "rejected", "failed"], reason: str,
        *, ident: str | None = None, seq: int | None = None,
    ) -> None:  # fmt: skip
        self._answers[key] = api.Ack(boot=self._boot, result=result, id=ident, seq=seq, reason=reason or None)
        while len(self._answers) > ANSWERS_KEPT:
            self._answers.popitem(last=False)

    # --- time -------------------------------------------------------------------------------------------------------

    @property
    def busy(self) -> bool:
        """Whether something moves, so that time has to be looked at closely."""
        hardware = self.hardware
        return hardware.contactor.conducts or hardware.voltage_v > 0 or self.mandate.session is not None

    def step(self, now: float) -> None:
        """Let time pass until `now`, and say what is due."""
        hardware, mandate = self.hardware, self.mandate
        mandate.watch(now, powered_since=hardware.powered_since)
        self._break_as_planned(now)
        self._keep_check(mandate.session)
        orders = mandate.orders(now)
        stage = self._stage(now)
        hardware.phases = self._phases_now()
        tripped = hardware.step(now, orders, self._cable_end(orders, stage, now), self._mode(now))
        if tripped:
            mandate.trip(tripped)
        if hardware.faults.emergency:
            mandate.spend()
        if mandate.silent:
            hardware.faults.report("secc_silent")
        else:
            hardware.faults.mend("secc_silent")
        self._doze(stage)
        self._finish_check()
        self._watch_charge(now)
        for word in self._cards.due(now):
            self._say(api.CHARGER_AUTHORIZATION, word)
        self.reports.due(now, mandate.session)

    def _doze(self, stage: str) -> None:
        """Sleep while the vehicle pauses, until the SECC or the vehicle, by C instead of B, wakes us."""
        toggled = self.reports.asleep and self._pilot == "B" and self.hardware.plug in ("C", "D")
        self._pilot = self.hardware.plug
        self._woken = (self._woken or toggled) and stage == "paused"
        self.reports.asleep = stage == "paused" and not self._woken

    def _stage(self, now: float) -> str:
        session = self._session
        if session is None or not self.mandate.in_charge(session.boot) or not self.mandate.alive(now):
            return "idle"
        return session.stage

    def _mode(self, now: float) -> Mode | None:
        """AC or DC: as the session chose, else as there is no choice."""
        modes: set[str] = set(self.hardware.setup.energy_modes)
        session = self._session
        if session is not None and self._stage(now) != "idle" and session.energy_mode is not None:
            modes &= {session.energy_mode}
        sides: set[Mode] = {"dc" if mode == "DC" else "ac" for mode in modes}
        return sides.pop() if len(sides) == 1 else None

    def _phases_now(self) -> int:
        if self._phases is not None and self.mandate.session is not None:
            return self._phases
        self._phases = None
        single = self._session is not None and self._session.energy_mode == "AC1"
        return 1 if single else self.hardware.setup.phases

    def _cable_end(self, orders: Orders, stage: str, now: float) -> CableVehicle:
        if self._foreign is None:
            return self._car
        limits = self.mandate.limits_in_force(now)
        return self._foreign.end(stage, limits, orders, self.hardware.supply.voltage_v, self.hardware.phases)

    def _break_as_planned(self, now: float) -> None:
        for fault in list(self._planned):
            since = self._began if fault.since == "start" else self._charging_since
            if since is not None and now - since >= fault.after_s:
                self._planned.remove(fault)
                self.fault(fault.kind)

    def _finish_check(self) -> None:
        check = self.hardware.check
        if self._checking is None or check.state == "running":
            return
        failed = check.state == "failed"
        reason = check.reason if failed else ""
        self._answer(self._checking, "failed" if failed else "done", reason, ident=self._checking)
        self._say(api.CHARGER_ACK, self._answers[self._checking])
        self._checking = None

    def _watch_charge(self, now: float) -> None:
        if not self.hardware.charging:
            self._charging_since = None
        elif self._charging_since is None:
            self._charging_since = now
        elif self._stop_after is not None and now - self._charging_since >= self._stop_after:
            self._stop_after = None
            self.request("stop", "asked for by --stop-after")
