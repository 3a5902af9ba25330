"""One charge under way: the car, its plug and contract, what was learned of the station, and what is wanted next."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Literal

from evcc.cable import Cable
from evcc.choice import OfferedSchedule
from evcc.config import Plan
from evcc.notice import Notice, Status, fault_of
from evcc.pausing import Paused
from evcc.provisioning import Errand, Outcome, Provisioning
from evcc.receipts import Receipt
from evcc.schedule import Schedule
from evcc.services import Offered
from evcc.vehicle import Vehicle
from evcc.wallet import Contract
from evcc.wishes import Wishes
from v2g.errors import Refused, V2GError
from v2g.messages.iso2 import ChargingSession


class Declined(V2GError):
    """The vehicle does not want what the station offers; it takes leave by SessionStopReq."""


class Interrupted(V2GError):
    """Somebody at the vehicle wants the charge to end; where energy flows it is stopped first, as planned."""


class PilotFault(V2GError):
    """The charger signals a fault by its pilot; the connection is closed without a word."""


class StationFault(Refused):
    """The station reports a fault; everything is switched off at once, and the vehicle takes leave."""


@dataclass(slots=True, kw_only=True)
class Trip:
    """What one charge needs, and what was learned of the station.

    Once `interrupt` is set the charge ends at the next moment at which that is polite.
    """

    vehicle: Vehicle
    cable: Cable
    contract: Contract | None = None
    provisioning: Provisioning | None = None
    errand: Errand | None = None
    """What contract it is about to ask for."""
    provisioned: Outcome | None = None
    """What came of asking for one."""
    interrupt: asyncio.Event = field(default_factory=asyncio.Event)
    wishes: Wishes = field(default_factory=Wishes)
    evse_id: str = ""
    payment: Literal["contract", "external"] | None = None
    free: bool | None = None
    """Whether charging costs nothing here."""
    services: list[Offered] = field(default_factory=list)
    schedules: list[OfferedSchedule] = field(default_factory=list)
    """What was offered last."""
    schedule: Schedule = field(default_factory=Schedule)
    receipts: list[Receipt] = field(default_factory=list)
    max_current_a: float = 0.0
    drawn_a: float = 0.0
    nominal_v: float = 230.0
    live: bool = False
    """Whether power was asked for and not yet switched off."""
    notice: Notice = field(default_factory=Notice)
    farewell: ChargingSession = ChargingSession.Terminate
    paused: Paused | None = None
    """The session that is or may be joined."""
    joined: bool | None = None
    """Whether the station let the vehicle join the paused session; None before it said so."""
    pauses: int = 0
    renegotiated_s: float = -1.0
    """How long energy had flowed when new schedules were asked for last."""
    welding_v: float | None = None
    """The voltage behind the open contactors, as it was told last; None before it was."""
    ended_by: Literal["vehicle", "station"] = "vehicle"
    stopped: str = ""
    """What the station said to end the session before the plan was fulfilled; empty if it did not."""

    @property
    def plan(self) -> Plan:
        """What this charge is to be."""
        return self.vehicle.config.plan

    def begin(self, scale: float) -> None:
        """Forget what the station said before: a session begins, with its times multiplied by `scale`."""
        self.notice, self.farewell, self.live, self.joined = Notice(scale), ChargingSession.Terminate, False, None
        self.schedule, self.schedules, self.welding_v, self.stopped = Schedule(), [], None, ""

    def hear(self, status: Status) -> None:
        """Note what the station asks for; raises `StationFault`."""
        self.require_no_fault(status)
        self.notice.hear(status, live=self.live)

    def require_no_fault(self, status: Status | None) -> None:
        """Raise `StationFault` for a fault in a status, which thereby ends the session."""
        if status is not None and (code := fault_of(status)):
            raise self.fault(code)

    def yield_to_station(self) -> None:
        """Note that the station ends the session, and by what, unless the plan is fulfilled anyway."""
        self.ended_by = "station"
        self.stopped = "" if self.vehicle.satisfied else self.notice.said

    def obey(self) -> None:
        """End the session as the station wants, or pause it where the plan says so."""
        self.yield_to_station()
        if self.plan.when_stopped == "pause":
            self.farewell = ChargingSession.Pause

    def fault(self, code: str, reason: str = "the station reports a fault") -> StationFault:
        """Make the error for a fault of the station, which thereby ends the session."""
        self.ended_by = "station"
        return StationFault(code, reason)

    @property
    def wants_pause(self) -> bool:
        """Whether plan or driver want the session to sleep now, and it has an end; the plan wants it once.

        A plan to pause when there is no energy is one to sleep through the steps of a schedule that allow none, too.
        """
        after_s = self.plan.pause_after_s
        due = after_s is not None and not self.pauses and self.vehicle.flowing_s >= after_s
        ends = self.plan.pause_s is not None or self.plan.pause_file is not None
        idle = self.plan.when_stopped == "pause" and self.schedule.idle
        return ends and (due or idle or self.wishes.pause)

    @property
    def wants_renegotiation(self) -> bool:
        """Whether plan or driver want a new schedule now, or the present one is at its end; the plan wants it once."""
        after_s, flowing_s = self.plan.renegotiate_after_s, self.vehicle.flowing_s
        due = after_s is not None and self.renegotiated_s < after_s <= flowing_s
        return due or self.wishes.renegotiate or self.schedule.expires(self.vehicle.departure_s)

    def renegotiate(self) -> None:
        """Note that new schedules are being asked for."""
        self.renegotiated_s, self.wishes.renegotiate = self.vehicle.flowing_s, False

    def rest(self, session_id: bytes) -> None:
        """Note that the session is paused, and what it takes to join it."""
        self.vehicle.rest()
        self.pauses += 1
        self.wishes.pause = False
        departure_s, now = self.vehicle.departure_s, time.time()
        self.paused = Paused(
            session_id=session_id.hex().upper(),
            evcc_id=self.vehicle.config.evcc_id,
            plan=self.plan,
            payment=self.payment,
            emaid=self.contract.emaid if self.payment == "contract" and self.contract is not None else None,
            schedule_id=self.schedule.tuple_id,
            energy_wh=self.vehicle.energy_wh,
            flowed_s=self.vehicle.flowed_s,
            departs_at=None if departure_s is None else now + departure_s,
            paused_at=now,
        )

    def make_safe(self) -> None:
        """No current, contactors open, pilot B."""
        self.cable.draw(0.0)
        self.cable.contactor("open")
        self.cable.pilot("B")

    def go_on(self) -> None:
        """Raise `Interrupted` if nobody wants this charge any more."""
        if self.interrupt.is_set():
            raise Interrupted("somebody ended the charge")

    async def pause(self, seconds: float) -> None:
        """Wait, but not once the charge is to end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.interrupt.wait()
