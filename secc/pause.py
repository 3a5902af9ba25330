"""A session that the vehicle paused: what is kept of it, and for how long. One EVSE keeps one.

1. Joined by its id alone [V2G2-753] [V2G2-754]. It is used up by that, and by the beginning of any other session.
2. Given up when the vehicle is unplugged, when the charger says so, when the authorization is revoked, and when the
   controller starts anew or is not heard for a while: nobody then knows whether the plug was drawn meanwhile, and
   another put in. It does not outlive our own process for the same reason.
3. Offered again are the same payment option, the same charge service and the schedule that was chosen, less the time
   that passed [V2G2-741]. Where those cannot be offered any more, a new session begins [V2G2-756].
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from secc import api, schedules
from secc.authorization import Given, Grant
from secc.charger import Charger
from secc.schedules import Schedule

Payment = Literal["contract", "external"]

WAKE_UP_S = 10.0
LOOK_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """What is kept of a paused session; `schedule` as it was at the time `at` (monotonic)."""

    session_id: bytes
    setup: api.Setup
    payment: Payment
    grant: Grant
    """Who said that it may charge, and may still take that back."""
    given: Given | None
    """What was said of an identification from outside: the driver need not come back for it."""
    energy_left_wh: float | None
    schedule: Schedule | None
    at: float

    @property
    def left(self) -> Schedule | None:
        """What is left of the schedule by now; None where none was chosen, or it is over."""
        return None if self.schedule is None else schedules.remaining(self.schedule, time.monotonic() - self.at)

    def fits(self, session_id: bytes, setup: api.Setup, payments: Sequence[str]) -> bool:
        """Whether a vehicle that presents an id may go on, and can be offered what it had."""
        same = session_id == self.session_id and _service(setup) == _service(self.setup)
        return same and self.payment in payments


class Berth:
    """Where the one paused session of an EVSE is kept."""

    def __init__(self, charger: Charger) -> None:
        self.paused: Paused | None = None
        self._charger = charger
        self._watching: asyncio.Task[None] | None = None
        self._left = asyncio.Event()

    def keep(self, paused: Paused) -> None:
        """Keep a session until it is joined or given up; what voids it counts from now on."""
        self.paused = paused
        self._left = asyncio.Event()
        self._watching = asyncio.create_task(self._watch(paused))

    def left(self) -> None:
        """Note that the session has ended: not before is it given up."""
        self._left.set()

    def take(self, session_id: bytes, setup: api.Setup, payments: Sequence[str]) -> Paused | None:
        """Take what is kept for the vehicle that begins a session; whatever it is, it is not kept any longer."""
        paused, self.paused = self.paused, None
        self.close()
        if paused is None:
            return None
        fits = paused.fits(session_id, setup, payments)
        if reason := self._void(paused) or ("" if fits else "another session begins"):
            self._charger.event("pause_ended", reason)
            return None
        return paused

    def close(self) -> None:
        """Look no longer."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _watch(self, paused: Paused) -> None:
        charger = self._charger
        while not (reason := self._void(paused)):
            await charger.until(lambda: bool(self._void(paused)) or charger.recall == "wake_up", LOOK_S)
            if charger.recall == "wake_up":
                charger.wake_up(paused.session_id.hex().upper(), WAKE_UP_S)
        await self._left.wait()
        self.paused = self._watching = None
        charger.event("pause_ended", reason)
        charger.end()

    def _void(self, paused: Paused) -> str:
        """Why what is kept has to be given up; nothing while nobody says so."""
        state = self._charger.state
        if self._charger.recall == "release":
            return "the charger gave it up"
        if state is None:
            return "the charger was not heard: the plug may have been drawn"
        if state.plug == "A":
            return "the vehicle was unplugged"
        if paused.grant.decision == "rejected":
            return "the authorization was revoked"
        setup = self._charger.setup
        return "the charger started anew" if setup is not None and setup.boot != paused.setup.boot else ""


def _service(setup: api.Setup) -> api.Setup:
    """What an EVSE is, whenever and however often it was said."""
    return msgspec.structs.replace(setup, boot="", seq=0, time="", session=None)
