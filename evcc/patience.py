"""How long the vehicle waits while it asks again and again, or is on its way: one timer of a standard at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from evcc.trip import Trip
from v2g.errors import Silence
from v2g.timing import Budget, Timer, Timing


class Patience:
    """A timer that begins now and that no repetition extends; `timer` is a row of `Timing`, such as `ongoing_evcc`."""

    def __init__(self, trip: Trip, timing: Timing, timer: Timer) -> None:
        self._trip = trip
        self._name = timer.name
        self._seconds = timing.lasts(timer)
        self._budget = Budget(self._seconds)

    async def again(self) -> None:
        """Pause before the next repetition; raises `Silence` when there is no time for one, or `Interrupted`."""
        if self._budget.over:
            raise Silence(self._name, self._seconds)
        await self._trip.pause(self._trip.vehicle.config.plan.poll_s)
        self._trip.go_on()


@contextlib.asynccontextmanager
async def within(timing: Timing, timer: Timer) -> AsyncIterator[None]:
    """Let the block last no longer than the timer; raises `Silence` in it when that runs out."""
    seconds = timing.lasts(timer)
    try:
        async with asyncio.timeout(seconds) as limit:
            yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise Silence(timer.name, seconds) from None
