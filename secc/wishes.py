"""What the charger asks of the running session: polite wishes, and the emergency stop."""

from __future__ import annotations

from typing import Literal

from secc.api import ChargerRequest
from secc.charger import Recall, Wish

REMEMBERED = 256

Reply = tuple[Literal["accepted", "refused"], str]

_STRENGTH: dict[Wish, int] = {"none": 0, "renegotiate": 1, "pause": 2, "stop": 3}


class Wishes:
    """The strongest wish of this session. The same id again gets the same reply and wishes nothing anew."""

    def __init__(self) -> None:
        self.wish: Wish = "none"
        self.emergency: str | None = None
        """Why the charger wants an emergency stop; None while it does not."""
        self.paused = False
        """Whether a session is paused, which may be resumed or given up."""
        self.recall: Recall = "none"
        self._replies: dict[str, Reply] = {}

    def forget(self) -> None:
        """Start anew with a session; ids stay known, so that a late repetition does not reach the next one."""
        self.wish = self.recall = "none"
        self.emergency = None
        self.paused = False

    def renegotiated(self) -> None:
        """Regard a wish to renegotiate as fulfilled; a stronger one stands."""
        if self.wish == "renegotiate":
            self.wish = "none"

    def take(self, request: ChargerRequest, *, running: bool) -> Reply:
        """Take a request; returns whether it is followed, and why. An emergency stop is followed however often."""
        known = self._replies.get(request.id)
        if known is not None and request.do != "emergency_stop":
            return known
        reply = self._apply(request) if running else self._idle(request)
        while len(self._replies) >= REMEMBERED:
            del self._replies[next(iter(self._replies))]
        self._replies[request.id] = reply
        return reply

    def _apply(self, request: ChargerRequest) -> Reply:
        if request.do == "emergency_stop":
            self.emergency = request.reason or "asked for by the charger"
            self.wish = "stop"
        elif request.do == "resume":
            if self.wish != "pause":
                return "refused", "no pause was wished"
            self.wish = "none"
        elif _STRENGTH[request.do] < _STRENGTH[self.wish]:
            return "refused", f"{self.wish} was wished before"
        else:
            self.wish = request.do
        return "accepted", request.do

    def _idle(self, request: ChargerRequest) -> Reply:
        """Reply while no session runs: what would end energy is true already, the rest may act on a paused session."""
        stops = request.do in {"stop", "emergency_stop"}
        if self.paused and (stops or request.do == "resume"):
            self.recall = "release" if stops else "wake_up"
            return "accepted", request.do
        return ("accepted" if stops else "refused"), "no session"
