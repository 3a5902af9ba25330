"""kill -9 of each process in the middle of charging: open within 3 s, nothing resumes by itself, the next car charges."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.brokers import MOSQUITTO, RunningBroker, eventually
from tests.e2e.bay import Bay, Energy

OPEN_S = 3.0
WATCHED_S = 1.5

# Each broker once with each kind of loss that it has a part in; AC and DC differ in who holds the contactor.
BAYS = [("amqtt", "dc"), ("mosquitto-3.1.1", "ac"), ("mosquitto-5", "dc")]


@pytest.fixture(params=BAYS, ids=lambda pair: "-".join(pair))
async def bay(request: pytest.FixtureRequest, tmp_path: Path, certificates: Path) -> AsyncIterator[Bay]:
    kind, energy = request.param
    async with bay_on(kind, energy, tmp_path, certificates) as bay:
        yield bay


@contextlib.asynccontextmanager
async def bay_on(kind: str, energy: Energy, folder: Path, certificates: Path) -> AsyncIterator[Bay]:
    if kind != "amqtt" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    broker = RunningBroker(kind, folder)
    await broker.start()
    try:
        async with Bay(folder, broker, certificates, energy) as bay:
            yield bay
    finally:
        await broker.stop()


async def test_the_secc_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    died = await bay.kill("secc")
    assert await bay.opened(died) < OPEN_S
    await bay.start("secc")
    await bay.safe()
    await bay.left()
    await bay.charges()


async def test_the_controller_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    mark, died = bay.mark, await bay.kill("simulator")
    await bay.peer.hears("secc/limits", authorised=False, max_charge_w=0, max_current_a=0)
    await bay.peer.hears("secc/permit", contactor="open", power="off")
    assert bay.peer.when(mark, "secc/permit", contactor="open") - died < OPEN_S
    assert not (await bay.left())["ok"]
    assert bay.peer.events(mark, "controller_silent")
    await bay.start("simulator")
    await bay.ready()
    await bay.charges()


async def test_the_car_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    died = await bay.kill("car")
    assert await bay.opened(died) < OPEN_S
    await bay.safe()
    await bay.charges()


async def test_the_broker_dies(bay: Bay) -> None:
    car = await bay.plug_and_charge()
    await bay.broker.stop()
    died = time.time()
    assert await bay.opened(died) < OPEN_S
    await car.ended(10)
    await bay.broker.start()
    await bay.listen()
    await bay.ready()
    await bay.safe()
    await bay.charges()
