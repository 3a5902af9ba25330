"""The control pilot at every message against the table of the standards, and its loss in every phase."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest

from lab.standard import pilot
from lab.standard.pilot import Demanded
from tests.secc import bench_din, bench_requests
from tests.secc.bench import Bench, bench
from tests.secc.bench_charger import FINAL_EVENTS, BenchCharger
from tests.secc.bench_requests import Step, walk

SCALE = 0.05
LATE_S = 1.0


class Kind(NamedTuple):
    """One kind of session: what it takes place at, its way, its messages, and what the table demands."""

    energy: str
    route: tuple[Step, ...]
    messages: Any
    table: tuple[Demanded, ...]


KINDS = {
    "DIN": Kind("DC", bench_din.DC, bench_din, pilot.DC),
    "-2 DC": Kind("DC", bench_requests.DC, bench_requests, pilot.DC),
    "-2 AC": Kind("AC", bench_requests.AC, bench_requests, pilot.AC),
}
WAITS: dict[str, str | dict[str, str]] = {
    "CableCheck": "CableCheck",
    "PreCharge": "PreCharge first",
    "PowerDelivery(Start)": {"DC": "PreCharge", "AC": "PowerDeliveryStart"},
    "PowerDelivery(Stop)": {"DC": "CurrentDemand", "AC": "ChargingStatus"},
    "CurrentDemand": "CurrentDemand",
    "ChargingStatus": "ChargingStatus",
    "WeldingDetection": "WeldingOrStop",
    "SessionStop": "WeldingOrStop",
}


def request(kind: Kind, name: str) -> Any:
    """The request of a row."""
    of = kind.messages
    match name:
        case "PowerDelivery(Start)":
            return of.power("Start")
        case "PowerDelivery(Stop)":
            return of.power("Stop")
    return next(each for each in of.EVERY if type(each).__name__ == f"{name}Req")


def wait(kind: Kind, name: str) -> str:
    found = WAITS[name]
    return found if isinstance(found, str) else found[kind.energy]


ROWS = [
    pytest.param(name, row, state, id=f"{name}-{row.request}-{state}")
    for name, kind in KINDS.items()
    for row in kind.table
    for state in pilot.PLUGGED
]


@pytest.mark.parametrize(("name", "row", "state"), ROWS)
async def test_the_pilot_at_each_request(name: str, row: Demanded, state: str) -> None:
    kind = KINDS[name]
    async with bench(kind.energy, scale=SCALE) as station:
        car = await station.car_at(kind.route, wait(kind, row.request))
        station.charger.change(plug=state)
        began = time.monotonic()
        answer = await car.ask(request(kind, row.request))
        while getattr(answer, "EVSEProcessing", None) == "Ongoing":
            answer = await car.ask(request(kind, row.request))
        took = time.monotonic() - began
        if state in row.states:
            assert answer.ResponseCode == "OK"
            return
        assert answer.ResponseCode == row.refused
        assert took < row.within_s * SCALE + LATE_S
        assert station.charger.levels["contactor"] == "open"
        assert await car.gone()
        await station.ended("refused")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("state", pilot.PLUGGED)
@pytest.mark.parametrize("stop", pilot.STOPS_ANYWHERE)
async def test_a_stop_in_any_state(name: str, state: str, stop: str) -> None:
    """In DC, B ends the session before: the vehicle must not leave C while the output is on."""
    kind = KINDS[name]
    async with bench(kind.energy) as station:
        car = await station.car_at(kind.route, wait(kind, stop))
        station.charger.change(plug=state)
        answer = await car.ask(request(kind, stop))
        assert answer.ResponseCode == ("FAILED" if kind.energy == "DC" and state == "B" else "OK")
        assert station.charger.levels["contactor"] == "open"


# --- loss, in every phase -------------------------------------------------------------------------------------------


def _unlinked(charger: BenchCharger) -> None:
    charger.linked = False
    charger.report()


LOSSES: dict[str, Callable[[BenchCharger], None]] = {
    "link": _unlinked,
    "A": lambda charger: charger.change(plug="A"),
    "E": lambda charger: charger.change(plug="E"),
    "F": lambda charger: charger.change(plug="F"),
}


def test_the_losses_are_those_of_the_table() -> None:
    assert set(LOSSES) - {"link"} == set(pilot.GONE)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", KINDS)
async def test_a_loss_in_every_phase(name: str, loss: str) -> None:
    """Open, off and zero at once, without a word of the vehicle; told once; and the next session works."""
    kind = KINDS[name]
    async with bench(kind.energy) as station:
        for place in range(1, len(kind.route)):
            await lose(station, kind.route, kind.route[place][0], LOSSES[loss])
        await walk(await station.car(), station.charger, kind.route)


async def lose(station: Bench, route: Sequence[Step], phase: str, cause: Callable[[BenchCharger], None]) -> None:
    """One session up to a phase, then the loss."""
    charger = station.charger
    car = await station.car_at(route, phase)
    mark, began = len(charger.orders), time.monotonic()
    cause(charger)
    charger.forbid(f"there was a loss at {phase}")
    assert await car.gone(), phase
    assert time.monotonic() - began < LATE_S
    await station.until(lambda: not station.station._connections)
    told = [order.facts for order in charger.orders[mark:] if order.kind == "event"]
    assert [each["kind"] for each in told if each["kind"] in FINAL_EVENTS] == ["gone"], phase
    station.assert_safe()
    await car.close()
    charger.linked = True
    charger.change(plug="B")
    await asyncio.sleep(0)
