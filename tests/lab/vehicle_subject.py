"""The real vehicle as a system under test: set up as a case needs it, with its timers as fast as the case says."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from evcc import client, config
from evcc.connection import Connection
from lab.cases.pixit import Pixit
from lab.cases.vehicle import VehiclePeer
from tests.lab.station_subject import hurried
from v2g.identifiers import evcc_id
from v2g.journal import Journal
from v2g.timing import MESSAGES, Timing

PROMPT = {"CurrentDemandReq": 2.0}
"""A quarter of a second for an answer is too short where machines are busy."""
NEVER_S = 60.0
SOON_S = 0.03
PAUSE_S = 0.05
DEPARTURE_S = 7_200
LEAVE_S = 1.0


@dataclass
class TestersPlug:
    """The vehicle's end of the cable, with the tester at the other one."""

    state: str = "A"
    contacts: str = "open"
    signalled: str = ""
    error: str = ""
    dead: bool = False
    _erring: asyncio.Event = field(default_factory=asyncio.Event)
    _calling: asyncio.Event = field(default_factory=asyncio.Event)

    async def plug(self) -> None:
        self.pilot("B")

    def pilot(self, state: str) -> None:
        self.state = state
        self.signalled += state

    def contactor(self, state: str) -> None:
        self.contacts = state

    def draw(self, current_a: float) -> None:
        pass

    def battery(self, voltage_v: float) -> None:
        pass

    async def wake(self) -> None:
        self.pilot("C")
        self.pilot("B")

    async def called(self) -> None:
        await self._calling.wait()

    async def failed(self) -> str:
        await self._erring.wait()
        return self.error

    async def leave(self) -> None:
        pass

    async def unplug(self) -> None:
        self.contactor("open")
        self.pilot("A")

    def signal(self, state: str) -> None:
        if state in "EF":
            self.error = state
            self._erring.set()
        elif state == "on":
            self._calling.set()
        else:
            self._calling.clear()


def planned(pixit: Pixit) -> config.Plan:
    """What the vehicle is to do in a run."""
    has = pixit.features
    more: dict[str, Any] = {}
    if "renegotiates" in has:
        more["renegotiate_after_s"] = SOON_S
    if "pauses" in has:
        more["pause_after_s"] = SOON_S
    if has & {"pauses", "rests", "sleeps"}:
        more["pause_s"] = NEVER_S if "called" in has else PAUSE_S
    if "rests" in has:
        more["when_stopped"] = "pause"
    if "internet" in has:
        more["services"] = (config.WantedService(id=3),)
    if "departs" in has:
        more["departure_s"] = DEPARTURE_S
    if "cheapest" in has:
        more["schedule"] = "cheapest"
    return config.Plan(
        energy="ac3" if pixit.energy == "AC" else "dc",
        payment="contract" if pixit.payment == "PnC" else "external",
        charge_s=SOON_S if "short" in has else NEVER_S,
        welding_detection="no welding" not in has,
        loop_s=0.002,
        poll_s=0.002,
        **more,
    )


def settings(pixit: Pixit, tree: Path, wallet: Path, port: int, sdp_port: int) -> config.EvccConfig:
    """The vehicle's configuration."""
    security: Literal["tls", "none"] = "tls" if pixit.tls else "none"
    network = config.Network(
        interface="lo",
        sdp_port=sdp_port,
        connect=f"[::1]:{port}" if port else None,
        security=security,
        accept_plain="plain" in pixit.features,
    )
    held = tree / "leaf" / "contract" / "car1"
    contract = config.Contract(chain=str(held / "chain.pem"), key=str(held / "key.pem"))
    installs, updates = "installs" in pixit.features, "updates" in pixit.features
    given = tree / "leaf" / "oem-provisioning" / "car1"
    provisioning = config.Provisioning(
        chain=str(given / "chain.pem"),
        key=str(given / "key.pem"),
        wallet=str(wallet),
        when="expiring" if updates else "missing",
        renew_within_days=100_000,
    )
    return config.EvccConfig(
        network=network,
        tls=config.Tls(roots=[str(tree / "trust" / "v2g.pem")]),
        contract=contract if pixit.payment == "PnC" and not installs else None,
        provisioning=provisioning if installs or updates else None,
        plan=planned(pixit),
    )


def timing(pixit: Pixit) -> Timing:
    """The vehicle's timers; its message timeouts are its own, as much faster as the case says."""
    factors = {name: factor for name, factor in pixit.hurry.items() if name != "message"}
    if "message" not in pixit.hurry:
        return hurried(factors, PROMPT)
    factor = pixit.hurry["message"]
    own = {f"{name}Req": row.timeout * factor for table in ("sap", "iso2") for name, row in MESSAGES[table].items()}
    return hurried(factors, own)


class OutingControls:
    """Implements `VehicleControls` for the emulator."""

    def __init__(self, pixit: Pixit, tree: Path, wallet: Path) -> None:
        self.plug = TestersPlug()
        self.outing: client.Outing | None = None
        self._pixit = pixit
        self._tree = tree
        self._wallet = wallet
        self._task: asyncio.Task[None] | None = None

    @property
    def pilot(self) -> str:
        return self.plug.state

    @property
    def contactor(self) -> str:
        return self.plug.contacts

    @property
    def signalled(self) -> str:
        return self.plug.signalled

    @property
    def evcc_id(self) -> bytes:
        return evcc_id(config.EvccConfig().evcc_id)

    def server(self) -> ssl.SSLContext:
        leaf = self._tree / "leaf" / "secc" / "evse1"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf / "chain.pem", leaf / "key.pem")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
        return context

    def start(self, *, port: int = 0, sdp_port: int = 0) -> None:
        chosen = settings(self._pixit, self._tree, self._wallet, port, sdp_port)
        journal, times = Journal("evcc"), timing(self._pixit)
        trip = client._trip(chosen, journal)
        trip.cable = self.plug
        self.outing = client.Outing(trip, Connection(chosen, journal, times), journal, times)
        journal.subscribe(self.outing.account.see)
        self._task = asyncio.create_task(self.outing.make())

    def signal(self, state: Literal["on", "off", "E", "F"]) -> None:
        self.plug.signal(state)

    def rest(self) -> None:
        assert self.outing is not None
        self.outing.trip.wishes.rest_or_wake()

    async def close(self) -> None:
        """Let the driver end the charge; to cancel it would lose a connection that has just been made."""
        if self._task is not None and self.outing is not None:
            self.outing.trip.interrupt.set()
            await asyncio.wait([self._task], timeout=LEAVE_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


@asynccontextmanager
async def vehicle_subject(pixit: Pixit, tree: Path, wallet: Path) -> AsyncIterator[VehiclePeer]:
    """A vehicle for one case."""
    peer = VehiclePeer(controls=OutingControls(pixit, tree, wallet))
    try:
        yield peer
    finally:
        await peer.close()
