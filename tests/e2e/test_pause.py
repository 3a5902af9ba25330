"""Pause, resume and renegotiation with the real station and its simulated controller."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.bay import Bay
from tests.e2e.conftest import opened
from tests.e2e.scripted import Scripted, notification
from tests.secc.bench_requests import power

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLANNED = """\
[plan]
source = "charger"
wait_s = 3.0
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ac", "dc"])
async def planned(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> AsyncIterator[Bay]:
    """A bay whose charger plans, for cars on plain TCP."""
    folder = tmp_path_factory.mktemp("bay")
    async with opened("mosquitto-5", request.param, folder, certificates, PLANNED, tls_required=False) as bay:
        yield bay


async def charging(bay: Bay, plan: str = "none") -> Scripted:
    """A car that was shown a card for, and charges."""
    await bay.console(f"plan {plan}")
    car = Scripted(bay)
    await car.plug("B")
    assert (await car.connect()).ResponseCode == "OK_NewSessionEstablished"
    await car.identify()
    await car.negotiate()
    await car.prepare()
    await car.start()
    return car


def watts(answer: Any) -> list[float]:
    [only] = answer.SASchedules.SAScheduleTuple
    return [each.PMax.Value * 10.0**each.PMax.Multiplier for each in only.PMaxSchedule.PMaxScheduleEntry]


async def test_pause_and_resume(planned: Bay) -> None:
    mark = planned.mark
    car = await charging(planned, "7360 3600:4140")
    await car.stop()
    await car.end("Pause")
    await planned.peer.hears("secc/session", stage="paused")
    await planned.safe()
    assert (await planned.retained("secc/permit"))["secc/permit"]["lock"] == "locked"
    await planned.peer.hears("charger/state", plug="B", pwm=False, lock="locked")
    assert planned.peer.events(mark, "session_paused")

    await planned.console("request resume")
    await planned.peer.hears("secc/command", do="wake_up", session=car.session_id.hex().upper())
    await planned.peer.hears("charger/state", pwm=True)

    mark = planned.mark
    assert (await car.connect()).ResponseCode == "OK_OldSessionJoined"
    await car.identify(card=False)
    assert watts(await car.negotiate()) == [7_360, 4_140]
    await planned.peer.hears("secc/plan", source="resumed")
    await car.prepare()
    await car.start()
    await car.stop()
    await car.end("Terminate")
    assert planned.peer.events(mark, "session_resumed")
    await planned.peer.hears("secc/session", stage="idle")
    await planned.peer.hears("secc/permit", lock="unlocked", contactor="open")
    await car.plug("A")


@pytest.mark.parametrize("how", ["unplug", "release"])
async def test_a_pause_that_is_given_up(planned: Bay, how: str) -> None:
    mark = planned.mark
    car = await charging(planned)
    await car.stop()
    await car.end("Pause")
    await planned.peer.hears("secc/session", stage="paused")
    if how == "unplug":
        await car.plug("A")
    else:
        await planned.console("request stop")
    await planned.heard(mark, "secc/event", kind="pause_ended")
    await planned.peer.hears("secc/permit", lock="unlocked")
    await car.plug("B")
    assert (await car.connect()).ResponseCode == "OK_NewSessionEstablished"
    await car.end("Terminate")
    await car.plug("A")


async def test_another_plan_has_the_car_renegotiate(planned: Bay) -> None:
    car = await charging(planned, "7360")
    assert notification(await car.loop()) == "None"
    await planned.console("plan 6000")
    await planned.peer.hears("secc/limits", max_charge_w=6_000)
    await eventually_asks(car, "ReNegotiation")
    await car.ask(power("Renegotiate"))
    assert watts(await car.negotiate()) == [6_000]
    await car.prepare()
    await car.start()
    assert notification(await car.loop()) == "None"
    await car.stop()
    await car.end("Terminate")
    await car.plug("A")


async def test_a_dc_car_that_goes_straight_on(planned: Bay) -> None:
    """As those of the VW group do; in AC that is the rule."""
    car = await charging(planned)
    mark = planned.mark
    await car.ask(power("Renegotiate"))
    await car.negotiate()
    await car.ask(power("Start"))
    await car.loop()
    assert all(each["contactor"] == "closed" for each in planned.peer.since(mark, "charger/state"))
    assert planned.peer.since(mark, "secc/command") == []
    await car.stop()
    await car.end("Terminate")
    await car.plug("A")


async def test_no_energy_is_a_pause(planned: Bay) -> None:
    """The car is asked to stop in the offer, sleeps, and comes back when there is some."""
    await planned.console("plan 0")
    car = Scripted(planned)
    await car.plug("B")
    await car.connect()
    await car.identify()
    parameter = (await car.negotiate()).EVSEChargeParameter
    assert notification(parameter) == "StopCharging"
    await car.stop()
    await car.end("Pause")
    await planned.peer.hears("secc/session", stage="paused")
    await planned.console("plan 7360")
    await planned.console("request resume")
    await planned.peer.hears("charger/state", pwm=True)
    assert (await car.connect()).ResponseCode == "OK_OldSessionJoined"
    await car.identify(card=False)
    assert notification((await car.negotiate()).EVSEChargeParameter) == "None"
    await car.prepare()
    await car.start()
    await car.stop()
    await car.end("Terminate")
    await car.plug("A")


async def eventually_asks(car: Scripted, wish: str) -> None:
    """Go round the loop until the station asks for something; its answers come from what it heard so far."""
    for _ in range(1_000):
        if notification(await car.loop()) == wish:
            return
    pytest.fail(f"the car was not asked for {wish}")
