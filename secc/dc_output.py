"""The DC output during one session: cable check, pre-charge, delivery and discharge, as all standards have them.

Volts and amperes go in and come out; the messages around them are the sessions'. Nothing here waits for the vehicle,
and every step is taken by level: it holds now, or it raises `Refused`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from secc import api
from secc.charger import Wish
from secc.limits import TEST_CURRENT_A, Bounds
from secc.visit import REACHED_V, Visit
from v2g.errors import Refused
from v2g.timing import Budget

OVERVOLTAGE_V = 20.0
SAFE_TEST_V = 500.0
PILOT_B_SHARE = 0.8
SUPERVISED = ("valid", "warning")
INSULATED = ("valid", "warning", "no_imd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What the output does now: measured values, the bounds in force, and which of them the vehicle's wish reaches."""

    voltage_v: float
    current_a: float
    bounds: Bounds
    max_voltage_v: float
    current_limited: bool
    voltage_limited: bool
    power_limited: bool


@dataclass(slots=True, kw_only=True)
class DcOutput:
    """The steps of power in DC, in the order in which they are taken."""

    visit: Visit
    precharged_v: float = 0.0
    """What the vehicle named last before delivery."""
    _budget: Budget = field(default_factory=lambda: Budget(0.0))
    _pilot: Budget = field(default_factory=lambda: Budget(0.0))
    _asked: bool = False

    @property
    def vehicle_max_v(self) -> float | None:
        """The vehicle's own maximum voltage, as it said last."""
        claim = self.visit.limits.claims.get("ev")
        return None if claim is None else claim.max_v

    @property
    def voltage_v(self) -> float:
        """The output voltage, 0 where nobody measures."""
        measured = self.visit.charger.measurement
        return measured.voltage_v if measured is not None else 0.0

    def wish(self) -> tuple[Wish, int]:
        """The wish to stop, which is told before energy flows already, and NotificationMaxDelay in seconds."""
        wish = self.visit.wish()
        return wish if wish in ("stop", "pause") else "none", self.visit.config.session.notification_max_delay_s

    # --- cable check ------------------------------------------------------------------------------------------------

    def begin_test(self) -> None:
        """Open and discharge whatever was there; from now on the test has its time."""
        timing = self.visit.timing
        self._budget, self._pilot = Budget(timing.cable_check_secc), Budget(timing.pilot_decide)
        self._asked = False
        self.visit.order_open("before the cable check")
        self.visit.limits.move("testing")

    def tested(self, vehicle_error: str | None) -> bool:
        """Go on with the isolation test: True once it is passed, False while it lasts. Raises `Refused`."""
        visit = self.visit
        _no_error(vehicle_error)
        if not self._asked and visit.pilot in "CD" and visit.locked and visit.dead and not visit.reason_to_stop():
            self._order_test()
        if not self._asked and self._pilot.over:
            level = f"the pilot is {visit.pilot}, locked: {visit.locked}, output dead: {visit.dead}"
            why = visit.reason_to_stop() or level
            raise Refused("FAILED", f"no test: {why} [V2G2-917] [V2G-DC-547]")
        outcome = visit.charger.cable_check if self._asked else "running"
        state = visit.charger.state
        isolation = state.isolation if state is not None else "invalid"
        if outcome == "passed" and isolation in INSULATED:
            return True
        if outcome == "failed" or (outcome == "passed" and isolation == "fault"):
            raise Refused("FAILED", "the isolation test failed")
        if self._budget.over:
            raise Refused("FAILED", "the cable check took too long")
        return False

    def _order_test(self) -> None:
        visit, vehicle_max_v = self.visit, self.vehicle_max_v
        visit.demand_safety()
        visit.live = True
        visit.charger.check_cable(
            test_voltage_v=isolation_test_voltage(vehicle_max_v, visit.setup),
            vehicle_max_voltage_v=vehicle_max_v or visit.setup.max_voltage_v,
            deadline_s=self._budget.left(),
        )
        self._asked = True

    # --- pre-charge and delivery ------------------------------------------------------------------------------------

    def begin_precharge(self) -> None:
        """Close the contactor; from now on the pre-charge has its time."""
        self._budget = Budget(self.visit.timing.precharge_secc)
        self.visit.energise("PreCharge")

    def precharge(self, volts: float, amperes: float, vehicle_error: str | None) -> float:
        """Bring the output to the voltage the vehicle names each time, with 2 A at the most; tell what it is now."""
        visit = self.visit
        _no_error(vehicle_error)
        if amperes > TEST_CURRENT_A:
            raise Refused("FAILED", f"a pre-charge with {amperes} A")
        self._demand_sane(volts, amperes, 0.0)
        if self._budget.over:
            raise Refused("FAILED", "the pre-charge took too long")
        bounds = visit.limits.refresh()
        self.precharged_v = volts if bounds.max_v is None else min(volts, bounds.max_v)
        current_a = min(TEST_CURRENT_A, bounds.max_a)
        visit.charger.target("precharge", self.precharged_v, current_a, vehicle_max_voltage_v=self.vehicle_max_v)
        return self.voltage_v

    def deliver(self) -> None:
        """Let energy flow, once the contactor is closed and the output near what it was brought to."""
        self.visit.deliver(self.precharged_v)

    def supply(self, volts: float, amperes: float) -> Flow:
        """Set the operating point the vehicle wishes within all limits, from the snapshot alone."""
        visit = self.visit
        measured = visit.charger.measurement
        present_v, present_a = (measured.voltage_v, measured.current_a) if measured is not None else (0.0, 0.0)
        self._demand_sane(volts, amperes, present_v)
        bounds = visit.limits.refresh()
        clamped_v = volts if bounds.max_v is None else min(volts, bounds.max_v)
        clamped_a = min(amperes, bounds.max_a, bounds.max_w / clamped_v if clamped_v > 0 else 0.0)
        if not visit.fallen:
            visit.charger.target("charge", clamped_v, clamped_a, vehicle_max_voltage_v=self.vehicle_max_v)
        max_v = visit.setup.max_voltage_v if bounds.max_v is None else bounds.max_v
        return Flow(
            voltage_v=present_v,
            current_a=present_a,
            bounds=bounds,
            max_voltage_v=max_v,
            current_limited=amperes >= bounds.max_a,
            voltage_limited=volts >= max_v,
            power_limited=volts * amperes >= bounds.max_w,
        )

    def _demand_sane(self, volts: float, amperes: float, present_v: float) -> None:
        """Refuse a wish that cannot be meant.

        A target above the vehicle's own maximum, or an output above it, is an emergency and nothing to clamp silently
        (IEC 61851-23 CC.6.2).
        """
        maximum_v = self.vehicle_max_v
        if volts < 0 or amperes < 0:
            raise Refused("FAILED", f"a target below zero: {volts} V, {amperes} A")
        if maximum_v is not None and max(volts, present_v - OVERVOLTAGE_V) > maximum_v:
            raise Refused(
                "FAILED", f"target {volts} V or output {present_v} V above the vehicle's maximum {maximum_v} V"
            )

    # --- renegotiation ----------------------------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Drive nothing while the vehicle renegotiates; the contactor stays, and the voltage is remembered."""
        self.precharged_v = self.voltage_v
        self.visit.charger.target("idle")

    @property
    def lapsed(self) -> str:
        """Why an interrupted output may not just go on, but has to be tested anew; nothing while it may.

        That the pilot stayed in C or D is watched over by the visit, which ends otherwise.
        """
        visit, state = self.visit, self.visit.charger.state
        if not visit.live:
            return "power was stopped"
        if visit.contactor != "closed":
            return f"the contactor is {visit.contactor}"
        if state is None or state.isolation not in SUPERVISED:
            return f"the isolation is {'unknown' if state is None else state.isolation}"
        if abs(self.voltage_v - self.precharged_v) > REACHED_V:
            return f"the output is {self.voltage_v:.0f} V, it was {self.precharged_v:.0f} V"
        return ""

    # --- afterwards -------------------------------------------------------------------------------------------------

    def discharge(self) -> None:
        """Drive nothing any more, while the vehicle tests its contactors."""
        self.visit.charger.target("welding")

    async def left_by_vehicle(self) -> None:
        """Wait for the vehicle to leave C and D, which may be seen a moment later; raises `Refused` [V2G-DC-556]."""
        visit = self.visit
        if not await visit.pilot_becomes("B", visit.timing.pilot_decide * PILOT_B_SHARE):
            raise Refused("FAILED", f"the control pilot is {visit.pilot}, not B")


def isolation_test_voltage(vehicle_max_v: float | None, setup: api.Setup) -> float:
    """Voltage of the isolation test by IEC 61851-23: 50 V above the vehicle's maximum, at most 500 V, or 10 % above."""
    vehicle_v = vehicle_max_v or setup.max_voltage_v
    if vehicle_v <= SAFE_TEST_V:
        return min(vehicle_v + 50, SAFE_TEST_V, setup.max_voltage_v)
    return min(1.1 * vehicle_v, setup.max_voltage_v)


def _no_error(vehicle_error: str | None) -> None:
    if vehicle_error is not None:
        raise Refused("FAILED", f"the vehicle reports {vehicle_error}")
