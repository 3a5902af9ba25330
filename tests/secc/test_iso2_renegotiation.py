"""DC that renegotiates: tested anew as the standard has it, or straight on where nothing was given up."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from secc import api
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, DC, STATUS, Step, dc_parameters, demand, power, stop, walk


def between(first: str, until: str = "") -> tuple[Step, ...]:
    """The way in DC from a wait on, up to another or to the end."""
    names = [name for name, _ in DC]
    return DC[names.index(first) : names.index(until) if until else None]


@asynccontextmanager
async def renegotiating(**changes: Any) -> AsyncIterator[tuple[Bench, Car]]:
    """A DC car that was answered its renegotiation's ChargeParameterDiscoveryReq."""
    async with bench("DC", **changes) as station:
        car = await station.car_at(DC, "CableCheck again")
        yield station, car


async def test_energy_stops_and_the_contactor_stays() -> None:
    async with bench("DC") as station:
        charger = station.charger
        car = await station.car_at(DC, "CurrentDemand")
        assert charger.current_a == 100
        assert (await car.ask(power("Renegotiate"))).ResponseCode == "OK"
        last = charger.said("target")[-1]
        assert (last["phase"], last["current_a"]) == ("idle", 0)
        assert charger.levels["contactor"] == "closed"


async def test_the_cable_check_opens_and_discharges_first() -> None:
    async with renegotiating() as (station, car):
        charger = station.charger
        checks = len(charger.said("check_cable"))
        await walk(car, charger, between("CableCheck again", "CurrentDemand first again"))
        assert len(charger.said("check_cable")) == checks + 1
        opened = charger.index("permit", reason="before the cable check")
        assert opened < charger.index("check_cable")
        assert charger.violations == []
        assert (await car.ask(demand())).ResponseCode == "OK"


async def test_a_car_that_goes_straight_on_is_served() -> None:
    """As cars of the VW group do."""
    async with renegotiating() as (station, car):
        charger = station.charger
        checks = len(charger.said("check_cable"))
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        assert (await car.ask(demand())).ResponseCode == "OK"
        assert charger.current_a == 100
        assert len(charger.said("check_cable")) == checks
        await walk(car, charger, between("CurrentDemand again"))


GIVEN_UP: dict[str, Callable[[Any], None]] = {
    "isolation fault": lambda charger: charger.change(isolation="fault"),
    "isolation invalid": lambda charger: charger.change(isolation="invalid"),
    "isolation not supervised": lambda charger: charger.change(isolation="no_imd"),
    "voltage risen": lambda charger: setattr(charger, "voltage_v", 406),
    "voltage fallen": lambda charger: setattr(charger, "voltage_v", 364),
    "voltage unknown": lambda charger: setattr(charger, "measuring", False),
}


@pytest.mark.parametrize("gives_up", GIVEN_UP.values(), ids=GIVEN_UP)
async def test_a_car_that_goes_straight_on_though_something_was_given_up(gives_up: Callable[[Any], None]) -> None:
    async with renegotiating() as (station, car):
        gives_up(station.charger)
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_SequenceError"
        await car.close()
        await station.ended("refused")


async def test_a_contactor_that_opened_meanwhile() -> None:
    async with renegotiating() as (station, car):
        station.charger.change(contactor="open")
        assert (await car.ask(power("Start"))).ResponseCode in (
            "FAILED_SequenceError",
            "FAILED_PowerDeliveryNotApplied",
        )
        assert station.charger.levels["contactor"] == "open"


async def test_within_20_volts_it_is_the_same_voltage() -> None:
    async with renegotiating() as (station, car):
        station.charger.voltage_v = 385 + 19.5
        assert (await car.ask(power("Start"))).ResponseCode == "OK"


async def test_the_pilot_ends_it_at_once() -> None:
    async with renegotiating() as (station, car):
        station.charger.change(plug="B")
        station.charger.change(plug="C")
        station.charger.change(plug="B")
        await station.until(lambda: station.charger.levels["contactor"] == "open")
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED"


async def test_a_strict_station_wants_the_cable_check() -> None:
    async with renegotiating(session={"direct_restart": False}) as (_, car):
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_SequenceError"


async def test_what_was_not_started_cannot_be_skipped() -> None:
    """The switch is for renegotiations alone."""
    async with bench("DC") as station:
        car = await station.car_at(DC, "CableCheck")
        station.charger.change(plug="C", isolation="valid", contactor="closed")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_car_that_stops_instead_of_starting_anew(energy: str) -> None:
    wait = "CableCheck again" if energy == "DC" else "PowerDeliveryStart again"
    async with bench(energy) as station:
        car = await station.car_at(DC if energy == "DC" else AC, wait)
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        assert station.charger.levels["contactor"] == "open"
        station.charger.change(plug="B")
        assert (await car.ask(stop())).ResponseCode == "OK"


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_renegotiating_twice_without_a_start(energy: str) -> None:
    wait = "CableCheck again" if energy == "DC" else "PowerDeliveryStart again"
    async with bench(energy) as station:
        car = await station.car_at(DC if energy == "DC" else AC, wait)
        assert (await car.ask(power("Renegotiate"))).ResponseCode == "FAILED"


async def test_ac_goes_on_meanwhile() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "PowerDeliveryStart again")
        assert station.charger.levels["contactor"] == "closed"
        assert station.charger.said("target")[-1]["phase"] == "charge"
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        assert (await car.ask(STATUS)).ResponseCode == "OK"


async def test_limits_that_changed_are_told_in_the_new_offer() -> None:
    async with bench("DC") as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.hardware_limits = api.ChargerLimits(max_charge_w=20_000)
        await car.ask(power("Renegotiate"))
        answer = await car.ask(dc_parameters())
        told = answer.EVSEChargeParameter.EVSEMaximumPowerLimit
        assert told.Value * 10**told.Multiplier == 20_000
        [only] = answer.SASchedules.SAScheduleTuple
        [entry] = only.PMaxSchedule.PMaxScheduleEntry
        assert entry.PMax == told
