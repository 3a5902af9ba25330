"""The car's part of the cable, played from what the SECC says: for foreign vehicles that know nothing of our bench."""

from __future__ import annotations

from secc import api
from secc.simulated.orders import Orders
from v2g.cable import CableVehicle

CLOSE_WITHIN_V = 20.0  # a car closes its contactor when the output is that near to its battery's voltage
RENEGOTIATING = "negotiating"  # for the first time it is in B still, afterwards it stays in C
READY = frozenset({"preparing", "charging"})


class ForeignCar:
    """A car that follows the session: pilot C from preparing to charging, B otherwise; it draws what it may."""

    def __init__(self, setup: api.Setup) -> None:
        self._setup = setup
        self._ready = False
        self._closed = False
        self._battery_v: float | None = None

    def end(self, stage: str, limits: api.Limits | None, orders: Orders, output_v: float, phases: int) -> CableVehicle:
        """Tell the car's end of the cable; `limits` are those in force, `output_v` what the charger puts out."""
        ready = self._ready = stage in READY or (self._ready and stage == RENEGOTIATING)
        self._follow(orders, output_v, ready=ready)
        return CableVehicle(
            plugged=True,
            pilot="C" if ready else "B",
            contactor="closed" if self._closed else "open",
            current_a=self._draws(limits, phases) if ready and limits is not None else 0.0,
            battery_v=self._battery_v,
        )

    def _follow(self, orders: Orders, output_v: float, *, ready: bool) -> None:
        if not ready or orders.contactor == "open":
            self._closed, self._battery_v = False, None
        elif orders.phase in {"precharge", "charge"}:
            near = abs(output_v - orders.voltage_v) <= CLOSE_WITHIN_V
            self._closed = self._closed or (near and orders.phase == "charge")
            self._battery_v = min(orders.voltage_v, self._setup.max_voltage_v)

    def _draws(self, limits: api.Limits, phases: int) -> float:
        per_phase = limits.max_charge_w / phases
        if limits.max_charge_w_per_phase is not None:
            per_phase = min(per_phase, limits.max_charge_w_per_phase)
        return min(limits.max_current_a, self._setup.max_current_a, per_phase / self._setup.nominal_voltage_v)
