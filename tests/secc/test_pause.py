"""Pause and resume: what is kept, what has to match, and what ends it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secc import api
from secc.authorization import Grant
from secc.charger import Charger, Presented, Trouble
from secc.pause import Berth, Paused
from tests.brokers import eventually
from tests.certificates import car1
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_charger import AC_SETUP, BenchCharger
from tests.secc.bench_requests import (
    AC,
    DC,
    SETUP,
    STATUS,
    Step,
    ac_parameters,
    demand,
    power,
    selection,
    stop,
    walk,
    with_contract,
)
from v2g.messages import iso2
from v2g.timing import Budget

ROUTES = {"AC": AC, "DC": DC}
ENDS = {"AC": "SessionStop", "DC": "WeldingOrStop"}


async def paused(station: Bench, energy: str = "AC", *, route: tuple[Step, ...] = (), tls: bool = False) -> Car:
    """A car that charged and paused."""
    car = await station.car_at(route or ROUTES[energy], ENDS[energy], tls=tls)
    station.charger.change(plug="B")
    assert (await car.ask(stop("Pause"))).ResponseCode == "OK"
    await station.until(lambda: station.charger.said("end") != [])
    assert await car.gone()
    return car


async def back(station: Bench, old: Car, session_id: bytes | None = None, *, tls: bool = False) -> tuple[Car, Any]:
    """The car again, on a new connection, up to SessionSetupRes."""
    car = await station.car(tls=tls)
    await car.negotiate()
    return car, await car.ask(SETUP, session_id=old.session_id if session_id is None else session_id)


def events(station: Bench) -> list[str]:
    return [each["kind"] for each in station.charger.said("event")]


# --- pausing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_pausing_keeps_the_lock_and_nothing_else(energy: str) -> None:
    async with bench(energy) as station:
        await paused(station, energy)
        await station.ended("session_paused")
        stages = [facts["session"].stage for facts in station.charger.said("session")]
        assert stages[-1] == "paused"
        assert station.charger.said("end") == [{"paused": True}]
        assert station.charger.levels["lock"] == "locked"


@pytest.mark.parametrize(
    ("energy", "wait"),
    [
        ("AC", "ServiceDiscovery"), ("AC", "Authorization"), ("AC", "ChargeParameterDiscovery"),
        ("AC", "PowerDeliveryStart"), ("AC", "ChargingStatus"), ("AC", "ChargeParameterDiscovery again"),
        ("DC", "CableCheck"), ("DC", "PreCharge first"), ("DC", "PreCharge"), ("DC", "CurrentDemand"),
        ("DC", "CableCheck again"),
    ],
)  # fmt: skip
async def test_no_pause_while_the_cable_is_live_or_before_it_was(energy: str, wait: str) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        assert (await car.ask(stop("Pause"))).ResponseCode == "FAILED"
        await car.close()
        await station.ended("refused")
        _, answer = await back(station, car)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


@pytest.mark.parametrize(
    "prevents",
    [
        lambda charger: setattr(charger, "card", "rejected"),
        lambda charger: setattr(charger, "wish", "stop"),
        lambda charger: setattr(charger, "meter", api.Meter(meter_id="M1", energy_import_wh=2_000)),
    ],
    ids=["revoked", "stopped by the charger", "energy used up"],
)
async def test_what_must_not_go_on_is_not_paused(prevents: Callable[[Any], None]) -> None:
    async with bench("AC") as station:
        station.charger.granted = {"max_energy_wh": 1_000}
        car = await station.car_at(AC, "SessionStop")
        prevents(station.charger)
        station.charger.change(plug="B")
        assert (await car.ask(stop("Pause"))).ResponseCode == "FAILED"


async def test_a_station_may_not_pause_at_all() -> None:
    async with bench("AC", session={"pause": False}) as station:
        car = await station.car_at(AC, "SessionStop")
        station.charger.change(plug="B")
        assert (await car.ask(stop("Pause"))).ResponseCode == "FAILED"


async def test_no_pause_after_a_failure() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "SessionStop")
        assert (await car.ask(STATUS)).ResponseCode == "FAILED_SequenceError"
        car.send(car.encode(stop("Pause")))
        assert await car.gone()
        _, answer = await back(station, car)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


# --- resuming -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_resuming_replays_the_sequence_without_a_card(energy: str) -> None:
    async with bench(energy) as station:
        charger = station.charger
        old = await paused(station, energy)
        charger.card = "none"
        car, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"
        assert car.session_id == old.session_id
        assert len(charger.asked) == 1
        assert "session_resumed" in events(station)
        await walk(car, charger, ROUTES[energy][2:])
        assert len(charger.asked) == 1
        assert charger.readmitted is not None
        assert charger.readmitted == (charger.asked[0].id, Presented(accepted=True, source="charger"))


@pytest.mark.parametrize(
    "other",
    [
        lambda old: bytes(8),
        lambda old: b"",
        lambda old: old[:-1] + bytes([old[-1] ^ 1]),
        lambda old: old[:7],
        lambda old: bytes(range(1, 9)),
    ],
    ids=["zero", "none", "one bit", "short", "another"],
)
async def test_another_id_is_another_session(other: Callable[[bytes], bytes]) -> None:
    async with bench("AC") as station:
        old = await paused(station)
        if old.session_id[-1] == 0:
            pytest.skip("the id ends in zero, so that the short one is the same")
        car, answer = await back(station, old, other(old.session_id))
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        assert car.session_id != old.session_id
        await car.ask(iso2.ServiceDiscoveryReq())
        await car.close()
        await station.until(lambda: len(station.charger.said("end")) == 2)
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished", "the paused session outlived another one"
        assert "pause_ended" in events(station)


@pytest.mark.parametrize("told", [True, False])
async def test_a_revocation_ends_the_pause(told: bool) -> None:
    """Told in time, or only seen when the vehicle comes back."""
    async with bench("AC") as station:
        old = await paused(station)
        station.charger.card = "rejected"
        if told:
            station.charger.report()
            await station.until(lambda: len(station.charger.said("end")) == 2)
            assert station.charger.said("end")[-1] == {"paused": False}
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        ends = [each for each in station.charger.said("event") if each["kind"] == "pause_ended"]
        assert [each["reason"] for each in ends] == ["the authorization was revoked"]


async def test_a_session_that_was_not_paused_cannot_be_joined() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "ChargingStatus")
        await car.close()
        await station.until(lambda: station.charger.said("end") != [])
        _, answer = await back(station, car)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


async def test_a_paused_session_is_joined_once() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        car, _ = await back(station, old)
        await car.close()
        await station.until(lambda: len(station.charger.said("end")) == 2)
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


async def test_a_connection_that_comes_to_nothing_leaves_it_paused() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        nobody = await station.car()
        await nobody.negotiate()
        await nobody.close()
        await station.until(lambda: len(station.charger.said("end")) == 2)
        assert station.charger.levels["lock"] == "locked"
        assert station.charger.said("end")[-1] == {"paused": True}
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"


async def test_only_the_earlier_payment_option_and_the_same_charge_service(certificates: Path) -> None:
    contract = car1(certificates)
    route = with_contract(AC, contract)
    async with bench("AC", certificates=certificates) as station:
        first = await station.car_at(route, "ServiceDiscovery", tls=True)
        before = await first.ask(iso2.ServiceDiscoveryReq())
        assert before.PaymentOptionList.PaymentOption == ["Contract", "ExternalPayment"]
        await first.close()
        await station.until(lambda: station.charger.said("end") != [])
        station.charger.orders.clear()
        old = await paused(station, route=route, tls=True)
        car, answer = await back(station, old, tls=True)
        assert answer.ResponseCode == "OK_OldSessionJoined"
        after = await car.ask(iso2.ServiceDiscoveryReq())
        assert after.PaymentOptionList.PaymentOption == ["Contract"]
        assert after.ChargeService == before.ChargeService
        assert (await car.ask(selection("ExternalPayment"))).ResponseCode == "FAILED_PaymentSelectionInvalid"


async def test_a_contract_is_proved_again(certificates: Path) -> None:
    route = with_contract(AC, car1(certificates))
    async with bench("AC", certificates=certificates) as station:
        old = await paused(station, route=route, tls=True)
        car, _ = await back(station, old, tls=True)
        await walk(car, station.charger, route[2:])


async def test_a_contract_does_not_go_on_without_tls(certificates: Path) -> None:
    async with bench("AC", certificates=certificates) as station:
        old = await paused(station, route=with_contract(AC, car1(certificates)), tls=True)
        car, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished"
        offer = await car.ask(iso2.ServiceDiscoveryReq())
        assert offer.PaymentOptionList.PaymentOption == ["ExternalPayment"]


async def test_another_charge_service_is_another_session() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        assert station.charger.setup is not None
        station.charger.setup = msgspec.structs.replace(station.charger.setup, energy_modes=["AC1"])
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


async def test_a_setup_said_anew_is_the_same_charge_service() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        assert station.charger.setup is not None
        station.charger.setup = msgspec.structs.replace(station.charger.setup, seq=99, time="later", session="S")
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"


@pytest.mark.parametrize(("second_w", "told"), [(6_900, "None"), (4_600, "ReNegotiation")])
async def test_a_resumed_car_renegotiates_only_for_another_plan(second_w: float, told: str) -> None:
    """It had chosen the second schedule; the charger plans anew when it comes back."""

    def schedules(*powers: float) -> list[api.PlannedSchedule]:
        return [api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=max_w)]) for max_w in powers]

    async with bench("AC", plan={"source": "charger"}) as station:
        charger = station.charger
        charger.planner = lambda request: api.Plan(id=request.id, schedules=schedules(4_140, 6_900))
        route = tuple((name, _chooses(2) if name.startswith("PowerDeliveryStart") else step) for name, step in AC)
        old = await paused(station, route=route)
        charger.planner = lambda request: api.Plan(id=request.id, schedules=schedules(4_140, second_w))
        asked = len(charger.plans_asked)
        car, _ = await back(station, old)
        await walk(car, charger, route[2:], "ChargingStatus")
        answer = await car.ask(STATUS)
        assert len(charger.plans_asked) == asked + 1
        assert str(answer.AC_EVSEStatus.EVSENotification) == told
        assert charger.limits_told[-1].max_charge_w == second_w


async def test_the_schedule_is_the_one_chosen_less_the_time_that_passed() -> None:
    planned = [
        api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=22_080)]),
        api.PlannedSchedule(
            steps=[api.PlanStep(start_s=0, max_w=11_040), api.PlanStep(start_s=2, max_w=6_900)],
        ),
    ]
    async with bench("AC", plan={"source": "charger"}) as station:
        charger = station.charger
        charger.planner = lambda request: api.Plan(id=request.id, schedules=planned, duration_s=3_600)
        route = tuple((name, _chooses(2) if name.startswith("PowerDeliveryStart") else step) for name, step in AC)
        offered_at = time.monotonic()
        old = await paused(station, route=route)
        await station.until(lambda: time.monotonic() - offered_at > 3.1)
        car, _ = await back(station, old)
        await walk(car, charger, AC[2:], "ChargeParameterDiscovery")
        answer = await car.ask(ac_parameters())
        [only] = answer.SASchedules.SAScheduleTuple
        assert only.SAScheduleTupleID == 2
        [entry] = only.PMaxSchedule.PMaxScheduleEntry
        elapsed = time.monotonic() - offered_at
        assert entry.TimeInterval.start == 0
        assert 3_600 - elapsed - 1 <= entry.TimeInterval.duration <= 3_600 - 3.1 + 0.5
        assert entry.PMax.Value * 10**entry.PMax.Multiplier == 6_900
        charger.change(plug="C")
        assert (await car.ask(power("Start", 1))).ResponseCode == "FAILED_TariffSelectionInvalid"


def _chooses(tuple_id: int) -> Callable[[Car, Any], Any]:
    async def step(car: Car, charger: Any) -> Any:
        charger.change(plug="C")
        return await car.ask(power("Start", tuple_id))

    return step


async def test_the_energy_of_before_the_pause_counts() -> None:
    async with bench("AC") as station:
        charger = station.charger
        charger.granted = {"max_energy_wh": 5_000, "max_power_w": 7_000}
        car = await station.car_at(AC, "SessionStop")
        charger.meter = api.Meter(meter_id="M1", energy_import_wh=1_000 + 3_000)
        charger.report()
        charger.change(plug="B")
        await car.ask(stop("Pause"))
        await station.until(lambda: charger.said("end") != [])
        again, _ = await back(station, car)
        await walk(again, charger, AC[2:], "ChargingStatus")
        assert charger.limits_told[-1].energy_left_wh == 2_000
        assert charger.limits_told[-1].max_charge_w == 7_000


async def test_a_grant_of_before_the_pause_can_be_revoked() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        car, _ = await back(station, old)
        await walk(car, station.charger, AC[2:], "ChargingStatus")
        station.charger.card = "rejected"
        body = await car.ask(STATUS)
        assert body.AC_EVSEStatus.EVSENotification == "StopCharging"


async def test_a_pause_may_follow_a_pause() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        car, _ = await back(station, old)
        await walk(car, station.charger, AC[2:], "SessionStop")
        station.charger.change(plug="B")
        assert (await car.ask(stop("Pause"))).ResponseCode == "OK"
        await station.until(lambda: len(station.charger.said("end")) == 2)
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"


async def test_dc_is_tested_anew() -> None:
    async with bench("DC") as station:
        old = await paused(station, "DC")
        tests = len(station.charger.said("check_cable"))
        car, _ = await back(station, old)
        await walk(car, station.charger, DC[2:], "CurrentDemand")
        assert len(station.charger.said("check_cable")) == tests + 1
        assert (await car.ask(demand())).ResponseCode == "OK"


# --- what ends a pause ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ends", "reason"),
    [
        (lambda charger: charger.change(plug="A"), "the vehicle was unplugged"),
        (lambda charger: setattr(charger, "recall", "release"), "the charger gave it up"),
        (
            lambda charger: setattr(charger, "setup", msgspec.structs.replace(charger.setup, boot="another")),
            "the charger started anew",
        ),
        (
            lambda charger: setattr(charger, "silent", Trouble(kind="broker_lost", emergency=True)),
            "the charger was not heard: the plug may have been drawn",
        ),
    ],
)
async def test_a_pause_that_ends(ends: Callable[[Any], None], reason: str) -> None:
    async with bench("AC") as station:
        charger = station.charger
        old = await paused(station)
        ends(charger)
        charger.report()
        await station.until(lambda: charger.said("end")[-1] == {"paused": False})
        [told] = [each for each in charger.said("event") if each["kind"] == "pause_ended"]
        assert told["reason"] == reason
        charger.silent = None
        charger.change(plug="B")
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_NewSessionEstablished"


async def test_what_voids_a_pause_counts_while_the_session_still_ends() -> None:
    """It is given up when the session has ended, though the charger is heard again by then."""
    charger = BenchCharger(AC_SETUP)
    berth = Berth(charger)
    berth.keep(kept(charger))
    charger.silent = Trouble(kind="broker_lost", emergency=True)
    charger.report()
    await asyncio.sleep(0)
    charger.silent = None
    charger.report()
    await asyncio.sleep(0)
    assert charger.orders == []
    berth.left()
    await eventually(lambda: berth.paused is None, "the pause to be given up")
    assert [order.kind for order in charger.orders] == ["event", "end"]


def kept(charger: Charger) -> Paused:
    """A session that is paused, and may go on whoever says so."""
    return Paused(
        session_id=bytes(range(1, 9)),
        setup=AC_SETUP,
        payment="external",
        grant=Grant(charger, "q1", "local", Budget(30)),
        given=None,
        energy_left_wh=None,
        schedule=None,
        at=time.monotonic(),
    )


async def test_a_pilot_that_sleeps_ends_nothing() -> None:
    async with bench("AC") as station:
        old = await paused(station)
        for pilot in "EFB":
            station.charger.change(plug=pilot)
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"


async def test_the_vehicle_is_woken_on_request() -> None:
    async with bench("AC") as station:
        charger = station.charger
        old = await paused(station)
        charger.recall = "wake_up"
        charger.report()
        await station.until(lambda: charger.said("wake_up") != [])
        [woken] = charger.said("wake_up")
        assert woken["session"] == old.session_id.hex().upper()
        assert woken["deadline_s"] > 0
        _, answer = await back(station, old)
        assert answer.ResponseCode == "OK_OldSessionJoined"
        assert len(charger.said("wake_up")) == 1
