"""DIN 70121 between real processes: a bay with plain TCP serves cars of both standards, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.bay import Bay
from tests.e2e.conftest import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    """A DC bay with TLS and plain TCP."""
    folder = tmp_path_factory.mktemp("both")
    async with opened("mosquitto-3.1.1", "dc", folder, certificates, tls_required=False) as bay:
        yield bay


async def test_a_car_of_each_standard(both: Bay) -> None:
    await both.heard(0, "secc/status", protocols=["iso2", "din"])
    mark = both.mark
    await both.charges(payment="external", protocol="din")
    session = next(each for each in both.peer.since(mark, "secc/session") if each["stage"] == "charging")
    assert (session["protocol"], session["payment"], session["energy_mode"]) == ("din", "external", "DC")
    assert "tls" not in session
    [ended] = both.peer.events(mark, "session_ended")
    assert ended["message"] == "SessionStopReq"
    mark = both.mark
    await both.charges(payment="contract")
    session = next(each for each in both.peer.since(mark, "secc/session") if each["stage"] == "charging")
    assert (session["protocol"], session["payment"], session["tls"]) == ("iso2", "contract", "TLSv1.2")


async def test_a_car_is_stopped_in_order(both: Bay) -> None:
    await both.plug_and_charge(payment="external", protocol="din")
    mark = both.mark
    await both.console("request stop")
    result = await both.left()
    assert (result["ok"], result["protocol"], result["ended_by"]) == (True, "din", "station")
    await both.safe()
    assert both.peer.events(mark, "session_ended")


async def test_an_emergency_opens_at_once(both: Bay) -> None:
    await both.plug_and_charge(payment="external", protocol="din")
    mark = both.mark
    await both.console("fault overvoltage")
    result = await both.left()
    assert not result["ok"]
    await both.safe()
    told = both.peer.when(mark, "charger/state", ready=False)
    assert both.peer.when(mark, "charger/state", contactor="open") - told < 0.5
    await both.console("mend overvoltage")
    await both.peer.hears("charger/state", plug="A", faults=[], ready=True, contactor="open")


async def test_a_rejected_card_ends_the_session(both: Bay) -> None:
    await both.plug(payment="external", protocol="din")
    await both.asked()
    await both.console("card reject")
    result = await both.left()
    assert (result["ok"], result["energy_wh"]) == (False, 0)
    assert "ContractAuthenticationReq" in result["reason"]
    await both.safe()
