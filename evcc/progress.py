"""A line about the charge every now and then, for whoever waits for its end."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from evcc.result import LOOPS
from evcc.vehicle import Vehicle
from v2g.journal import Entry

STATES = {"sdp_request": "looking for a station", "sdp_response": "connecting", "connected": "connected"}


class Progress:
    """Says every `every_s` seconds how the charge stands; its state is the last request, or what came before one."""

    def __init__(self, say: Callable[[str], None], every_s: float) -> None:
        self._say = say
        self._every_s = every_s
        self._request = ""
        self._state = "plugged in"

    def see(self, entry: Entry) -> None:
        """Take an entry of the vehicle's journal."""
        if entry.kind == "request":
            self._request = str(entry.facts["name"])
            self._state = self._request.removesuffix("Req")
        else:
            self._state = STATES.get(entry.kind, self._state)

    @contextlib.asynccontextmanager
    async def shown(self, vehicle: Vehicle) -> AsyncIterator[None]:
        """Say it again and again as long as the block lasts."""
        telling = asyncio.create_task(self._tell(vehicle))
        try:
            yield
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)

    async def _tell(self, vehicle: Vehicle) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(self._every_s)
            self._say(self._line(vehicle, time.monotonic() - began))

    def _line(self, vehicle: Vehicle, seconds: float) -> str:
        power_w = vehicle.power_w if self._request in LOOPS else 0.0
        return (
            f"{seconds:.0f} s: {self._state}, {power_w:.0f} W, {vehicle.energy_wh:.1f} Wh, "
            f"SoC {vehicle.soc_percent:.2f} %"
        )
