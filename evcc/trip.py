"""One charge under way: the car, its plug and contract, what was learned of the station, and who wants it to end."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Literal

from evcc.cable import Cable
from evcc.provisioning import Errand, Outcome, Provisioning
from evcc.schedule import Schedule
from evcc.vehicle import Vehicle
from evcc.wallet import Contract
from v2g.errors import V2GError


class Declined(V2GError):
    """The vehicle does not want what the station offers; it takes leave by SessionStopReq."""


class Interrupted(V2GError):
    """Somebody at the vehicle wants the charge to end; where energy flows it is stopped first, as planned."""


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
    evse_id: str = ""
    payment: Literal["contract", "external"] | None = None
    schedule: Schedule = field(default_factory=Schedule)
    max_current_a: float = 0.0
    nominal_v: float = 230.0
    ended_by: Literal["vehicle", "station"] = "vehicle"

    def go_on(self) -> None:
        """Raise `Interrupted` if nobody wants this charge any more."""
        if self.interrupt.is_set():
            raise Interrupted("somebody ended the charge")

    async def pause(self, seconds: float) -> None:
        """Wait, but not once the charge is to end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.interrupt.wait()
