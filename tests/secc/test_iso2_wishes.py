"""What the station wishes of the car in the loop, and what happens when the car does not do it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secc import api
from tests.certificates import car1
from tests.secc.bench import ac_bench, bench, dc_bench
from tests.secc.bench_charger import AC_SETUP
from tests.secc.bench_requests import (
    AC,
    DC,
    STATUS,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    power,
    stop,
    value,
    with_contract,
)

ROUTES = {"AC": AC, "DC": DC}


def changed(state: Any, **what: Any) -> Any:
    return msgspec.structs.replace(state, **what)


# --- faults that stop in order --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("energy", "wait"), [("AC", "ChargingStatus"), ("DC", "CurrentDemand")])
async def test_a_fault_that_stops(energy: str, wait: str) -> None:
    """Limits are zero at once, the car is asked to stop and does, and all ends well."""
    async with bench(energy) as station:
        charger = station.charger
        car = await station.car_at(ROUTES[energy], wait)
        charger.fail("temperature", "stop")
        await station.until(lambda: charger.limits_told[-1].max_charge_w == 0, 1.0)
        assert not charger.limits_told[-1].authorised
        body = await car.ask(STATUS if energy == "AC" else demand())
        status = body.AC_EVSEStatus if energy == "AC" else body.DC_EVSEStatus
        assert (status.EVSENotification, status.NotificationMaxDelay) == ("StopCharging", 10)
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        charger.change(plug="B")
        assert (await car.ask(stop())).ResponseCode == "OK"
        await station.ended("session_ended")


async def test_rcd_is_told() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.fail("rcd", "stop")
        assert (await car.ask(STATUS)).AC_EVSEStatus.RCD is True


# --- wishes ---------------------------------------------------------------------------------------------------------


def notification(body: Any) -> str:
    return str((getattr(body, "AC_EVSEStatus", None) or body.DC_EVSEStatus).EVSENotification)


LOOPS = [("AC", "ChargingStatus", STATUS), ("DC", "CurrentDemand", demand())]


@pytest.mark.parametrize(("energy", "wait", "loop"), LOOPS)
@pytest.mark.parametrize(
    ("wish", "told"), [("stop", "StopCharging"), ("pause", "StopCharging"), ("renegotiate", "ReNegotiation")]
)
async def test_a_wish_reaches_the_car_in_the_next_answer(
    energy: str, wait: str, loop: Any, wish: Any, told: str
) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        body = await car.ask(loop)
        assert notification(body) == "None"
        station.charger.wish = wish
        assert notification(await car.ask(loop)) == told


@pytest.mark.parametrize(("energy", "wait", "loop"), LOOPS)
async def test_renegotiation_wished_once_happens_once(energy: str, wait: str, loop: Any) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        station.charger.wish = "renegotiate"
        assert notification(await car.ask(loop)) == "ReNegotiation"
        steps = list(ROUTES[energy])
        names = [name for name, _ in steps]
        for name, step in steps[names.index(wait) : names.index(f"{wait} again")]:
            assert str((await step(car, station.charger)).ResponseCode).startswith("OK"), name
        assert notification(await car.ask(loop)) == "None"
        station.charger.wish = "renegotiate"
        assert notification(await car.ask(loop)) == "ReNegotiation"


@pytest.mark.parametrize(("energy", "wait", "loop"), LOOPS)
async def test_a_wish_not_followed(energy: str, wait: str, loop: Any) -> None:
    """After NotificationMaxDelay limits are zero without another request, and the next one fails."""
    async with bench(energy, scale=0.02) as station:
        charger = station.charger
        car = await station.car_at(ROUTES[energy], wait)
        charger.wish = "stop"
        began = time.monotonic()
        assert notification(await car.ask(loop)) == "StopCharging"
        await station.until(lambda: charger.limits_told[-1].max_charge_w == 0, 2.0)
        assert time.monotonic() - began >= 10 * 0.02
        assert charger.levels["contactor"] == "open"
        assert (await car.ask(loop)).ResponseCode == "FAILED"
        await car.close()
        event = await station.ended("refused")
        assert "stop" in event["reason"]


@pytest.mark.parametrize(("energy", "wait", "loop"), LOOPS)
async def test_a_wish_not_followed_by_a_car_that_goes_on_asking(energy: str, wait: str, loop: Any) -> None:
    async with bench(energy, scale=0.02) as station:
        car = await station.car_at(ROUTES[energy], wait)
        station.charger.wish = "stop"
        began = time.monotonic()
        while (await car.ask(loop)).ResponseCode == "OK":
            assert time.monotonic() - began < 2
        assert time.monotonic() - began >= 10 * 0.02
        await car.close()
        await station.ended("refused")


async def test_a_wish_without_delay_is_told_before_it_is_enforced() -> None:
    async with ac_bench(session={"notification_max_delay_s": 0}) as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.wish = "stop"
        body = await car.ask(STATUS)
        assert (body.ResponseCode, notification(body)) == ("OK", "StopCharging")


async def test_a_wish_followed_at_the_last_moment_is_followed() -> None:
    """The stop is on its way: what it takes to ramp down is not the car's delay."""
    async with ac_bench(scale=0.05) as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.wish = "stop"
        await car.ask(STATUS)
        charger.measuring = False  # the ramp takes its whole time
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        charger.change(plug="B")
        assert (await car.ask(stop())).ResponseCode == "OK"
        await station.ended("session_ended")


@pytest.mark.parametrize(("energy", "wait", "loop"), LOOPS)
async def test_a_revocation_stops(energy: str, wait: str, loop: Any) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        station.charger.card = "rejected"
        station.charger.report()
        assert notification(await car.ask(loop)) == "StopCharging"


async def test_a_car_that_draws_more_than_allowed() -> None:
    """After 5 s it is told to stop, told once in an event, and after its delay it is opened, whatever it says."""
    async with ac_bench(scale=0.02) as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.current_a = 40.0
        began = time.monotonic()
        charger.report()
        await station.until(lambda: any(each["kind"] == "limit_not_followed" for each in charger.said("event")), 2.0)
        assert time.monotonic() - began >= 5 * 0.02
        await station.until(lambda: charger.levels["contactor"] == "open", 2.0)
        assert time.monotonic() - began >= 15 * 0.02
        assert len([each for each in charger.said("event") if each["kind"] == "limit_not_followed"]) == 1
        await car.close()


async def test_a_car_that_takes_three_phases_where_it_asked_for_one() -> None:
    """Each phase carries what is allowed, and all together three times of it."""
    async with ac_bench(scale=0.02) as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargeParameterDiscovery")
        await car.ask(ac_parameters(mode="AC_single_phase_core"))
        charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        charger.current_a, charger.power_w = 16.0, 3 * 16.0 * 230
        charger.report()
        await station.until(lambda: any(each["kind"] == "limit_not_followed" for each in charger.said("event")), 2.0)
        await station.until(lambda: charger.levels["contactor"] == "open", 2.0)
        await car.close()


async def test_a_car_that_comes_down_in_time_is_left_alone() -> None:
    async with ac_bench(scale=0.1) as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.current_a = 40.0
        charger.report()
        with pytest.raises(TimeoutError):
            await car.receive(within=0.2)
        charger.current_a = 16.0
        charger.report()
        with pytest.raises(TimeoutError):
            await car.receive(within=0.6)
        charger.current_a = 40.0
        charger.report()
        assert notification(await car.ask(STATUS)) == "None"
        assert not any(each["kind"] == "limit_not_followed" for each in charger.said("event"))


async def test_energy_mode_may_not_change_under_voltage() -> None:
    """An outlet of both kinds: renegotiating from AC to DC with closed contactors is refused."""
    async with ac_bench() as station:
        station.charger.setup = changed(AC_SETUP, energy_modes=["AC3", "DC"])
        car = await station.car_at(AC, "ChargeParameterDiscovery again")
        body = await car.ask(dc_parameters())
        assert body.ResponseCode == "FAILED_WrongEnergyTransferMode"


async def test_the_dc_output_must_be_dead_before_it_is_tested_again() -> None:
    async with dc_bench() as station:
        charger = station.charger
        car = await station.car_at(DC, "CableCheck again")
        charger.opens = False
        seen = len(charger.said("check_cable"))
        assert (await car.ask(cable_check())).EVSEProcessing == "Ongoing"
        charger.voltage_v = 0.0
        charger.report()
        assert (await car.ask(cable_check())).EVSEProcessing == "Ongoing", "no voltage, but a contactor still closed"
        charger.voltage_v = 60.0
        charger.change(contactor="open")
        assert (await car.ask(cable_check())).EVSEProcessing == "Ongoing", "an open contactor, but a voltage still"
        assert len(charger.said("check_cable")) == seen
        charger.opens = True
        charger.voltage_v = 59.0
        charger.report()
        assert (await car.ask(cable_check())).EVSEProcessing == "Finished"
        assert len(charger.said("check_cable")) == seen + 1


async def test_a_contract_car_in_ac_hears_of_a_lower_limit_by_renegotiation(certificates: Path) -> None:
    """ChargingStatusRes carries EVSEMaxCurrent for EIM alone."""
    contract = car1(certificates)
    route = with_contract(AC, contract)
    async with ac_bench(certificates=certificates) as station:
        charger = station.charger
        car = await station.car_at(route, "ChargingStatus", tls=True)
        assert (await car.ask(STATUS)).EVSEMaxCurrent is None
        charger.hardware_limits = api.ChargerLimits(max_current_a=10)
        charger.report()
        assert notification(await car.ask(STATUS)) == "ReNegotiation"
        await car.ask(power("Renegotiate"))
        offer = await car.ask(ac_parameters())
        pmax = offer.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry[0].PMax
        assert pmax.Value * 10**pmax.Multiplier == 6_900
        await car.ask(power("Start"))
        assert notification(await car.ask(STATUS)) == "None"


@pytest.mark.parametrize("source", ["none", "charger"])
async def test_a_contract_car_in_ac_hears_of_no_power_and_of_power_again(certificates: Path, source: str) -> None:
    """Whoever plans: it is offered 0 W and asked to stop; where it goes on, power that comes back is told as well."""
    contract = car1(certificates)
    async with ac_bench(certificates=certificates, plan={"source": source}) as station:
        charger = station.charger
        charger.planner = lambda asked: api.Plan(
            id=asked.id, schedules=[api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=22_080)])]
        )
        car = await station.car_at(with_contract(AC, contract), "ChargingStatus", tls=True)
        assert notification(await car.ask(STATUS)) == "None"
        for max_w, told in ((0, "StopCharging"), (6_900, "None")):
            charger.hardware_limits = api.ChargerLimits(max_charge_w=max_w)
            charger.report()
            assert notification(await car.ask(STATUS)) == "ReNegotiation"
            await car.ask(power("Renegotiate"))
            offer = await car.ask(ac_parameters())
            [entry] = offer.SASchedules.SAScheduleTuple[0].PMaxSchedule.PMaxScheduleEntry
            assert entry.PMax.Value * 10**entry.PMax.Multiplier == max_w
            assert offer.EVSEChargeParameter.AC_EVSEStatus.EVSENotification == told
            assert (await car.ask(power("Start"))).ResponseCode == "OK"
            assert notification(await car.ask(STATUS)) == "None"
            assert charger.limits_told[-1].max_charge_w == max_w


async def test_a_contract_car_stops_where_there_is_no_power(certificates: Path) -> None:
    async with ac_bench(certificates=certificates) as station:
        charger = station.charger
        car = await station.car_at(with_contract(AC, car1(certificates)), "ChargingStatus", tls=True)
        charger.hardware_limits = api.ChargerLimits(max_charge_w=0)
        charger.report()
        assert notification(await car.ask(STATUS)) == "ReNegotiation"
        await car.ask(power("Renegotiate"))
        await car.ask(ac_parameters())
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        charger.change(plug="B")
        assert (await car.ask(stop())).ResponseCode == "OK"
        await station.ended("session_ended")


async def test_an_eim_car_in_ac_hears_of_a_lower_limit_in_the_next_answer() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.hardware_limits = api.ChargerLimits(max_current_a=10)
        body = await car.ask(STATUS)
        assert body.EVSEMaxCurrent == value(10, "A")
        assert notification(body) == "None"


async def test_an_eim_car_in_ac_that_was_offered_nothing_hears_of_power_by_renegotiation() -> None:
    """EVSEMaxCurrent cannot tell it: the schedule of 0 W holds until there is another."""
    async with ac_bench() as station:
        charger = station.charger
        charger.hardware_limits = api.ChargerLimits(max_charge_w=0)
        car = await station.car_at(AC, "ChargingStatus")
        body = await car.ask(STATUS)
        assert (notification(body), body.EVSEMaxCurrent) == ("None", value(0, "A"))
        charger.hardware_limits = api.ChargerLimits(max_charge_w=6_900)
        charger.report()
        assert notification(await car.ask(STATUS)) == "ReNegotiation"


# --- nothing is energised for a car that has to stop anyway ---------------------------------------------------------


def _revoke(charger: Any) -> None:
    charger.card = "rejected"
    charger.report()


def _wish_stop(charger: Any) -> None:
    charger.wish = "stop"
    charger.report()


def _fault(charger: Any) -> None:
    charger.fail("temperature", "stop")


REASONS: dict[str, Callable[[Any], None]] = {"revoked": _revoke, "wish": _wish_stop, "fault": _fault}


@pytest.mark.parametrize("reason", REASONS)
async def test_ac_is_not_started_for_a_car_that_has_to_stop(reason: str) -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        REASONS[reason](station.charger)
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_PowerDeliveryNotApplied"
        assert all(order.facts.get("contactor") != "closed" for order in station.charger.orders)
        await station.ended("refused")


async def test_a_car_that_asks_nothing_is_stopped_all_the_same() -> None:
    """A revocation takes effect in bounded time, also when no request comes that could be answered with it."""
    async with ac_bench(scale=0.02) as station:
        await station.car_at(AC, "ChargingStatus")
        _revoke(station.charger)
        began = time.monotonic()
        await station.until(lambda: station.charger.levels["contactor"] == "open", 2.0)
        assert time.monotonic() - began < 0.02 * 15 + 0.3
        await station.ended("refused")
