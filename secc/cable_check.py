"""One cable check of a DC session: ordered by a command, its outcome read from the charger's level."""

from __future__ import annotations

import secrets
from typing import Literal

from secc.api import Ack, ChargerState

Outcome = Literal["idle", "running", "passed", "failed"]


class CableCheck:
    """The check ordered last in this session.

    The level `passed` of an earlier check may still stand when the order is given. So it counts only once the charger
    has acked our order, and only in a state it said after the order.
    """

    def __init__(self) -> None:
        self._outcome: Outcome = "idle"
        self._id = ""
        self._acked = False
        self._session: str | None = None
        self._after_seq = -1
        self._deadline = 0.0

    @property
    def running(self) -> bool:
        """Whether a check ran when it was looked at last: what the state heard since then says is not read."""
        return self._outcome == "running"

    def start(self, session: str, state: ChargerState | None, deadline: float) -> str:
        """Order a check; returns the id of the command. `deadline` is monotonic."""
        self._outcome = "running"
        self._id = secrets.token_hex(8)
        self._acked = False
        self._session = session
        self._after_seq = -1 if state is None else state.seq
        self._deadline = deadline
        return self._id

    def fail(self) -> None:
        """Take a running check as failed: nobody is there to make it."""
        if self._outcome == "running":
            self._outcome = "failed"

    def take(self, ack: Ack) -> str:
        """Take the charger's answer to the order; returns why it does not count, or nothing."""
        if ack.id != self._id:
            return "unknown id"
        if ack.result in {"rejected", "failed"}:
            self.fail()
        else:
            self._acked = True
        return ""

    def look(self, state: ChargerState | None, now: float) -> Outcome:
        """Return the outcome after a look at level and clock: none in time is a failure, a final one stays."""
        if self._outcome != "running":
            return self._outcome
        if self._acked and state is not None and state.seq > self._after_seq and self._ours(state):
            if state.cable_check == "passed":
                self._outcome = "passed"
            elif state.cable_check == "failed":
                self._outcome = "failed"
        if self._outcome == "running" and now > self._deadline:
            self._outcome = "failed"
        return self._outcome

    def _ours(self, state: ChargerState) -> bool:
        return state.session in {None, self._session}
