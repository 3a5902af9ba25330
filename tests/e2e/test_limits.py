"""What the hardware can do changes while a car charges: the limits follow at once, and the car after them."""

from __future__ import annotations

import pytest

from tests.brokers import eventually
from tests.e2e.bay import Bay

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE_S = 0.1


async def draws(bay: Bay, least_a: float, most_a: float) -> None:
    def drawn() -> bool:
        current_a: float = bay.peer.last("charger/measurement")["current_a"]
        return least_a <= current_a <= most_a

    await eventually(drawn, f"{least_a} to {most_a} A, not {bay.peer.last('charger/measurement')}")


async def test_published_limits_and_current_follow_at_once(shared: Bay) -> None:
    """In AC the car learns it by EVSEMaxCurrent, which a car that pays by card is told with every status."""
    await shared.plug_and_charge("external", charge_s=30.0)
    full_a = {"ac": 16.0, "dc": 125.0}[shared.energy]
    await draws(shared, full_a - 2, full_a)
    mark = shared.mark
    await shared.console("limit max_current_a 10")
    await shared.peer.hears("secc/limits", max_current_a=10.0, authorised=True)
    delay = shared.peer.when(mark, "secc/limits", max_current_a=10.0) - shared.peer.when(
        mark, "charger/limits", max_current_a=10.0
    )
    assert delay < AT_ONCE_S
    assert shared.peer.last("secc/limits")["limited_by"]["max_a"] == "hardware"
    await draws(shared, 9.0, 10.1)
    await shared.console("limit none")
    await shared.peer.hears("secc/limits", max_current_a=full_a)
    await draws(shared, full_a - 2, full_a)
    await shared.console("request stop")
    assert (await shared.left())["ok"]
    await shared.safe()


async def test_too_little_is_nothing_and_comes_back(ac: Bay) -> None:
    """Below 6 A an AC limit is zero, never rounded up; the session outlives it."""
    await ac.plug_and_charge("external", charge_s=30.0)
    await ac.console("limit max_current_a 5.5")
    await ac.peer.hears("secc/limits", authorised=True, max_current_a=0.0, max_charge_w=0.0, direction="none")
    await draws(ac, 0.0, 0.1)
    await ac.console("limit none")
    await ac.peer.hears("secc/limits", max_current_a=16.0)
    await draws(ac, 14.0, 16.0)
    await ac.console("request stop")
    assert (await ac.left())["ok"]
    await ac.safe()


async def test_a_contract_car_in_ac_follows_a_lower_limit(ac: Bay) -> None:
    """-2 has no EVSEMaxCurrent for a contract: only a renegotiation can tell the car."""
    await ac.plug_and_charge("contract", charge_s=30.0)
    await ac.console("limit max_current_a 10")
    await draws(ac, 9.0, 10.1)
    await ac.console("request stop")
    assert (await ac.left())["ok"]
    await ac.safe()
    await ac.console("limit none")


async def test_a_contract_car_in_ac_stops_where_there_is_no_power(ac: Bay) -> None:
    await ac.plug_and_charge("contract", charge_s=30.0)
    await ac.console("limit max_charge_w 0")
    assert (await ac.left(within=20.0))["ok"], "long before the car is full"
    await ac.safe()
    await ac.console("limit none")
