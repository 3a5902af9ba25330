"""The ways a session goes when nothing is wrong, and what stands in the answers."""

from __future__ import annotations

import pytest

from secc import api
from secc.charger import Presented
from tests.secc.bench import ac_bench, bench, dc_bench
from tests.secc.bench_requests import (
    AC,
    DC,
    SETUP,
    STATUS,
    ac_parameters,
    dc_parameters,
    demand,
    power,
    value,
    walk,
)

ROUTES = {"AC": AC, "DC": DC}


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_whole_session_with_renegotiation(energy: str) -> None:
    async with bench(energy) as station:
        car = await station.car()
        await walk(car, station.charger, ROUTES[energy])
        assert await car.gone()
        await station.ended("session_ended")
        orders = station.charger.orders
        before = [order.facts["limits"] for order in orders[: station.charger.index("sent")] if order.kind == "limits"]
        assert not before[-1].authorised, "the goodbye left before the limits were withdrawn"
        stages = [facts["session"].stage for facts in station.charger.said("session")]
        assert [each for place, each in enumerate(stages) if place == 0 or stages[place - 1] != each] == [
            "connected", "identified", "authorizing", "negotiating", "preparing", "charging",
            "negotiating", "preparing", "charging", "stopping",
        ]  # fmt: skip
        ids = {facts["session"] for facts in station.charger.said("begin")}
        assert ids == {car.session_id.hex().upper()}
        await station.serves_next()


async def test_two_cars_one_after_the_other() -> None:
    async with ac_bench() as station:
        for _ in range(2):
            station.charger.orders.clear()
            station.charger.change(plug="B")
            await walk(await station.car(), station.charger, AC)
            await station.ended("session_ended")


async def test_ac_offer() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        offer = car.answers[-1].body
        assert (offer.EVSEProcessing, len(offer.SASchedules.SAScheduleTuple)) == ("Finished", 1)
        parameter = offer.EVSEChargeParameter
        assert (parameter.EVSENominalVoltage, parameter.EVSEMaxCurrent) == (value(230, "V"), value(32, "A"))
        status = parameter.AC_EVSEStatus
        assert (status.EVSENotification, status.RCD, status.NotificationMaxDelay) == ("None", False, 0)
        # The vehicle's own 16 A are no limit of the station's.
        pmax = offer.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry[0].PMax
        assert pmax.Value * 10**pmax.Multiplier == 22_080


async def test_ac_loop() -> None:
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.meter = api.Meter(meter_id="M1", energy_import_wh=1_234)
        body = await car.ask(STATUS)
        assert (body.EVSEID, body.SAScheduleTupleID, body.ReceiptRequired) == ("DE*PCG*E0001", 1, False)
        assert (body.MeterInfo.MeterID, body.MeterInfo.MeterReading) == ("M1", 1_234)
        assert body.EVSEMaxCurrent == value(16, "A")
        assert charger.limits_told[-1].max_current_a == 16
        charger.meter = None
        assert (await car.ask(STATUS)).MeterInfo is None


async def test_single_phase_limits() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargeParameterDiscovery")
        await car.ask(ac_parameters(mode="AC_single_phase_core", max_a=32))
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        told = station.charger.limits_told[-1]
        assert (told.max_charge_w, told.max_current_a, told.max_charge_w_per_phase) == (7_360, 32, 7_360)


async def test_a_turn_of_the_dc_loop_names_outlet_schedule_and_meter() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand first")
        body = await car.ask(demand())
        assert (body.EVSEID, body.SAScheduleTupleID, body.MeterInfo.MeterReading) == ("DE*PCG*E0001", 1, 1_000)


async def test_what_the_car_said_is_published() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        await car.ask(dc_parameters(max_w=None))
        first = station.charger.said("vehicle")[-1]["vehicle"]
        assert (first.soc_percent, first.max_voltage_v, first.max_current_a, first.max_power_w) == (40, 420, 125, None)
        assert (first.ready, first.error) == (True, None)
        assert station.charger.said("session")[-1]["session"].energy_mode == "DC"
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargeParameterDiscovery")
        await car.ask(ac_parameters())
        first = station.charger.said("vehicle")[-1]["vehicle"]
        assert (first.max_current_a, first.min_current_a, first.energy_request_wh) == (16, 6, 10_000)


async def test_identity_of_the_car() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "SessionSetup")
        body = await car.ask(SETUP)
        assert body.EVSEID == "DE*PCG*E0001"
        assert station.charger.said("session")[-1]["session"].evcc_id == "02:00:00:00:00:01"


async def test_a_card_shown_before_the_plug() -> None:
    async with ac_bench() as station:
        station.charger.card = "none"
        station.charger.shown = Presented(accepted=True, source="charger")
        await walk(await station.car(), station.charger, AC, "ChargeParameterDiscovery")
        assert station.charger.asked == []
        assert station.charger.shown is None


async def test_a_free_outlet_asks_nobody() -> None:
    async with ac_bench(authorization={"external": "local"}) as station:
        station.charger.card = "none"
        await walk(await station.car(), station.charger, AC)
        assert station.charger.asked == []
