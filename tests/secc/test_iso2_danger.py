"""Danger in every phase: open at once, before the vehicle says anything, and then the session ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest

from secc import api
from secc.charger import Trouble
from tests.secc.bench import Bench, ac_bench, bench, dc_bench
from tests.secc.bench_charger import BenchCharger
from tests.secc.bench_requests import (
    AC,
    DC,
    EVERY,
    STATUS,
    Step,
    cable_check,
    dc_parameters,
    demand,
    power,
    stop,
)

ROUTES = {"AC": AC, "DC": DC}
WAITS = [
    pytest.param(energy, route, wait, id=f"{energy}-{wait}")
    for energy, route in (("AC", AC), ("DC", DC))
    for wait, _ in route
]
# On a busy machine a turn of the loop alone takes tens of milliseconds.
AT_ONCE_S = 0.3


def _silent(charger: BenchCharger) -> None:
    charger.silent = Trouble(kind="controller_silent", emergency=True, detail="no sign of life")
    charger.report()


def _unlinked(charger: BenchCharger) -> None:
    charger.linked = False
    charger.report()


DANGERS: dict[str, Callable[[BenchCharger], None]] = {
    "emergency": lambda charger: charger.fail("emergency", "emergency"),
    "silent": _silent,
    "unplugged": lambda charger: charger.change(plug="A"),
    "pilot F": lambda charger: charger.change(plug="F"),
    "pilot E": lambda charger: charger.change(plug="E"),
    "link lost": _unlinked,
}
ANSWERED = {"emergency", "silent"}


async def opened_at_once(station: Bench, cause: Callable[[BenchCharger], None]) -> None:
    """Cause a danger and see everything ordered open, off and zero without a word of the vehicle."""
    charger = station.charger
    seen = len(charger.orders)
    began = time.monotonic()
    cause(charger)
    charger.forbid("there was danger")
    await station.until(lambda: _is_open(charger, seen), AT_ONCE_S)
    assert time.monotonic() - began < AT_ONCE_S
    if charger.limits_told:
        assert charger.limits_told[-1].max_charge_w == 0
        assert not charger.limits_told[-1].authorised


def _is_open(charger: BenchCharger, seen: int) -> bool:
    permits = [order.facts for order in charger.orders[seen:] if order.kind == "permit"]
    idle = any(order.kind == "target" and order.facts["phase"] == "idle" for order in charger.orders[seen:])
    return idle and any((each["contactor"], each["power"]) == ("open", "off") for each in permits)


@pytest.mark.parametrize(("energy", "route", "wait"), WAITS)
@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_at_every_wait(energy: str, route: Sequence[Step], wait: str, danger: str) -> None:
    async with bench(energy) as station:
        car = await station.car_at(route, wait)
        await station.until(lambda: station.charger.said("session") != [])
        await opened_at_once(station, DANGERS[danger])
        if danger not in ANSWERED:
            assert await car.gone(1.0)
            await station.ended("gone")
        else:
            # The next request, however soon, is answered by a failure that says so.
            body = None if wait in ("SupportedAppProtocol", "SessionSetup") else await _next(station, car, route, wait)
            if body is not None:
                assert body.ResponseCode == "FAILED"
                status = getattr(body, "DC_EVSEStatus", None) or getattr(body, "EVSEStatus", None)
                if energy == "DC" and status is not None:
                    assert status.EVSEStatusCode == "EVSE_EmergencyShutdown"
            await car.close()
        station.charger.silent = None
        station.charger.linked = True
        station.charger.change(plug="B", faults=[])
        await station.until(lambda: bool(station.endings))
        station.assert_safe()
        await station.serves_next()


async def _next(station: Bench, car: Any, route: Sequence[Step], wait: str) -> Any:
    """Send what the route sends next, without touching the pilot."""
    following = {
        "ServiceDiscovery": 1, "ServiceOrPayment": 2, "ServiceOrPayment again": 3, "Authorization": 7,
        "ChargeParameterDiscovery": 8, "PowerDeliveryStart": 9, "ChargingStatus first": 10, "ChargingStatus": 10,
        "SessionStop": 16, "CableCheck": 12, "PreCharge first": 13, "PreCharge": 13, "CurrentDemand first": 14,
        "CurrentDemand": 14, "WeldingOrStop": 15,
    }  # fmt: skip
    place = following.get(wait) or following[wait.removesuffix(" again")]
    return await car.ask(EVERY[place])


async def test_danger_before_a_protocol_was_chosen_answers_nothing() -> None:
    async with ac_bench(scale=0.2) as station:
        car = await station.car()
        await station.until(lambda: station.charger.said("session") != [])
        await opened_at_once(station, DANGERS["emergency"])
        assert await car.gone(2.0)


# --- nothing is closed once it was opened ---------------------------------------------------------------------------


@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_while_waiting_for_the_pilot(danger: str) -> None:
    """The pilot may still turn C: that closes nothing any more."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        car.send(car.encode(power("Start")))
        with pytest.raises(TimeoutError):
            await car.receive(within=0.05)
        await opened_at_once(station, DANGERS[danger])
        station.charger.change(plug="C")
        await car.gone(2.0)
        assert not any(facts["contactor"] == "closed" for facts in station.charger.said("permit"))


async def test_danger_that_comes_with_the_pilot() -> None:
    """One and the same report says C and a fault."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        car.send(car.encode(power("Start")))
        with pytest.raises(TimeoutError):
            await car.receive(within=0.05)
        station.charger._state = changed(station.charger._state, plug="C")
        station.charger.fail("emergency", "emergency")
        assert (await car.receive()).code.startswith("FAILED")
        assert not any(facts["contactor"] == "closed" for facts in station.charger.said("permit"))
        await car.close()
        await station.ended("refused")


def changed(state: Any, **what: Any) -> Any:
    return msgspec.structs.replace(state, **what)


async def test_danger_while_the_contactor_closes() -> None:
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "PowerDeliveryStart")
        charger.closes = False
        charger.change(plug="C")
        car.send(car.encode(power("Start")))
        await station.until(lambda: charger.levels["contactor"] == "closed")
        await opened_at_once(station, DANGERS["emergency"])
        charger.change(contactor="closed")
        charger.change(contactor="open")
        assert (await car.receive()).code.startswith("FAILED")
        assert charger.levels == {"lock": "locked", "contactor": "open", "power": "off"}
        await car.close()
        await station.ended("refused")


async def test_the_pilot_falls_back_while_the_contactor_closes() -> None:
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "PowerDeliveryStart")
        charger.closes = False
        charger.change(plug="C")
        car.send(car.encode(power("Start")))
        await station.until(lambda: charger.levels["contactor"] == "closed")
        await opened_at_once(station, lambda each: each.change(plug="B"))
        assert (await car.receive()).code.startswith("FAILED")


@pytest.mark.parametrize("danger", DANGERS)
async def test_danger_while_ramping_down(danger: str) -> None:
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "ChargingStatus")
        charger.measuring = False
        car.send(car.encode(power("Stop")))
        with pytest.raises(TimeoutError):
            await car.receive(within=0.05)
        await opened_at_once(station, DANGERS[danger])
        await car.close()
        await station.until(lambda: bool(station.endings))


# --- the pilot under voltage ----------------------------------------------------------------------------------------

LIVE_DC = ["PreCharge first", "PreCharge", "CurrentDemand first", "CurrentDemand", "ChargeParameterDiscovery again",
           "CableCheck again", "PreCharge first again", "PreCharge again", "CurrentDemand again"]  # fmt: skip
LIVE_AC = ["ChargingStatus first", "ChargingStatus", "ChargeParameterDiscovery again", "PowerDeliveryStart again"]


@pytest.mark.parametrize(("energy", "wait"), [*(("DC", wait) for wait in LIVE_DC), *(("AC", wait) for wait in LIVE_AC)])
async def test_pilot_b_under_voltage(energy: str, wait: str) -> None:
    """From the isolation test on (AC: from the closed contactor) leaving C and D opens everything."""
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        station.charger.change(plug="C")  # does not revive it
        body = await _next(station, car, ROUTES[energy], wait)
        assert body.ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize(("energy", "wait"), [("AC", "ChargeParameterDiscovery"), ("DC", "CableCheck")])
async def test_pilot_b_is_fine_before_there_is_voltage(energy: str, wait: str) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        station.charger.change(plug="C")
        station.charger.change(plug="B")
        with pytest.raises(TimeoutError):
            await car.receive(within=0.05)
        assert station.charger.said("end") == []


async def test_an_ac_car_may_open_just_before_it_asks_to_stop() -> None:
    """B before or with PowerDeliveryReq(Stop) is the right way to stop: opened at once, and then stopped in order."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        assert (await car.ask(stop())).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("session_ended")


async def test_a_car_that_stops_in_order_may_take_its_time_again() -> None:
    async with ac_bench(scale=0.1) as station:
        car = await station.car_at(AC, "ChargingStatus")
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        with pytest.raises(TimeoutError):
            await car.receive(within=0.25)
        assert (await car.ask(stop())).ResponseCode == "OK"
        await station.ended("session_ended")


@pytest.mark.parametrize("request_", [STATUS, power("Renegotiate"), power("Start")])
async def test_an_ac_car_in_b_may_do_nothing_but_stop(request_: Any) -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        assert (await car.ask(request_)).ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")


async def test_an_ac_car_in_b_that_says_nothing_is_closed() -> None:
    async with ac_bench(scale=0.2) as station:
        car = await station.car_at(AC, "ChargingStatus")
        await opened_at_once(station, lambda charger: charger.change(plug="B"))
        assert await car.gone(2.0)
        await station.ended("refused")


async def test_d_is_as_good_as_c() -> None:
    for energy, request in (("AC", STATUS), ("DC", demand())):
        async with bench(energy) as station:
            car = await station.car_at(ROUTES[energy], "ChargingStatus" if energy == "AC" else "CurrentDemand")
            station.charger.change(plug="D")
            assert (await car.ask(request)).ResponseCode == "OK"


# --- the contactor itself -------------------------------------------------------------------------------------------


async def test_a_contactor_that_opens_by_itself_ends_the_session() -> None:
    """Nobody reported a fault: the level alone tells, once it had the time to close again."""
    async with ac_bench(scale=0.1) as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.closes = station.charger.opens = False
        station.charger.change(contactor="open")
        ended = await _loop_until_refused(car)
        assert ended.ResponseCode == "FAILED_ContactorError"
        await station.ended("refused")


def _opens(charger: BenchCharger) -> None:
    charger.change(contactor="open")


def _limits_fall(charger: BenchCharger) -> None:
    charger.hardware_limits = api.ChargerLimits(max_charge_w=0, max_current_a=0)
    charger.report()


@pytest.mark.parametrize("cause", [_opens, _limits_fall])
async def test_a_dc_output_that_was_opened_in_the_loop_stays_open(cause: Callable[[BenchCharger], None]) -> None:
    """Limits that return must not close it onto the battery: the car is asked to stop, and does."""
    async with dc_bench() as station:
        charger = station.charger
        car = await station.car_at(DC, "CurrentDemand")
        cause(charger)
        await station.until(lambda: charger.levels["contactor"] == "open", 1.0)
        seen = len(charger.orders)
        charger.hardware_limits = None
        charger.report()
        assert (await car.ask(demand())).DC_EVSEStatus.EVSENotification == "StopCharging"
        assert charger.limits_told[-1].max_charge_w == 0
        assert [order for order in charger.orders[seen:] if order.facts.get("contactor") == "closed"] == []
        assert charger.said("target")[-1]["current_a"] == 0
        assert (await car.ask(power("Renegotiate"))).ResponseCode == "OK"
        assert (await car.ask(dc_parameters())).ResponseCode == "OK"
        answer = await car.ask(cable_check())
        assert answer.DC_EVSEStatus.EVSENotification == "StopCharging"
        while answer.ResponseCode == "OK":
            assert answer.EVSEProcessing == "Ongoing"
            answer = await car.ask(cable_check())
        assert [order.kind for order in charger.orders[seen:] if order.kind == "check_cable"] == []
        assert answer.ResponseCode == "FAILED"
        await station.ended("refused")


async def test_a_contactor_that_closes_again_after_the_stop_is_seen() -> None:
    async with ac_bench(scale=0.1) as station:
        car = await station.car_at(AC, "SessionStop")
        station.charger.opens = False
        station.charger.change(contactor="closed")
        await station.ended("refused")
        assert await car.gone(2.0)


async def test_unplugged_after_the_pilot_left_and_the_stop_was_served() -> None:
    """A pardon for one danger is none for the next."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.change(plug="B")
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        station.charger.change(plug="A")
        assert await car.gone(2.0)


async def test_a_contactor_that_opens_for_a_moment_is_no_danger() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        station.charger.change(contactor="open")
        assert (await car.ask(STATUS)).ResponseCode == "OK"
        station.charger.change(contactor="closed")
        assert (await car.ask(STATUS)).ResponseCode == "OK"


@pytest.mark.parametrize("contactor", ["closed", "welded"])
async def test_a_contactor_that_is_closed_before_anything_was_ordered(contactor: str) -> None:
    async with ac_bench(scale=0.1) as station:
        station.charger.closes = station.charger.opens = False
        station.charger.change(contactor=contactor)
        car = await station.car()
        await car.negotiate()
        ended = await station.ended("refused")
        assert "contactor" in ended["reason"]


async def _loop_until_refused(car: Any) -> Any:
    """Go on in the charge loop until an answer is a failure."""
    while True:
        answer = await car.ask(STATUS)
        if answer.ResponseCode != "OK":
            return answer
