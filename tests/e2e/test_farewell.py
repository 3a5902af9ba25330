"""SIGTERM to each process while a car charges: it ends within 2 s, and its last words leave everything safe."""

from __future__ import annotations

import pytest

from tests.e2e.bay import Bay

pytestmark = pytest.mark.asyncio(loop_scope="module")

END_S = 2.0
ZERO = {"authorised": False, "max_charge_w": 0, "max_current_a": 0, "direction": "none"}


def said(payload: dict[str, object], members: dict[str, object]) -> bool:
    return all(payload.get(name) == value for name, value in members.items())


async def test_the_secc_takes_leave(shared: Bay) -> None:
    await shared.plug_and_charge()
    mark, secc = shared.mark, shared.process("secc")
    assert await shared.terminate("secc") < END_S
    assert not any("Traceback" in line for line in secc.lines)
    assert [event["reason"] for event in shared.peer.events(mark, "gone")] == ["the station stops"]
    left = await shared.retained("secc/status", "secc/limits", "secc/permit", "secc/session", "secc/vehicle")
    assert left["secc/status"]["state"] == "offline"
    assert said(left["secc/limits"], ZERO)
    assert said(left["secc/permit"], {"contactor": "open", "power": "off"})
    assert "evcc_id" not in left["secc/session"]
    assert "contract" not in left["secc/limits"]
    assert "soc_percent" not in left["secc/vehicle"]
    await shared.peer.hears("charger/state", contactor="open")
    assert not (await shared.left())["ok"]
    await shared.start("secc")
    await shared.ready()
    await shared.charges()


async def test_the_controller_takes_leave(shared: Bay) -> None:
    await shared.plug_and_charge()
    simulator = shared.process("simulator")
    assert await shared.terminate("simulator") < END_S
    assert not any("Traceback" in line for line in simulator.lines)
    left = await shared.retained("charger/status", "charger/state")
    assert left["charger/status"]["state"] == "offline"
    assert left["charger/state"]["contactor"] == "open"
    assert not (await shared.left())["ok"]
    await shared.safe()
    assert shared.record("end")[-1][1]["contactor"] == "open"
    await shared.start("simulator")
    await shared.ready()
    await shared.charges()


async def test_the_car_takes_leave(shared: Bay) -> None:
    car = await shared.plug_and_charge()
    assert await shared.terminate("car", status=1) < END_S
    assert car.lines[-1] == "failed: interrupted"
    result = await shared.left()
    assert (result["ok"], result["reason"], result["ended_by"]) == (False, "interrupted", "vehicle")
    assert [name for name, _ in result["messages"]][-2:] == ["SessionStopReq", "SessionStopRes"]
    await shared.peer.hears("charger/state", plug="A", contactor="open")
    await shared.safe()
    await shared.charges()
