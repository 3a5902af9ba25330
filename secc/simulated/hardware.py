"""The power part of the simulated charger: interlocks first, then what was ordered. Pure: time is an argument.

Emergency stop, plug, lock, isolation and over-voltage act here by themselves, whatever the SECC orders.
"""

from __future__ import annotations

from typing import Literal

from secc import api
from secc.simulated.faults import Faults
from secc.simulated.orders import Orders
from secc.simulated.supply import HEADROOM_V, NO_CURRENT_A, SAFE_V, CableCheck, Drive, Isolation, Pace, Supply
from secc.simulated.switches import Contactor, Lock
from v2g.cable import CableVehicle

Mode = Literal["ac", "dc"]

OPEN_WITHIN_S = 0.5  # a ramp that takes longer is cut by the contactor
OVERCURRENT = 1.1
OVERCURRENT_S = 1.0
CONNECTED = frozenset({"C", "D"})
UNPLUGGED = CableVehicle(plugged=False)


class Hardware:
    """Contactor, lock, supply, cable check, meter and faults of one charge point rated as `setup` says."""

    def __init__(
        self, setup: api.Setup, *, now: float = 0.0, speed: float = 1.0, monitor: Isolation = "valid",
        lock_fails: bool = False,
    ) -> None:  # fmt: skip
        self.setup = setup
        self.mode: Mode | None = None
        self.phases = setup.phases
        self.plug: api.Pilot = "A"
        self.plug_since = now
        self.contactor = Contactor()
        self.lock = Lock(fails=lock_fails)
        self.faults = Faults()
        self.limits = api.ChargerLimits()
        """What the hardware can do now, where that is less than its rating."""
        self.energy_wh = 0.0
        self.powered_since: float | None = None
        """Since when DC power is on by order of the SECC."""
        pace = Pace(speed=speed)
        self.supply = Supply(pace)
        self.check = CableCheck(pace)
        self._monitor = monitor
        self._now = now
        self._car = UNPLUGGED
        self._opening_since: float | None = None
        self._tolerated_at = now

    # --- what is measured -------------------------------------------------------------------------------------------

    @property
    def voltage_v(self) -> float:
        """Volts on the vehicle's side of the contactor."""
        if self.mode == "ac":
            return self.setup.nominal_voltage_v if self.contactor.conducts else 0.0
        return self.supply.voltage_v

    @property
    def current_a(self) -> float:
        """Amperes into the car, in AC per phase."""
        if self.mode == "ac":
            return self._car.current_a if self.contactor.conducts and self._car.plugged else 0.0
        return self.supply.current_a

    @property
    def power_w(self) -> float:
        """Watts into the car, all phases together."""
        return self.voltage_v * self.current_a * (self.phases if self.mode == "ac" else 1)

    @property
    def charging(self) -> bool:
        """Whether current flows."""
        return abs(self.current_a) > 0.1

    # --- interlocks -------------------------------------------------------------------------------------------------

    def hazard(self) -> str:
        """Why nothing may be live now, or nothing."""
        if self.faults.emergency:
            return f"fault {self.faults.emergency}"
        if self.plug not in CONNECTED:
            return f"the plug is in {self.plug}, not in C or D"
        return "" if self.mode else "nobody said whether this is AC or DC"

    def obstacle(self, lock: Literal["locked", "unlocked"], power: Literal["off", "on"], contactor: str) -> str:
        """Why a permit with these levels is refused, or nothing."""
        faults = ", ".join(fault.kind for fault in self.faults.standing if fault.kind != "secc_silent")
        if faults:
            return f"fault {faults}"
        if self.setup.locks and (lock != "locked" or self.lock.state == "failed"):
            return f"the lock is {self.lock.state}"
        if self.mode == "dc" and self.check.state != "passed":
            return f"the cable check is {self.check.state}"
        if power == "on" and contactor == "open":
            return "power needs a closed contactor"
        return self.hazard()

    def forget_check(self) -> None:
        """Void the outcome of the last cable check: another session needs one of its own."""
        if self.check.state != "running":
            self.check.reset()

    def start_check(self, test_v: float, until: float, *, locked: bool) -> str:
        """Begin a cable check at `test_v` volts, done by the time `until`; return why not, or nothing."""
        if self.mode != "dc":
            return "a cable check is for DC"
        if self.check.state == "running":
            return "a cable check is running"
        if self.setup.locks and (not locked or self.lock.state == "failed"):
            return "the lock is not locked"
        if self.contactor.conducts or self.voltage_v >= SAFE_V:
            return "the output is not off and below 60 V"
        reason = self.hazard()
        if not reason:
            self.check.start(min(test_v, self.setup.max_voltage_v), until)
        return reason

    # --- time -------------------------------------------------------------------------------------------------------

    def step(self, now: float, orders: Orders, car: CableVehicle, mode: Mode | None) -> str:
        """Let time pass until `now`; return why a closed contactor was opened against its orders, or nothing."""
        elapsed, self._now = max(0.0, now - self._now), now
        if not self.contactor.conducts and not self.supply.current_a:
            self.mode = mode
        self._look(car, now)
        self._protect(now, orders)
        hazard = self.hazard()
        if self.check.state == "running" and (hazard or not orders.energy or self._loose(orders)):
            self.check.fail(hazard or "no longer permitted")
        self._move(now, elapsed, orders, hazard)
        self.lock.step(now, orders.lock, may_open=self._dead())
        self.energy_wh += self.power_w * elapsed / 3_600
        return hazard if hazard and orders.contactor == "closed" else ""

    def shut(self) -> None:
        """Let the contactor fall, as it does when its controller is switched off."""
        self.contactor.fall()
        self.supply.current_a = 0.0

    def _look(self, car: CableVehicle, now: float) -> None:
        plug: api.Pilot = car.pilot if car.plugged else "A"
        if plug == "A":
            self.faults.unplugged()
            self.check.isolation = "invalid"
        if any(fault.kind == "pilot" for fault in self.faults.standing):
            plug = "E"
        if plug != self.plug:
            self.plug, self.plug_since = plug, now
        if plug not in CONNECTED and self.check.state != "running":
            self.check.reset()
        self._car = car

    def _protect(self, now: float, orders: Orders) -> None:
        highest = orders.vehicle_max_voltage_v
        above = highest is not None and max(self.voltage_v, orders.wanted_v) > highest + HEADROOM_V
        if above and self.powered_since is not None:
            self.faults.report("overvoltage")
        if self.current_a <= OVERCURRENT * self.setup.max_current_a:
            self._tolerated_at = now
        elif now - self._tolerated_at >= OVERCURRENT_S:
            self.faults.report("overcurrent")
        if "isolation" in self.faults.defects and self.check.isolation != "invalid":
            self.check.isolation = "fault"
        if self.check.isolation == "fault":
            self.faults.report("isolation")

    def _loose(self, orders: Orders) -> bool:
        """Whether the connector may be drawn or is about to be."""
        return self.setup.locks and orders.lock != "locked"

    def _move(self, now: float, elapsed: float, orders: Orders, hazard: str) -> None:
        secured = not self._loose(orders) and (not self.setup.locks or self.lock.secured)
        permitted = orders.contactor == "closed" and (self.mode == "ac" or self.check.state == "passed")
        wanted = secured and not hazard and (permitted or self.check.drive is not None)
        self._supply(now, elapsed, orders, live=wanted)
        if wanted:
            self._opening_since = None
        ramping = not wanted and not hazard and self._ramps(now)
        self.contactor.welds = "welded" in self.faults.defects
        self.contactor.dead = "contactor" in self.faults.defects
        self.contactor.step(now, closed=wanted or (ramping and self.contactor.conducts), at_once=bool(hazard))
        if self.contactor.failed:
            self.contactor.failed = False
            self.faults.report("contactor")
        if self.contactor.state == "welded":
            self.faults.report("welded")
        if not self.contactor.conducts:
            self.supply.current_a = 0.0
        monitor: Isolation = "fault" if "isolation" in self.faults.defects else self._monitor
        self.check.step(now, voltage_v=self.voltage_v, closed=self.contactor.conducts, monitor=monitor)

    def _supply(self, now: float, elapsed: float, orders: Orders, *, live: bool) -> None:
        powered = live and self.mode == "dc" and orders.power == "on"
        self.powered_since = (self.powered_since if self.powered_since is not None else now) if powered else None
        car_closed = self.mode != "ac" and self._car.plugged and self._car.contactor == "closed"
        drive = None
        if self.contactor.conducts and self.mode == "dc":
            drive = (self._drive(orders) if live else None) or Drive()
        self.supply.step(elapsed, drive, self._car.battery_v if car_closed else None)

    def _drive(self, orders: Orders) -> Drive | None:
        if self.check.state == "running":
            return self.check.drive
        limits = self.limits
        volts = _least(orders.voltage_v, self.setup.max_voltage_v, limits.max_voltage_v)
        watts = _least(orders.power_w, self.setup.max_power_w, limits.max_charge_w)
        highest = _least(orders.current_a, self.setup.max_current_a, limits.max_current_a)
        amperes = min(highest, watts / max(self.supply.voltage_v, volts, 1.0))
        return Drive(voltage_v=volts, current_a=amperes)

    def _ramps(self, now: float) -> bool:
        """Whether the current still falls before the contactor opens; never for long."""
        if self.supply.current_a < NO_CURRENT_A:
            return False
        if self._opening_since is None:
            self._opening_since = now
        return now - self._opening_since < OPEN_WITHIN_S

    def _dead(self) -> bool:
        """Whether the connector may be drawn: contactor open, no current, below 60 V."""
        return not self.contactor.conducts and self.voltage_v < SAFE_V and self.current_a < NO_CURRENT_A


def _least(*maxima: float | None) -> float:
    """The smallest of the maxima that are stated."""
    return min(each for each in maxima if each is not None)
