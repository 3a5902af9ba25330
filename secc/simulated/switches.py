"""The moving parts of the simulated charger: the contactor and the connector lock. Time is an argument."""

from __future__ import annotations

from typing import Literal

from secc import api

CLOSE_S = 0.05
OPEN_S = 0.02
LOCK_S = 0.03


class Contactor:
    """The charger's contactor. `welds` makes its next opening fail, `dead` keeps it from holding."""

    def __init__(self) -> None:
        self.state: api.Contactor = "open"
        self.welds = False
        self.dead = False
        self.failed = False
        """Whether it was seen not to do what it was told to: to close and to stay closed."""
        self._due: float | None = None

    @property
    def conducts(self) -> bool:
        """Whether current can flow."""
        return self.state != "open"

    def step(self, now: float, *, closed: bool, at_once: bool = False) -> None:
        """Move towards `closed` or open; a movement takes its time unless it must be `at_once`."""
        if self.dead and self.conducts:
            self.state, self._due, self.failed = "open", None, True
        elif closed == self.conducts:
            self._due = None
        elif self._due is None and not (at_once and not closed):
            self._due = now + (CLOSE_S if closed else OPEN_S)
        elif self._due is None or now >= self._due or (at_once and not closed):
            self._due = None
            self._move(closed=closed)

    def fall(self) -> None:
        """Open for want of coil current."""
        self._due = None
        if self.conducts:
            self._move(closed=False)

    def _move(self, *, closed: bool) -> None:
        if closed and self.dead:
            self.failed = True
        elif closed:
            self.state = "closed"
        else:
            self.state = "welded" if self.welds else "open"


class Lock:
    """The lock of the connector; one that `fails` never reaches either end."""

    def __init__(self, *, fails: bool = False) -> None:
        self.state: Literal["locked", "unlocked", "failed"] = "unlocked"
        self._fails = fails
        self._goal: Literal["locked", "unlocked"] = "unlocked"
        self._due: float | None = None

    @property
    def secured(self) -> bool:
        """Whether it is locked and not about to open."""
        return self.state == "locked" and self._goal == "locked"

    def step(self, now: float, goal: Literal["locked", "unlocked"] | None, *, may_open: bool) -> None:
        """Move towards `goal`; it opens only while `may_open`, also when it is on its way already."""
        if goal is None or (goal == "unlocked" and not may_open):
            goal = "locked" if self.state == "locked" else self._goal
        if goal != self._goal:
            self._goal, self._due = goal, None if self.state == goal else now + LOCK_S
        if self._due is not None and now >= self._due:
            self._due = None
            self.state = "failed" if self._fails else self._goal
