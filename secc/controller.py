"""The charger controller as a session sees it: `secc.charger.Charger`, spoken over MQTT.

Silence and loss only ever lower: whoever is not heard is presumed dead, the orders fall back to open, off and zero,
and they stay there until another session begins. Time is the monotonic clock at receipt.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Literal

from secc import api
from secc import trouble as losses
from secc.cable_check import CableCheck, Outcome
from secc.charger import Recall, Trouble, Wish
from secc.inquiries import Inquiries
from secc.liveness import ControllerSettings, Gauge, L, Liveness
from secc.mqtt import Broker, Bus
from secc.orders import Orders, Phase
from secc.wishes import Wishes
from v2g.record import Record

READS = (*api.written_by("charger"), *api.written_by("backend"))

_log = logging.getLogger(__name__)


class Controller(Inquiries):
    """One EVSE's charger controller, reached through a broker. Implements `secc.charger.Charger`."""

    def __init__(
        self,
        broker: Broker,
        evse: str,
        settings: ControllerSettings | None = None,
        *,
        version: str,
        protocols: Sequence[str],
        interface: str,
    ) -> None:
        super().__init__(self._publish)
        self._settings = settings or ControllerSettings()
        self._orders = Orders(self._publish, version=version, protocols=protocols, interface=interface)
        self._bus = Bus(
            broker,
            evse,
            writer="secc",
            reads=READS,
            will=(api.SECC_STATUS, self._orders.status),
            handle=self._heard,
            rejected=self._rejected,
            connected=self._notify,
            disconnected=self._disconnected,
        )
        self._changed = asyncio.Event()
        self._liveness = Liveness(self._settings.controller_timeout_s)
        self._gauge = Gauge(self._settings.measurement_timeout_s)
        self._wishes = Wishes()
        self._check = CableCheck()
        self._passing = losses.Passing()
        self._setup: api.Setup | None = None
        self._boot: str | None = None
        self._loss: Trouble | None = None
        self._permit_ack: api.Ack | None = None

    # --- the process --------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Hold the connection and keep speaking until cancelled; then say open, off, zero, and offline."""
        settings = self._settings
        self._orders.greet()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._converse())
            tasks.create_task(_every(settings.heartbeat_s, self._orders.beat))
            tasks.create_task(_every(settings.target_s, self._orders.repeat_target))
            tasks.create_task(_every(settings.watch_s, self._watch))

    async def ready(self) -> None:
        """Wait until the broker is there and our subscriptions stand."""
        while not self._bus.up:
            await self._changed.wait()

    def online(self) -> None:
        """Tell everybody that vehicles can now reach us; the controller believes it with the next sign of life."""
        self._orders.online(online=True)
        self._orders.beat()

    async def _converse(self) -> None:
        """Run the bus; when cancelled, the last words still go out before it lets go."""
        bus = asyncio.create_task(self._bus.run())
        try:
            await asyncio.shield(bus)
        finally:
            self.end()
            self._orders.online(online=False)
            bus.cancel()
            await asyncio.wait({bus})

    # --- what the charger says ----------------------------------------------------------------------------------

    @property
    def setup(self) -> api.Setup | None:
        """What this charge point is; a session keeps seeing the setup it began with."""
        setup = self._level(api.CHARGER_SETUP)
        return setup if setup is None or self._setup is None else self._setup

    @property
    def state(self) -> api.ChargerState | None:
        """Plug, contactor, lock, isolation, faults; None while the controller is not alive."""
        return self._level(api.CHARGER_STATE)

    @property
    def measurement(self) -> api.Measurement | None:
        """Present voltage and current; None when older than the bound or when the sample counter stands still."""
        now = time.monotonic()
        return self._gauge.read(self._liveness.boot, now) if self._liveness.alive(now) else None

    @property
    def hardware_limits(self) -> api.ChargerLimits | None:
        """What the hardware can do now, where it differs from its rating."""
        return self._level(api.CHARGER_LIMITS)

    @property
    def meter(self) -> api.Meter | None:
        """The last reading; None for an EVSE without meter."""
        return self._level(api.CHARGER_METER)

    @property
    def linked(self) -> bool:
        """Whether the data link is there (or the controller does not report one)."""
        link = self._level(api.CHARGER_LINK)
        return link is None or link.state == "matched"

    @property
    def link_reported(self) -> bool:
        """Whether the controller reports a data link at all: only then D-LINK_READY is known."""
        return self._level(api.CHARGER_LINK) is not None

    @property
    def wish(self) -> Wish:
        """What the charger asked for in this session."""
        return self._wishes.wish

    @property
    def recall(self) -> Recall:
        """What the charger asks of the paused session: to wake the vehicle, or to give it up."""
        return self._wishes.recall

    def wake_up(self, session: str, deadline_s: float) -> None:
        """Ask for the vehicle of the paused session to be woken by the pilot; fulfils the wish for it."""
        self._wishes.recall = "none"
        ident = secrets.token_hex(8)
        self._publish(
            api.SECC_COMMAND,
            api.Command(id=ident, boot=self._orders.boot, session=session, do="wake_up", deadline_s=deadline_s),
        )

    def followed(self) -> None:
        """Note that the vehicle renegotiated, as was wished: another wish needs another request."""
        self._wishes.renegotiated()

    @property
    def cable_check(self) -> Outcome:
        """The outcome of the cable check asked for in this session; a rejected command counts as failed."""
        return self._check.look(self.state, time.monotonic())

    @property
    def permit_ack(self) -> api.Ack | None:
        """The controller's last answer to the permit that stands now."""
        return self._permit_ack

    @property
    def trouble(self) -> Trouble | None:
        """Why no power may flow. A loss stays one until another session begins, even when it is over."""
        if self._loss is not None:
            return self._loss
        if self._wishes.emergency is not None:
            return losses.emergency_stop(self._wishes.emergency)
        state = self.state
        if state is None:
            return self._silence() or losses.STATE_UNKNOWN
        return losses.fault(state) or (losses.MEASUREMENT_LOST if self._blind() else None)

    def _level(self, topic: api.Topic[L]) -> L | None:
        return self._liveness.level(topic, time.monotonic())

    def _silence(self) -> Trouble | None:
        if not self._bus.up:
            return losses.BROKER_LOST
        return None if self._liveness.alive(time.monotonic()) else losses.CONTROLLER_SILENT

    def _blind(self) -> bool:
        """Tell whether measurements are missing: power is on, and there was time to send the first."""
        on_for = time.monotonic() - self._orders.powered_at
        grace = on_for <= self._settings.measurement_timeout_s
        return self._orders.permit.power == "on" and not grace and self.measurement is None

    # --- what the session says ----------------------------------------------------------------------------------

    def begin(self, session: str, *, resumed: bool = False) -> None:
        """Start a session: its id stands in everything said from now on; wishes and acks start anew.

        The lock is as it was where the session is resumed.
        """
        self._forget()
        self._setup = self._level(api.CHARGER_SETUP)
        self._orders.begin(session, keep_lock=resumed)

    def end(self, *, paused: bool = False) -> None:
        """Forget the session: permit open and off, target zero, limits zero, personal data overwritten.

        While it is paused the lock stays as it is.
        """
        self._forget(paused=paused)
        self._wishes.paused = paused
        self._orders.clear(paused=paused)

    def permit(
        self,
        *,
        lock: Literal["locked", "unlocked"] | None = None,
        contactor: Literal["open", "closed"] | None = None,
        power: Literal["off", "on"] | None = None,
        reason: str = "",
    ) -> None:
        """Order levels; what is None keeps its level. After a loss only open and off are said."""
        before = self._orders.permit_seq
        self._orders.allow(lock=lock, contactor=contactor, power=power, reason=reason)
        if self._orders.permit_seq != before:
            self._permit_ack = None

    def target(
        self,
        phase: Phase,
        voltage_v: float = 0.0,
        current_a: float = 0.0,
        *,
        vehicle_max_voltage_v: float | None = None,
    ) -> None:
        """Set the operating point; it is repeated four times a second and falls to 0 A when the loop goes silent."""
        self._orders.target(phase, voltage_v, current_a, vehicle_max_voltage_v)

    def check_cable(self, *, test_voltage_v: float, vehicle_max_voltage_v: float, deadline_s: float) -> None:
        """Ask for one cable check; its outcome is read from `cable_check`. Asked while one runs, it changes nothing."""
        session = self._orders.session
        if session is None or self.cable_check == "running":
            return
        command_id = self._check.start(session, self.state, time.monotonic() + deadline_s)
        if not self._orders.energising or self._silence() is not None:
            self._check.fail()
            return
        self._publish(
            api.SECC_COMMAND,
            api.Command(
                id=command_id,
                boot=self._orders.boot,
                session=session,
                do="start_cable_check",
                deadline_s=deadline_s,
                test_voltage_v=test_voltage_v,
                vehicle_max_voltage_v=vehicle_max_voltage_v,
            ),
        )

    def limits(self, limits: api.Limits) -> None:
        """Publish authorised limits; the header is filled in here. After a loss they are zero."""
        self._orders.limits(limits)

    def session(self, session: api.Session) -> None:
        """Publish where the session is; the header is filled in here."""
        self._orders.stage(session)

    def vehicle(self, vehicle: api.Vehicle) -> None:
        """Publish what the car said; the header is filled in here."""
        self._orders.say(api.SECC_VEHICLE, vehicle)

    def services(self, selected: Sequence[api.SelectedService]) -> None:
        """Publish what the car selected besides charging."""
        self._orders.say(api.SECC_SERVICE, api.Services(selected=list(selected)))

    def schedules(self, schedules: api.Schedules) -> None:
        """Publish the schedules offered and chosen; the header is filled in here."""
        self._orders.say(api.SECC_PLAN, schedules)

    def receipt(self, receipt: api.Receipt) -> None:
        """Publish a meter reading as the car signed it."""
        self._publish(api.SECC_RECEIPT, receipt)

    def event(self, kind: str, reason: str = "", **facts: str) -> None:
        """Publish one event; `facts` are the other members of `api.Event`."""
        self._orders.event(kind, reason, **facts)

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until `holds()` is true, woken by whatever the charger says; False when the time is over first."""
        try:
            async with asyncio.timeout(within_s):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    # --- what arrives -------------------------------------------------------------------------------------------

    def _heard(self, topic: api.Topic[Record], payload: Record, _retained: bool) -> None:
        """Sort in what passed the checks of the bus; what it refuses here is told like what the bus refused."""
        now = time.monotonic()
        refusal = ""
        match payload:
            case api.Beat():
                self._liveness.beat(payload, now)
            case api.ChargerStatus():
                self._liveness.status(payload)
            case api.Level():
                self._liveness.take(topic.name, payload)
            case api.Measurement():
                self._gauge.take(payload, now)
            case api.Ack():
                refusal = self._acked(payload)
            case api.ChargerRequest():
                self._wished(payload)
            case _:
                refusal = self._take_answer(topic, payload, now)
        if refusal:
            self._rejected(topic.name, refusal)
        self._watch()

    def _acked(self, ack: api.Ack) -> str:
        """Take an ack of the running process; returns why it does not count, or nothing."""
        if ack.boot != self._liveness.boot:
            return "unknown boot" if self._liveness.boot else ""  # before the first heartbeat nobody offends
        if ack.id is not None:
            return self._check.take(ack)
        if ack.seq is not None and ack.seq == self._orders.permit_seq:
            self._permit_ack = ack
        return "neither id nor seq" if ack.seq is None else ""

    def _wished(self, request: api.ChargerRequest) -> None:
        reply, why = self._wishes.take(request, running=self._orders.session is not None)
        self.event(f"request_{reply}", why, id=request.id, topic=api.CHARGER_REQUEST.name)

    def _rejected(self, topic: str, reason: str) -> None:
        if self._orders.event("rejected", reason, topic=topic):
            _log.warning("rejected on %s: %s", topic, reason)

    def _disconnected(self) -> None:
        """Believe nothing until it is said anew."""
        self._liveness.forget()
        self._watch()

    # --- what time does -----------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Look for losses, which nobody announces, and wake whoever waits."""
        live = self._check.running or self._orders.permit.contactor == "closed"
        passed = self._passing.look(self.state, live=live)
        anew = losses.CONTROLLER_RESTARTED if self._liveness.boot != self._boot else None
        if self._orders.energising and (loss := self._silence() or anew or passed) is not None:
            self._lose(loss)
        if self._orders.quieten(self._settings.loop_silence_s):
            self._orders.repeat_target()
            self.event("loop_silent", "the vehicle asks for nothing: taken back to 0 A, in pre-charge to 0 V as well")
        self._check.look(self.state, time.monotonic())
        self._notify()

    def _lose(self, loss: Trouble) -> None:
        """Fall back to open, off and zero for the rest of the session."""
        self._loss = loss
        self._check.fail()
        self._orders.lose(loss.kind)
        self.event(loss.kind, loss.detail)

    def _forget(self, *, paused: bool = False) -> None:
        """Drop what belonged to a session."""
        self._setup = None
        self._loss = None
        self._permit_ack = None
        self._boot = self._liveness.boot
        self._wishes.forget()
        self._forget_questions(paused=paused)
        self._check = CableCheck()

    def _publish(self, topic: api.Topic[Record], payload: Record) -> None:
        self._bus.publish(topic, payload)

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _every(seconds: float, act: Callable[[], None]) -> None:
    """Act at once and then periodically."""
    while True:
        act()
        await asyncio.sleep(seconds)
