"""New schedules while charging, at the car's and at the station's wish, and stops that come before energy flows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest

from evcc import client
from evcc.schedule import Schedule
from evcc.trip import Declined, StationFault
from evcc.wishes import Wishes
from tests.evcc.bench_station import (
    FINISHED,
    OK,
    ONGOING,
    Answer,
    ScriptedStation,
    V,
    ac_parameter,
    ac_status,
    charging,
    dc_parameter,
    dc_status,
    demand,
    parameters,
    schedule,
    scripted,
    value,
)
from tests.evcc.tariffs import levels, offered, pmax
from tests.evcc.test_client import settings
from tests.evcc.test_iso2 import IDENTIFY, Drive, drive
from v2g.messages import iso2
from v2g.messages.iso2 import ChargeProgress, DC_EVSEStatusCode

Energy = Literal["AC", "DC"]
LOOP = {"AC": "ChargingStatus", "DC": "CurrentDemand"}
BETWEEN = {"AC": [], "DC": ["CableCheck", "PreCharge"]}
AFTER = {"AC": [], "DC": ["WeldingDetection"]}
ENERGIES: list[Energy] = ["AC", "DC"]
BOTH = pytest.mark.parametrize("energy", ENERGIES)


def turn(energy: Energy, notification: str = "None", delay: int = 0) -> iso2.BodyElement:
    """An answer of the charge loop."""
    if energy == "AC":
        return charging(delayed(ac_status(notification), delay))
    return demand(delayed(dc_status(notification=notification), delay))


def delayed(status: Any, delay: int) -> Any:
    return msgspec.structs.replace(status, NotificationMaxDelay=delay)


def progresses(station: ScriptedStation) -> list[ChargeProgress]:
    return [each.ChargeProgress for each in station.requests if isinstance(each, iso2.PowerDeliveryReq)]


def assert_renegotiated(energy: Energy, station: ScriptedStation, times: int = 1) -> None:
    start = ["ChargeParameterDiscovery", *BETWEEN[energy], "PowerDelivery", LOOP[energy], "PowerDelivery"]
    assert station.names == [*IDENTIFY[:-1], *start * (times + 1), *AFTER[energy], "SessionStop"]
    anew = [ChargeProgress.Start, ChargeProgress.Renegotiate]
    assert progresses(station) == [*anew * times, ChargeProgress.Start, ChargeProgress.Stop]


# --- renegotiation --------------------------------------------------------------------------------------------------


@BOTH
async def test_by_the_station(energy: Energy) -> None:
    async with scripted(energy) as station:
        station.answers[LOOP[energy]] = lambda _, before: turn(energy, "ReNegotiation" if before == 2 else "None")
        done = await drive(station, energy, charge_s=0.2)
    assert done.error is None
    assert_renegotiated(energy, station)


@BOTH
async def test_by_the_plan_of_the_car_and_only_once(energy: Energy) -> None:
    async with scripted(energy) as station:
        done = await drive(station, energy, charge_s=0.3, renegotiate_after_s=0.05)
    assert done.error is None
    assert_renegotiated(energy, station)


@BOTH
async def test_at_the_drivers_wish(energy: Energy) -> None:
    wishes = Wishes()
    async with scripted(energy) as station:

        def answer(_: Any, before: int) -> Answer:
            if before in (3, 6):
                wishes.change()
            return turn(energy)

        station.answers[LOOP[energy]] = answer
        mode = "ac3" if energy == "AC" else "dc"
        result = await client.charge(settings(station, plan={"energy": mode, "charge_s": 0.5}), wishes=wishes)
    assert result.ok, result.reason
    assert_renegotiated(energy, station, times=2)


async def test_a_station_that_never_has_enough_of_it_does_not_hold_up_the_end() -> None:
    async with scripted("AC") as station:
        station.answers["ChargingStatus"] = lambda *_: turn("AC", "ReNegotiation")
        async with asyncio.timeout(5):
            done = await drive(station, "AC", charge_s=0.2)
    assert done.error is None
    assert progresses(station)[-1] is ChargeProgress.Stop


@BOTH
async def test_it_is_not_heard_before_power_flows(energy: Energy) -> None:
    """[V2G2-680] [V2G2-841]"""
    ac, dc = ac_parameter(), dc_parameter()
    offer: iso2.EVSEChargeParameter = (
        msgspec.structs.replace(ac, AC_EVSEStatus=ac_status("ReNegotiation"))
        if energy == "AC"
        else msgspec.structs.replace(dc, DC_EVSEStatus=dc_status(notification="ReNegotiation"))
    )
    async with scripted(energy) as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(offer, schedule((0, 50)))
        done = await drive(station, energy)
    assert done.error is None
    assert ChargeProgress.Renegotiate not in progresses(station)


async def test_the_new_offer_counts() -> None:
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda _, before: parameters(
            ac_parameter(),
            iso2.SAScheduleList(SAScheduleTuple=[offered(3 + before, pmax((0, 11_000 - 4_000 * before)))]),
        )
        done = await drive(station, "AC", charge_s=0.2, renegotiate_after_s=0.05)
    powers = [each for each in station.requests if isinstance(each, iso2.PowerDeliveryReq)]
    assert [each.SAScheduleTupleID for each in powers] == [3, 3, 4, 4]
    profiles = [each.ChargingProfile.ProfileEntry[0] for each in powers if each.ChargingProfile is not None]
    assert [each.ChargingProfileEntryMaxPower.Value for each in profiles] == [11_000, 7_000]
    drawn = [how for what, how in done.plug.done if what == "draw"]
    assert drawn[0] == pytest.approx(11_000 / 690)
    assert drawn[-3] == pytest.approx(7_000 / 690)
    assert [each.schedule_id for each in done.trip.schedules] == [4]


async def test_ac_goes_on_through_it() -> None:
    """The contactor stays closed and the pilot in C; in DC the way leads over the cable check, contactors open."""
    async with scripted("AC") as station:
        done = await drive(station, "AC", charge_s=0.2, renegotiate_after_s=0.05)
    moved = [each for each in done.plug.done if each[0] in ("contactor", "pilot")]
    assert moved == [
        ("pilot", "C"), ("contactor", "closed"), ("pilot", "C"), ("contactor", "closed"), ("contactor", "open"),
        ("pilot", "B"), ("contactor", "open"), ("pilot", "B"),
    ]  # fmt: skip
    async with scripted("DC") as station:
        done = await drive(station, "DC", charge_s=0.2, renegotiate_after_s=0.05)
    moved = [each for each in done.plug.done if each[0] in ("contactor", "pilot")]
    assert moved[:5] == [
        ("pilot", "C"), ("contactor", "closed"), ("contactor", "open"), ("pilot", "C"), ("contactor", "closed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ends_s", "steps", "ago", "departure_s", "due"),
    [
        (None, ((0, 1.0),), 90_000, None, False),
        (86_400, ((0, 1.0), (60, 2.0)), 86_000, None, False),
        (3_600, ((0, 1.0), (600, 2.0)), 599, None, False),
        (3_600, ((0, 1.0), (600, 2.0)), 601, None, True),
        (3_600, ((0, 1.0), (600, 2.0)), 601, 3_600, False),
        (3_600, ((0, 1.0), (600, 2.0)), 601, 3_601, True),
        (1_800, ((0, 0.0),), 899, None, False),
        (1_800, ((0, 0.0),), 901, None, True),
        (1, ((0, 0.0),), 9, None, False),
        (1, ((0, 0.0),), 11, None, True),
    ],
)
def test_a_schedule_that_ends_early_is_renewed_when_its_last_step_begins(
    ends_s: int | None, steps: tuple[tuple[int, float], ...], ago: float, departure_s: float | None, due: bool
) -> None:
    """[V2G2-305]"""
    told = Schedule(steps=steps, ends_s=ends_s, told_at=time.monotonic() - ago)
    assert told.expires(departure_s) is due


# --- schedules ------------------------------------------------------------------------------------------------------


def three() -> iso2.SAScheduleList:
    return iso2.SAScheduleList(
        SAScheduleTuple=[
            offered(10, pmax((0, 11_000)), levels((0, 5))),
            offered(20, pmax((0, 11_000)), levels((0, 1), number=2)),
            offered(30, pmax((0, 11_000))),
        ]
    )


@BOTH
@pytest.mark.parametrize(("wanted", "taken"), [("first", 10), ("cheapest", 20), (30, 30)])
async def test_the_plan_chooses_a_schedule(energy: Energy, wanted: Any, taken: int) -> None:
    offer: iso2.EVSEChargeParameter = ac_parameter() if energy == "AC" else dc_parameter()
    async with scripted(energy) as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(offer, three())
        done = await drive(station, energy, schedule=wanted, max_schedule_entries=12)
    assert done.error is None
    powers = {each.SAScheduleTupleID for each in station.requests if isinstance(each, iso2.PowerDeliveryReq)}
    assert powers == {taken}
    asked = next(each for each in station.requests if isinstance(each, iso2.ChargeParameterDiscoveryReq))
    assert asked.MaxEntriesSAScheduleTuple == 12
    assert [each.schedule_id for each in done.trip.schedules if each.chosen] == [taken]


async def test_a_schedule_that_is_not_offered_is_no_reason_to_take_another() -> None:
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(ac_parameter(), three())
        done = await drive(station, "AC", schedule=40)
    assert isinstance(done.error, Declined)
    assert "schedule 40 is not offered, only 10, 20, 30" in str(done.error)
    assert station.names[-1] == "SessionStop"


async def test_a_dc_car_follows_the_schedule_too() -> None:
    """20 kW at 370 V; none at all for 0 W."""
    for power, amperes in ((20_000, 20_000 / 370), (0, 0)):
        async with scripted("DC") as station:
            station.answers["ChargeParameterDiscovery"] = lambda *_, most=power: parameters(
                dc_parameter(), iso2.SAScheduleList(SAScheduleTuple=[offered(1, pmax((0, most)))])
            )
            done = await drive(station, "DC")
        assert done.error is None
        wished = [each.EVTargetCurrent for each in station.requests if isinstance(each, iso2.CurrentDemandReq)]
        for each in wished:
            assert each.Value * 10.0**each.Multiplier == pytest.approx(amperes, abs=0.2)


# --- stops ----------------------------------------------------------------------------------------------------------


def stopping(energy: Energy, delay: int) -> iso2.ChargeParameterDiscoveryRes:
    """The offer of a station without energy."""
    if energy == "AC":
        status = delayed(ac_status("StopCharging"), delay)
        return parameters(msgspec.structs.replace(ac_parameter(), AC_EVSEStatus=status), schedule((0, 0)))
    status = delayed(dc_status("EVSE_IsolationMonitoringActive", "StopCharging"), delay)
    return parameters(msgspec.structs.replace(dc_parameter(), DC_EVSEStatus=status), schedule((0, 0)))


@pytest.mark.parametrize(
    ("energy", "delay", "between"),
    [("AC", 0, []), ("AC", 300, []), ("DC", 0, []), ("DC", 300, ["CableCheck", "PreCharge"])],
)
@pytest.mark.parametrize(("when", "farewell"), [("terminate", "Terminate"), ("pause", "Pause")])
async def test_a_station_without_energy(
    energy: Energy, delay: int, between: list[str], when: str, farewell: str
) -> None:
    """A delay lets a DC car go on to its PreCharge; an AC car has nothing to do in it."""
    async with scripted(energy) as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: stopping(energy, delay)
        done = await drive(station, energy, when_stopped=when)
    assert done.error is None
    assert done.trip.ended_by == "station"
    assert station.names == [*IDENTIFY, *between, "PowerDelivery", "SessionStop"]
    assert progresses(station) == [ChargeProgress.Stop]
    assert station.requests[-1].ChargingSession == farewell
    assert ("contactor", "closed") not in done.plug.done


async def test_a_stop_while_it_is_offered_anew() -> None:
    """The contactor is closed then, and opened before the stop."""
    async with scripted("AC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda _, before: (
            stopping("AC", 0) if before else parameters(ac_parameter(), schedule((0, 50)))
        )
        done = await drive(station, "AC", charge_s=5, renegotiate_after_s=0.02)
    assert done.error is None
    assert progresses(station) == [ChargeProgress.Start, ChargeProgress.Renegotiate, ChargeProgress.Stop]
    stop = station.requests.index([each for each in station.requests if isinstance(each, iso2.PowerDeliveryReq)][-1])
    assert done.plug.done.index(("pilot", "B")) < done.plug.done.index(("request", stop + 1))


def checked(delay: int, processing: iso2.EVSEProcessing = FINISHED) -> Answer:
    status = delayed(dc_status("EVSE_IsolationMonitoringActive", "StopCharging"), delay)
    return iso2.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=status, EVSEProcessing=processing)


@pytest.mark.parametrize("processing", [FINISHED, ONGOING])
async def test_a_stop_in_the_cable_check(processing: iso2.EVSEProcessing) -> None:
    async with scripted("DC") as station:
        station.answers["CableCheck"] = lambda *_: checked(0, processing)
        done = await drive(station, "DC")
    assert isinstance(done.error, Declined)
    assert (done.trip.ended_by, station.names[-2:]) == ("station", ["CableCheck", "SessionStop"])


async def test_a_stop_in_the_cable_check_that_may_wait() -> None:
    async with scripted("DC") as station:
        station.answers["CableCheck"] = lambda *_: checked(60)
        done = await drive(station, "DC")
    assert done.error is None
    assert station.names[-4:] == ["CableCheck", "PreCharge", "PowerDelivery", "SessionStop"]
    assert progresses(station) == [ChargeProgress.Stop]


def charged_to(volts: float, status: iso2.DC_EVSEStatus) -> Answer:
    return iso2.PreChargeRes(ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=value(volts, V))


@pytest.mark.parametrize(("delay", "volts"), [(0, 100), (0, 370), (60, 370)])
async def test_a_stop_while_precharging(delay: int, volts: float) -> None:
    async with scripted("DC") as station:
        station.answers["PreCharge"] = lambda *_: charged_to(
            volts, delayed(dc_status(notification="StopCharging"), delay)
        )
        done = await drive(station, "DC")
    assert done.error is None
    assert station.names[-3:] == ["PreCharge", "PowerDelivery", "SessionStop"]
    assert progresses(station) == [ChargeProgress.Stop]
    assert ("contactor", "closed") not in done.plug.done


@BOTH
@pytest.mark.parametrize("delay", [0, 30])
async def test_a_stop_in_the_loop_is_followed_at_the_next_turn(energy: Energy, delay: int) -> None:
    async with scripted(energy) as station:
        station.answers[LOOP[energy]] = lambda _, before: turn(energy, "StopCharging" if before == 2 else "None", delay)
        done = await drive(station, energy, charge_s=60)
    assert done.error is None
    assert sum(type(each).__name__ == f"{LOOP[energy]}Req" for each in station.requests) == 3
    assert done.trip.ended_by == "station"


# --- faults ---------------------------------------------------------------------------------------------------------

FAULTS = ["EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent"]
Break = Callable[[iso2.DC_EVSEStatus], Answer]
PHASES: dict[str, tuple[Break, list[str]]] = {
    "ChargeParameterDiscovery": (
        lambda status: parameters(
            msgspec.structs.replace(dc_parameter(), DC_EVSEStatus=status), schedule((0, 50))
        ),
        ["SessionStop"],
    ),
    "CableCheck": (
        lambda status: iso2.CableCheckRes(ResponseCode=OK, DC_EVSEStatus=status, EVSEProcessing=ONGOING),
        ["SessionStop"],
    ),
    "PreCharge": (lambda status: charged_to(100, status), ["SessionStop"]),
    "PowerDelivery": (
        lambda status: iso2.PowerDeliveryRes(ResponseCode=OK, EVSEStatus=status),
        ["SessionStop"],
    ),
    "CurrentDemand": (demand, ["PowerDelivery", "SessionStop"]),
    "WeldingDetection": (
        lambda status: iso2.WeldingDetectionRes(
            ResponseCode=OK, DC_EVSEStatus=status, EVSEPresentVoltage=value(300, V)
        ),
        ["SessionStop"],
    ),
}  # fmt: skip


async def test_a_fault_before_the_offer_is_made() -> None:
    broken = msgspec.structs.replace(dc_parameter(), DC_EVSEStatus=dc_status("EVSE_Malfunction"))
    async with scripted("DC") as station:
        station.answers["ChargeParameterDiscovery"] = lambda *_: parameters(broken, None, ONGOING)
        done = await drive(station, "DC")
    assert isinstance(done.error, StationFault)
    assert station.names[-2:] == ["ChargeParameterDiscovery", "SessionStop"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("phase", PHASES)
async def test_a_fault_in_any_phase(fault: str, phase: str) -> None:
    """Everything is off before the station hears of it again."""
    broken, farewell = PHASES[phase]
    async with scripted("DC") as station:
        station.answers[phase] = lambda *_: broken(dc_status(DC_EVSEStatusCode(fault)))
        done = await drive(station, "DC")
    assert isinstance(done.error, StationFault)
    assert (done.error.code, done.trip.ended_by) == (fault, "station")
    place = station.names.index(phase)
    expected = ["PowerDelivery", "SessionStop"] if phase == "PowerDelivery" else [phase, *farewell]
    assert station.names[place:] == expected
    assert_off_before_it_leaves(done, station)


def assert_off_before_it_leaves(done: Drive, station: ScriptedStation) -> None:
    """The contactors are open by the request after the fault, whichever that is."""
    kinds = [type(each).__name__ for each in station.requests]
    stops = [place for place, each in enumerate(progresses(station)) if each is ChargeProgress.Stop]
    powers = [place for place, kind in enumerate(kinds) if kind == "PowerDeliveryReq"]
    leaves = powers[stops[0]] if stops else kinds.index("SessionStopReq")
    seen, opened = 0, None
    for what, how in done.plug.done:
        seen = how if what == "request" else seen
        if (what, how) == ("contactor", "open") and opened is None:
            opened = seen
    assert opened is not None
    assert opened <= leaves + ("WeldingDetectionReq" in kinds)
    assert done.plug.last("pilot") == "B"


async def test_the_farewell_after_a_fault_is_short_where_the_station_refuses_it() -> None:
    async with scripted("DC") as station:
        usual = station.answers["PowerDelivery"]
        station.answers["CurrentDemand"] = lambda *_: demand(dc_status("EVSE_EmergencyShutdown"))
        station.answers["PowerDelivery"] = lambda request, before: (
            iso2.PowerDeliveryRes(ResponseCode=iso2.ResponseCode.FAILED, EVSEStatus=dc_status("EVSE_EmergencyShutdown"))
            if before
            else usual(request, before)
        )
        done = await drive(station, "DC")
    assert isinstance(done.error, StationFault)
    assert station.names[-2:] == ["CurrentDemand", "PowerDelivery"]
