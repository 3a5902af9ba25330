"""The ways a session goes when nothing is wrong, and what stands in the answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from secc import api
from secc.charger import Presented
from secc.dc_output import isolation_test_voltage
from tests.secc.bench import ac_bench, bench, dc_bench
from tests.secc.bench_charger import DC_SETUP
from tests.secc.bench_requests import (
    AC,
    DC,
    SETUP,
    STATUS,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    power,
    precharge,
    value,
    walk,
    watts,
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


async def test_dc_offer() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CableCheck")
        parameter = car.answers[-1].body.EVSEChargeParameter
        assert parameter.EVSEMaximumCurrentLimit == value(200, "A")
        assert parameter.EVSEMaximumVoltageLimit == value(500, "V")
        assert parameter.EVSEMinimumVoltageLimit == value(150, "V")
        assert parameter.EVSEMaximumPowerLimit.Value * 10**parameter.EVSEMaximumPowerLimit.Multiplier == 60_000
        assert parameter.DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        assert parameter.DC_EVSEStatus.EVSEIsolationStatus == "Invalid"


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


async def test_cable_check_voltages() -> None:
    async with dc_bench() as station:
        await station.car_at(DC, "PreCharge first")
        [check] = station.charger.said("check_cable")
        assert (check["test_voltage_v"], check["maximum_v"]) == (470, 420)
        assert 0 < check["deadline_s"] <= 38


@pytest.mark.parametrize(
    ("vehicle_v", "station_v", "test_v"),
    [(420, 1_000, 470), (450, 1_000, 500), (470, 1_000, 500), (500, 1_000, 500), (800, 1_000, 880),
     (950, 1_000, 1_000), (420, 450, 450), (None, 500, 500)],
)  # fmt: skip
def test_test_voltage(vehicle_v: float | None, station_v: float, test_v: float) -> None:
    """IEC 61851-23:2023, as the reference transcribes it."""
    setup = msgspec.structs.replace(DC_SETUP, max_voltage_v=station_v)
    assert isolation_test_voltage(vehicle_v, setup) == pytest.approx(test_v)


async def test_dc_statuses_by_phase() -> None:
    async with dc_bench() as station:
        charger = station.charger
        charger.check = "hangs"
        car = await station.car_at(DC, "CableCheck")
        charger.change(plug="C")
        status = (await car.ask(cable_check())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSEIsolationStatus) == ("EVSE_IsolationMonitoringActive", None)
        charger.cable_check, charger._checked = "passed", True
        charger.change(isolation="warning")
        status = (await car.ask(cable_check())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSEIsolationStatus) == ("EVSE_Ready", "Warning")
        body = await car.ask(precharge(380))
        assert (body.DC_EVSEStatus.EVSEStatusCode, body.EVSEPresentVoltage) == ("EVSE_Ready", value(380, "V"))
        assert (await car.ask(power("Start"))).EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        body = await car.ask(demand(385, 100))
        assert body.DC_EVSEStatus.EVSEStatusCode == "EVSE_Ready"
        assert (body.EVSEPresentVoltage, body.EVSEPresentCurrent) == (value(380, "V"), value(0, "A"))


# Target of the car, and what must come of it: volts and amperes ordered, and which limits are reached (I, U, P).
DEMANDS: list[tuple[dict[str, Any], tuple[float, float], tuple[bool, bool, bool]]] = [
    ({"volts": 385, "amperes": 100}, (385, 100), (False, False, False)),
    ({"volts": 385, "amperes": 125}, (385, 125), (True, False, False)),
    ({"volts": 385, "amperes": 150}, (385, 125), (True, False, True)),
    ({"volts": 420, "amperes": 10}, (420, 10), (False, True, False)),
    ({"volts": 400, "amperes": 125}, (400, 125), (True, False, True)),
    ({"volts": 410, "amperes": 124}, (410, 50_000 / 410), (False, False, True)),
    ({"volts": 0, "amperes": 10}, (0, 0), (False, False, False)),
    ({"volts": 385, "amperes": 100, "EVMaximumCurrentLimit": value(50, "A")}, (385, 50), (True, False, False)),
    ({"volts": 385, "amperes": 100, "EVMaximumPowerLimit": watts(7_700)}, (385, 20), (False, False, True)),
    ({"volts": 385, "amperes": 100, "EVMaximumVoltageLimit": value(385, "V")}, (385, 100), (False, True, False)),
]


@pytest.mark.parametrize(("wanted", "ordered", "reached"), DEMANDS)
async def test_dc_operating_point(
    wanted: dict[str, Any], ordered: tuple[float, float], reached: tuple[bool, bool, bool]
) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand first")
        body = await car.ask(demand(**wanted))
        last = station.charger.said("target")[-1]
        assert last["phase"] == "charge"
        assert (last["voltage_v"], last["current_a"]) == pytest.approx(ordered)
        assert (
            body.EVSECurrentLimitAchieved,
            body.EVSEVoltageLimitAchieved,
            body.EVSEPowerLimitAchieved,
        ) == reached
        assert body.EVSEMaximumPowerLimit.Value * 10**body.EVSEMaximumPowerLimit.Multiplier == min(
            50_000, 7_700 if "EVMaximumPowerLimit" in wanted else 50_000
        )
        assert (body.EVSEID, body.SAScheduleTupleID, body.MeterInfo.MeterReading) == ("DE*PCG*E0001", 1, 1_000)


async def test_the_voltage_is_clamped_to_what_the_hardware_can_do() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand first")
        station.charger.hardware_limits = api.ChargerLimits(max_voltage_v=380)
        body = await car.ask(demand(385, 100))
        assert station.charger.said("target")[-1]["voltage_v"] == 380
        assert (body.EVSEVoltageLimitAchieved, body.EVSEMaximumVoltageLimit) == (True, value(380, "V"))


async def test_limits_of_a_car_hold_until_it_tells_others() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand first")
        await car.ask(demand(385, 100, EVMaximumCurrentLimit=value(50, "A")))
        await car.ask(demand(385, 100))
        assert station.charger.said("target")[-1]["current_a"] == 50
        await car.ask(demand(385, 100, EVMaximumCurrentLimit=value(80, "A")))
        assert station.charger.said("target")[-1]["current_a"] == 80
        assert station.charger.limits_told[-1].max_current_a == 80


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
