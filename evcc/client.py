"""One charge, from the plug to the unplugged cable: connection, protocol, session, and the result of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from evcc import config, pausing, provisioning, spoken, wallet
from evcc.account import Account
from evcc.cable import MqttCable, NoCable
from evcc.connection import Connection
from evcc.progress import Progress
from evcc.result import Certificate, Result, Session, loop_times
from evcc.trip import Interrupted, PilotFault, Trip
from evcc.vehicle import Vehicle
from evcc.wishes import Wishes
from v2g import __version__
from v2g.errors import PeerGone, Refused, V2GError
from v2g.journal import Entry, Journal
from v2g.link import EvccLink
from v2g.messages.iso2 import ChargingSession
from v2g.timing import Budget, Timing

LEAVE_S = 2.5
"""How long a charge that is interrupted may take to end politely."""

SeeEntry = Callable[[Entry], None]
T = TypeVar("T")


async def charge(
    settings: config.EvccConfig,
    *,
    see: SeeEntry | None = None,
    progress: Progress | None = None,
    interrupt: asyncio.Event | None = None,
    wishes: Wishes | None = None,
    timing: Timing | None = None,
) -> Result:
    """Charge once as planned, pauses included; `see` is called with every journal entry as it happens.

    A session that fails is a result with `ok` false, and so is one that ends because `interrupt` was set. Raises
    ValueError or OSError for what cannot be used at start-up: certificates, interface, the cable's broker.
    """
    journal, timing = Journal("evcc"), timing or Timing(timeouts=settings.timeouts)
    trip = _trip(settings, journal)
    trip.interrupt, trip.wishes = interrupt or trip.interrupt, wishes or trip.wishes
    outing = Outing(trip, Connection(settings, journal, timing), journal, timing)
    journal.subscribe(outing.account.see)
    if see is not None:
        journal.subscribe(see)
    if progress is None:
        await outing.make()
    else:
        journal.subscribe(progress.see)
        async with progress.shown(trip.vehicle):
            await outing.make()
    return outing.result()


def _trip(settings: config.EvccConfig, journal: Journal) -> Trip:
    file = None if settings.plan.pause_file is None else Path(settings.plan.pause_file)
    if file is not None:
        pausing.require_place(file)
    paused = pausing.load(file) if settings.plan.resume and file is not None else None
    if paused is not None:
        settings = pausing.resumed(settings, paused)
    contract = supply = None
    if settings.plan.payment == "contract":
        contract, supply = wallet.best(settings), provisioning.load(settings)
    vehicle = Vehicle(settings)
    if paused is not None:
        pausing.require_contract(paused, contract)
        vehicle.energy_wh, vehicle.flowed_s = paused.energy_wh, paused.flowed_s
    cable = NoCable() if settings.cable is None else MqttCable(settings.cable, journal)
    return Trip(vehicle=vehicle, cable=cable, contract=contract, provisioning=supply, paused=paused)


@dataclass(slots=True)
class Outing:
    """One charge while it lasts, of one session or of several with pauses between them, and what is known of it."""

    trip: Trip
    connection: Connection
    journal: Journal
    timing: Timing
    account: Account = field(default_factory=Account)
    link: EvccLink | None = None
    sessions: list[Session] = field(default_factory=list)
    error: V2GError | None = None
    protocol: str = ""
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    began: float = field(default_factory=time.monotonic)

    async def make(self) -> None:
        """Plug in, charge, unplug; whatever ends a session is kept in `error`.

        Raises OSError without a broker, and where a paused session cannot be kept.
        """
        trip, cable = self.trip, self.trip.cable
        try:
            await self._unless_interrupted(cable.plug())
            if trip.paused is not None:
                await self._unless_interrupted(cable.wake())
            await self._session()
            while self.pausing and trip.plan.pause_s is not None:
                await self._unless_interrupted(self._sleep(trip.plan.pause_s))
                await self._session()
        except V2GError as error:
            self.error = error
            self.journal.record("failed", reason=self.reason)
        finally:
            self.connection.close()
            await (cable.leave() if self.pausing else cable.unplug())

    @property
    def pausing(self) -> bool:
        """Whether the last session was paused, and nothing went wrong since."""
        return self.error is None and bool(self.sessions) and self.sessions[-1].ended == "paused"

    async def _session(self) -> None:
        """Reach the station and drive one session, from the pilot's signal to the end of the connection."""
        setup, before_wh = Budget(self.timing.setup_evcc), self.trip.vehicle.energy_wh
        stream = await self._unless_interrupted(self.connection.reach(setup))
        self.link = link = EvccLink(stream, self.journal, self.timing, setup=setup)
        self.journal.record("connected", peer=stream.facts.peer, tls=stream.facts.tls or "none")
        ended: Literal["stopped", "paused", "failed"] = "failed"
        self.trip.joined = None
        try:
            await self._unless_interrupted(self._talk(link), LEAVE_S)
            ended = "paused" if self.trip.farewell is ChargingSession.Pause else "stopped"
        finally:
            await link.close()
            told = Session(
                session_id=link.session_id.hex().upper() or None,
                joined=bool(self.trip.joined),
                ended=ended,
                energy_wh=round(self.trip.vehicle.energy_wh - before_wh, 3),
            )
            self.sessions.append(told)
            self._keep()

    def _keep(self) -> None:
        """Write a paused session to the plan's file, and remove from there what was joined or is gone."""
        trip = self.trip
        if trip.plan.pause_file is None or trip.joined is None:
            return
        if self.pausing and trip.paused is not None:
            pausing.save(Path(trip.plan.pause_file), trip.paused)
        else:
            pausing.forget(Path(trip.plan.pause_file))

    async def _sleep(self, seconds: float) -> None:
        """Sleep until time, driver or station end the pause, and wake a station that has not come by itself."""
        called = asyncio.ensure_future(self.trip.cable.called())
        ends = [called, asyncio.ensure_future(self.trip.wishes.slept())]
        try:
            await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not called.done():
                await self.trip.cable.wake()
        finally:
            for each in ends:
                each.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _talk(self, link: EvccLink) -> None:
        sessions = spoken.offered(self.trip.vehicle.config.plan, link.stream.facts)
        dialect = await link.negotiate(list(sessions))
        self.protocol = dialect.protocol.key
        await sessions[dialect](link, self.trip)
        self.trip.go_on()

    async def _unless_interrupted(self, work: Coroutine[Any, Any, T], grace: float = 0.0) -> T:
        """Do the work; once somebody interrupts, `grace` seconds are left for it.

        Raises `Interrupted` after them, and `PilotFault` at once when the charger signals E or F: nothing more is said
        then.
        """
        working, waiting = asyncio.ensure_future(work), asyncio.ensure_future(self.trip.interrupt.wait())
        failing = asyncio.ensure_future(self.trip.cable.failed())
        every = [working, waiting, failing]
        try:
            await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([working, failing], timeout=grace, return_when=asyncio.FIRST_COMPLETED)
            if failing.done() and not working.done():
                self.trip.ended_by = "station"
                raise PilotFault(f"the charger's pilot signals {failing.result()}")
            if not working.done():
                raise Interrupted("there was no time left for a polite end")
            return working.result()
        finally:
            for each in every:
                each.cancel()
            await asyncio.gather(*every, return_exceptions=True)

    @property
    def reason(self) -> str:
        """Why it did not go as planned, empty if it did."""
        if self.error is None:
            return f"ended by the station: {self.trip.stopped}" if self.trip.stopped else ""
        return "interrupted" if self.trip.interrupt.is_set() else f"{type(self.error).__name__}: {self.error}"

    @property
    def ended_by(self) -> Literal["vehicle", "station"]:
        """Who ended it: also a station that refuses or hangs up does."""
        refused = isinstance(self.error, Refused) and self.account.refused
        left = isinstance(self.error, PeerGone) and self.link is not None
        return "station" if refused or left else self.trip.ended_by

    def result(self) -> Result:
        """Sum it up."""
        trip, exchanges = self.trip, self.account.exchanges
        settings = trip.vehicle.config
        facts = None if self.link is None else self.link.stream.facts
        return Result(
            ok=self.error is None and (trip.vehicle.energy_wh > 0 or self.pausing),
            reason=self.reason,
            version=__version__,
            started=self.started,
            duration_s=round(time.monotonic() - self.began, 3),
            protocol=self.protocol,
            energy=settings.plan.energy,
            payment=trip.payment,
            plan=settings.plan,
            evcc_id=settings.evcc_id,
            provisioning=trip.provisioned,
            emaid=trip.contract.emaid if trip.payment == "contract" and trip.contract is not None else None,
            evse_id=trip.evse_id,
            session_id=self.link.session_id.hex().upper() or None if self.link is not None else None,
            sessions=self.sessions,
            free=trip.free,
            services=trip.services,
            schedules=trip.schedules,
            receipts=trip.receipts,
            station=Certificate.of(self.connection.station[0]) if self.connection.station else None,
            tls="" if facts is None or facts.tls is None else f"{facts.tls} {facts.suite}",
            tls_details={} if facts is None else facts.told,
            ended_by=self.ended_by,
            welding_v=trip.welding_v,
            energy_wh=round(trip.vehicle.energy_wh, 3),
            soc_percent=round(trip.vehicle.soc_percent, 3),
            messages=self.account.messages,
            loop_ms=loop_times(exchanges),
            exchanges=exchanges,
            notes=self.account.notes,
        )
