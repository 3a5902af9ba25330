"""The vehicle: a battery, what it needs, and what it has got so far."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from evcc.config import Battery, EvccConfig


@dataclass(slots=True)
class Vehicle:
    """State of charge and energy of one charge; `settle` is told power and integrates it, `power_w` is the last.

    `flowed_s` is how long energy flowed before the present session.
    """

    config: EvccConfig
    energy_wh: float = 0.0
    flowed_s: float = 0.0
    power_w: float = 0.0
    _began: float | None = None
    _settled: float = 0.0
    _since: float = field(default_factory=time.monotonic)

    @property
    def battery(self) -> Battery:
        """The traction battery's data."""
        return self.config.battery

    @property
    def soc_percent(self) -> float:
        """State of charge now."""
        return min(100.0, self.battery.soc_percent + 100 * self.energy_wh / self.battery.capacity_wh)

    @property
    def voltage_v(self) -> float:
        """Voltage of the battery now."""
        return self.battery.empty_v + (self.battery.full_v - self.battery.empty_v) * self.soc_percent / 100

    @property
    def needed_wh(self) -> float:
        """Energy still wanted."""
        to_target = (self.config.plan.target_soc_percent - self.soc_percent) / 100 * self.battery.capacity_wh
        planned = self.config.plan.energy_wh
        return max(0.0, to_target if planned is None else min(to_target, planned - self.energy_wh))

    @property
    def departure_s(self) -> int | None:
        """Seconds until the departure planned, None without one; 0 once it is over."""
        planned = self.config.plan.departure_s
        return None if planned is None else max(0, planned - int(time.monotonic() - self._since))

    def begin(self) -> None:
        """Start counting energy."""
        self._began = self._began or time.monotonic()
        self._settled = time.monotonic()

    def rest(self) -> None:
        """Stop counting time, until `begin`."""
        self.flowed_s, self._began = self.flowing_s, None
        self.power_w = 0.0

    @property
    def flowing_s(self) -> float:
        """How long energy flowed in all sessions, renegotiations included."""
        return self.flowed_s + (0.0 if self._began is None else time.monotonic() - self._began)

    def settle(self, power_w: float) -> None:
        """Count the power that has flowed since the last call."""
        now = time.monotonic()
        self.power_w = max(0.0, power_w)
        self.energy_wh += self.power_w * (now - self._settled) / 3600
        self._settled = now

    @property
    def satisfied(self) -> bool:
        """Whether the plan is fulfilled: time, energy or state of charge."""
        charge_s = self.config.plan.charge_s
        over = charge_s is not None and self._began is not None and self.flowing_s >= charge_s
        return over or self.needed_wh <= 0
