"""Somebody ends the charge: politely where the station answers, soon where it does not, and never plugged in."""

from __future__ import annotations

import asyncio
import time
from typing import Literal

import pytest

from evcc import client, config
from evcc.result import Result
from tests.brokers import eventually
from tests.evcc.bench_station import OK, ONGOING, Answer, ScriptedStation, scripted
from tests.evcc.test_client import settings
from v2g.messages import iso2

POLITE_S = 2.0
GRACE_S = 2.5


async def interrupted(station: ScriptedStation, after: str, energy: Literal["ac3", "dc"] = "ac3") -> Result:
    """Charge for a minute, interrupted at the third request of a kind, or at the first it stays silent to."""
    interrupt = asyncio.Event()
    usual = station.answers[after]

    def script(request: object, turn: int) -> Answer:
        answer = usual(request, turn)
        if turn >= 2 or answer is None:
            interrupt.set()
        return answer

    station.answers[after] = script
    planned = settings(station, plan={"charge_s": 60, "energy": energy}, timeouts={f"{after}Req": 30.0})
    return await client.charge(planned, interrupt=interrupt)


@pytest.mark.parametrize(("energy", "loop"), [("ac3", "ChargingStatus"), ("dc", "CurrentDemand")])
async def test_a_charge_is_ended_as_if_it_was_over(energy: Literal["ac3", "dc"], loop: str) -> None:
    began = time.monotonic()
    async with scripted("DC" if energy == "dc" else "AC") as station:
        result = await interrupted(station, loop, energy)
    assert time.monotonic() - began < POLITE_S
    assert (result.ok, result.reason) == (False, "interrupted")
    assert result.summary == "failed: interrupted"
    ending = [name for name in station.names[station.names.index(loop) + 1 :] if name != "WeldingDetection"]
    assert ending == ["PowerDelivery", "SessionStop"]
    stop = [each for each in station.requests if isinstance(each, iso2.PowerDeliveryReq)][-1]
    assert stop.ChargeProgress is iso2.ChargeProgress.Stop
    assert result.exchanges[-1].code == "OK"


@pytest.mark.parametrize("seconds", [20.0, 60.0])
async def test_no_pause_of_the_plan_delays_it(seconds: float) -> None:
    interrupt, began = asyncio.Event(), time.monotonic()
    async with scripted("AC") as station:
        planned = settings(station, plan={"charge_s": 60, "loop_s": seconds})
        charging = asyncio.create_task(client.charge(planned, interrupt=interrupt))
        await eventually(lambda: "ChargingStatus" in station.names, "the charge loop")
        interrupt.set()
        result = await charging
    assert time.monotonic() - began < POLITE_S
    assert (result.reason, station.names[-1]) == ("interrupted", "SessionStop")


def waiting(*_: object) -> Answer:
    return iso2.AuthorizationRes(ResponseCode=OK, EVSEProcessing=ONGOING)


async def test_before_energy_flows_the_session_is_stopped() -> None:
    async with scripted("AC") as station:
        station.answers["Authorization"] = waiting
        result = await interrupted(station, "Authorization")
    assert result.reason == "interrupted"
    assert station.names[-2:] == ["Authorization", "SessionStop"]


@pytest.mark.parametrize("step", ["SessionSetup", "Authorization", "ChargingStatus", "PowerDelivery"])
async def test_a_silent_station_does_not_hold_it_up(step: str) -> None:
    async with scripted("AC") as station:
        station.answers[step] = lambda *_: None
        began = time.monotonic()
        result = await interrupted(station, step)
        assert GRACE_S <= time.monotonic() - began < GRACE_S + 1.5
    assert (result.ok, result.reason, station.names[-1]) == (False, "interrupted", step)
    assert result.exchanges[-1].response is None


async def test_looking_for_a_station_ends_at_once() -> None:
    interrupt, began = asyncio.Event(), time.monotonic()
    planned = config.EvccConfig(
        network=config.Network(interface="lo", sdp_port=9, security="none"), plan=config.Plan(payment="external")
    )
    result = await client.charge(planned, interrupt=interrupt, see=lambda _: interrupt.set())
    assert time.monotonic() - began < 1.0
    assert (result.reason, result.exchanges, result.session_id) == ("interrupted", [], None)
