"""A station under test in the test's own loop: real sockets on ::1, a charger in memory, time at any scale."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from pki import credentials
from pki.relying_party import RelyingParty
from secc import config, station
from secc.keyring import server_tls
from secc.station import Station
from secc.vehicles import Vehicles
from tests.secc.bench_car import Car
from tests.secc.bench_charger import AC_SETUP, DC_SETUP, FINAL_EVENTS, BenchCharger, Order
from tests.secc.bench_requests import Step, walk
from v2g.stream import TcpStream
from v2g.timing import Timing

SETUPS = {"AC": AC_SETUP, "DC": DC_SETUP}


class Bench:
    """The station, its charger, and the cars that come."""

    def __init__(self, charger: BenchCharger, served: Station, certificates: Path | None) -> None:
        self.charger = charger
        self.station = served
        self._certificates = certificates
        self._cars: list[Car] = []
        self._connections = 0

    async def car(self, *, tls: bool = False) -> Car:
        """A car with a connection; over TLS it trusts the V2G root, by the library that we do not use ourselves."""
        port = self.station.tls_port if tls else self.station.tcp_port
        assert port is not None
        car = await Car.connect(port, self._client() if tls else None)
        self._cars.append(car)
        return car

    async def car_at(self, route: Sequence[Step], wait: str, *, tls: bool = False) -> Car:
        """A car for which the station waits at a place of a route."""
        car = await self.car(tls=tls)
        await walk(car, self.charger, route, wait)
        return car

    def _client(self) -> ssl.SSLContext:
        assert self._certificates is not None
        context = ssl.create_default_context(cafile=str(self._certificates / "trust" / "v2g.pem"))
        context.check_hostname = False
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
        return context

    async def until(self, holds: Callable[[], bool], within: float = 5.0) -> None:
        """Wait for a condition, bounded."""
        over = time.monotonic() + within
        while not holds():
            assert time.monotonic() < over, "waited in vain"
            await asyncio.sleep(0.001)

    @property
    def endings(self) -> list[dict[str, Any]]:
        """The events that told the end of a session."""
        return [facts for facts in self.charger.said("event") if facts["kind"] in FINAL_EVENTS]

    async def ended(self, kind: str, *, within: float = 5.0) -> dict[str, Any]:
        """Wait for the end of the one session; check that all is safe and that it was told once, and as `kind`."""
        await self.until(lambda: bool(self.charger.said("end")), within)
        await self.until(lambda: bool(self.endings), within)
        assert [each["kind"] for each in self.endings] == [kind], self.endings
        told, over = self.charger.index("event", kind=kind), self.charger.index("end")
        assert told < over, "the ending was told when the session was forgotten"
        self.assert_safe()
        return self.endings[0]

    def assert_safe(self) -> None:
        """What must hold after any end."""
        charger = self.charger
        assert charger.violations == []
        assert charger.levels["contactor"] == "open"
        assert charger.levels["power"] == "off"
        targets = charger.said("target")
        assert targets[-1]["phase"] == "idle"
        assert (targets[-1]["voltage_v"], targets[-1]["current_a"]) == (0.0, 0.0)
        told = charger.limits_told
        assert told, "no limits were told"
        assert (told[-1].authorised, told[-1].max_charge_w, told[-1].max_current_a) == (False, 0, 0)
        assert told[-1].contract is None

    async def serves_next(self, *, within: float = 1.0) -> None:
        """The station takes the next car at once."""
        async with asyncio.timeout(within):
            while True:
                car = await self.car()
                try:
                    response = await car.negotiate()
                except (asyncio.IncompleteReadError, ConnectionError):
                    await car.close()
                    continue
                assert response.ResponseCode == "OK_SuccessfulNegotiation"
                await car.close()
                return

    def assert_open_before_answer(self) -> None:
        """Open, off and zero were ordered before the last bytes left for the vehicle."""
        sent = self.charger.index("sent")
        before = self.charger.orders[:sent]
        permits = [order.facts for order in before if order.kind == "permit"]
        assert permits[-1]["contactor"] == "open"
        assert permits[-1]["power"] == "off"
        limits = [order.facts["limits"] for order in before if order.kind == "limits"]
        assert not limits or limits[-1].max_charge_w == 0
        targets = [order.facts for order in before if order.kind == "target"]
        assert targets[-1]["phase"] == "idle"

    async def close(self) -> None:
        for car in self._cars:
            await car.close()
        await self.until(lambda: not self.station.used, 10.0)
        await self.station.close()


def settings(certificates: Path | None, **changes: dict[str, Any]) -> config.SeccConfig:
    """A configuration for tests; `changes` are by section."""
    raw: dict[str, Any] = {
        "evse": [{"id": "bay-1", "interface": "lo", "sdp_port": 0}],
        "tls": {"required": False},
    }
    if certificates is not None:
        leaf = certificates / "leaf" / "secc" / "evse1"
        raw["tls"] |= {"chain": str(leaf / "chain.pem"), "key": str(leaf / "key.pem")}
        raw["trust"] = {"contract": [str(certificates / "trust" / "mo.pem")]}
    raw["evse"][0] |= changes.pop("evse", {})
    for section, values in changes.items():
        raw[section] = raw.get(section, {}) | values
    return msgspec.convert(raw, config.SeccConfig)


@asynccontextmanager
async def bench(
    energy: str = "AC",
    *,
    certificates: Path | None = None,
    anchors: Sequence[bytes] = (),
    scale: float = 1.0,
    timing: Timing | None = None,
    **changes: dict[str, Any],
) -> AsyncIterator[Bench]:
    """Run a station for one test; `anchors` of contracts are those of the certificates, or the ones given.

    All times are multiplied by `scale`, or are those of `timing`.
    """
    chosen = settings(certificates, **changes)
    charger = BenchCharger(SETUPS[energy])
    roots = anchors or [der for name in chosen.trust.contract for der in credentials.load_anchors(name)]
    cars = [der for name in chosen.trust.vehicle for der in credentials.load_anchors(name)]
    served = Station(
        chosen.evse[0],
        chosen,
        charger,
        tls=server_tls(chosen.tls, cars),
        verify=RelyingParty(roots, chosen.trust).verify,
        vehicles=Vehicles(cars, chosen.trust) if cars else None,
        timing=timing or Timing(scale),
    )

    class Noted(TcpStream):
        """Notes among the charger's orders when bytes leave for the vehicle."""

        async def send(self, data: bytes) -> None:
            charger.orders.append(Order("sent", {"size": len(data)}))
            await super().send(data)

    with patch.object(station, "TcpStream", Noted):
        await served.start()
        running = Bench(charger, served, certificates)
        try:
            yield running
        finally:
            await running.close()
    assert charger.violations == []


ac_bench = partial(bench, "AC")
dc_bench = partial(bench, "DC")
