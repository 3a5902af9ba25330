"""Sessions at the real station: their ways from wait to wait, and where each wait stands in the standard's table."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lab.standard.sequence import END, PAUSED, Standard, StationFollower, name
from pki.provisioning import ProvisioningService
from pki.store import Store
from secc import api
from tests.lab.waits import Wait, Waits
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
    settings: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Of the station, by section."""
    before: tuple[Step, ...] = ()
    """The steps of an earlier session, which is paused and which this one joins."""

    @property
    def known(self) -> frozenset[str]:
        """What is known of the session before it begins."""
        return frozenset({"TLS" if self.contract else "plain", f"offers={self.energy}"})

    @asynccontextmanager
    async def station(self, certificates: Path) -> AsyncIterator[Bench]:
        """A station that this session can be held with."""
        tree = certificates if self.contract else None
        settings: dict[str, Any] = dict(self.settings)
        async with bench(self.energy, certificates=tree, **settings) as station:
            if "provisioning" in settings:
                station.charger.backend = _operator(certificates)
            yield station

    async def begin(self, station: Bench) -> Guest:
        """Connect a vehicle; whatever the last one left behind at the charger is forgotten."""
        charger = station.charger
        for kept in (charger.orders, charger.asked, charger.plans_asked, charger.certificates):
            kept.clear()
        charger.change(plug="B", faults=[])
        charger.card, charger.check, charger.wish = "accepted", "passes", "none"
        charger.planner = lambda _: None
        joined = await self._pause(station) if self.before else bytes(8)
        car = await station.car(tls=self.contract)
        car.session_id = joined
        return Guest(self, car, charger, StationFollower(self.standard, self.known))

    async def _pause(self, station: Bench) -> bytes:
        """Hold the session before, and tell its id."""
        car = await station.car(tls=self.contract)
        guest = Guest(self, car, station.charger, StationFollower(self.standard, self.known))
        await guest.go(0)
        for step in self.before:
            await guest.step(step)
        assert await car.gone()
        await station.until(lambda: not station.station.used)
        station.charger.orders.clear()
        return car.session_id


@dataclass(slots=True)
class Guest:
    """A vehicle on its way through a session, and where the table says that the station waits for it."""

    session: Session
    car: Car
    charger: BenchCharger
    follower: StationFollower

    async def go(self, steps: int, follower: StationFollower | None = None) -> None:
        """Agree on the protocol and take so many steps, all of which must succeed and stand in the table.

        Where they are known to, `follower` is where the table is after them.
        """
        await self.car.negotiate(NAMESPACES[self.session.standard.key])
        for step in self.session.steps[:steps]:
            await (self.step(step) if follower is None else step(self.car, self.charger))
        if follower is not None:
            self.follower = copy(follower)

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
    follower: StationFollower
    request: Any = None
    response: Any = None
    """The exchange that leads on from here."""

    @property
    def key(self) -> tuple[object, ...]:
        """Waits that are the same place of code in the same state, demanding the same, are one."""
        return (self.session.standard.key, self.state, self.wait.place, self.accepted)


def _operator(certificates: Path) -> Callable[[api.CertificateRequest], api.BackendCertificate]:
    service = ProvisioningService(Store(certificates))
    return lambda request: api.BackendCertificate(id=request.id, status="accepted", exi=service.answer(request.exi))


async def stops(session: Session, station: Bench, waits: Waits) -> list[Stop]:
    """Go all the way and note every wait on it."""
    guest = await session.begin(station)
    waits.noted.clear()
    found: list[Stop] = []
    await guest.go(0)
    for steps, step in enumerate((*session.steps, None)):
        if guest.follower.state in (END, PAUSED):
            break
        wait = await guest.awaited(waits)
        must, may = guest.follower.accepted()
        state, follower = guest.follower.state, copy(guest.follower)
        assert step is not None, f"{session.title} ends in {state}"
        await guest.step(step)
        exchange = (guest.car.requests[-1], guest.car.answers[-1].body)
        found.append(Stop(session, steps, state, wait, (frozenset(must), frozenset(may)), follower, *exchange))
    assert await guest.car.gone()
    await station.until(lambda: not station.station.used)
    return found
