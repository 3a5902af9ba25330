"""DIN 70121 at the station: what it offers, whom it refuses and how, and what it sends that is its own."""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import msgspec
import pytest

from secc import api
from tests.reference import REFERENCE, needs_reference
from tests.secc.bench import Bench, dc_bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_charger import DC_SETUP, BenchCharger
from tests.secc.bench_din import (
    DC,
    EVERY,
    SETUP,
    ac_parameters,
    cable_check,
    dc_parameters,
    demand,
    power,
    precharge,
    selection,
    stop,
    value,
    welding,
)
from tests.secc.bench_requests import Step as Way
from tests.secc.bench_requests import walk
from v2g.messages import din
from v2g.messages.din import BodyElement
from v2g.protocols import schema

AUTHENTICATION = din.ContractAuthenticationReq()


async def test_a_whole_session() -> None:
    async with dc_bench() as station:
        car = await station.car()
        await walk(car, station.charger, DC)
        assert await car.gone()
        await station.ended("session_ended")
        orders = station.charger.orders
        before = [order.facts["limits"] for order in orders[: station.charger.index("sent")] if order.kind == "limits"]
        assert not before[-1].authorised, "the goodbye left before the limits were withdrawn"
        told = [facts["session"] for facts in station.charger.said("session")]
        stages = [each.stage for each in told]
        assert [each for place, each in enumerate(stages) if place == 0 or stages[place - 1] != each] == [
            "connected", "identified", "authorizing", "negotiating", "preparing", "charging", "stopping",
        ]  # fmt: skip
        charging = next(each for each in told if each.stage == "charging")
        assert (charging.protocol, charging.payment, charging.energy_mode, charging.tls) == (
            "din",
            "external",
            "DC",
            None,
        )
        assert {facts["session"] for facts in station.charger.said("begin")} == {car.session_id.hex().upper()}
        await station.serves_next()


async def test_exactly_one_payment_and_one_service() -> None:
    """[V2G-DC-252] [V2G-DC-625] [V2G-DC-628] [V2G-DC-629]"""
    async with dc_bench() as station:
        car = await station.car_at(DC, "ServicePaymentSelection")
        offer = car.answers[-1].body
        assert [str(each) for each in offer.PaymentOptions.PaymentOption] == ["ExternalPayment"]
        service = offer.ChargeService
        assert (service.ServiceTag.ServiceID, service.ServiceTag.ServiceCategory) == (1, "EVCharging")
        assert (service.ServiceTag.ServiceName, service.ServiceTag.ServiceScope) == (None, None)
        assert (service.EnergyTransferType, service.FreeService, offer.ServiceList) == ("DC_extended", False, None)


@pytest.mark.parametrize(
    ("changes", "wire"),
    [({}, b"DE*PCG*E0001"), ({"evse_id_din": "49*89*6360"}, bytes.fromhex("49A89A6360"))],
)
async def test_the_id_of_the_outlet(changes: dict[str, str], wire: bytes) -> None:
    async with dc_bench() as station:
        station.charger.setup = msgspec.structs.replace(DC_SETUP, **changes)
        car = await station.car_at(DC, "ServiceDiscovery")
        setup = car.answers[-1].body
        assert (setup.ResponseCode, setup.EVSEID) == ("OK_NewSessionEstablished", wire)
        assert abs(setup.DateTimeNow - time.time()) < 60


async def test_the_offer_comes_with_schedules() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CableCheck")
        offer = car.answers[-1].body
        [chosen] = offer.SASchedules.SAScheduleTuple
        [entry] = chosen.PMaxSchedule.PMaxScheduleEntry
        assert (offer.EVSEProcessing, chosen.SAScheduleTupleID, chosen.SalesTariff) == ("Finished", 1, None)
        assert (entry.TimeInterval.start, entry.TimeInterval.duration, entry.PMax) == (0, 86_400, 32_767)
        assert station.charger.levels["lock"] == "locked"


def planned(*steps: tuple[float, float]) -> Any:
    """Who answers every request with the same schedule of (start, watts)."""

    def answer(request: api.PlanRequest) -> api.Plan:
        planned = [api.PlanStep(start_s=start, max_w=most) for start, most in steps]
        return api.Plan(id=request.id, schedules=[api.PlannedSchedule(steps=planned)])

    return answer


async def test_a_plan_is_offered_in_twelve_entries_of_sixteen_bits() -> None:
    """[V2G-DC-329]: what does not fit is put together at its lowest."""
    async with dc_bench(plan={"source": "charger"}) as station:
        station.charger.planner = planned(*((60 * place, 40_000 - 1_000 * place) for place in range(24)))
        car = await station.car_at(DC, "CableCheck")
        [chosen] = car.answers[-1].body.SASchedules.SAScheduleTuple
        entries = chosen.PMaxSchedule.PMaxScheduleEntry
        lowest = [39_000 - 2_000 * place for place in range(12)]
        assert [entry.PMax for entry in entries] == [min(most, 32_767) for most in lowest]
        starts = [entry.TimeInterval.start for entry in entries]
        assert starts == pytest.approx([120 * place for place in range(12)], abs=1)
        durations = [entry.TimeInterval.duration for entry in entries]
        assert (durations[:-1], durations[-1]) == ([None] * 11, pytest.approx(86_400 - 1_320, abs=1))
        assert station.charger.said("ask_plan")[0]["request"].max_entries == 12


async def test_a_car_asks_again_until_there_is_a_plan_and_its_limits_bind() -> None:
    """[V2G-DC-498]; the schema wants schedules also while they are not there."""
    async with dc_bench(plan={"source": "charger"}) as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        offer = await car.ask(dc_parameters())
        assert (offer.ResponseCode, offer.EVSEProcessing) == ("OK", "Ongoing")
        assert len(offer.SASchedules.SAScheduleTuple) == 1
        station.charger.replan(api.PlannedSchedule(steps=[api.PlanStep(start_s=0, max_w=7_700)]))
        offer = await car.ask(dc_parameters())
        assert offer.EVSEProcessing == "Finished"
        for name, step in DC[[name for name, _ in DC].index("CableCheck") :]:
            if name == "CurrentDemand":
                break
            await step(car, station.charger)
        assert station.charger.limits_told[-1].max_charge_w == 7_700
        assert station.charger.said("target")[-1]["current_a"] == pytest.approx(20, abs=0.1)


async def test_what_a_car_said_is_published() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        await car.ask(dc_parameters(max_w=None))
        told = station.charger.said("vehicle")[-1]["vehicle"]
        assert (told.soc_percent, told.max_voltage_v, told.max_current_a, told.max_power_w) == (40, 420, 125, None)
        assert (told.ready, told.error) == (True, None)


# --- refusals -------------------------------------------------------------------------------------------------------

REFUSALS: dict[str, tuple[str, BodyElement, str]] = {
    "contract [V2G-DC-395]": ("ServicePaymentSelection", selection("Contract"), "FAILED_PaymentSelectionInvalid"),
    "another service [V2G-DC-396]": (
        "ServicePaymentSelection", selection("ExternalPayment", 2), "FAILED_ServiceSelectionInvalid",
    ),
    "two services [V2G-DC-635]": (
        "ServicePaymentSelection", selection("ExternalPayment", 1, 2), "FAILED_ServiceSelectionInvalid",
    ),
    "twice the same": (
        "ServicePaymentSelection", selection("ExternalPayment", 1, 1), "FAILED_ServiceSelectionInvalid",
    ),
    "AC mode [V2G-DC-397]": (
        "ChargeParameterDiscovery", ac_parameters("AC_three_phase_core"), "FAILED_WrongEnergyTransferType",
    ),
    "another DC mode": ("ChargeParameterDiscovery", dc_parameters(mode="DC_unique"), "FAILED_WrongEnergyTransferType"),
    "AC parameter [V2G-DC-398]": ("ChargeParameterDiscovery", ac_parameters(), "FAILED_WrongChargeParameter"),
    "voltage below the station's": (
        "ChargeParameterDiscovery", dc_parameters(max_v=100), "FAILED_WrongChargeParameter",
    ),
    "current below the station's": (
        "ChargeParameterDiscovery", dc_parameters(max_a=0.5), "FAILED_WrongChargeParameter",
    ),
    "negative current": ("ChargeParameterDiscovery", dc_parameters(max_a=-5), "FAILED_WrongChargeParameter"),
    "error in the cable check": ("CableCheck", cable_check("FAILED_RESSTemperatureInhibit"), "FAILED"),
    "error in the pre-charge": ("PreCharge first", precharge(error="FAILED_EVRESSMalfunction"), "FAILED"),
    "pre-charge with current": ("PreCharge first", precharge(amperes=2.1), "FAILED"),
    "pre-charge above its own maximum": ("PreCharge first", precharge(volts=421), "FAILED"),
    "unknown tuple [V2G-DC-400]": ("PreCharge", power("Start", tuple_id=2), "FAILED_TariffSelectionInvalid"),
    "a second start": ("CurrentDemand", power("Start"), "FAILED"),
    "target above its own maximum": ("CurrentDemand", demand(volts=421), "FAILED"),
    "target below zero": ("CurrentDemand", demand(amperes=-1), "FAILED"),
    "absurd limit": ("CurrentDemand", demand(EVMaximumCurrentLimit=value(-1, "A")), "FAILED"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
async def test_refused(case: str) -> None:
    wait, request, code = REFUSALS[case]
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        body = await car.ask(request)
        assert type(body).__name__ == type(request).__name__.removesuffix("Req") + "Res"
        assert body.ResponseCode == code
        station.assert_open_before_answer()
        await car.close()
        event = await station.ended("refused")
        assert event["response_code"] == code
        await station.serves_next()


async def test_a_profile_for_the_tuple_offered_is_fine() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "PreCharge")
        assert (await car.ask(power("Start", tuple_id=1))).ResponseCode == "OK"


async def test_an_error_of_the_car_does_not_disturb_the_stop() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        assert (await car.ask(power("Stop", error="FAILED_EVRESSMalfunction"))).ResponseCode == "OK"


async def test_a_car_may_stop_before_energy_flows() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "PreCharge")
        assert (await car.ask(power("Stop"))).EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"
        station.charger.change(plug="B")
        assert (await car.ask(welding())).ResponseCode == "OK"
        assert (await car.ask(stop())).ResponseCode == "OK"
        await station.ended("session_ended")


@pytest.mark.parametrize("reason", ["wish", "fault", "revoked"])
async def test_power_is_not_switched_on_for_a_car_that_has_to_stop(reason: str) -> None:
    """[V2G-DC-401]"""
    async with dc_bench() as station:
        car = await station.car_at(DC, "PreCharge")
        _reasons(station.charger)[reason]()
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED_PowerDeliveryNotApplied"


def _reasons(charger: BenchCharger) -> dict[str, Any]:
    return {
        "wish": lambda: setattr(charger, "wish", "stop"),
        "fault": lambda: charger.fail("temperature", "stop"),
        "revoked": lambda: setattr(charger, "card", "rejected"),
    }


async def test_a_contactor_that_does_not_open_is_told_by_a_code_that_din_knows() -> None:
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.opens = False
        assert (await car.ask(power("Stop"))).ResponseCode == "FAILED"
        await car.close()
        event = await station.ended("refused")
        assert event["response_code"] == "FAILED"
        assert "the contactor is closed, not open" in event["reason"]


async def test_the_stop_is_answered_within_the_time_of_din() -> None:
    """PowerDeliveryRes is awaited for 2 s, less than half of what -2 allows: also where the current never falls."""
    scale = 0.2
    async with dc_bench(scale=scale) as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.measuring = False
        station.charger.opens = False
        began = time.monotonic()
        assert (await car.ask(power("Stop"))).ResponseCode == "FAILED"
        assert time.monotonic() - began < 1.5 * scale + 0.1


# --- wishes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["stop", "pause"])
async def test_a_wish_to_stop_goes_by_code_and_notification(wish: Any) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.wish = wish
        status = (await car.ask(demand())).DC_EVSEStatus
        assert (status.EVSEStatusCode, status.EVSENotification) == ("EVSE_Shutdown", "StopCharging")
        assert status.NotificationMaxDelay == 10


async def test_a_wish_to_renegotiate_is_none_and_ends_nothing() -> None:
    async with dc_bench(scale=0.01) as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.wish = "renegotiate"
        over = time.monotonic() + 0.3  # far beyond the delay after which a wish is enforced
        while time.monotonic() < over:
            status = (await car.ask(demand())).DC_EVSEStatus
            assert (status.EVSEStatusCode, status.EVSENotification) == ("EVSE_Ready", "None")
        station.charger.wish = "stop"
        assert (await car.ask(demand())).DC_EVSEStatus.EVSENotification == "StopCharging"


async def test_a_wish_to_stop_not_followed() -> None:
    async with dc_bench(scale=0.02) as station:
        car = await station.car_at(DC, "CurrentDemand")
        station.charger.wish = "stop"
        began = time.monotonic()
        body = await car.ask(demand())
        while body.ResponseCode == "OK":
            body = await car.ask(demand())
        assert body.ResponseCode == "FAILED"
        assert 0.2 - 0.05 <= time.monotonic() - began < 1
        await station.ended("refused")


async def test_an_insulation_that_nobody_monitors_is_a_warning() -> None:
    """DIN has no word for it, and nobody vouches for Valid."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "PreCharge first")
        station.charger.change(isolation="no_imd")
        assert (await car.ask(precharge())).DC_EVSEStatus.EVSEIsolationStatus == "Warning"


# --- authorization --------------------------------------------------------------------------------------------------


async def test_a_car_waits_for_the_card() -> None:
    async with dc_bench() as station:
        station.charger.card = "none"
        car = await station.car_at(DC, "ContractAuthentication")
        body = await car.ask(AUTHENTICATION)
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing")
        station.charger.card = "accepted"
        assert (await car.ask(AUTHENTICATION)).EVSEProcessing == "Finished"
        assert station.charger.asked[0].kind == "external"


async def test_a_rejected_card_ends_the_session() -> None:
    async with dc_bench() as station:
        station.charger.card = "rejected"
        car = await station.car_at(DC, "ContractAuthentication")
        body = await car.ask(AUTHENTICATION)
        assert (body.ResponseCode, body.EVSEProcessing) == ("FAILED", "Finished")
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize(("wait_s", "seconds"), [(180.0, 0.55), (0.2, 0.2)])
async def test_nobody_decides(wait_s: float, seconds: float) -> None:
    """A car that cannot be told to wait for a person waits 55 s, whatever is configured; less if that says so."""
    async with dc_bench(scale=0.01, authorization={"external_wait_s": wait_s}) as station:
        station.charger.card = "none"
        car = await station.car_at(DC, "ContractAuthentication")
        began = time.monotonic()
        body = await car.ask(AUTHENTICATION)
        while body.ResponseCode == "OK":
            assert body.EVSEProcessing == "Ongoing"
            body = await car.ask(AUTHENTICATION)
        assert body.ResponseCode == "FAILED"
        assert seconds - 0.05 <= time.monotonic() - began < seconds + 1
        assert station.charger.asked[0].deadline_s == pytest.approx(seconds)


async def test_a_car_that_takes_too_long_to_get_ready() -> None:
    """No step is late by itself, all of them together are: V2G_SECC_ReadyToCharge_Performance_Time, 148 s."""
    async with dc_bench(scale=0.01) as station:
        car = await station.car()
        for name, step in DC[: [name for name, _ in DC].index("PreCharge")]:
            if name in ("ServiceDiscovery", "ServicePaymentSelection", "ContractAuthentication", "CableCheck"):
                assert not await car.gone(0.4)
            assert str((await step(car, station.charger)).ResponseCode).startswith("OK"), name
        assert (await car.ask(power("Start"))).ResponseCode == "FAILED"
        await car.close()
        event = await station.ended("refused")
        assert "ready to charge" in event["reason"]


# --- real cars ------------------------------------------------------------------------------------------------------


async def _sends(car: Car, payload: bytes) -> Any:
    car.send(framed(payload))
    return (await car.receive()).body


async def test_teslas_trailing_byte() -> None:
    """Its ContractAuthenticationReq has one zero byte behind the end of the document."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "ContractAuthentication")
        body = await _sends(car, car.encode(AUTHENTICATION)[8:] + b"\0")
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Finished")


@pytest.mark.parametrize("evcc_id", [b"", bytes(6), bytes.fromhex("0018233723400000"), b"\xff" * 8])
async def test_ids_of_cars(evcc_id: bytes) -> None:
    """Empty in some, padded to eight bytes in others."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "SessionSetup")
        assert (await car.ask(din.SessionSetupReq(EVCCID=evcc_id))).ResponseCode == "OK_NewSessionEstablished"
        assert station.charger.said("session")[-1]["session"].evcc_id == evcc_id.hex(":").upper()


@pytest.mark.parametrize("session_id", [b"", b"\0", bytes(8)])
async def test_no_session_id_in_all_its_forms(session_id: bytes) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "SessionSetup")
        assert (await car.ask(SETUP, session_id=session_id)).ResponseCode == "OK_NewSessionEstablished"
        assert (await car.ask(din.ServiceDiscoveryReq())).ResponseCode == "OK"


async def test_a_first_precharge_voltage_that_is_wrong_is_followed_by_the_right_one() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "PreCharge first")
        for volts in (0, 120, 380):
            assert (await car.ask(precharge(volts=volts))).ResponseCode == "OK"
        assert (await car.ask(power("Start"))).ResponseCode == "OK"


async def test_values_without_a_unit_and_with_any_multiplier() -> None:
    request = demand()
    bare = msgspec.structs.replace(
        request,
        EVTargetVoltage=din.PhysicalValue(Multiplier=1, Value=38),
        EVTargetCurrent=din.PhysicalValue(Multiplier=-3, Value=20_000),
    )
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        assert (await car.ask(bare)).ResponseCode == "OK"
        target = station.charger.said("target")[-1]
        assert (target["voltage_v"], target["current_a"]) == (380, 20)


async def test_a_stop_right_after_the_setup() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "ServiceDiscovery")
        assert (await car.ask(stop())).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("session_ended")


def _captured() -> list[tuple[str, bytes]]:
    """All DIN requests of real cars: the car, and the payload."""
    with gzip.open(REFERENCE / "frames" / "real-cars.jsonl.gz", "rt", encoding="utf-8") as lines:
        frames = [json.loads(line) for line in lines]
    return [
        (frame["from"][0], bytes.fromhex(frame["exi"]))
        for frame in frames
        if frame["protocol"] == "din" and frame["direction"] == "evcc>secc"
    ]


def _waits_for(request: BodyElement) -> str:
    """Where the station waits for it."""
    name = type(request).__name__.removesuffix("Req")
    if isinstance(request, din.PowerDeliveryReq):
        return "PreCharge" if request.ReadyToChargeState else "CurrentDemand"
    first = {"PreCharge": "PreCharge first", "CurrentDemand": "CurrentDemand first"}
    return first.get(name, {"WeldingDetection": "WeldingOrStop", "SessionStop": "WeldingOrStop again"}.get(name, name))


@needs_reference
async def test_every_captured_request_of_a_real_car() -> None:
    """Each where it belongs, in the session we gave: accepted, unless the car itself reports an error."""
    wide = msgspec.structs.replace(DC_SETUP, max_voltage_v=1_000.0, max_current_a=500.0, max_power_w=350_000.0)
    seen = set()
    async with dc_bench() as station:
        for name, payload in _captured():
            message = schema("din").decode(payload)
            assert isinstance(message, din.V2G_Message)
            request = message.Body.BodyElement
            assert request is not None
            seen.add(type(request))
            await _fresh(station, wide)
            wait = _waits_for(request)
            car = await station.car_at(_roomy(DC), wait)
            station.charger.change(plug="B" if "WeldingOrStop" in wait else "C")
            body = await car.ask(request)
            status = getattr(request, "DC_EVStatus", None)
            healthy = status is None or status.EVErrorCode == "NO_ERROR" or isinstance(request, din.WeldingDetectionReq)
            assert str(body.ResponseCode).startswith("OK") or not healthy, (name, request, station.endings)
            await car.close()
            await station.until(lambda: bool(station.endings))
            station.assert_safe()
    assert len(seen) == 11


def _roomy(route: tuple[Way, ...]) -> tuple[Way, ...]:
    """The same way with a car that allows itself everything, so that other cars' values are in its bounds."""

    async def parameters(car: Car, _charger: BenchCharger) -> Any:
        return await car.ask(dc_parameters(max_a=500, max_v=1_000, max_w=320_000))

    return tuple((name, parameters if name == "ChargeParameterDiscovery" else step) for name, step in route)


async def _fresh(station: Bench, setup: api.Setup) -> None:
    await station.until(lambda: not station.station.used)
    station.charger.orders.clear()
    station.charger.setup = setup
    station.charger.change(plug="B", faults=[])


def test_every_request_is_tried() -> None:
    """So that the tables above speak of all that DIN has."""
    assert {_waits_for(each) for each in EVERY} >= {name for name, _ in DC[1:]} - {"CurrentDemand"}
