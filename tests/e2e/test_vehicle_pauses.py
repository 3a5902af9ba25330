"""Our vehicle's pauses, renegotiations and stops with our real station and its simulated controller."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.bay import Bay
from tests.e2e.conftest import opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ac", "dc"])
async def bay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> AsyncIterator[Bay]:
    folder = tmp_path_factory.mktemp("bay")
    async with opened("mosquitto-5", request.param, folder, certificates) as bay:
        yield bay


def planned(**plan: Any) -> str:
    """Lines for [plan]; the file's next table begins after them."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in plan.items())


async def comes(bay: Bay, charge_s: float, **plan: Any) -> None:
    await bay.plug(charge_s=charge_s, plan=planned(**plan))


def names(result: dict[str, Any]) -> list[str]:
    asked = [each["request"].removesuffix("Req") for each in result["exchanges"]]
    return [name for place, name in enumerate(asked) if place == 0 or asked[place - 1] != name]


def mode(file: Path) -> int:
    return file.stat().st_mode & 0o777


def loop(bay: Bay) -> str:
    return "ChargingStatus" if bay.energy == "ac" else "CurrentDemand"


async def test_the_car_sleeps_and_wakes_the_station(bay: Bay) -> None:
    mark = bay.mark
    await comes(bay, 4.0, pause_after_s=1.5, pause_s=2.0)
    await bay.heard(mark, "secc/session", stage="paused")
    await bay.heard(mark, "charger/state", pwm=False)
    result = await bay.left()
    assert result["ok"], result["reason"]
    assert [(each["joined"], each["ended"]) for each in result["sessions"]] == [(False, "paused"), (True, "stopped")]
    assert result["sessions"][0]["session_id"] == result["sessions"][1]["session_id"]
    assert all(each["energy_wh"] > 0 for each in result["sessions"])
    assert {event["kind"] for event in bay.peer.since(mark, "secc/event")} >= {"session_paused", "session_resumed"}
    await bay.safe()


async def test_the_station_wakes_the_car(bay: Bay) -> None:
    mark = bay.mark
    await comes(bay, 4.0, pause_after_s=1.5, pause_s=300.0)
    await bay.heard(mark, "secc/session", stage="paused")
    await bay.heard(mark, "charger/state", pwm=False)
    await bay.console("request resume")
    result = await bay.left()
    assert result["ok"], result["reason"]
    assert [each["joined"] for each in result["sessions"]] == [False, True]
    await bay.safe()


async def test_a_later_process_goes_on(bay: Bay) -> None:
    mark = bay.mark
    kept = bay.folder / "paused.json"
    await comes(bay, 4.0, pause_after_s=1.5, pause_file=kept.name)
    first = await bay.left()
    assert first["ok"], first["reason"]
    assert mode(kept) == 0o600
    await bay.heard(mark, "secc/session", stage="paused")
    assert not [each for each in bay.peer.since(mark, "charger/state") if each["plug"] == "A" and each["pwm"]]
    await comes(bay, 4.0, resume=True, pause_file=kept.name)
    second = await bay.left()
    assert second["ok"], second["reason"]
    assert [each["joined"] for each in second["sessions"]] == [True]
    assert second["session_id"] == first["session_id"]
    assert second["energy_wh"] > first["energy_wh"]
    await bay.safe()


async def test_the_car_renegotiates(bay: Bay) -> None:
    await comes(bay, 3.0, renegotiate_after_s=1.0)
    result = await bay.left()
    assert result["ok"], result["reason"]
    between = [] if bay.energy == "ac" else ["CableCheck", "PreCharge"]
    start = names(result).index("ChargeParameterDiscovery")
    assert names(result)[start:][: 2 * len(between) + 8] == [
        "ChargeParameterDiscovery", *between, "PowerDelivery", loop(bay), "PowerDelivery",
        "ChargeParameterDiscovery", *between, "PowerDelivery", loop(bay), "PowerDelivery",
    ]  # fmt: skip
    await bay.safe()


async def test_signals_tell_the_drivers_wishes(bay: Bay) -> None:
    """SIGUSR1 renegotiates; SIGUSR2 pauses, and wakes the car that sleeps."""
    mark = bay.mark
    await comes(bay, 5.0, pause_s=300.0)
    await bay.charging()
    car = bay.process("car")
    os.kill(car.pid, signal.SIGUSR1)
    await bay.heard(mark, "secc/session", stage="negotiating")
    await bay.charging()
    os.kill(car.pid, signal.SIGUSR2)
    await bay.heard(mark, "charger/state", pwm=False)
    os.kill(car.pid, signal.SIGUSR2)
    result = await bay.left()
    assert result["ok"], result["reason"]
    assert names(result).count("ChargeParameterDiscovery") == 3
    assert [each["joined"] for each in result["sessions"]] == [False, True]
    await bay.safe()


async def test_the_station_stops_a_car_that_may_come_back(bay: Bay) -> None:
    mark = bay.mark
    await comes(bay, 6.0, when_stopped="pause", pause_s=300.0)
    await bay.charging()
    await bay.console("request pause")
    await bay.heard(mark, "secc/session", stage="paused")
    await bay.heard(mark, "charger/state", pwm=False)
    await bay.console("request resume")
    result = await bay.left()
    assert result["ok"], result["reason"]
    assert [each["ended"] for each in result["sessions"]] == ["paused", "stopped"]
    await bay.safe()


# --- a station without energy ---------------------------------------------------------------------------------------

PLANNED = """\
[plan]
source = "charger"
wait_s = 3.0
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["ac", "dc"])
async def planned_bay(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, certificates: Path
) -> AsyncIterator[Bay]:
    folder = tmp_path_factory.mktemp("planned")
    async with opened("mosquitto-5", request.param, folder, certificates, PLANNED) as bay:
        yield bay


async def test_the_car_sleeps_until_there_is_energy(planned_bay: Bay) -> None:
    bay = planned_bay
    await bay.console("plan 0")
    mark = bay.mark
    await comes(bay, 3.0, when_stopped="pause", pause_s=300.0)
    await bay.heard(mark, "secc/session", stage="paused")
    await bay.heard(mark, "charger/state", pwm=False)
    assert not [each for each in bay.peer.since(mark, "charger/state") if each["contactor"] == "closed"]
    await bay.console("plan 7360")
    await bay.console("request resume")
    result = await bay.left()
    assert result["ok"], result["reason"]
    assert [(each["joined"], each["ended"]) for each in result["sessions"]] == [(False, "paused"), (True, "stopped")]
    assert result["sessions"][0]["energy_wh"] == 0
    assert result["sessions"][1]["energy_wh"] > 0
    await bay.safe()


async def test_the_car_leaves_a_station_without_energy(planned_bay: Bay) -> None:
    bay = planned_bay
    await bay.console("plan 0")
    await comes(bay, 3.0)
    result = await bay.left()
    assert (result["ok"], result["reason"], result["ended_by"]) == (
        False,
        "ended by the station: StopCharging",
        "station",
    )
    assert names(result)[-3:] == ["ChargeParameterDiscovery", "PowerDelivery", "SessionStop"]
    await bay.safe()
