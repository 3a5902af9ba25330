"""Whoever plans on a test bench: one plan, written in a line, for every session that asks.

`11040 3600:4140 / 22080` is two schedules: one of 11040 W and 4140 W from an hour on, and one of 22080 W.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from secc import api

NOTHING = "none"

Sign = Callable[[Sequence[api.PlannedSchedule]], tuple[Sequence[api.PlannedSchedule], bytes]]
"""Adds a signed tariff to each schedule, and tells the signature over all of them."""


def parse(text: str) -> list[api.PlannedSchedule]:
    """Read schedules; `none` is none at all. Raises ValueError that says how they are written."""
    if text.strip() == NOTHING:
        return []
    try:
        raw = [{"steps": [_step(word) for word in schedule.split()]} for schedule in text.split("/")]
        return msgspec.convert(raw, list[api.PlannedSchedule], strict=False)
    except ValueError as error:
        raise ValueError(f"plan {text!r}: {error}; write WATTS SECOND:WATTS …, and / between schedules") from error


def _step(word: str) -> dict[str, str]:
    start, _, watts = word.rpartition(":")
    return {"start_s": start or "0", "max_w": watts}


class Planner:
    """Answers requests for a plan; without one it says nothing."""

    def __init__(self, text: str | None, sign: Sign | None = None) -> None:
        """Raises ValueError for a plan that cannot be read."""
        self._schedules = None if text is None else parse(text)
        self._sign = sign
        self._asked: api.PlanRequest | None = None

    def ask(self, request: api.PlanRequest) -> api.Plan | None:
        """Answer a request, which stays the one that later plans are for."""
        self._asked = request
        return self._plan()

    def change(self, text: str) -> api.Plan | None:
        """Plan otherwise from now on; tells the plan for the session that asked last. Raises ValueError."""
        self._schedules = parse(text)
        return self._plan()

    def _plan(self) -> api.Plan | None:
        if self._asked is None or self._schedules is None:
            return None
        if self._sign is None or self._asked.emaid is None or not self._schedules:
            return api.Plan(id=self._asked.id, schedules=self._schedules)
        signed, signature = self._sign(self._schedules)
        return api.Plan(id=self._asked.id, schedules=list(signed), signature=signature)
