"""Faults of the charger in the middle of charging: open, zero, told, and gone once they are mended."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from secc.simulated.faults import DEFECTS, KINDS, STOPS
from tests.brokers import eventually
from tests.e2e.bay import Bay

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What acts by itself while current flows; of a silent SECC the simulator learns otherwise (see test_deaths).
EMERGENCIES = [kind for kind in KINDS if kind not in STOPS | DEFECTS]


@contextlib.asynccontextmanager
async def broken(bay: Bay, kind: str) -> AsyncIterator[None]:
    """Break something; when the car has left it is mended, and gone without restarting anything."""
    await bay.console(f"fault {kind}")
    try:
        yield
    finally:
        await bay.console(f"mend {kind}")
    await bay.peer.hears("charger/state", plug="A", faults=[], ready=True, contactor="open")


async def test_an_emergency_opens_at_once(shared: Bay) -> None:
    """All kinds, one after the other: each session is also the proof that the one before left nothing."""
    for kind in EMERGENCIES if shared.energy == "ac" else ("overvoltage", "rcd"):
        await shared.plug_and_charge()
        mark = shared.mark
        async with broken(shared, kind):
            result = await shared.left()
            assert not result["ok"], kind
            await shared.safe()
            told = shared.peer.when(mark, "charger/state", ready=False)
            assert shared.peer.when(mark, "charger/state", contactor="open") - told < 0.5
            assert shared.peer.when(mark, "secc/limits", authorised=False) - told < 0.5
            ended = shared.peer.events(mark, "gone") + shared.peer.events(mark, "refused")
            assert ended, kind
    await shared.charges()


@pytest.mark.parametrize("kind", sorted(STOPS - {"secc_silent"}))
async def test_a_lesser_fault_ends_the_session_in_order(shared: Bay, kind: str) -> None:
    await shared.plug_and_charge()
    mark = shared.mark
    async with broken(shared, kind):
        result = await shared.left()
        assert (result["ok"], result["ended_by"]) == (True, "station"), result
        await shared.safe()
        assert shared.peer.when(mark, "secc/limits", authorised=False)
        assert shared.peer.events(mark, "session_ended")


async def test_a_welded_contactor_is_reported_and_keeps_the_bay_closed(shared: Bay) -> None:
    await shared.plug_and_charge()
    mark = shared.mark
    async with broken(shared, "welded"):
        await shared.console("request stop")
        await shared.left()
        await shared.peer.hears("charger/state", plug="A", contactor="welded", ready=False)
        await shared.peer.hears("secc/limits", authorised=False, max_charge_w=0)
        await shared.peer.hears("secc/permit", contactor="open", power="off")
        assert [state["lock"] for state in shared.peer.since(mark, "charger/state")][-1] == "locked"
    await shared.peer.hears("charger/state", contactor="open", faults=[], lock="unlocked")
    await shared.charges()


async def test_a_contactor_that_lets_go_ends_the_session(shared: Bay) -> None:
    await shared.plug_and_charge()
    async with broken(shared, "contactor"):
        result = await shared.left()
        assert not result["ok"]
        await shared.safe()
    await shared.charges()


async def test_weak_insulation_is_found_before_power_flows(shared: Bay) -> None:
    if shared.energy == "ac":
        pytest.skip("the insulation is measured in DC only")
    async with broken(shared, "isolation"):
        mark = shared.mark
        await shared.plug()
        result = await shared.left()
        assert not result["ok"]
        await eventually(lambda: bool(shared.peer.events(mark, "refused")), "the refusal")
        assert all(abs(each["current_a"]) < 0.1 for each in shared.peer.since(mark, "charger/measurement"))
        await shared.safe()
    await shared.charges()
