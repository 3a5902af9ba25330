"""A car of single requests at a real station: the test plays the plug on MQTT, and says what it likes."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from tests.e2e.bay import PATIENCE_S, Bay
from tests.secc.bench_car import Car
from tests.secc.bench_requests import (
    SETUP,
    STATUS,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    power,
    precharge,
    selection,
)
from v2g.messages import iso2

VOLTS = 380.0


class Scripted:
    """A car at a bay, which stays plugged in from one connection to the next."""

    def __init__(self, bay: Bay) -> None:
        self.bay = bay
        self.car: Car
        self.session_id = bytes(8)

    @property
    def dc(self) -> bool:
        return self.bay.energy == "dc"

    async def plug(self, pilot: str, *, contactor: str = "open", current_a: float = 0.0) -> None:
        """Tell the charger our end of the cable."""
        end = {"plugged": pilot != "A", "pilot": pilot, "contactor": contactor, "current_a": current_a}
        await self.bay.peer.say("cable/vehicle", end | ({"battery_v": VOLTS} if self.dc else {}), retain=True, qos=0)
        await self.bay.peer.hears("charger/state", plug=pilot)

    async def connect(self) -> Any:
        """Connect over plain TCP and open a session; returns SessionSetupRes."""
        listening = await self.bay.process("secc").says("TCP ", PATIENCE_S)
        found = re.search(r"TCP (\d+)", listening)
        assert found is not None, listening
        async with asyncio.timeout(PATIENCE_S):
            while (answer := await self._reach(int(found.group(1)))) is None:
                continue
        self.session_id = self.car.session_id
        return answer

    async def _reach(self, port: int) -> Any:
        """Open a session; None where the station does not expect us yet, of which SDP would have told."""
        self.car = await Car.connect(port)
        try:
            await self.car.negotiate()
            return await self.ask(SETUP, session_id=self.session_id)
        except (ConnectionError, asyncio.IncompleteReadError):
            await self.car.close()
            return None

    async def ask(self, request: iso2.BodyElement, **how: Any) -> Any:
        """Ask, and have no failure for an answer."""
        answer = await self.car.ask(request, **how)
        assert str(answer.ResponseCode).startswith("OK"), answer
        return answer

    async def until_finished(self, request: iso2.BodyElement) -> Any:
        """Ask again until the station has finished."""
        while (answer := await self.ask(request)).EVSEProcessing != "Finished":
            continue
        return answer

    async def identify(self, *, card: bool = True) -> None:
        """Choose external payment and charging; somebody shows a card, or need not."""
        await self.ask(iso2.ServiceDiscoveryReq())
        await self.ask(selection())
        mark = self.bay.mark
        answer = await self.ask(iso2.AuthorizationReq())
        assert (answer.EVSEProcessing == "Finished") != card
        if card:
            await self.bay.heard(mark, "secc/authorization/request")
            await self.bay.console("card accept")
            await self.until_finished(iso2.AuthorizationReq())

    async def negotiate(self) -> Any:
        """Tell what the car wants; returns the offer."""
        return await self.until_finished(dc_parameters() if self.dc else ac_parameters())

    async def prepare(self) -> None:
        """Bring the car to where PowerDeliveryReq(Start) is next."""
        await self.plug("C")
        if not self.dc:
            return
        await self.until_finished(cable_check())
        await self.precharge()
        await self.plug("C", contactor="closed")

    async def precharge(self) -> None:
        """Ask until the output is near the battery's voltage."""
        while abs(_volts(await self.ask(precharge(VOLTS, 1))) - VOLTS) > 10:
            continue

    async def start(self) -> None:
        """Begin to draw current."""
        await self.ask(power("Start"))
        if not self.dc:
            await self.plug("C", current_a=16.0)
        await self.loop()

    async def loop(self) -> Any:
        """One turn of the charge loop."""
        return await self.ask(demand(VOLTS, 50) if self.dc else STATUS)

    async def stop(self) -> None:
        """Stop drawing current, leave C."""
        if not self.dc:
            await self.plug("C")
        await self.ask(power("Stop"))
        await self.plug("B")

    async def end(self, kind: str) -> None:
        """SessionStopReq; the station closes."""
        await self.ask(iso2.SessionStopReq(ChargingSession=iso2.ChargingSession(kind)))
        assert await self.car.gone()
        await self.car.close()


def notification(body: Any) -> str:
    """What a status asks the vehicle for."""
    return str((getattr(body, "AC_EVSEStatus", None) or body.DC_EVSEStatus).EVSENotification)


def _volts(answer: Any) -> float:
    present = answer.EVSEPresentVoltage
    volts: float = present.Value * 10.0**present.Multiplier
    return volts
