"""What the charger asks of a running session, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.e2e.bay import Bay

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("do", ["stop", "pause"])
async def test_the_car_is_asked_to_stop(shared: Bay, do: str) -> None:
    """-2 can ask for a pause only by asking to stop."""
    await shared.plug_and_charge()
    mark = shared.mark
    await shared.console(f"request {do}")
    result = await shared.left()
    assert (result["ok"], result["ended_by"]) == (True, "station"), result["reason"]
    await shared.safe()
    assert [event["reason"] for event in shared.peer.events(mark, "request_accepted")] == [do]
    assert shared.peer.events(mark, "session_ended")


async def test_the_car_renegotiates_once_and_charges_on(shared: Bay) -> None:
    await shared.plug_and_charge(charge_s=2.5)
    mark = shared.mark
    await shared.console("request renegotiate")
    await shared.charging()
    result = await shared.left()
    assert result["ok"], result["reason"]
    assert result["ended_by"] == "vehicle"
    discoveries = [name for name, _ in result["messages"] if name == "ChargeParameterDiscoveryRes"]
    assert len(discoveries) == 2
    assert shared.peer.events(mark, "request_accepted")
    await shared.safe()


async def test_an_emergency_stop_opens_at_once(shared: Bay) -> None:
    await shared.plug_and_charge()
    mark = shared.mark
    await shared.console("request emergency_stop")
    await shared.peer.hears("secc/permit", contactor="open", power="off")
    result = await shared.left()
    assert not result["ok"]
    await shared.safe()
    asked = shared.peer.when(mark, "charger/request", do="emergency_stop")
    assert shared.peer.when(mark, "secc/permit", contactor="open") - asked < 0.2
    assert shared.peer.when(mark, "charger/state", contactor="open") - asked < 0.5
    await shared.charges()
