"""What the simulated charger says of itself, and when: levels at once on change, values as often as promised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Protocol, TypeVar

import msgspec

import v2g
from secc import api
from secc.simulated.config import SimulatorConfig
from secc.simulated.hardware import Hardware
from v2g.cable import CableCharger
from v2g.record import Record

BEAT_S = 0.5
MEASURE_S = 0.1
MEASURE_LIVE_S = 0.05
METER_S = 1.0
CABLE_S = 0.05
METER_ID_LENGTH = 32
DUTY_PERCENT = 5.0  # the duty cycle that asks for digital communication

P = TypeVar("P", bound=Record)
L = TypeVar("L", bound=api.Level)


class Say(Protocol):
    """Whatever carries our words to the broker."""

    def __call__(self, topic: api.Topic[P], payload: P) -> None:
        """Publish `payload`; returns at once."""


class Clock:
    """When something periodic is due again."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self._next = 0.0

    def due(self, now: float) -> bool:
        """Tell whether it is due, and set the next time."""
        if now < self._next:
            return False
        self._next = max(self._next + self.period_s, now + self.period_s / 2)
        return True


class Reports:
    """The words of one process start `boot`."""

    def __init__(self, config: SimulatorConfig, hardware: Hardware, *, boot: str, say: Say) -> None:
        self.asleep = False
        """Whether the pilot stands still for a paused vehicle, until it is to be woken."""
        self._config = config
        self._hardware = hardware
        self._boot = boot
        self._say = say
        self._session: str | None = None
        self._said: dict[str, Record] = {}
        self._seq: dict[str, int] = {}
        self._beats = 0
        self._samples = 0
        self._heart = Clock(BEAT_S)
        self._measure = Clock(MEASURE_S)
        self._metered = Clock(METER_S)
        self._cable = Clock(CABLE_S)
        self._was_charging = True

    def due(self, now: float, session: str | None) -> None:
        """Say what has changed and what is due."""
        self._session = session
        self._level(api.CHARGER_STATUS, self._status("online"))
        self._level(api.CHARGER_SETUP, self._hardware.setup)
        self._level(api.CHARGER_LIMITS, self._hardware.limits)
        since_ms = int((now - self._hardware.plug_since) * 1_000)
        self._level(api.CHARGER_STATE, self._state(), since_ms=since_ms)
        if self._config.cable == "mqtt":
            self._level(api.CHARGER_LINK, self._link())  # with foreign cars we know nothing of their link
        self._pulse(now)
        self._energy(now)
        self._plug(now)

    def farewell(self) -> api.ChargerStatus:
        """The last will: what the broker says for us."""
        return self._stamped(self._status("offline"), 0)

    def goodbye(self) -> None:
        """Say in which state we leave, and that we do."""
        self._level(api.CHARGER_STATE, self._state())
        self._level(api.CHARGER_STATUS, self._status("offline"))

    def meter(self) -> None:
        """Publish the meter's reading."""
        reading = self._config.meter_wh + int(self._hardware.energy_wh)
        name = f"SIM-{self._config.evse}"[:METER_ID_LENGTH]
        self._publish(api.CHARGER_METER, api.Meter(meter_id=name, energy_import_wh=reading, read_at=_time()))

    def beat(self) -> None:
        """Give one sign of life."""
        self._beats += 1
        self._say(api.CHARGER_HEARTBEAT, api.Beat(boot=self._boot, counter=self._beats))

    def _status(self, state: Literal["online", "offline"]) -> api.ChargerStatus:
        return api.ChargerStatus(state=state, name="plugcharge simulator", firmware=v2g.__version__)

    def _state(self) -> api.ChargerState:
        hardware = self._hardware
        faults = hardware.faults.standing
        return api.ChargerState(
            plug=hardware.plug,
            contactor=hardware.contactor.state,
            lock=hardware.lock.state,
            isolation=hardware.check.isolation,
            cable_check=hardware.check.state,
            ready=not faults,
            faults=faults,
            pwm=self._pwm,
            duty_percent=DUTY_PERCENT if self._pwm else None,
        )

    @property
    def _pwm(self) -> bool:
        return self._hardware.plug != "A" and not self._hardware.faults.emergency and not self.asleep

    def _link(self) -> api.ChargerLink:
        return api.ChargerLink(kind=self._config.link, state="unmatched" if self._hardware.plug == "A" else "matched")

    def _pulse(self, now: float) -> None:
        hardware = self._hardware
        if self._heart.due(now):
            self.beat()
        self._measure.period_s = MEASURE_LIVE_S if hardware.contactor.conducts else MEASURE_S
        if self._measure.due(now):
            self._samples += 1
            self._say(api.CHARGER_MEASUREMENT, self._measurement())

    def _measurement(self) -> api.Measurement:
        hardware = self._hardware
        per_phase = [hardware.current_a] * hardware.phases if hardware.mode == "ac" else []
        return api.Measurement(
            boot=self._boot,
            sample=self._samples,
            voltage_v=hardware.voltage_v,
            current_a=hardware.current_a,
            power_w=hardware.power_w,
            current_per_phase_a=per_phase,
        )

    def _energy(self, now: float) -> None:
        charging = self._hardware.charging
        if charging != self._was_charging or (charging and self._metered.due(now)):
            self.meter()
        self._was_charging = charging

    def _plug(self, now: float) -> None:
        end = CableCharger(pwm=self._pwm, duty_percent=DUTY_PERCENT, voltage_v=round(self._hardware.voltage_v, 1))
        known = self._said.get(api.CABLE_CHARGER.name)
        if self._config.cable == "none" or end == known:
            return
        urgent = not isinstance(known, CableCharger) or known.pwm != end.pwm
        if urgent or self._cable.due(now):
            self._said[api.CABLE_CHARGER.name] = end
            self._say(api.CABLE_CHARGER, end)

    def _level(self, topic: api.Topic[L], level: L, **ages: int) -> None:
        """Publish a level if it differs from what was said last; `ages` are members that change all the time."""
        if self._said.get(topic.name) != level:
            self._said[topic.name] = level
            self._publish(topic, msgspec.structs.replace(level, **ages))

    def _publish(self, topic: api.Topic[L], level: L) -> None:
        seq = self._seq[topic.name] = self._seq.get(topic.name, 0) + 1
        self._say(topic, self._stamped(level, seq))

    def _stamped(self, level: L, seq: int) -> L:
        return msgspec.structs.replace(level, boot=self._boot, seq=seq, time=_time(), session=self._session)


def _time() -> str:
    """The wall clock in RFC 3339, for people only."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
