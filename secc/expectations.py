"""What the station may expect of the vehicle, and when its time to do it is over."""

from __future__ import annotations

from dataclasses import dataclass

from secc import api
from secc.charger import Wish
from secc.limits import Bounds
from v2g.timing import Budget

TOLERANCE = 1.1
MARGIN_A = 2.0
MARGIN_W = 1_500.0


def excess(measured: api.Measurement, bounds: Bounds) -> str:
    """Say what flows beyond the bounds, by more than meters and regulation err; nothing while none does.

    The power counts where it is told: a vehicle that asked for one phase and takes three keeps to the current of each.
    """
    current_a, power_w = abs(measured.current_a), abs(measured.power_w or 0.0)
    if current_a > bounds.max_a * TOLERANCE + MARGIN_A:
        return f"{current_a:.1f} A flow, {bounds.max_a:.1f} A allowed"
    if power_w > bounds.max_w * TOLERANCE + MARGIN_W:
        return f"{power_w:.0f} W flow, {bounds.max_w:.0f} W allowed"
    return ""


@dataclass(slots=True, kw_only=True)
class Expectations:
    """What one vehicle was asked for and how long it has drawn too much, in seconds from when each began.

    `delay_s` is NotificationMaxDelay, `follow_s` the time to come down to a lowered limit.
    """

    delay_s: float
    follow_s: float
    wish: Wish = "none"
    exceeding: bool = False
    """Whether more than allowed has flowed for longer than `follow_s`."""
    _patience: Budget | None = None
    _arisen: Wish = "none"
    _untold: Budget | None = None
    _excess: Budget | None = None
    _abort: Budget | None = None

    def arises(self, wish: Wish) -> None:
        """Note what is wished, told or not: a vehicle that does not ask cannot be told, and must not go on for that."""
        if wish != self._arisen:
            self._arisen = wish
            self._untold = None if wish == "none" else Budget(self.delay_s + self.follow_s)

    def ask(self, wish: Wish) -> None:
        """Note what the vehicle is asked for now; its time runs from the first time it is asked."""
        if wish != self.wish:
            self.wish = wish
            self._patience = None if wish == "none" else Budget(self.delay_s)

    def renegotiated(self) -> None:
        """Note that the vehicle renegotiates; a wish to stop stands."""
        if self.wish == "renegotiate":
            self.ask("none")
        if self._arisen == "renegotiate":
            self.arises("none")

    def draws(self, *, excessive: bool) -> bool:
        """Note whether too much flows; True once, when it begins to count as not following."""
        if not excessive:
            self._excess = self._abort = None
            self.exceeding = False
            return False
        self._excess = self._excess or Budget(self.follow_s)
        if self.exceeding or not self._excess.over:
            return False
        self.exceeding, self._abort = True, Budget(self.delay_s)
        return True

    @property
    def overdue(self) -> str:
        """What the vehicle should have done by now; nothing while it is in time."""
        if self._untold is not None and self._untold.over:
            return f"the vehicle had to {self._arisen} and did not in time"
        if self._patience is not None and self._patience.over:
            return f"the vehicle was asked to {self.wish} and did not follow in time"
        if self._abort is not None and self._abort.over:
            return "the vehicle draws more than it is allowed to"
        return ""
