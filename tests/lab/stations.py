"""Sessions at the real station: their ways from wait to wait, and where each wait stands in the standard's table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from lab.standard.sequence import END, PAUSED, Standard, StationFollower, name
from tests.lab.waits import Place, Wait, Waits
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import SCHEMAS, Car
from tests.secc.bench_charger import BenchCharger

Step = Callable[[Car, BenchCharger], Awaitable[Any]]
NAMESPACES = {schema: namespace for namespace, schema in SCHEMAS.items()}


@dataclass(frozen=True, slots=True)
class Session:
    """One way through a standard: a session by name, and the steps that lead from wait to wait."""

    standard: Standard
    energy: Literal["AC", "DC"]
    steps: tuple[Step, ...]
    title: str = ""
    contract: bool = False

    @property
    def known(self) -> frozenset[str]:
        """What is known of the session before it begins."""
        return frozenset({"TLS" if self.contract else "plain", f"offers={self.energy}"})

    @asynccontextmanager
    async def station(self, certificates: Path) -> AsyncIterator[Bench]:
        """A station that this session can be held with."""
        async with bench(self.energy, certificates=certificates if self.contract else None) as station:
            yield station

    async def begin(self, station: Bench) -> Guest:
        """Connect a vehicle; whatever the last one left behind at the charger is forgotten."""
        charger = station.charger
        charger.orders.clear()
        charger.change(plug="B", faults=[])
        charger.card, charger.check, charger.wish = "accepted", "passes", "none"
        car = await station.car(tls=self.contract)
        return Guest(self, car, charger, StationFollower(self.standard, self.known))


@dataclass(slots=True)
class Guest:
    """A vehicle on its way through a session, and where the table says that the station waits for it."""

    session: Session
    car: Car
    charger: BenchCharger
    follower: StationFollower

    async def go(self, steps: int) -> None:
        """Agree on the protocol and take so many steps, all of which must succeed and stand in the table."""
        await self.car.negotiate(NAMESPACES[self.session.standard.key])
        for step in self.session.steps[:steps]:
            await self.step(step)

    async def awaited(self, waits: Waits) -> Wait:
        """Wait until the station waits for the next request; the last answer is sent just before."""
        return await waits.until(len(self.car.answers) + 1)

    async def step(self, step: Step) -> None:
        before = self.follower.state
        await step(self.car, self.charger)
        response = self.car.answers[-1]
        assert response.code.startswith("OK"), f"{name(self.car.requests[-1])} in {before}: {response}"
        self.follower.exchanged(self.car.requests[-1], response.body)


@dataclass(frozen=True, slots=True)
class Stop:
    """A wait on a session's way: after how many steps, which state of the table, which place in the code."""

    session: Session
    steps: int
    state: str
    wait: Wait
    accepted: tuple[frozenset[str], frozenset[str]]
    """The requests the table demands, and admits, here."""
    request: Any = None
    response: Any = None
    """The exchange that leads on from here."""

    @property
    def key(self) -> tuple[str, str, Place]:
        """Waits that are the same place of code in the same state are one."""
        return (self.session.standard.key, self.state, self.wait.place)


async def stops(session: Session, station: Bench, waits: Waits) -> list[Stop]:
    """Go all the way and note every wait on it."""
    waits.noted.clear()
    guest = await session.begin(station)
    found: list[Stop] = []
    await guest.go(0)
    for steps, step in enumerate((*session.steps, None)):
        if guest.follower.state in (END, PAUSED):
            break
        wait = await guest.awaited(waits)
        must, may = guest.follower.accepted()
        state = guest.follower.state
        assert step is not None, f"{session.title} ends in {state}"
        await guest.step(step)
        exchange = (guest.car.requests[-1], guest.car.answers[-1].body)
        found.append(Stop(session, steps, state, wait, (frozenset(must), frozenset(may)), *exchange))
    assert await guest.car.gone()
    await station.until(lambda: not station.station._busy)
    return found
