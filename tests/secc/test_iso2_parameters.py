"""What a vehicle says of itself can always be said on: absurd maxima are refused, absurd wishes are unknown."""

from __future__ import annotations

import msgspec
import pytest

from secc import api
from secc.mqtt import parse
from tests.secc.bench import Bench, ac_bench, dc_bench
from tests.secc.bench_requests import AC, DC, ac_parameters, dc_parameters, demand, ev_status, sends
from v2g.messages import iso2
from v2g.messages.iso2 import PhysicalValue, UnitSymbol

LONGEST = 2**32 - 1
HIGHEST, LOWEST = 32_767, -32_768


def most(unit: str, value: int = HIGHEST, multiplier: int = 3) -> PhysicalValue:
    return PhysicalValue(Multiplier=multiplier, Unit=UnitSymbol(unit), Value=value)


def told(station: Bench) -> api.Vehicle:
    """The vehicle as it was told last, after everything told has passed what a subscriber checks."""
    vehicles: list[api.Vehicle] = [facts["vehicle"] for facts in station.charger.said("vehicle")]
    for vehicle in vehicles:
        parse(api.SECC_VEHICLE, msgspec.json.encode(msgspec.structs.replace(vehicle, boot="b")))
    return vehicles[-1]


async def test_an_ac_vehicle_may_wish_for_anything() -> None:
    request = ac_parameters()
    parameter = msgspec.structs.replace(
        request.EVChargeParameter, DepartureTime=LONGEST, EVMaxVoltage=most("V"), EAmount=most("Wh", LOWEST)
    )
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargeParameterDiscovery")
        body = await car.ask(msgspec.structs.replace(request, EVChargeParameter=parameter))
        assert body.ResponseCode == "OK"
        vehicle = told(station)
        assert (vehicle.departure_s, vehicle.max_voltage_v, vehicle.max_current_a) == (None, None, 16)
        assert vehicle.energy_request_wh == LOWEST * 1000


async def test_a_dc_vehicle_may_wish_for_anything() -> None:
    request = dc_parameters()
    parameter = msgspec.structs.replace(request.EVChargeParameter, DepartureTime=LONGEST, FullSOC=100, BulkSOC=0)
    async with dc_bench() as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        body = await car.ask(msgspec.structs.replace(request, EVChargeParameter=parameter))
        assert body.ResponseCode == "OK"
        vehicle = told(station)
        assert (vehicle.departure_s, vehicle.full_soc_percent, vehicle.bulk_soc_percent) == (None, 100, 0)


async def test_what_was_said_before_the_loop_stands_in_it() -> None:
    request = dc_parameters()
    parameter = msgspec.structs.replace(
        request.EVChargeParameter,
        DepartureTime=7_200,
        FullSOC=95,
        BulkSOC=80,
        EVEnergyCapacity=most("Wh", 77),
        EVEnergyRequest=most("Wh", 30),
    )
    route = tuple(
        (name, sends(msgspec.structs.replace(request, EVChargeParameter=parameter)))
        if name == "ChargeParameterDiscovery"
        else (name, step)
        for name, step in DC
    )
    async with dc_bench() as station:
        car = await station.car_at(route, "CurrentDemand")
        await car.ask(msgspec.structs.replace(demand(), DC_EVStatus=ev_status(soc=41)))
        vehicle = told(station)
        assert (vehicle.soc_percent, vehicle.full_soc_percent, vehicle.bulk_soc_percent) == (41, 95, 80)
        assert (vehicle.energy_capacity_wh, vehicle.energy_request_wh) == (77_000, 30_000)
        assert (vehicle.departure_s, vehicle.remaining_to_full_s) == (7_200, None)


@pytest.mark.parametrize(("value", "seconds"), [(LOWEST, None), (-1, None), (HIGHEST, 32_767_000), (0, 0)])
async def test_the_time_that_remains_is_no_debt(value: int, seconds: float | None) -> None:
    remaining = most("s", value)
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        body = await car.ask(demand(RemainingTimeToFullSoC=remaining, RemainingTimeToBulkSoC=remaining))
        assert body.ResponseCode == "OK"
        vehicle = told(station)
        assert (vehicle.remaining_to_full_s, vehicle.remaining_to_bulk_s) == (seconds, seconds)


ABSURD = {
    "EVMaximumVoltageLimit": most("V", 5_001, 0),
    "EVMaximumCurrentLimit": most("A", 20_001, 0),
    "EVMaximumPowerLimit": most("W", 20_001),
}


@pytest.mark.parametrize("name", ABSURD)
async def test_no_dc_vehicle_has_such_maxima(name: str) -> None:
    request = dc_parameters()
    parameter = msgspec.structs.replace(request.EVChargeParameter, **{name: ABSURD[name]})
    async with dc_bench() as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        body = await car.ask(msgspec.structs.replace(request, EVChargeParameter=parameter))
        assert body.ResponseCode == "FAILED_WrongChargeParameter"
        await station.ended("refused")
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        body = await car.ask(msgspec.structs.replace(demand(), **{name: ABSURD[name]}))
        assert body.ResponseCode == "FAILED"
        await station.ended("refused")


async def test_no_ac_vehicle_draws_that_much() -> None:
    request = ac_parameters()
    parameter = msgspec.structs.replace(request.EVChargeParameter, EVMaxCurrent=most("A"))
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargeParameterDiscovery")
        body = await car.ask(msgspec.structs.replace(request, EVChargeParameter=parameter))
        assert body.ResponseCode == "FAILED_WrongChargeParameter"
        assert isinstance(body, iso2.ChargeParameterDiscoveryRes)
        await station.ended("refused")
