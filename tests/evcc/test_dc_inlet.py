"""What a DC inlet does not bear: each case in both standards, against a scripted station."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from evcc.trip import Declined, StationFault
from tests.evcc import bench_din, bench_station, test_din, test_iso2
from tests.evcc.bench_station import Script, ScriptedStation
from tests.evcc.test_iso2 import Drive

BATTERY_V = 370.0
MOST_V = 420.0


@dataclass(frozen=True)
class Standard:
    """The station and the vehicle of one standard."""

    bench: Any
    scripted: Callable[[], AbstractAsyncContextManager[ScriptedStation]]
    drive: Callable[..., Any]

    async def visit(self, answers: dict[str, Script], **plan: Any) -> tuple[Drive, ScriptedStation]:
        """Drive a session at a station that answers some requests otherwise than usual."""
        async with self.scripted() as station:
            station.answers |= answers
            return await self.drive(station, **plan), station

    def offering(self, **limits: float) -> dict[str, Script]:
        """An offer with other limits in volts and amperes."""
        usual = self.bench.usual("DC") if self.bench is bench_station else self.bench.usual()
        offer = usual["ChargeParameterDiscovery"](None, 0)
        changed = {
            name: self.bench.value(limit, self.bench.A if "Current" in name else self.bench.V)
            for name, limit in limits.items()
        }
        parameter = msgspec.structs.replace(offer.EVSEChargeParameter, **changed)
        offered = msgspec.structs.replace(offer, EVSEChargeParameter=parameter)
        return {"ChargeParameterDiscovery": lambda *_: offered}


STANDARDS = {
    "iso2": Standard(
        bench_station,
        lambda: bench_station.scripted("DC"),
        lambda station, **plan: test_iso2.drive(station, "DC", **plan),
    ),
    "din": Standard(bench_din, bench_din.scripted, test_din.drive),
}


@pytest.fixture(params=STANDARDS)
def standard(request: pytest.FixtureRequest) -> Standard:
    return STANDARDS[request.param]


async def test_more_than_the_battery_bears(standard: Standard) -> None:
    """Everything is off before another word, and nothing of it is counted as energy."""
    done, station = await standard.visit(
        {"CurrentDemand": lambda *_: standard.bench.demand(volts=1_000.0)}, charge_s=30
    )
    assert isinstance(done.error, StationFault)
    assert "1000 V" in str(done.error)
    assert station.names[-3:] == ["CurrentDemand", "PowerDelivery", "SessionStop"]
    assert (done.trip.ended_by, done.trip.vehicle.energy_wh) == ("station", 0)


async def test_a_meter_that_is_a_little_off(standard: Standard) -> None:
    done, _ = await standard.visit({"CurrentDemand": lambda *_: standard.bench.demand(volts=MOST_V + 5)})
    assert done.error is None


async def test_a_fault_of_the_isolation_while_energy_flows(standard: Standard) -> None:
    broken = standard.bench.demand(standard.bench.dc_status(isolation="Fault"))
    done, station = await standard.visit({"CurrentDemand": lambda *_: broken}, charge_s=30)
    assert isinstance(done.error, StationFault)
    assert "isolation" in str(done.error)
    assert station.names[-3:] == ["CurrentDemand", "PowerDelivery", "SessionStop"]


@pytest.mark.parametrize("isolation", ["Valid", "Warning", "Invalid"])
async def test_what_is_no_fault_of_the_isolation(standard: Standard, isolation: str) -> None:
    shown = standard.bench.demand(standard.bench.dc_status(isolation=isolation))
    done, _ = await standard.visit({"CurrentDemand": lambda *_: shown})
    assert done.error is None


async def test_current_that_flows_back_is_not_drawn(standard: Standard) -> None:
    done, _ = await standard.visit({"CurrentDemand": lambda *_: standard.bench.demand(amperes=-3.0)})
    assert {how for what, how in done.plug.done if what == "draw"} == {0.0}


@pytest.mark.parametrize(
    "limits",
    [{"EVSEMaximumVoltageLimit": BATTERY_V - 10}, {"EVSEMinimumVoltageLimit": BATTERY_V + 10}],
    ids=["too low", "too high"],
)
async def test_an_output_that_cannot_have_the_batterys_voltage(standard: Standard, limits: dict[str, float]) -> None:
    done, station = await standard.visit(standard.offering(**limits))
    assert isinstance(done.error, Declined)
    assert "370 V" in str(done.error)
    assert station.names[-2:] == ["ChargeParameterDiscovery", "SessionStop"]


@pytest.mark.parametrize(
    "limits",
    [
        {"EVSEMaximumVoltageLimit": BATTERY_V},
        {"EVSEMinimumVoltageLimit": BATTERY_V},
        {"EVSEMaximumCurrentLimit": 0.0},
        {"EVSEMinimumVoltageLimit": 40.0, "EVSEMaximumVoltageLimit": 40.0},
    ],
    ids=["just enough", "just low enough", "no energy", "no range at all"],
)
async def test_an_output_that_will_do(standard: Standard, limits: dict[str, float]) -> None:
    done, _ = await standard.visit(standard.offering(**limits))
    assert done.error is None
