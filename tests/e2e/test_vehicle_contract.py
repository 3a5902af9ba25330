"""What a contract brings at our real station: services, an operator's signed tariffs, and receipts for the meter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.bay import Bay
from tests.e2e.conftest import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECC = """
[services]
internet = ["http", "https"]
[receipts]
every_s = 1.0
[plan]
source = "backend"
wait_s = 5.0
"""
PLAN = """\
schedule = "cheapest"
departure_s = 7200
energy_wh = 5000.0
"""
INTERNET = """
[[plan.services]]
category = "Internet"
parameters = { Protocol = "https" }
"""
TWO = "4140 3600:2000 / 11040"
"""The first is dear in its second hour, and for an AC car nothing there."""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ac", "dc"])
async def bay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> AsyncIterator[Bay]:
    folder = tmp_path_factory.mktemp("contract")
    async with opened("mosquitto-5", request.param, folder, certificates, SECC) as bay:
        yield bay


async def test_services_tariffs_and_receipts(bay: Bay) -> None:
    await bay.operate("--plan", TWO)
    mark = bay.mark
    await bay.plug(charge_s=4.0, plan=PLAN, more=INTERNET)
    result = await bay.left()
    assert result["ok"], result["reason"]
    (internet,) = [each for each in result["services"] if each["category"] == "Internet"]
    assert internet["parameter_sets"][str(internet["parameter_set"])]["Protocol"] == "https"
    told = [(each["schedule_id"], each["tariff"], each["chosen"]) for each in result["schedules"]]
    assert [(tariff, chosen) for _, tariff, chosen in told] == [("taken", False), ("taken", True)]
    chosen = {each["chosen"] for each in bay.peer.since(mark, "secc/plan") if "chosen" in each}
    assert chosen == {told[1][0]}
    assert len(result["receipts"]) >= 2
    heard = bay.peer.since(mark, "secc/receipt")
    assert [(each["accepted"], each["energy_import_wh"]) for each in heard] == [
        (True, each["reading_wh"]) for each in result["receipts"]
    ]
    await bay.safe()
