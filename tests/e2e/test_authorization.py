"""Whose word counts: cards at the charger, and the operator behind the broker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.brokers import eventually
from tests.e2e.bay import Bay
from tests.e2e.conftest import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

BACKEND = """
[authorization]
contract = "backend"
external = "backend"
external_wait_s = 2.5
"""
ANSWER = "backend/authorization/response"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operated(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    """An AC bay where only the operator's word counts."""
    async with opened("mosquitto-5", "ac", tmp_path_factory.mktemp("operated"), certificates, BACKEND) as bay:
        yield bay


async def refused(bay: Bay, mark: int, reason: str) -> None:
    """Wait for the event that says why an answer does not count."""
    await eventually(
        lambda: any(reason in event["reason"] for event in bay.peer.events(mark, "rejected")),
        f"{reason} in {bay.peer.events(mark, 'rejected')}",
    )


def authorised(bay: Bay, mark: int) -> bool:
    return any(limits["authorised"] for limits in bay.peer.since(mark, "secc/limits"))


async def answer(bay: Bay, *, retain: bool = False, **members: Any) -> None:
    await bay.peer.say(ANSWER, members, retain=retain)


async def test_the_operator_decides_limits_and_revokes_a_contract(operated: Bay) -> None:
    mark = operated.mark
    await operated.plug()
    request = await operated.asked()
    assert request["kind"] == "contract"
    assert request["emaid"] == "DEPCGC00000001V"
    assert request["chain"].count("BEGIN CERTIFICATE") == 3
    assert request["local_check"] == "passed"
    await answer(operated, id="somebody-else", status="accepted")
    await refused(operated, mark, "unknown id")
    await answer(operated, id=request["id"], status="accepted", retain=True)
    await operated.peer.say(ANSWER, b"", retain=True)
    await answer(operated, id=request["id"], status="pending")
    await answer(operated, id=request["id"], status="maybe")
    await refused(operated, mark, "Invalid enum value 'maybe'")
    # A broker hands a retained message on without the flag to those who are there: so it counts as said now.
    await operated.charging()
    assert authorised(operated, mark)
    await answer(operated, id=request["id"], status="rejected", contract_status="blocked")
    result = await operated.left()
    assert (result["ok"], result["ended_by"]) == (True, "station"), result["reason"]
    await operated.safe()


async def test_limits_that_come_with_the_contract(operated: Bay) -> None:
    await operated.plug()
    request = await operated.asked()
    mark = operated.mark
    await answer(operated, id=request["id"], status="accepted", max_power_w=6_000.0)
    await operated.charging()
    flowing = [limits for limits in operated.peer.since(mark, "secc/limits") if limits["max_charge_w"] > 0]
    assert {limits["max_charge_w"] for limits in flowing} <= {6_000.0}
    assert flowing[-1]["limited_by"]["max_w"] == "contract"
    assert flowing[-1]["max_current_a"] == pytest.approx(8.695, abs=0.001)
    await operated.console("request stop")
    assert (await operated.left())["ok"]
    await operated.safe()


async def test_energy_that_comes_with_the_contract_ends(operated: Bay) -> None:
    await operated.plug()
    request = await operated.asked()
    await answer(operated, id=request["id"], status="accepted", max_energy_wh=2.0)
    await operated.charging()
    await operated.peer.hears("secc/limits", authorised=True, energy_left_wh=0.0, max_charge_w=0.0)
    await operated.console("request stop")
    await operated.left()
    await operated.safe()


async def test_a_contract_the_operator_rejects(operated: Bay) -> None:
    mark = operated.mark
    await operated.plug()
    request = await operated.asked()
    await answer(operated, id=request["id"], status="rejected")
    result = await operated.left()
    assert not result["ok"]
    assert "FAILED" in result["reason"]
    assert not authorised(operated, mark)
    await operated.safe()


async def test_a_late_word_authorises_nobody(operated: Bay) -> None:
    mark = operated.mark
    await operated.plug("external")
    request = await operated.asked()
    assert (request["kind"], request["deadline_s"]) == ("external", 2.5)
    assert not (await operated.left())["ok"]
    await answer(operated, id=request["id"], status="accepted")
    await refused(operated, mark, "unknown id")
    assert not authorised(operated, mark)
    await operated.safe()


async def test_the_operator_accepts_a_card(operated: Bay) -> None:
    await operated.plug("external")
    request = await operated.asked()
    await answer(operated, id=request["id"], status="accepted")
    await operated.charging()
    await operated.console("request stop")
    assert (await operated.left())["ok"]
    await operated.safe()


async def test_a_card_rejected_and_another_accepted(ac: Bay) -> None:
    await ac.plug("external")
    mark = ac.mark
    await ac.asked()
    await ac.console("card reject")
    await ac.peer.hears("charger/authorization", accepted=False)
    assert not authorised(ac, mark)
    await ac.console("card accept")
    await ac.charging()
    await ac.console("request stop")
    assert (await ac.left())["ok"]
    await ac.safe()


async def test_a_card_before_the_plug_counts_once(ac: Bay) -> None:
    mark = ac.mark
    await ac.console("card accept")
    await ac.peer.hears("charger/authorization", id="advance", accepted=True)
    await ac.plug("external", energy_wh=1.0)
    assert not ac.peer.since(mark, "secc/authorization/request")
    assert (await ac.left())["ok"]
    await ac.plug("external")
    await ac.asked()
    await ac.console("card accept")
    await ac.charging()
    await ac.console("request stop")
    assert (await ac.left())["ok"]
    await ac.safe()
