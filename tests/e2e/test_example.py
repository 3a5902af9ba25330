"""The example of a charger controller, against the real SECC: it charges, and it never takes up what is over."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.bay import EVSE, Bay, Payment
from tests.e2e.conftest import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def replace_controller(bay: Bay) -> None:
    """Let the example take the place of the controller; its client id ends what is left of the one before."""
    await bay._launch("simulator", "examples.controller", "--evse", EVSE, "--port", str(bay.broker.port))
    await bay.peer.hears("charger/status", state="online", name="example")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def example(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    """An AC bay whose controller is the example."""
    async with opened("mosquitto-3.1.1", "ac", tmp_path_factory.mktemp("example"), certificates) as bay:
        await bay.terminate("simulator")
        await replace_controller(bay)
        await bay.ready()
        yield bay


@pytest.mark.parametrize("payment", ["contract", "external"])
async def test_it_charges(example: Bay, payment: Payment) -> None:
    mark = example.mark
    await example.plug(payment, energy_wh=1.0)
    result = await example.left()
    assert result["ok"], result["reason"]
    assert (result["payment"], result["evse_id"]) == (payment, "DE*ABC*E0001")
    await example.safe()
    assert example.peer.events(mark, "session_ended")
    assert not example.peer.events(mark, "rejected")
    assert {ack["result"] for ack in example.peer.since(mark, "charger/ack")} == {"done"}
    await example.peer.hears("charger/state", plug="A", contactor="open")
    closed = example.peer.when(mark, "charger/state", contactor="closed")
    assert example.peer.when(mark, "secc/permit", contactor="closed") <= closed


async def test_it_opens_without_the_secc_and_takes_up_nothing(example: Bay) -> None:
    """After SIGKILL the broker keeps limits and permit as they were; neither this process nor its next believes it."""
    car = await example.plug()
    await example.charging()
    mark = example.mark
    car.signal(signal.SIGSTOP)  # or it would open by itself, and leave
    await example.kill("secc")
    await example.peer.hears("charger/state", contactor="open", plug="C")
    car.signal(signal.SIGCONT)
    kept = await example.retained("secc/permit", "secc/limits")
    assert kept["secc/permit"]["contactor"] == "closed"
    assert kept["secc/limits"]["authorised"]
    await example.kill("simulator")
    await replace_controller(example)
    await example.left()
    await example.start("secc")
    await example.ready()
    assert "closed" not in {state["contactor"] for state in example.peer.since(mark, "charger/state")[1:]}
    await example.plug(energy_wh=1.0)
    assert (await example.left())["ok"]
    await example.safe()


async def test_a_controller_that_comes_back_does_not_close_again(example: Bay) -> None:
    """The same with a SECC that lives: it notices, and the session ends without power."""
    await example.plug()
    await example.charging()
    await example.kill("simulator")
    mark = example.mark
    await replace_controller(example)
    assert not (await example.left())["ok"]
    await example.safe()
    assert "closed" not in {state["contactor"] for state in example.peer.since(mark, "charger/state")}


async def test_it_opens_without_the_broker_and_returns_to_it(example: Bay) -> None:
    await example.plug()
    await example.charging()
    await example.broker.stop()
    assert not (await example.left())["ok"]
    await example.broker.start()
    await example.listen()
    await example.ready()
    await example.safe()
    assert "closed" not in {state["contactor"] for state in example.peer.since(0, "charger/state")}
    await example.plug(energy_wh=1.0)
    assert (await example.left())["ok"]
    await example.safe()
