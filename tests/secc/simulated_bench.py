"""A bench for the simulated charger: a SECC's words and a car's plug as plain calls, time as a number."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec

from secc import api
from secc.simulated.charger import SimulatedCharger
from secc.simulated.config import SimulatorConfig
from v2g.cable import CableVehicle
from v2g.record import Record

P = TypeVar("P", bound=Record)
TICK_S = 0.01
BATTERY_V = 400.0


class Bench:
    """One charger, one SECC of process start `boot` and one car; `now` moves only by `run` and `until`."""

    def __init__(self, energy: Literal["ac", "dc", "both"] = "dc", **options: Any) -> None:
        self.now = 100.0
        self.said: list[tuple[str, Record]] = []
        self.config = msgspec.convert({"energy": energy, **options}, SimulatorConfig)
        self.charger = SimulatedCharger(self.config, boot="charger-1", now=self.now, say=self._say)
        self.hardware = self.charger.hardware
        self.boot = "secc-1"
        self.session: str | None = None
        self.beating = True
        self.follow: dict[str, Any] | None = None
        """The target repeated four times a second, as a living SECC does."""
        self.after_step: Callable[[], None] = lambda: None
        self._seq = 0
        self._beats = 0
        self._beat_at = self._target_at = 0.0

    def _say(self, topic: api.Topic[P], payload: P) -> None:
        self.said.append((topic.name, payload))

    # --- time

    def run(self, seconds: float) -> None:
        """Let time pass, with heartbeats and targets as they are due."""
        end = self.now + seconds
        while self.now < end - 1e-9:
            self.now += min(TICK_S, end - self.now)
            if self.beating and self.now - self._beat_at >= 0.5:
                self._beats, self._beat_at = self._beats + 1, self.now
                self.hear(api.Beat(boot=self.boot, counter=self._beats))
            if self.follow is not None and self.now - self._target_at >= 0.25:
                self._target_at = self.now
                self.hear(api.Target(boot=self.boot, session=self.session, **self.follow))
            self.charger.step(self.now)
            self.after_step()

    def until(self, holds: Callable[[], bool], within_s: float) -> float:
        """Run until something holds; returns how long it took, fails after `within_s`."""
        began = self.now
        while not holds():
            assert self.now - began < within_s, self.hardware.__dict__
            self.run(TICK_S)
        return self.now - began

    # --- the SECC

    def hear(self, payload: Record, *, retained: bool = False) -> None:
        self.charger.hear(payload, retained=retained, now=self.now)
        self.after_step()

    def header(self) -> dict[str, Any]:
        self._seq += 1
        return {"boot": self.boot, "seq": self._seq, "time": "", "session": self.session}

    def online(self) -> None:
        self.hear(api.SeccStatus(**self.header(), state="online"))
        self.run(0.6)

    def begin(self, session: str = "s1", mode: api.EnergyMode | None = None) -> None:
        self.session = session
        self.hear(api.Session(**self.header(), stage="connected", energy_mode=mode))
        self.permit(lock="unlocked")

    def permit(
        self,
        lock: Literal["locked", "unlocked"] = "locked",
        contactor: Literal["open", "closed"] = "open",
        power: Literal["off", "on"] = "off",
    ) -> api.Ack:
        self.hear(api.Permit(**self.header(), lock=lock, contactor=contactor, power=power))
        return self.ack()

    def limits(self, current_a: float = 32.0, power_w: float = 20_000.0, **more: Any) -> None:
        on = current_a > 0
        self.hear(
            api.Limits(
                **self.header(),
                **{
                    "authorised": on,
                    "direction": "charge" if on else "none",
                    "max_charge_w": power_w if on else 0.0,
                    "max_discharge_w": 0.0,
                    "max_current_a": current_a,
                    **more,
                },
            )
        )

    def target(
        self, phase: Literal["precharge", "charge", "idle", "welding"], voltage_v: float, current_a: float, **more: Any
    ) -> None:
        self.follow = {"phase": phase, "voltage_v": voltage_v, "current_a": current_a, **more}
        self._target_at = self.now
        self.hear(api.Target(boot=self.boot, session=self.session, **self.follow))

    def check_cable(self, ident: str = "check-1", **more: Any) -> api.Ack:
        facts = {"boot": self.boot, "session": self.session, "deadline_s": 38.0, "test_voltage_v": 500.0, **more}
        self.hear(api.Command(id=ident, do="start_cable_check", **facts))
        return self.ack()

    # --- the car

    def plug(
        self, pilot: api.Pilot = "C", contactor: Literal["open", "closed"] = "open", current_a: float = 0.0
    ) -> None:
        self.hear(
            CableVehicle(
                plugged=pilot != "A", pilot=pilot, contactor=contactor, current_a=current_a, battery_v=BATTERY_V
            )
        )

    # --- what the charger said

    def all(self, kind: type[P]) -> list[P]:
        return [payload for _, payload in self.said if isinstance(payload, kind)]

    def ack(self) -> api.Ack:
        return self.all(api.Ack)[-1]

    @property
    def state(self) -> api.ChargerState:
        return self.all(api.ChargerState)[-1]

    @property
    def faults(self) -> set[str]:
        return {fault.kind for fault in self.state.faults}

    def pilots(self) -> list[str]:
        """The plug's states in the order they were reported."""
        return [pilot for pilot, _ in itertools.groupby(state.plug for state in self.all(api.ChargerState))]

    # --- ways up

    def prepared(self, session: str = "s1") -> None:
        """A DC session whose cable check has passed."""
        self.online()
        self.begin(session, "DC" if self.config.energy == "both" else None)
        self.plug("C")
        self.permit(lock="locked")
        self.until(lambda: self.state.lock == "locked", 0.2)
        self.limits(2.0)
        assert self.check_cable().result == "accepted"
        self.until(lambda: self.state.cable_check != "running", 2.0)
        assert self.state.cable_check == "passed"

    def charging_dc(self, current_a: float = 50.0) -> None:
        """A DC session that charges with `current_a`."""
        self.prepared()
        self.target("precharge", BATTERY_V, 2.0)
        assert self.permit("locked", "closed", "on").result == "accepted"
        self.until(lambda: abs(self.hardware.voltage_v - BATTERY_V) < 20, 1.0)
        self.plug("C", "closed")
        self.limits(current_a, 200_000.0)
        self.target("charge", BATTERY_V, current_a)
        self.until(lambda: abs(self.hardware.current_a - current_a) < 0.5, 2.0)

    def charging_ac(self, current_a: float = 16.0) -> None:
        """An AC session in which the car draws `current_a` per phase."""
        self.online()
        self.begin("s1", "AC3")
        self.plug("C")
        self.limits(current_a)
        assert self.permit("locked", "closed", "on").result == "accepted"
        self.until(lambda: self.state.contactor == "closed", 0.2)
        self.plug("C", current_a=current_a)
