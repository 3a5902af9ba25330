"""Danger, silence, loss and faults of ours in every phase of a DIN 70121 session: open at once, and told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from secc import api
from tests.endurance import count
from tests.random_messages import Messages
from tests.secc.bench import Bench, dc_bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_charger import BenchCharger
from tests.secc.bench_din import DC, EVERY, demand
from tests.secc.test_iso2_danger import ANSWERED, DANGERS, opened_at_once
from tests.secc.test_iso2_link import LATE_S
from v2g.messages import din
from v2g.protocols import schema

WAITS = [wait for wait, _ in DC]
LIVE = ["PreCharge first", "PreCharge", "CurrentDemand first", "CurrentDemand"]
SCALE = 0.004
SEQUENCE_S = 60 * SCALE
SESSIONS = count(100, 5_000)


def legal(wait: str) -> din.BodyElement:
    """The request that is in order at a wait, and asks for nothing more than the one before."""
    names = {"WeldingOrStop": "WeldingDetection", "WeldingOrStop again": "WeldingDetection"}
    name = names.get(wait, wait.removesuffix(" first"))
    return next(request for request in EVERY if type(request).__name__ == f"{name}Req")


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_at_every_wait(wait: str, danger: str) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        await station.until(lambda: station.charger.said("session") != [])
        await opened_at_once(station, DANGERS[danger])
        if danger not in ANSWERED:
            assert await car.gone(1.0)
            await station.ended("gone")
        elif wait not in ("SupportedAppProtocol", "SessionSetup"):
            body = await car.ask(legal(wait))
            assert body.ResponseCode == "FAILED"
            status = getattr(body, "DC_EVSEStatus", None) or getattr(body, "EVSEStatus", None)
            assert status is None or status.EVSEStatusCode == "EVSE_EmergencyShutdown"
        await car.close()
        _mend(station.charger)
        await station.until(lambda: bool(station.endings))
        station.assert_safe()
        await station.serves_next()


def _mend(charger: BenchCharger) -> None:
    charger.silent, charger.linked = None, True
    charger.change(plug="B", faults=[])


@pytest.mark.parametrize("wait", LIVE)
async def test_pilot_b_under_voltage(wait: str) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        station.charger.change(plug="C")  # does not revive it
        assert (await car.ask(legal(wait))).ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")


def _opens(charger: BenchCharger) -> None:
    charger.change(contactor="open")


def _limits_fall(charger: BenchCharger) -> None:
    charger.hardware_limits = api.ChargerLimits(max_charge_w=0, max_current_a=0)
    charger.report()


@pytest.mark.parametrize("cause", [_opens, _limits_fall])
async def test_an_output_that_was_opened_in_the_loop_stays_open(cause: Callable[[BenchCharger], None]) -> None:
    """Limits that return must not close it onto the battery: the car is asked to stop."""
    async with dc_bench() as station:
        charger = station.charger
        car = await station.car_at(DC, "CurrentDemand")
        cause(charger)
        await station.until(lambda: charger.levels["contactor"] == "open", 1.0)
        seen = len(charger.orders)
        charger.hardware_limits = None
        charger.report()
        status = (await car.ask(demand())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSENotification) == ("EVSE_Shutdown", "StopCharging")
        assert charger.limits_told[-1].max_charge_w == 0
        assert [order for order in charger.orders[seen:] if order.facts.get("contactor") == "closed"] == []
        assert charger.said("target")[-1]["current_a"] == 0


# --- silence and loss -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", WAITS[2:])
async def test_sequence_timeout(wait: str) -> None:
    """[V2G-DC-432]"""
    async with dc_bench(scale=SCALE) as station:
        car = await station.car_at(DC, wait)
        began = time.monotonic()
        assert await car.gone(SEQUENCE_S + 2)
        assert SEQUENCE_S - 0.05 <= time.monotonic() - began < SEQUENCE_S + LATE_S
        event = await station.ended("silence")
        assert "V2G_SECC_Sequence_Timeout" in event["reason"]
        await station.serves_next()


@pytest.mark.parametrize("wait", WAITS)
@pytest.mark.parametrize("way", ["FIN", "RST", "garbage", "half a frame"])
async def test_cut_at_every_wait(wait: str, way: str) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        await station.until(lambda: station.charger.said("session") != [])
        if way == "RST":
            car.writer.transport.abort()
        else:
            car.send({"FIN": b"", "garbage": b"GET / HTTP/1.1\r\n\r\n", "half a frame": framed(bytes(9))[:-1]}[way])
            car.writer.write_eof()
        await station.until(lambda: bool(station.endings), 1.0)
        assert [each["kind"] for each in station.endings] == ["undecodable" if way == "garbage" else "gone"]
        station.assert_safe()
        await station.serves_next()


# --- faults of ours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wait", "action"),
    [
        ("ContractAuthentication", "ask"),
        ("ChargeParameterDiscovery", "vehicle"),
        ("CableCheck", "check_cable"),
        ("PreCharge first", "target"),
        ("CurrentDemand first", "target"),
        ("CurrentDemand", "permit"),
    ],
)
async def test_a_fault_of_ours_opens_and_fails(wait: str, action: str, caplog: pytest.LogCaptureFixture) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        station.charger.breaks_at = action
        body = await dict(DC)[wait](car, station.charger)
        assert body.ResponseCode == "FAILED"
        station.assert_open_before_answer()
        await car.close()
        event = await station.ended("internal")
        assert "RuntimeError" in event["reason"]
        await station.serves_next()
        assert "fault of ours" in caplog.text


# --- anything -------------------------------------------------------------------------------------------------------


async def test_messages_of_any_content() -> None:
    """Any request at any wait, with any content that the schema allows: an answer of its type, or the end."""
    async with dc_bench(scale=0.2) as station:
        for seed in range(SESSIONS):
            random = Random(f"din {seed}")
            await _fresh(station)
            wait = random.choice(WAITS[1:])
            car = await station.car_at(DC, wait)
            await _pester(station, car, wait, random)
            await car.close()
            await station.until(lambda: bool(station.endings))
            assert station.endings[0]["kind"] != "internal", f"seed {seed}, {wait}: {station.endings}"
            station.assert_safe()


async def _fresh(station: Bench) -> None:
    station.charger.change(plug="B", faults=[])
    await station.until(lambda: not station.station.used)
    station.charger.orders.clear()


async def _pester(station: Bench, car: Car, wait: str, random: Random) -> None:
    """Send requests until the station has had enough, mostly those that are in order."""
    source = Messages(schema("din").grammar, random)
    for _ in range(8):
        station.charger.change(plug=random.choice("BCCCCD"))
        kind: type[Any] = random.choice([*[type(legal(wait))] * 20, *(type(each) for each in EVERY)])
        car.send(car.encode(source.message(kind)))
        try:
            answer = await car.receive()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        assert answer.name == f"{kind.__name__.removesuffix('Req')}Res"
        if not answer.code.startswith("OK"):
            return


async def test_damaged_messages() -> None:
    """Bits flipped, bytes cut off or added."""
    async with dc_bench(scale=0.2) as station:
        for seed in range(SESSIONS):
            random = Random(f"din {seed}")
            await _fresh(station)
            wait = random.choice(WAITS[1:])
            car = await station.car_at(DC, wait)
            payload = bytearray(car.encode(random.choice(EVERY))[8:])
            place = random.randrange(len(payload))
            if random.random() < 0.5:
                payload[place] ^= 1 << random.randrange(8)
            else:
                payload[place:] = random.randbytes(random.randint(0, 40)) or b"\0"
            car.send(framed(bytes(payload)))
            car.writer.write_eof()
            async with asyncio.timeout(5):
                await car.reader.read()
            await car.close()
            await station.until(lambda: bool(station.endings))
            assert station.endings[0]["kind"] != "internal", f"seed {seed}, {wait}: {station.endings}"
            station.assert_safe()
