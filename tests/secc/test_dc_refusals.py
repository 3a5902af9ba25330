"""When nothing flows in DC, and how that is told: the same in DIN 70121 and in ISO 15118-2."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.secc import bench_din
from tests.secc.bench import dc_bench
from tests.secc.bench_charger import Check
from tests.secc.bench_din import BOTH
from tests.secc.test_iso2_danger import ANSWERED, DANGERS, opened_at_once
from tests.secc.test_iso2_link import LATE_S, polled
from tests.secc.test_iso2_refusals import refused
from tests.secc.test_iso2_wishes import REASONS

pytestmark = BOTH


@pytest.mark.parametrize(("wait", "status"), [("CableCheck", "EVSE_Ready"), ("WeldingOrStop", "EVSE_Shutdown")])
async def test_a_refused_request_shows_the_phase_of_the_station(dc: Any, wait: str, status: str) -> None:
    async with dc_bench() as station:
        body = await refused(station, dc.DC, wait, dc.demand(), "FAILED_SequenceError")
        assert body.DC_EVSEStatus.EVSEStatusCode == status


@pytest.mark.parametrize("check", ["fails", "faulty"])
async def test_cable_check_failures(dc: Any, check: Check) -> None:
    async with dc_bench() as station:
        station.charger.check = check
        car = await station.car_at(dc.DC, "CableCheck")
        station.charger.change(plug="C")
        body = await car.ask(dc.cable_check())
        assert (body.ResponseCode, body.EVSEProcessing) == ("FAILED", "Finished")
        await car.close()
        await station.ended("refused")


async def test_no_cable_check_in_pilot_b(dc: Any) -> None:
    async with dc_bench(scale=0.02) as station:
        car = await station.car_at(dc.DC, "CableCheck")
        body = await car.ask(dc.cable_check())
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing")
        assert body.DC_EVSEStatus.EVSEStatusCode == "EVSE_IsolationMonitoringActive"
        while body.ResponseCode == "OK":
            body = await car.ask(dc.cable_check())
        assert body.ResponseCode == "FAILED"
        assert not station.charger.said("check_cable")
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize("wait", ["WeldingOrStop", "WeldingOrStop again"])
@pytest.mark.parametrize("request_", ["welding", "stop"])
async def test_pilot_b_is_wanted_after_dc_stop(dc: Any, wait: str, request_: str) -> None:
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(dc.DC, wait)
        station.charger.change(plug="C")
        body = await car.ask(getattr(dc, request_)())
        assert body.ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize(("wait", "request_"), [("CableCheck", "cable_check"), ("PreCharge first", "precharge")])
async def test_dc_is_not_prepared_for_a_car_that_has_to_stop(dc: Any, reason: str, wait: str, request_: str) -> None:
    """In the cable check it is told so for as long as the check may take to begin, in pre-charge it is too late."""
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(dc.DC, wait)
        REASONS[reason](station.charger)
        station.charger.change(plug="C")
        while (answer := await car.ask(getattr(dc, request_)())).ResponseCode == "OK":
            assert (request_, answer.DC_EVSEStatus.EVSENotification) == ("cable_check", "StopCharging")
        assert answer.ResponseCode == "FAILED"
        assert all(order.facts.get("contactor") != "closed" for order in station.charger.orders)
        await station.ended("refused")


async def test_dc_start_needs_the_contactor(dc: Any) -> None:
    async with dc_bench() as station:
        station.charger.closes = False
        code = "FAILED" if dc is bench_din else "FAILED_ContactorError"  # which DIN does not know
        car = await station.car_at(dc.DC, "PreCharge first")
        assert (await car.ask(dc.precharge())).ResponseCode == "OK"
        assert (await car.ask(dc.power("Start"))).ResponseCode == code


async def test_dc_start_needs_the_voltage(dc: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(dc.DC, "PreCharge first")
        assert (await car.ask(dc.precharge())).ResponseCode == "OK"
        station.charger.voltage_v = 300.0
        assert (await car.ask(dc.power("Start"))).ResponseCode == "FAILED_PowerDeliveryNotApplied"


async def test_a_negative_voltage_is_not_dead(dc: Any) -> None:
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(dc.DC, "CableCheck")
        station.charger.voltage_v = -400.0
        answers = [await car.ask(dc.cable_check())]
        while answers[-1].ResponseCode == "OK":
            answers.append(await car.ask(dc.cable_check()))
        assert answers[-1].ResponseCode == "FAILED"
        assert station.charger.said("check_cable") == []


@pytest.mark.parametrize("danger", sorted(ANSWERED))
async def test_a_car_that_says_nothing_more_is_closed(dc: Any, danger: str) -> None:
    async with dc_bench(scale=0.2) as station:
        car = await station.car_at(dc.DC, "CurrentDemand")
        await opened_at_once(station, DANGERS[danger])
        assert await car.gone(2.0)
        await station.ended("refused")


async def test_pilot_b_during_the_isolation_test(dc: Any) -> None:
    async with dc_bench() as station:
        station.charger.check = "hangs"
        car = await station.car_at(dc.DC, "CableCheck")
        station.charger.change(plug="C")
        assert (await car.ask(dc.cable_check())).EVSEProcessing == "Ongoing"
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        assert (await car.ask(dc.cable_check())).ResponseCode == "FAILED"


async def test_a_contactor_that_is_slow_in_the_isolation_test_is_no_danger(dc: Any) -> None:
    """The test closes and opens the output by itself, in its own time."""
    async with dc_bench(scale=0.02) as station:
        charger = station.charger
        charger.check = "hangs"
        car = await station.car_at(dc.DC, "CableCheck")
        charger.change(plug="C")
        assert (await car.ask(dc.cable_check())).EVSEProcessing == "Ongoing"
        charger.change(contactor="closed")
        await asyncio.sleep(0.1)
        charger.change(contactor="open")
        await asyncio.sleep(0.1)
        assert (await car.ask(dc.cable_check())).EVSEProcessing == "Ongoing"


async def test_cable_check_budget(dc: Any) -> None:
    async with dc_bench(scale=0.01) as station:
        station.charger.check = "hangs"
        car = await station.car_at(dc.DC, "CableCheck")
        station.charger.change(plug="C")
        assert 0.37 <= await polled(car, dc.cable_check(), 0.38) < 0.38 + LATE_S
        await car.close()
        await station.ended("refused")
        assert len(station.charger.said("check_cable")) == 1


async def test_precharge_budget(dc: Any) -> None:
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(dc.DC, "PreCharge first")
        assert 0.24 <= await polled(car, dc.precharge(), 0.25) < 0.25 + LATE_S
        await car.close()
        await station.ended("refused")
