"""What a station does to one thing sent at one of its waits, held against the table of the standard."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from lab.standard.sequence import CLOSED, END, PAUSED, SERVED, name, stem
from tests.lab.injections import IGNORED, Injection
from tests.lab.stations import Guest, Stop
from tests.lab.waits import Wait, Waits
from tests.secc.bench import Bench

ENDINGS = {END: "session_ended", PAUSED: "session_paused"}
"""How the end of a session is told to the operator."""
PARTING = ("WeldingOrStop", "WeldingDetection", "SessionStop")
"""The states in which a vehicle has left C and D."""
CLOSING = ("CableCheck", "PowerDelivery(Start)", "PowerDelivery(True)")
"""The requests before which it went there."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An answer that the table does not know."""

    standard: str
    session: str
    state: str
    sent: str
    expected: frozenset[str]
    found: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What is wrong, wherever it happens."""
        return (self.standard, self.state, self.sent)

    def __str__(self) -> str:
        wanted = " or ".join(sorted(self.expected))
        return f"{self.session}, in {self.state}: {self.sent} must be {wanted}, was {self.found}"


async def judge(stop: Stop, injection: Injection, station: Bench, waits: Waits) -> Wrong | None:
    """Go to a wait, send, and compare; the station must be safe afterwards and ready for the next vehicle."""
    guest = await stop.session.begin(station)
    waits.noted.clear()
    await guest.go(stop.steps, stop.follower)
    expected = injection.expected(guest.follower, guest.car)
    _plug(guest, injection)
    guest.car.send(injection.data(guest.car))
    found = await _carries_on(guest, stop) if expected == {IGNORED} else await _answer(guest)
    wrong = None if found in expected else found
    if wrong is None and found == SERVED:
        wrong = await _goes_on(guest, injection, waits)
    elif wrong is None and found.startswith("FAILED"):
        station.assert_open_before_answer()
    wrong = await _leave(guest, station, found) or wrong
    if wrong is None:
        return None
    session = stop.session
    return Wrong(session.standard.key, session.title, stop.state, injection.title, expected, wrong)


def _plug(guest: Guest, injection: Injection) -> None:
    """Bring the control pilot to where it belongs with this message: the tables are not about it."""
    if guest.follower.state in PARTING:
        guest.charger.change(plug="B")
    elif injection.title in CLOSING:
        guest.charger.change(plug="C")


async def _answer(guest: Guest) -> str:
    """The code of the answer, which must belong to the request; `CLOSED` where there is none."""
    try:
        answer = await guest.car.receive()
    except (asyncio.IncompleteReadError, ConnectionError):
        return CLOSED
    allowed = guest.session.standard.allowed(stem(name(answer.body)))
    if answer.code not in allowed:
        return f"{answer.code}, which {type(answer.body).__name__} does not know"
    refused_early = guest.follower.state == guest.session.standard.first and not any(answer.session_id)
    if answer.session_id != guest.car.session_id and not refused_early:
        return "an answer of another session"
    return SERVED if answer.code.startswith("OK") else answer.code


async def _carries_on(guest: Guest, stop: Stop) -> str:
    """Whether the session goes on as if nothing had come."""
    await guest.step(stop.session.steps[stop.steps])
    return IGNORED


async def _goes_on(guest: Guest, injection: Injection, waits: Waits) -> str | None:
    """Why the place the session goes to is wrong; None where it is the table's."""
    read = injection.read(guest.car)
    assert read is not None
    answer = guest.car.answers[-1].body
    if stem(name(answer)) != stem(name(read[1])):
        return f"answered by {type(answer).__name__}"
    guest.follower.exchanged(read[1], answer)
    if guest.follower.state in (END, PAUSED):
        return None if await guest.car.gone() else "a session that does not end"
    return differs(await guest.awaited(waits), *guest.follower.accepted(), guest.follower.state)


def differs(wait: Wait, must: Any, may: Any, state: str) -> str | None:
    """Why a wait is not the table's: what it lets through too much, or not."""
    legal = {each.removesuffix("Req") for each in wait.messages} - {"SessionStop"}
    more, less = sorted(legal - must - may), sorted(must - legal)
    if not more and not less:
        return None
    return f"at {wait.place.file}:{wait.place.line} for {state}: lets through {more}, not {less}"


async def _leave(guest: Guest, station: Bench, found: str) -> str | None:
    """Hang up; why the end is not as it must be, None where it is."""
    kind = "refused" if found.startswith("FAILED") else "undecodable" if found == CLOSED else "gone"
    kind = ENDINGS.get(guest.follower.state, kind)
    await guest.car.close()
    await station.until(lambda: not station.station.used)
    if station.charger.said("begin"):
        station.assert_safe()
    kinds = [each["kind"] for each in station.endings]
    return None if kinds == [kind] else f"{found}, told as {kinds}"
