"""Schedules out of plans: what the vehicle is offered, how long it waits for that, and what binds at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from secc import api, schedules
from tests.certificates import car1
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import (
    AC,
    DC,
    STATUS,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    in_pilot,
    power,
    stop,
    value,
    walk,
    watts,
    with_contract,
)
from v2g.messages import iso2

HOUR = 3_600
WAIT = "ChargeParameterDiscovery"


def plan(*schedules: Sequence[tuple[float, float]], **more: Any) -> Any:
    """Who answers every request with the same schedules of (start, watts)."""

    def answer(request: api.PlanRequest) -> api.Plan:
        return api.Plan(id=request.id, schedules=[steps(*each) for each in schedules], **more)

    return answer


def steps(*each: tuple[float, float]) -> api.PlannedSchedule:
    return api.PlannedSchedule(steps=[api.PlanStep(start_s=start, max_w=most) for start, most in each])


@asynccontextmanager
async def planned(
    energy: str = "AC", planner: Any = None, *, wait: str = WAIT, scale: float = 1.0, **changes: Any
) -> AsyncIterator[tuple[Bench, Car]]:
    """A station whose charger plans, and a car at a wait."""
    async with bench(energy, scale=scale, plan={"source": "charger"}, **changes) as station:
        if planner is not None:
            station.charger.planner = planner
        yield station, await station.car_at(AC if energy == "AC" else DC, wait)


def offered(answer: Any) -> list[tuple[int, list[tuple[int, int | None, float]]]]:
    """Tuple ids with (start, duration, watts) of each entry."""
    assert answer.EVSEProcessing == "Finished"
    return [
        (
            each.SAScheduleTupleID,
            [
                (entry.TimeInterval.start, entry.TimeInterval.duration, entry.PMax.Value * 10**entry.PMax.Multiplier)
                for entry in each.PMaxSchedule.PMaxScheduleEntry
            ],
        )
        for each in answer.SASchedules.SAScheduleTuple
    ]


def asking(request: Any, *, departure: int | None = None, most: int | None = None) -> Any:
    parameter = msgspec.structs.replace(request.EVChargeParameter, DepartureTime=departure)
    return msgspec.structs.replace(request, EVChargeParameter=parameter, MaxEntriesSAScheduleTuple=most)


# --- what is offered ------------------------------------------------------------------------------------------------


async def test_three_schedules_in_the_order_of_the_plan() -> None:
    plans = plan([(0, 11_040), (HOUR, 6_900)], [(0, 22_080)], [(0, 0), (2 * HOUR, 22_080)])
    async with planned(planner=plans) as (_, car):
        answer = await car.ask(asking(ac_parameters(), departure=4 * HOUR))
        assert offered(answer) == [
            (1, [(0, None, 11_040), (HOUR, 3 * HOUR, 6_900)]),
            (2, [(0, 4 * HOUR, 22_080)]),
            (3, [(0, None, 0), (2 * HOUR, 2 * HOUR, 22_080)]),
        ]


@pytest.mark.parametrize(
    ("departure", "duration", "expected"),
    [
        (None, None, 86_400),
        (0, None, 86_400),
        (2 * HOUR, None, 2 * HOUR),
        (None, 3 * HOUR, 3 * HOUR),
        (2 * HOUR, 3 * HOUR, 2 * HOUR),
        (4 * HOUR, 3 * HOUR, 3 * HOUR),
    ],
)
async def test_the_end_is_the_departure_or_the_end_of_the_plan(
    departure: int | None, duration: int | None, expected: int
) -> None:
    async with planned(planner=plan([(0, 11_040)], duration_s=duration)) as (_, car):
        [(_, [(start, told, _)])] = offered(await car.ask(asking(ac_parameters(), departure=departure)))
        assert (start, told) == (0, expected)


async def test_steps_count_from_when_the_plan_came() -> None:
    """It may have waited for the vehicle to ask again, or be the one of an earlier negotiation."""
    async with planned() as (station, car):
        station.charger.planner = plan([(0, 11_040), (HOUR, 4_140), (3 * HOUR, 6_900)], duration_s=5 * HOUR)
        station.charger.plan_age_s = 2 * HOUR
        answer = await car.ask(ac_parameters())
        assert offered(answer) == [(1, [(0, None, 4_140), (HOUR, 2 * HOUR, 6_900)])]
        assert station.charger.limits_told[-1].max_charge_w == 0
        station.charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        assert station.charger.limits_told[-1].max_charge_w == 4_140


async def test_steps_beyond_the_departure_are_left_out() -> None:
    async with planned(planner=plan([(0, 11_040), (HOUR, 6_900), (2 * HOUR, 22_080)])) as (_, car):
        [(_, entries)] = offered(await car.ask(asking(ac_parameters(), departure=2 * HOUR)))
        assert entries == [(0, None, 11_040), (HOUR, HOUR, 6_900)]


@pytest.mark.parametrize(
    ("energy", "request_", "most_w"), [("AC", ac_parameters(), 22_080), ("DC", dc_parameters(), 60_000)]
)
async def test_never_more_than_the_station_can_do(energy: str, request_: Any, most_w: int) -> None:
    async with planned(energy, plan([(0, 1_000_000), (HOUR, 7_000)])) as (station, car):
        [(_, entries)] = offered(await car.ask(request_))
        assert [most for _, _, most in entries] == [most_w, 7_000]
        assert station.charger.plans_asked[0].max_charge_w == most_w


async def test_1024_steps_of_three_schedules_go_through() -> None:
    many = [(60.0 * number, 4_000.0 + number) for number in range(1_024)]
    async with planned(planner=plan(many, many, many)) as (_, car):
        answer = offered(await car.ask(ac_parameters()))
        assert [len(entries) for _, entries in answer] == [1_024] * 3
        assert [(start, most) for start, _, most in answer[2][1]] == [(int(start), most) for start, most in many]


async def test_the_list_of_schedules_is_made_once_for_each_offer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile is held against what was told; each offer is told anew."""
    made: list[Sequence[schedules.Schedule]] = []

    def make(offered: Sequence[schedules.Schedule]) -> iso2.SAScheduleList:
        made.append(offered)
        return whole(offered)

    whole = schedules.sa_schedule_list
    monkeypatch.setattr(schedules, "sa_schedule_list", make)
    async with planned(planner=plan([(0, 11_040)])) as (station, car):
        await car.ask(ac_parameters())
        station.charger.change(plug="C")
        assert (await car.ask(power("Start", profile=[(0, watts(11_040))]))).ResponseCode == "OK"
        assert len(made) == 1
        await car.ask(STATUS)
        station.charger.replan(steps((0, 6_900)))
        await car.ask(power("Renegotiate"))
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 6_900)])]
        assert (await car.ask(power("Start", profile=[(0, watts(11_040))]))).ResponseCode != "OK"
        assert [each.steps[0].max_w for (each,) in made] == [11_040, 6_900]


async def test_a_long_plan_does_not_slow_the_loop() -> None:
    """The car's own limit changes with every request, and with it what is published."""
    many = [(60.0 * number, 50_000.0 - number) for number in range(1_024)]
    async with planned("DC", plan(many, many, many), wait="CurrentDemand") as (station, car):
        await car.ask(demand())
        told, began = len(station.charger.limits_told), time.perf_counter()
        for number in range(50):
            await car.ask(demand(EVMaximumCurrentLimit=value(120 - number, "A")))
        assert (time.perf_counter() - began) / 50 < 0.025
        assert len(station.charger.limits_told) - told >= 50
        assert len(station.charger.limits_told[-1].schedule) == 32


@pytest.mark.parametrize(
    ("most", "expected"),
    [
        (12, [(0, 500), (60, 400), (120, 300), (180, 600), (240, 700)]),
        (5, [(0, 500), (60, 400), (120, 300), (180, 600), (240, 700)]),
        (4, [(0, 400), (120, 300), (240, 700)]),
        (2, [(0, 300), (180, 600)]),
        (1, [(0, 300)]),
        (0, [(0, 500), (60, 400), (120, 300), (180, 600), (240, 700)]),
    ],
)
async def test_no_more_entries_than_the_vehicle_takes(most: int, expected: list[tuple[int, int]]) -> None:
    """Neighbours are put together at the lower power; a vehicle that takes none at all cannot mean it."""
    plans = plan([(0, 500), (60, 400), (120, 300), (180, 600), (240, 700)])
    async with planned(planner=plans) as (station, car):
        [(_, entries)] = offered(await car.ask(asking(ac_parameters(), most=most)))
        assert [(start, told) for start, _, told in entries] == expected
        assert station.charger.plans_asked[0].max_entries == (most or 1_024)


async def test_a_car_that_plans_16_amperes_on_three_phases_fits_11_kilowatts() -> None:
    async with planned(planner=plan([(0, 11_000)])) as (station, car):
        await car.ask(ac_parameters())
        station.charger.change(plug="C")
        assert (await car.ask(power("Start", profile=[(0, watts(11_040))]))).ResponseCode == "OK"


# --- waiting for it -------------------------------------------------------------------------------------------------


async def test_the_vehicle_asks_again_until_the_plan_is_there() -> None:
    async with planned() as (station, car):
        for _ in range(3):
            answer = await car.ask(ac_parameters())
            assert (answer.ResponseCode, answer.EVSEProcessing, answer.SASchedules) == ("OK", "Ongoing", None)
        assert len(station.charger.plans_asked) == 1
        station.charger.replan(steps((0, 6_900)))
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 6_900)])]


async def test_without_a_plan_in_time_it_is_offered_what_the_station_can_do() -> None:
    async with planned(scale=0.01) as (station, car):
        began = time.monotonic()
        while (answer := await car.ask(ac_parameters())).EVSEProcessing == "Ongoing":
            assert time.monotonic() - began < 2
        assert time.monotonic() - began >= 20 * 0.01
        assert offered(answer) == [(1, [(0, 86_400, 22_080)])]
        assert [each["kind"] for each in station.charger.said("event")].count("plan_missing") == 1


async def test_a_plan_of_nothing_is_what_the_station_can_do_at_once() -> None:
    async with planned(planner=plan()) as (station, car):
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 22_080)])]
        assert "plan_missing" not in [each["kind"] for each in station.charger.said("event")]


async def test_a_plan_that_is_over_is_none() -> None:
    """Neither offered for a last second, nor a limit to what is offered instead, nor news for the car."""
    async with planned() as (station, car):
        charger = station.charger
        charger.planner, charger.plan_age_s = plan([(0, 6_900)], duration_s=HOUR), HOUR
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 22_080)])]
        missing = [each["reason"] for each in charger.said("event") if each["kind"] == "plan_missing"]
        assert missing == ["the plan is over"]
        charger.change(plug="C")
        assert (await car.ask(power("Start"))).ResponseCode == "OK"
        assert notification(await car.ask(STATUS)) == "None"
        assert charger.limits_told[-1].limited_by["max_w"] == "ev"


async def test_another_plan_that_is_over_is_no_reason_to_renegotiate_nor_an_answer() -> None:
    async with planned(planner=plan([(0, 11_040)]), wait="ChargingStatus") as (station, car):
        charger = station.charger
        charger.plan_age_s = HOUR
        charger.replan(steps((0, 6_900)), duration_s=HOUR)
        assert notification(await car.ask(STATUS)) == "None"
        assert charger.limits_told[-1].max_charge_w == 11_040
        charger.plan_age_s = 0
        await car.ask(power("Renegotiate"))
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 11_040)])]
        assert len(charger.plans_asked) == 2


async def test_nobody_is_asked_where_nobody_plans() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, WAIT)
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 22_080)])]
        assert station.charger.plans_asked == []


async def test_another_kind_of_energy_while_it_waits_is_refused() -> None:
    async with planned("DC") as (station, car):
        assert station.charger.setup is not None
        assert (await car.ask(dc_parameters())).EVSEProcessing == "Ongoing"
        assert (await car.ask(ac_parameters())).ResponseCode == "FAILED_WrongEnergyTransferMode"


async def test_what_is_asked() -> None:
    async with planned("DC") as (station, car):
        await car.ask(asking(dc_parameters(), departure=HOUR, most=24))
        [asked] = station.charger.plans_asked
        assert (asked.energy_mode, asked.max_charge_w, asked.max_entries, asked.departure_s) == ("DC", 60_000, 24, HOUR)
        assert asked.session == car.session_id.hex().upper()
        assert (asked.deadline_s, asked.emaid) == (20, None)


# --- the choice -----------------------------------------------------------------------------------------------------

CHOICE = plan([(0, 11_040)], [(0, 6_900), (HOUR, 4_600)])


@pytest.mark.parametrize(("chosen", "max_w"), [(1, 11_040), (2, 6_900)])
async def test_the_schedule_chosen_is_in_force(chosen: int, max_w: float) -> None:
    async with planned(planner=CHOICE) as (station, car):
        await car.ask(ac_parameters())
        station.charger.change(plug="C")
        answer = await car.ask(power("Start", chosen, [(0, watts(4_140))]))
        assert answer.ResponseCode == "OK"
        answer = await car.ask(STATUS)
        assert answer.SAScheduleTupleID == chosen
        assert station.charger.limits_told[-1].max_charge_w == max_w
        told = station.charger.said("schedules")[-1]["schedules"]
        assert (told.source, told.chosen, told.profile) == (
            "charger", chosen, [api.ProfileStep(start_s=0, max_w=4_140)]
        )  # fmt: skip
        assert [each.id for each in told.offered] == [1, 2]


@pytest.mark.parametrize(
    ("chosen", "profile", "code"),
    [
        (3, [(0, watts(1_000))], "FAILED_TariffSelectionInvalid"),
        (2, [(0, watts(11_040))], "FAILED_ChargingProfileInvalid"),
        (2, [(0, watts(6_900))], "FAILED_ChargingProfileInvalid"),
        (2, [(0, watts(6_900)), (HOUR, watts(4_600))], "OK"),
        (1, [(0, watts(11_040))], "OK"),
    ],
)
async def test_a_profile_is_held_against_the_schedule_chosen(chosen: int, profile: Any, code: str) -> None:
    async with planned(planner=CHOICE) as (station, car):
        await car.ask(ac_parameters())
        station.charger.change(plug="C")
        assert (await car.ask(power("Start", chosen, profile))).ResponseCode == code


async def test_a_tolerant_station_tells_of_a_profile_that_exceeds_and_keeps_to_its_limits() -> None:
    async with planned(planner=CHOICE, session={"profile": "tolerant"}) as (station, car):
        await car.ask(ac_parameters())
        station.charger.change(plug="C")
        assert (await car.ask(power("Start", 2, [(0, watts(22_080))]))).ResponseCode == "OK"
        await car.ask(STATUS)
        assert station.charger.limits_told[-1].max_charge_w == 6_900
        assert "profile_exceeds" in [each["kind"] for each in station.charger.said("event")]
        await car.ask(power("Renegotiate"))
        await car.ask(ac_parameters())
        assert (await car.ask(power("Start", 9))).ResponseCode == "FAILED_TariffSelectionInvalid"


# --- another plan while it charges ----------------------------------------------------------------------------------


def notification(body: Any) -> str:
    return str((getattr(body, "AC_EVSEStatus", None) or body.DC_EVSEStatus).EVSENotification)


@pytest.mark.parametrize(
    ("energy", "wait", "loop"), [("AC", "ChargingStatus", STATUS), ("DC", "CurrentDemand", demand())]
)
async def test_another_plan_binds_at_once_and_has_the_car_renegotiate(energy: str, wait: str, loop: Any) -> None:
    async with planned(energy, plan([(0, 11_040)]), wait=wait) as (station, car):
        charger = station.charger
        assert notification(await car.ask(loop)) == "None"
        charger.replan(steps((0, 6_900), (HOUR, 4_600)))
        await station.until(lambda: charger.limits_told[-1].max_charge_w == 6_900, 1.0)
        assert charger.limits_told[-1].limited_by["max_w"] == "plan"
        assert notification(await car.ask(loop)) == "ReNegotiation"
        await car.ask(power("Renegotiate"))
        again = await car.ask(ac_parameters() if energy == "AC" else dc_parameters())
        assert len(charger.plans_asked) == 1, "there is a plan already"
        assert offered(again) == [(1, [(0, None, 6_900), (HOUR, 86_400 - HOUR, 4_600)])]
        route = AC if energy == "AC" else DC
        names = [name for name, _ in route]
        first = names.index(f"{WAIT} again") + 1
        await walk(car, charger, route[first : names.index(f"{wait} again")])
        assert notification(await car.ask(loop)) == "None"
        assert charger.limits_told[-1].max_charge_w == 6_900


async def test_a_car_that_renegotiates_by_itself_gets_a_plan_of_its_own() -> None:
    async with planned(planner=plan([(0, 11_040)]), wait="ChargingStatus") as (station, car):
        station.charger.planner = plan([(0, 7_360)])
        await car.ask(power("Renegotiate"))
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 7_360)])]
        assert len(station.charger.plans_asked) == 2


async def test_the_last_plan_holds_where_no_other_comes_in_time() -> None:
    """And a planner who is always late has the car renegotiate once each time, not for ever."""
    async with planned(planner=plan([(0, 11_040)]), wait="ChargingStatus", scale=0.01) as (station, car):
        charger = station.charger
        charger.planner = lambda _: None
        await car.ask(power("Renegotiate"))
        while (answer := await car.ask(ac_parameters())).EVSEProcessing == "Ongoing":
            assert charger.levels["contactor"] == "closed"
        assert offered(answer) == [(1, [(0, 86_400, 11_040)])]
        await car.ask(power("Start"))
        assert notification(await car.ask(STATUS)) == "None"
        charger.replan(steps((0, 6_900)))
        assert notification(await car.ask(STATUS)) == "ReNegotiation"
        await car.ask(power("Renegotiate"))
        assert offered(await car.ask(ac_parameters())) == [(1, [(0, 86_400, 6_900)])]
        await car.ask(power("Start"))
        assert notification(await car.ask(STATUS)) == "None"


async def test_a_higher_plan_is_followed_only_by_another_schedule() -> None:
    """What was offered still holds: more than that was never promised to the charger."""
    async with planned(planner=plan([(0, 6_900)]), wait="ChargingStatus") as (station, car):
        station.charger.replan(steps((0, 22_080)))
        assert notification(await car.ask(STATUS)) == "ReNegotiation"
        assert station.charger.limits_told[-1].max_charge_w == 6_900


async def test_a_plan_that_comes_after_its_time_has_the_car_renegotiate() -> None:
    async with planned(scale=0.01) as (station, car):
        while (await car.ask(ac_parameters())).EVSEProcessing == "Ongoing":
            assert station.charger.plans_asked
        station.charger.change(plug="C")
        await car.ask(power("Start"))
        assert notification(await car.ask(STATUS)) == "None"
        station.charger.replan(steps((0, 6_900)))
        assert notification(await car.ask(STATUS)) == "ReNegotiation"


async def test_a_step_of_the_plan_needs_no_renegotiation(certificates: Path) -> None:
    """Also with a contract, where the schedule is all that the vehicle is told of its limits."""
    contract = car1(certificates)
    async with bench("AC", certificates=certificates, plan={"source": "backend"}) as station:
        station.charger.planner = plan([(0, 11_040), (1, 6_900)])
        car = await station.car(tls=True)
        await walk(car, station.charger, with_contract(AC, contract), "ChargingStatus")
        assert station.charger.plans_asked[0].emaid == contract.emaid
        began = time.monotonic()
        while station.charger.limits_told[-1].max_charge_w != 6_900:
            assert notification(await car.ask(STATUS)) == "None"
            assert time.monotonic() - began < 3
        assert notification(await car.ask(STATUS)) == "None"


# --- no energy ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("when", "delay"), [("before_cable_check", 0), ("after_precharge", 300)])
async def test_dc_without_energy_is_asked_to_stop_in_the_offer(
    when: Literal["before_cable_check", "after_precharge"], delay: int
) -> None:
    """IEC 61851-23:2023 CC.3.5; the vehicle then stops and may pause."""
    async with planned("DC", plan([(0, 0), (1_800, 60_000)]), session={"no_energy": when}) as (station, car):
        answer = await car.ask(dc_parameters())
        status = answer.EVSEChargeParameter.DC_EVSEStatus
        assert (answer.EVSEProcessing, status.EVSENotification, status.NotificationMaxDelay) == (
            "Finished", "StopCharging", delay
        )  # fmt: skip
        assert status.EVSEStatusCode == "EVSE_IsolationMonitoringActive"
        if delay:
            after = [name for name, _ in DC].index("CableCheck")
            await walk(car, station.charger, DC[after : after + 2])
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        station.charger.change(plug="B")
        assert (await car.ask(stop("Pause"))).ResponseCode == "OK"
        await station.ended("session_paused")


async def test_dc_without_energy_does_not_start_all_the_same() -> None:
    async with planned("DC", plan([(0, 0)])) as (station, car):
        await car.ask(dc_parameters())
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_SequenceError"
        assert station.charger.levels["contactor"] == "open"


async def test_dc_with_energy_may_not_skip_the_cable_check() -> None:
    async with planned("DC", plan([(0, 60_000)])) as (_, car):
        await car.ask(dc_parameters())
        assert (await car.ask(power("Stop"))).ResponseCode == "FAILED_SequenceError"


@pytest.mark.parametrize(
    ("energy", "wait", "loop", "wish"),
    [("AC", "ChargingStatus", STATUS, "ReNegotiation"), ("DC", "CurrentDemand", demand(), "StopCharging")],
)
async def test_energy_that_ends_while_it_charges_may_end_in_a_pause(
    energy: str, wait: str, loop: Any, wish: str
) -> None:
    """Nothing flows any more at once; what the vehicle makes of it, it may come back."""
    async with planned(energy, plan([(0, 11_040)]), wait=wait) as (station, car):
        charger = station.charger
        charger.replan(steps((0, 0), (1_800, 11_040)))
        await station.until(lambda: charger.limits_told[-1].max_charge_w == 0, 1.0)
        async with asyncio.timeout(1):  # the station looks whether a DC output has to be opened every 50 ms
            while notification(await car.ask(loop)) != wish:
                assert charger.limits_told[-1].max_charge_w == 0
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"
        charger.change(plug="B")
        assert (await car.ask(stop("Pause"))).ResponseCode == "OK"
        await station.ended("session_paused")


async def test_ac_without_energy_is_asked_to_stop_in_the_offer() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, WAIT)
        station.charger.hardware_limits = api.ChargerLimits(max_charge_w=0)
        answer = await car.ask(ac_parameters())
        assert answer.EVSEChargeParameter.AC_EVSEStatus.EVSENotification == "StopCharging"
        assert offered(answer) == [(1, [(0, 1_800, 0)])], "a car that sleeps comes back after half an hour"
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"


@pytest.mark.parametrize(("energy", "asked"), [("AC", ac_parameters()), ("DC", dc_parameters())])
async def test_a_wish_to_stop_is_told_in_the_offer(energy: str, asked: Any) -> None:
    async with bench(energy) as station:
        car = await station.car_at(AC if energy == "AC" else DC, WAIT)
        station.charger.wish = "stop"
        parameter = (await car.ask(asked)).EVSEChargeParameter
        status = parameter.AC_EVSEStatus if energy == "AC" else parameter.DC_EVSEStatus
        assert (status.EVSENotification, status.NotificationMaxDelay) == ("StopCharging", 10)
        assert (await car.ask(power("Stop"))).ResponseCode == "OK"


async def test_a_wish_to_renegotiate_means_nothing_in_the_offer() -> None:
    async with bench("DC") as station:
        car = await station.car_at(DC, WAIT)
        station.charger.wish = "renegotiate"
        status = (await car.ask(dc_parameters())).EVSEChargeParameter.DC_EVSEStatus
        assert status.EVSENotification == "None"
        assert str((await in_pilot("C", cable_check())(car, station.charger)).ResponseCode) == "OK"
