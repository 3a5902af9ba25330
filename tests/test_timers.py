"""Every row of the table of times: some code keeps it, and when it is over the right thing happens, in scaled time."""

from __future__ import annotations

import inspect
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from secc import api
from secc.liveness import ControllerSettings
from secc.orders import Orders
from tests.elastic import Elastic
from tests.evcc import test_client, test_din, test_discovery, test_iso2
from tests.secc import bench_din
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, DC, STATUS, cable_check, power, precharge
from tests.v2g import test_link
from v2g.iso2 import ISO2
from v2g.journal import Journal
from v2g.link import SeccLink
from v2g.messages import din, iso2
from v2g.timing import Timer, Timing

ROOT = Path(__file__).parents[1]
ROWS = {name: row for name, row in vars(Timing).items() if isinstance(row, Timer)}
TARGET_S = 0.3
"""What each row is scaled to."""
EARLY_S, LATE_S = 0.02, 1.0

Expiry = Callable[[Elastic, float], Awaitable[float]]
EXPIRIES: dict[str, Expiry] = {}


def expires(row: str) -> Callable[[Expiry], Expiry]:
    """Mark how a row runs out: from elastic times and their scale to the seconds it took."""

    def mark(expiry: Expiry) -> Expiry:
        EXPIRIES[row] = expiry
        return expiry

    return mark


# --- the station ----------------------------------------------------------------------------------------------------


async def closed(station: Bench, car: Car, kind: str, reason: str) -> float:
    """Wait for the end of the session; the seconds that took."""
    began = time.monotonic()
    assert await car.gone()
    took = time.monotonic() - began
    assert reason in (await station.ended(kind))["reason"]
    return took


async def polled(car: Car, request: Any, code: str = "FAILED") -> float:
    """Ask again and again until it fails; the seconds that took."""
    began = time.monotonic()
    answer = await car.ask(request)
    while answer.ResponseCode == "OK":
        assert time.monotonic() - began < TARGET_S + LATE_S
        answer = await car.ask(request)
    assert answer.ResponseCode == code
    return time.monotonic() - began


@expires("sequence")
async def no_request(timing: Elastic, scale: float) -> float:
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "ServiceDiscovery")
        timing.stretch(scale)
        await car.ask(iso2.ServiceDiscoveryReq())
        return await closed(station, car, "silence", Timing.sequence.name)


@expires("setup_secc")
async def no_session(timing: Elastic, scale: float) -> float:
    timing.stretch(scale)
    async with bench("AC", timing=timing) as station:
        return await closed(station, await station.car(), "silence", Timing.setup_secc.name)


@expires("ongoing_secc")
async def nobody_decides(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        station.charger.card = "none"
        car = await station.car_at(bench_din.DC, "ContractAuthentication")
        timing.stretch(scale)
        return await polled(car, din.ContractAuthenticationReq())


@expires("cable_check_secc")
async def a_cable_check_without_end(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        station.charger.check = "hangs"
        car = await station.car_at(DC, "CableCheck")
        station.charger.change(plug="C")
        timing.stretch(scale)
        return await polled(car, cable_check())


@expires("precharge_secc")
async def a_precharge_without_end(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(DC, "PreCharge first")
        timing.stretch(scale)
        return await polled(car, precharge())


@expires("ready_secc")
async def a_vehicle_that_takes_its_time(timing: Elastic, scale: float) -> float:
    """All steps in their time, and together too long."""
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(bench_din.DC, "SessionSetup")
        timing.stretch(scale)
        began = time.monotonic()
        await car.ask(bench_din.SETUP)
        timing.stretch(1.0)
        await car.ask(din.ServiceDiscoveryReq())
        await car.ask(bench_din.selection())
        await car.ask(din.ContractAuthenticationReq())
        await car.ask(bench_din.dc_parameters())
        station.charger.change(plug="C")
        await car.ask(bench_din.cable_check())
        while time.monotonic() - began < TARGET_S * 1.5:  # the station began to count a little later
            assert (await car.ask(bench_din.precharge())).ResponseCode == "OK"
        assert (await car.ask(bench_din.power("Start"))).ResponseCode == "FAILED"
        return time.monotonic() - began


@expires("pilot_decide")
async def a_pilot_that_stays_b(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(DC, "CableCheck")
        timing.stretch(scale)
        return await polled(car, cable_check())


@expires("contactor_close")
async def a_contactor_that_does_not_close(timing: Elastic, scale: float) -> float:
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        station.charger.closes = False
        station.charger.change(plug="C")
        timing.stretch(scale)
        return await polled(car, power("Start"), "FAILED_ContactorError")


@expires("ramp_down")
async def a_current_nobody_measures(timing: Elastic, scale: float) -> float:
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "ChargingStatus")
        return await ramped_down(station, car, timing, scale, power("Stop"))


@expires("ramp_down_din")
async def a_current_nobody_measures_in_din(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(bench_din.DC, "CurrentDemand")
        return await ramped_down(station, car, timing, scale, bench_din.power("Stop"))


async def ramped_down(station: Bench, car: Car, timing: Elastic, scale: float, stop: Any) -> float:
    """The contactor is opened all the same, and the vehicle told that all is well."""
    station.charger.measuring = False
    timing.stretch(scale)
    began = time.monotonic()
    assert (await car.ask(stop)).ResponseCode == "OK"
    assert station.charger.levels["contactor"] == "open"
    return time.monotonic() - began


@expires("contactor_open")
async def a_contactor_that_does_not_open(timing: Elastic, scale: float) -> float:
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.opens = False
        timing.stretch(scale)
        return await polled(car, power("Stop"), "FAILED_ContactorError")


@expires("contactor_open_din")
async def a_contactor_that_does_not_open_in_din(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(bench_din.DC, "CurrentDemand")
        station.charger.opens = False
        timing.stretch(scale)
        return await polled(car, bench_din.power("Stop"))


@expires("follow")
async def a_limit_not_followed(timing: Elastic, scale: float) -> float:
    timing.stretch(scale)
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.current_a = 60.0
        station.charger.report()
        began = time.monotonic()
        events = station.charger.said
        await station.until(lambda: any(each["kind"] == "limit_not_followed" for each in events("event")))
        took = time.monotonic() - began
        assert (await car.ask(STATUS)).AC_EVSEStatus.EVSENotification == "StopCharging"
        return took


@expires("last_request")
async def an_emergency_and_no_request(timing: Elastic, scale: float) -> float:
    async with bench("DC", timing=timing) as station:
        car = await station.car_at(DC, "CurrentDemand")
        timing.stretch(scale)
        station.charger.fail("emergency", "emergency")
        return await closed(station, car, "refused", "emergency")


@expires("after_failed")
async def no_stop_after_a_failure(timing: Elastic, scale: float) -> float:
    async with bench("AC", timing=timing) as station:
        car = await station.car_at(AC, "ServiceDiscovery")
        timing.stretch(scale)
        assert (await car.ask(STATUS)).ResponseCode == "FAILED_SequenceError"
        return await closed(station, car, "refused", "ChargingStatusReq came")


@expires("close")
async def a_last_answer_that_is_not_read(timing: Elastic, scale: float) -> float:
    timing.stretch(scale)
    wire = test_link.Wire(test_link.SETUP)
    link = SeccLink(wire, Journal(), timing)
    link._dialect = ISO2

    async def session() -> None:
        await link.first(iso2.SessionSetupReq)
        wire.stuck = True
        await link.finish(iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.OK))

    began = time.monotonic()
    assert (await link.conduct(session())).kind == "gone"
    return time.monotonic() - began


@expires("loop_silence")
async def a_loop_without_a_request(_timing: Elastic, scale: float) -> float:
    assert ControllerSettings().loop_silence_s == Timing.loop_silence.seconds
    orders = Orders(lambda *_: None, version="0", protocols=(), interface="lo")
    orders.begin("00")
    orders.stage(api.Session(stage="charging", energy_mode="DC"))
    orders.target("charge", 400.0, 100.0, None)
    began = time.monotonic()
    while not orders.quieten(Timing.loop_silence.seconds * scale):
        assert time.monotonic() - began < TARGET_S + LATE_S
    return time.monotonic() - began


@pytest.mark.parametrize("row", EXPIRIES)
async def test_a_time_that_runs_out(row: str) -> None:
    took = await EXPIRIES[row](Elastic(), TARGET_S / ROWS[row].seconds)
    assert TARGET_S - EARLY_S < took < TARGET_S + LATE_S


# --- a stop that comes at once --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("energy", "route", "wait"), [("AC", AC, "ServiceDiscovery"), ("DC", DC, "CurrentDemand")])
async def test_a_stop_right_after_a_failure_is_answered(energy: str, route: Any, wait: str) -> None:
    """And without one the connection is closed within a second, in real time."""
    async with bench(energy) as station:
        car = await station.car_at(route, wait)
        assert (await car.ask(STATUS if energy == "DC" else cable_check())).ResponseCode == "FAILED_SequenceError"
        stop = iso2.SessionStopReq(ChargingSession=iso2.ChargingSession.Terminate)
        assert (await car.ask(stop)).ResponseCode == "OK"
        assert await car.gone(0.3)
    async with bench(energy) as station:
        car = await station.car_at(route, wait)
        began = time.monotonic()
        assert (await car.ask(STATUS if energy == "DC" else cable_check())).ResponseCode == "FAILED_SequenceError"
        assert await car.gone()
        assert time.monotonic() - began < 1.0


# --- the vehicle, where its own tests show it -----------------------------------------------------------------------

SHOWN: dict[str, Callable[..., Any]] = {
    "setup_evcc": test_client.test_setting_up_takes_no_longer_than_it_may,
    "ongoing_evcc": test_iso2.test_ongoing_for_ever,
    "eim_waiting": test_iso2.test_ongoing_for_ever,
    "cable_check_evcc": test_iso2.test_ongoing_for_ever,
    "precharge_evcc": test_iso2.test_ongoing_for_ever,
    "ready_evcc": test_din.test_a_station_that_is_never_ready_in_time,
    "sequence_performance": test_link.test_a_late_request_is_told,
    "sdp_wait": test_discovery.test_it_asks_again_after_the_wait_and_not_before,
    "sdp_linger": test_discovery.test_a_second_endpoint_is_reported_and_not_obeyed,
}


def test_every_row_is_shown_to_run_out() -> None:
    ours = {name for name, row in ROWS.items() if not row.kept}
    assert set(EXPIRIES) | set(SHOWN) == ours
    for row, shown in SHOWN.items():
        assert inspect.iscoroutinefunction(shown), row


@pytest.mark.parametrize("name", ROWS)
def test_every_row_is_used_and_has_a_source(name: str) -> None:
    sources = [path for room in ("v2g", "secc", "evcc") for path in (ROOT / room).rglob("*.py")]
    using = [
        path
        for path in sources
        if path.name != "timing.py" and re.search(rf"[Tt]iming\.{name}\b", path.read_text(encoding="utf-8"))
    ]
    assert bool(using) is not bool(ROWS[name].kept), using
    assert ROWS[name].source
