"""Peers that hang, vanish or never leave: the next vehicle finds the station at once, and the link's time is kept."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from secc.trouble import CONTROLLER_SILENT
from tests.elastic import Elastic
from tests.secc.bench import Bench, ac_bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, DC, STATUS, cable_check, walk
from tests.secc.test_iso2_link import FEEDS
from v2g.sdp import SdpRequest, SdpResponse, Security
from v2g.timing import Timing

AT_ONCE_S = 0.3
TCP_REPAIR = 19


class Seeker:
    """A vehicle that asks for the station."""

    def __init__(self, station: Bench) -> None:
        self._station = station.station
        self._socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(("::1", 0))

    async def ask(self, within: float = AT_ONCE_S) -> SdpResponse | None:
        """One request; None when nobody answers it in time."""
        loop = asyncio.get_running_loop()
        request = SdpRequest(security=Security.NONE).encode()
        await loop.sock_sendto(self._socket, request, ("::1", self._station.sdp_port))
        try:
            async with asyncio.timeout(within):
                return SdpResponse.parse(await loop.sock_recv(self._socket, 100))
        except TimeoutError:
            return None

    def close(self) -> None:
        self._socket.close()


@contextlib.asynccontextmanager
async def seeking(station: Bench) -> AsyncIterator[Seeker]:
    """A vehicle that asks, while the station looks out for it."""
    looking = asyncio.create_task(station.station.look_out())
    seeker = Seeker(station)
    try:
        yield seeker
    finally:
        seeker.close()
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def over(station: Bench, times: int = 1) -> None:
    """Wait for the end of a session."""
    await station.until(lambda: len(station.endings) >= times, 10.0)


# --- after any end --------------------------------------------------------------------------------------------------


async def keeps_silent(_car: Car, _station: Bench) -> None:
    """Connects and never says anything."""


async def dribbles(car: Car, _station: Bench) -> None:
    """A byte now and then, none of which belongs to a whole message."""
    with contextlib.suppress(ConnectionError):
        for byte in bytes.fromhex("01fe8001000003e8"):
            car.send(bytes([byte]))
            await asyncio.sleep(0.01)


async def never_leaves(car: Car, station: Bench) -> None:
    """Takes the end of its session for a reason to stay."""
    await walk(car, station.charger, AC)


async def is_refused_and_stays(car: Car, station: Bench) -> None:
    """Asks for what it may not, and goes on asking."""
    await walk(car, station.charger, AC, "ChargeParameterDiscovery")
    car.send(car.encode(cable_check()))
    assert (await car.receive()).code.startswith("FAILED")
    car.send(car.encode(STATUS))


async def hangs_on(car: Car, station: Bench) -> None:
    """Is silent in the loop."""
    await walk(car, station.charger, AC, "ChargingStatus")


PEERS = {peer.__name__: peer for peer in (keeps_silent, dribbles, never_leaves, is_refused_and_stays, hangs_on)}


@pytest.mark.parametrize("peer", PEERS)
async def test_the_next_vehicle_is_answered_at_once(peer: str) -> None:
    """Also while the one before still holds its side of the connection open."""
    async with ac_bench(scale=0.01) as station, seeking(station) as seeker:
        car = await station.car()
        await PEERS[peer](car, station)
        await over(station)
        began = time.monotonic()
        assert await seeker.ask() is not None
        assert time.monotonic() - began < AT_ONCE_S
        station.charger.change(plug="B")
        await walk(await station.car(), station.charger, AC)
        await over(station, 2)
        assert station.endings[-1]["kind"] == "session_ended"


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x01\x02\x00\x01\x00", b"\x16" * 3], ids=["silent", "half", "odd"])
async def test_a_handshake_that_hangs(certificates: Path, data: bytes) -> None:
    async with ac_bench(certificates=certificates, tls={"handshake_s": 0.2}) as station, seeking(station) as seeker:
        assert station.station.tls_port is not None
        car = await Car.connect(station.station.tls_port)
        car.send(data)
        await over(station)
        assert await seeker.ask() is not None
        await walk(await station.car(tls=True), station.charger, AC)
        await car.close()


async def test_a_handshake_is_no_longer_than_the_setup_time(certificates: Path) -> None:
    """18 s are 180 ms here; the 10 s of the handshake are real."""
    async with ac_bench(certificates=certificates, scale=0.01) as station:
        assert station.station.tls_port is not None
        began = time.monotonic()
        car = await Car.connect(station.station.tls_port)
        assert await car.gone()
        assert 0.17 < time.monotonic() - began < 1.2
        await car.close()
        await station.ended("silence")


async def test_a_vehicle_that_began_anew_is_found_out() -> None:
    """It forgot its connection without a word, as by a reset; nothing of it would ever come again."""
    async with ac_bench() as station, seeking(station) as seeker:
        car = await station.car_at(AC, "ChargingStatus")
        await asyncio.sleep(0.1)  # until the kernel has acknowledged the answer: it would be repeated, and refused
        vanish(car)
        began = time.monotonic()
        await over(station)
        assert 1.5 < time.monotonic() - began < 4
        assert station.endings[0]["kind"] == "gone"
        assert await seeker.ask() is not None


def vanish(car: Car) -> None:
    """Close the vehicle's socket so that nothing leaves; needs the right to administrate the network."""
    raw = car.writer.get_extra_info("socket")
    try:
        raw.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    except PermissionError:
        pytest.skip("only root can make a connection forgotten")
    car.writer.transport.abort()


# --- the link's time ------------------------------------------------------------------------------------------------


def report(station: Bench, *, matched: bool) -> None:
    """The controller reports its data link."""
    station.charger.link_reported, station.charger.linked = True, matched
    station.charger.report()


async def link(station: Bench) -> float:
    """D-LINK_READY; returns when."""
    report(station, matched=False)
    await asyncio.sleep(0)
    report(station, matched=True)
    return time.monotonic()


def silences(station: Bench) -> list[str]:
    return [each["reason"] for each in station.endings if each["kind"] == "silence"]


async def test_nobody_is_answered_after_the_setup_time() -> None:
    """From D-LINK_READY on; until the link is matched anew."""
    async with ac_bench(scale=0.02) as station, seeking(station) as seeker:
        report(station, matched=False)
        assert await seeker.ask() is None
        began = await link(station)
        assert await seeker.ask() is not None
        await over(station)
        assert 0.35 < time.monotonic() - began < 1.4
        assert "V2G_SECC_CommunicationSetup_Performance_Time" in silences(station)[0]
        assert station.charger.said("session")[-1]["session"].stage == "failed"
        assert await seeker.ask() is None
        late = await station.car()
        assert await late.gone()
        assert station.charger.said("event")[-1]["kind"] == "connection_refused"
        await link(station)
        assert await seeker.ask() is not None
        assert len(silences(station)) == 1


async def test_a_connection_has_what_is_left_of_the_links_time() -> None:
    async with ac_bench(scale=0.05) as station, seeking(station):
        await asyncio.sleep(0)
        began = await link(station)
        await asyncio.sleep(0.5)
        car = await station.car()
        assert await car.gone()
        assert 0.85 < time.monotonic() - began < 1.3  # of 0.9; from the connection it would be 1.4
        assert "V2G_SECC_CommunicationSetup_Performance_Time" in silences(station)[0]


async def test_the_links_time_ends_with_the_first_connection() -> None:
    """Whatever came of it, the same vehicle or the next may come again, and has all its time."""
    async with ac_bench(scale=0.02) as station, seeking(station) as seeker:
        await asyncio.sleep(0)
        await link(station)
        car = await station.car()
        await car.close()
        await over(station)
        await asyncio.sleep(18 * 0.02 * 1.5)
        assert await seeker.ask() is not None
        await walk(await station.car(), station.charger, AC)


async def test_without_a_reported_link_there_is_no_hurry() -> None:
    async with ac_bench(scale=0.01) as station, seeking(station) as seeker:
        await asyncio.sleep(18 * 0.01 * 2)
        assert await seeker.ask() is not None


async def test_of_a_link_that_was_there_before_nobody_knows_since_when() -> None:
    """A station that was started anew beside a plugged vehicle, or whose controller was, waits for it."""
    async with ac_bench(scale=0.01) as station:
        report(station, matched=True)
        async with seeking(station) as seeker:
            await asyncio.sleep(18 * 0.01 * 2)
            assert await seeker.ask() is not None
            station.charger.silent = CONTROLLER_SILENT
            station.charger.report()
            assert await seeker.ask() is None
            station.charger.silent = None
            station.charger.report()
            await asyncio.sleep(18 * 0.01 * 2)
            assert await seeker.ask() is not None


async def test_the_next_plug_has_its_own_time() -> None:
    async with ac_bench(scale=0.02) as station, seeking(station) as seeker:
        await asyncio.sleep(0)
        await link(station)
        await over(station)
        station.charger.change(plug="A")
        await asyncio.sleep(0)
        station.charger.change(plug="B")
        assert await seeker.ask() is not None


# --- dribble --------------------------------------------------------------------------------------------------------

AFTER: dict[str, tuple[str, float]] = {
    "a failure": ("refused", Timing.after_failed.seconds),
    "an emergency": ("refused", Timing.last_request.seconds),
    "an unfinished cable check": ("silence", Timing.sequence.seconds),
}


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("undecodable", ["close", "ignore"])
async def test_what_is_no_request_extends_no_wait(after: str, feed: str, undecodable: str) -> None:
    """Not the one for a stop after a failure, nor that for a last request, nor that for the next one."""
    kind, seconds = AFTER[after]
    scale = 0.4 / seconds
    timing = Elastic()
    async with bench("DC", timing=timing, session={"undecodable": undecodable}) as station:
        car = await station.car_at(DC, "CableCheck")
        timing.stretch(scale)
        began = time.monotonic()
        await begin(after, station, car)
        for turn in range(1_000):
            car.send(FEEDS[feed](car, turn))
            if await car.gone(0.02):
                break
        assert 0.3 < time.monotonic() - began < 1.4
        await station.ended(kind)


async def begin(after: str, station: Bench, car: Car) -> None:
    """Bring the station to where it waits."""
    station.charger.check = "hangs"
    station.charger.change(plug="C")
    match after:
        case "a failure":
            car.send(car.encode(STATUS))
            assert (await car.receive()).code == "FAILED_SequenceError"
        case "an emergency":
            station.charger.fail("emergency", "emergency")
        case _:
            car.send(car.encode(cable_check()))
            assert (await car.receive()).code == "OK"


async def test_a_handshake_byte_by_byte_is_no_longer(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, tls={"handshake_s": 0.4}) as station:
        assert station.station.tls_port is not None
        car = await Car.connect(station.station.tls_port)
        began = time.monotonic()
        for byte in bytes.fromhex("16030102000100") + bytes(500):
            car.send(bytes([byte]))
            if await car.gone(0.02):
                break
        assert 0.3 < time.monotonic() - began < 1.4
        await car.close()
        await station.ended("silence")
