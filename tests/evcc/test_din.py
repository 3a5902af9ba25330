"""Our vehicle in DIN 70121 against a scripted station: what it says, when it gives up, that it leaves the plug safe."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from evcc import din
from evcc.trip import Declined, Interrupted, StationFault, Trip
from evcc.vehicle import Vehicle
from tests.evcc.bench_din import (
    FINISHED,
    OK,
    ONGOING,
    A,
    V,
    cable_check,
    dc_status,
    demand,
    discovery,
    parameters,
    precharge,
    scripted,
    usual,
    value,
    welding,
)
from tests.evcc.bench_station import SESSION, Answer, Script, ScriptedStation, packed
from tests.evcc.test_iso2 import Drive, Plug, settings
from tests.reference import REFERENCE, needs_reference
from v2g.din import DIN
from v2g.errors import PeerGone, Refused, Silence, Undecodable, V2GError
from v2g.journal import Journal
from v2g.link import EvccLink
from v2g.messages import din as messages
from v2g.messages.din import ResponseCode
from v2g.protocols import schema
from v2g.stream import TcpStream
from v2g.timing import Timing

SILENCE_S = 0.1
IDENTIFY = ["SessionSetup", "ServiceDiscovery", "ServicePaymentSelection", "ContractAuthentication"]
PREPARE = ["ChargeParameterDiscovery", "CableCheck", "PreCharge", "PowerDelivery"]
STEPS = [*IDENTIFY, *PREPARE, "CurrentDemand", "WeldingDetection", "SessionStop"]


async def drive(station: ScriptedStation, *, timing: Timing | None = None, stop_at: str = "", **plan: Any) -> Drive:
    """Drive a session to its end, or until somebody stops it at a request; the plug must be safe then."""
    plug = Plug(station)
    trip = Trip(vehicle=Vehicle(settings("DC", **plan)), cable=plug)
    if stop_at:
        _interrupt_at(station, trip, stop_at)
    stream = TcpStream(*await asyncio.open_connection("::1", station.port))
    link = EvccLink(stream, Journal(), timing or Timing(timeouts={"CurrentDemandReq": 2.0}))
    result = Drive(plug, trip)
    try:
        await link.negotiate([DIN])
        await din.drive(link, trip)
    except V2GError as error:
        result.error = error
    finally:
        await link.close()
    plug.assert_safe()
    return result


def _interrupt_at(station: ScriptedStation, trip: Trip, step: str) -> None:
    before = station.answers[step]

    def script(request: Any, turn: int) -> Answer:
        trip.interrupt.set()
        return before(request, turn)

    station.answers[step] = script


def all_of(station: ScriptedStation, kind: type[Any]) -> list[Any]:
    return [each for each in station.requests if isinstance(each, kind)]


async def test_a_session() -> None:
    async with scripted() as station:
        done = await drive(station)
        assert done.error is None
        assert station.names == [
            *IDENTIFY,
            *PREPARE,
            "CurrentDemand",
            "PowerDelivery",
            "WeldingDetection",
            "SessionStop",
        ]
        assert done.trip.vehicle.energy_wh > 0
        assert (done.trip.evse_id, done.trip.payment, done.trip.free) == ("49*89*6360", "external", False)
        assert {header.SessionID for header in station.headers[1:]} == {SESSION}
        assert station.headers[0].SessionID in (b"\0", bytes(8))


async def test_the_plug_follows_the_session() -> None:
    async with scripted() as station:
        done = await drive(station)
        actions = [each for each in done.plug.done if each[0] in ("pilot", "contactor")]
        assert actions[:4] == [("pilot", "C"), ("contactor", "closed"), ("contactor", "open"), ("pilot", "B")]
        before = done.plug.done.index(("pilot", "C"))
        assert ("request", STEPS.index("CableCheck")) in done.plug.done[:before]
        names = [type(each).__name__ for each in station.requests]
        opened = done.plug.done.index(("contactor", "open"))
        counted = [how for what, how in done.plug.done[:opened] if what == "request"]
        assert names[counted[-1] - 1] == "PowerDeliveryReq", "opened before the station had switched off"


async def test_what_a_din_vehicle_says_of_itself() -> None:
    async with scripted() as station:
        await drive(station, charge_s=0.05)
        [selection] = all_of(station, messages.ServicePaymentSelectionReq)
        assert selection.SelectedPaymentOption == "ExternalPayment"
        assert [each.ServiceID for each in selection.SelectedServiceList.SelectedService] == [1]
        [asked] = all_of(station, messages.ChargeParameterDiscoveryReq)
        assert (asked.EVRequestedEnergyTransferType, type(asked.EVChargeParameter)) == (
            "DC_extended",
            messages.DC_EVChargeParameter,
        )
        assert asked.EVChargeParameter.EVMaximumCurrentLimit == value(125, A)
        start, stop = all_of(station, messages.PowerDeliveryReq)
        assert (start.ReadyToChargeState, stop.ReadyToChargeState) == (True, False)
        assert start.ChargingProfile is None
        [charged] = all_of(station, messages.PreChargeReq)
        assert charged.EVTargetVoltage == value(370, V)
        assert charged.EVTargetCurrent == value(1, A)
        first = all_of(station, messages.CurrentDemandReq)[0]
        assert (first.EVTargetVoltage, first.EVTargetCurrent) == (value(375, V), value(125, A))


async def test_the_charge_service_goes_by_the_stations_own_id() -> None:
    async with scripted() as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("ExternalPayment", service=7)
        await drive(station)
        [selection] = all_of(station, messages.ServicePaymentSelectionReq)
        assert [each.ServiceID for each in selection.SelectedServiceList.SelectedService] == [7]


# --- it follows the station -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "status",
    [dc_status(notification="StopCharging"), dc_status("EVSE_Shutdown"), dc_status("EVSE_Shutdown", "StopCharging")],
)
async def test_a_wish_to_stop(status: messages.DC_EVSEStatus) -> None:
    """By the notification or by the status code: stations in the field use one, the other or both."""
    async with scripted() as station:
        station.answers["CurrentDemand"] = lambda _, turn: demand(status if turn == 3 else None)
        done = await drive(station, charge_s=30)
        assert done.error is None
        assert done.trip.ended_by == "station"
        assert station.names[-2:] == ["WeldingDetection", "SessionStop"]
        assert len(all_of(station, messages.CurrentDemandReq)) == 4


async def test_a_wish_to_renegotiate_means_nothing() -> None:
    async with scripted() as station:
        station.answers["CurrentDemand"] = lambda *_: demand(dc_status(notification="ReNegotiation"))
        done = await drive(station)
        assert done.error is None
        assert station.names.count("ChargeParameterDiscovery") == 1


@pytest.mark.parametrize("status", ["EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent"])
async def test_a_fault_in_the_loop(status: str) -> None:
    """Everything is off at once, and then the vehicle takes leave."""
    async with scripted() as station:
        station.answers["CurrentDemand"] = lambda _, turn: demand(dc_status(status if turn == 2 else "EVSE_Ready"))
        done = await drive(station, charge_s=30)
        assert isinstance(done.error, StationFault)
        assert status in str(done.error)
        assert station.names[-2:] == ["PowerDelivery", "SessionStop"]
        opened = done.plug.done.index(("contactor", "open"))
        counted = [how for what, how in done.plug.done[:opened] if what == "request"]
        assert isinstance(station.requests[counted[-1] - 1], messages.CurrentDemandReq), (
            "opened only after the farewell"
        )


STOPS = [dc_status(notification="StopCharging"), dc_status("EVSE_Shutdown")]


@pytest.mark.parametrize("status", STOPS)
@pytest.mark.parametrize("step", ["ChargeParameterDiscovery", "CableCheck"])
async def test_a_stop_before_there_is_power_to_stop(step: str, status: messages.DC_EVSEStatus) -> None:
    """Real cars send SessionStopReq at once, and so does this one."""
    parameter = msgspec.structs.replace(parameters().EVSEChargeParameter, DC_EVSEStatus=status)
    stopping = {"ChargeParameterDiscovery": parameters(parameter=parameter), "CableCheck": cable_check(status)}
    async with scripted() as station:
        station.answers[step] = lambda *_: stopping[step]
        done = await drive(station)
        assert isinstance(done.error, Declined)
        assert station.names[-2:] == [step, "SessionStop"]
        assert (done.trip.ended_by, ("contactor", "closed") in done.plug.done) == ("station", False)


@pytest.mark.parametrize("status", STOPS)
async def test_a_stop_in_the_precharge(status: messages.DC_EVSEStatus) -> None:
    async with scripted() as station:
        stopping = msgspec.structs.replace(precharge(value(100, V)), DC_EVSEStatus=status)
        station.answers["PreCharge"] = lambda *_: stopping
        done = await drive(station)
        assert station.names[-4:] == ["PreCharge", "PowerDelivery", "WeldingDetection", "SessionStop"]
        [power] = all_of(station, messages.PowerDeliveryReq)
        assert not power.ReadyToChargeState
        assert (done.trip.ended_by, ("contactor", "closed") in done.plug.done) == ("station", False)


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (discovery("Contract"), "no payment but Contract"),
        (discovery("ExternalPayment", transfer="AC_three_phase_core"), "no DC, only AC_three_phase_core"),
    ],
)
async def test_a_station_that_has_nothing_for_it(offer: messages.ServiceDiscoveryRes, reason: str) -> None:
    async with scripted() as station:
        station.answers["ServiceDiscovery"] = lambda *_: offer
        done = await drive(station)
        assert isinstance(done.error, Declined)
        assert reason in str(done.error)
        assert station.names == ["SessionSetup", "ServiceDiscovery", "SessionStop"]


@pytest.mark.parametrize("transfer", ["DC_core", "DC_combo_core", "AC_core3p_DC_extended"])
async def test_a_station_with_dc_among_others_will_do(transfer: str) -> None:
    async with scripted() as station:
        station.answers["ServiceDiscovery"] = lambda *_: discovery("Contract", "ExternalPayment", transfer=transfer)
        assert (await drive(station)).error is None


# --- somebody ends it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["ContractAuthentication", "ChargeParameterDiscovery", "CableCheck"])
async def test_interrupted_before_energy_flows_it_takes_leave(step: str) -> None:
    async with scripted() as station:
        done = await drive(station, stop_at=step)
        assert isinstance(done.error, Interrupted)
        assert station.names[-2:] == [step, "SessionStop"]
        assert ("contactor", "closed") not in done.plug.done


async def test_interrupted_while_energy_flows_it_stops_first() -> None:
    async with scripted() as station:
        done = await drive(station, stop_at="CurrentDemand", charge_s=30)
        assert done.error is None
        assert station.names[-3:] == ["PowerDelivery", "WeldingDetection", "SessionStop"]
        assert done.trip.ended_by == "vehicle"


# --- what ends it ---------------------------------------------------------------------------------------------------


async def fails(step: str, answer: Callable[[Script], Script]) -> Drive:
    """Exchange the answer to one step; the session must end there."""
    async with scripted() as station:
        station.answers[step] = answer(station.answers[step])
        async with asyncio.timeout(5):
            done = await drive(station, timing=Timing(timeouts={f"{step}Req": SILENCE_S}))
        assert done.error is not None, "the session went on"
        assert station.names[-1] == step, "the vehicle went on"
        async with asyncio.timeout(1):
            await station.left.wait()
        return done


def instead(answer: Answer) -> Callable[[Script], Script]:
    return lambda _: lambda *_: answer


@pytest.mark.parametrize("step", STEPS)
async def test_silence(step: str) -> None:
    began = time.monotonic()
    done = await fails(step, instead(None))
    assert isinstance(done.error, Silence)
    assert done.error.timer == f"V2G_EVCC_Msg_Timeout({step}Req)"
    assert SILENCE_S <= time.monotonic() - began < SILENCE_S + 1


@pytest.mark.parametrize("step", STEPS)
async def test_another_response(step: str) -> None:
    done = await fails(step, instead(messages.ServiceDetailRes(ResponseCode=OK, ServiceID=1)))
    assert isinstance(done.error, Undecodable)
    assert f"ServiceDetailRes came in answer to {step}Req" in str(done.error)


@pytest.mark.parametrize("step", STEPS)
async def test_a_request_in_answer(step: str) -> None:
    assert isinstance((await fails(step, instead(messages.ChargingStatusReq()))).error, Undecodable)


@pytest.mark.parametrize("step", STEPS[1:])
@pytest.mark.parametrize("session_id", [bytes(8), b"", b"\x08" * 8])
async def test_another_session_id(step: str, session_id: bytes) -> None:
    def foreign(usual_answer: Script) -> Script:
        def script(request: Any, turn: int) -> Answer:
            body = usual_answer(request, turn)
            assert isinstance(body, messages.BodyElement)
            return packed(body, session_id)

        return script

    done = await fails(step, foreign)
    assert isinstance(done.error, Undecodable)
    assert "session id" in str(done.error)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", ["FAILED", "FAILED_SequenceError", "FAILED_UnknownSession"])
async def test_a_failure(step: str, code: str) -> None:
    def failing(usual_answer: Script) -> Script:
        def script(request: Any, turn: int) -> Answer:
            body: Any = usual_answer(request, turn)
            failed: messages.BodyElement = msgspec.structs.replace(body, ResponseCode=ResponseCode(code))
            return failed

        return script

    done = await fails(step, failing)
    assert isinstance(done.error, Refused)
    assert done.error.code == code


@pytest.mark.parametrize("step", ["SessionSetup", "PreCharge", "CurrentDemand"])
@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK\r\n\r\n", b"\x01\xfe\x80\x01\xff\xff\xff\xff", b"\x01\xfe\x80\x01\0\0\0\x03\xff\xff\xff"]
)
async def test_garbage(step: str, data: bytes) -> None:
    assert isinstance((await fails(step, instead(data))).error, Undecodable)


@pytest.mark.parametrize("session_id", [b"", bytes(8), b"\1"])
async def test_a_session_without_a_proper_id(session_id: bytes) -> None:
    async with scripted() as station:
        setup = usual()["SessionSetup"](None, 0)
        assert isinstance(setup, messages.BodyElement)
        station.answers["SessionSetup"] = lambda *_: packed(setup, session_id)
        done = await drive(station)
        assert isinstance(done.error, Undecodable)


@pytest.mark.parametrize("step", ["CableCheck", "CurrentDemand"])
async def test_a_station_that_leaves(step: str) -> None:
    def leave(*_: object) -> Answer:
        raise ConnectionResetError

    async with scripted() as station:
        station.answers[step] = leave
        assert isinstance((await drive(station, charge_s=30)).error, PeerGone)


FOR_EVER: dict[str, tuple[Script, float, str]] = {
    "ContractAuthentication": (
        lambda *_: messages.ContractAuthenticationRes(ResponseCode=OK, EVSEProcessing=ONGOING),
        60,
        "V2G_EVCC_Ongoing_Timeout",
    ),
    "ChargeParameterDiscovery": (lambda *_: parameters(ONGOING), 60, "V2G_EVCC_Ongoing_Timeout"),
    "CableCheck": (lambda *_: cable_check(processing=ONGOING), 40, "V2G_EVCC_CableCheck_Timeout"),
    "PreCharge": (lambda *_: precharge(value(100, V)), 7, "V2G_EVCC_PreCharge_Timeout"),
}


@pytest.mark.parametrize("step", FOR_EVER)
async def test_ongoing_for_ever(step: str) -> None:
    script, seconds, timer = FOR_EVER[step]
    scale = 1.0 / seconds  # for the budgets; single messages get a second each
    timing = Timing(scale, timeouts={f"{each}Req": 1 / scale for each in usual()})
    async with scripted() as station:
        station.answers[step] = script
        began = time.monotonic()
        done = await drive(station, timing=timing, poll_s=0.002)
        assert isinstance(done.error, Silence)
        assert done.error.timer == timer
        assert 0.9 < time.monotonic() - began < 2.2
        assert station.names[-1] == step
        assert ("contactor", "closed") not in done.plug.done


async def test_a_station_that_is_never_ready_in_time() -> None:
    """Each step keeps to its own timer, all of them together take too long."""
    scale = 0.6 / 150
    timing = Timing(scale, timeouts={f"{each}Req": 1 / scale for each in usual()})
    waits = {"ContractAuthentication": 55, "ChargeParameterDiscovery": 55, "CableCheck": 38}

    async with scripted() as station:
        began: dict[str, float] = {}

        def slow(step: str, answer: Callable[[Any], messages.BodyElement]) -> Script:
            def script(*_: object) -> Answer:
                first = began.setdefault(step, time.monotonic())
                over = time.monotonic() - first > waits[step] * scale
                return answer(FINISHED if over else ONGOING)

            return script

        station.answers |= {
            "ContractAuthentication": slow(
                "ContractAuthentication",
                lambda state: messages.ContractAuthenticationRes(ResponseCode=OK, EVSEProcessing=state),
            ),
            "ChargeParameterDiscovery": slow("ChargeParameterDiscovery", parameters),
            "CableCheck": slow("CableCheck", lambda state: cable_check(processing=state)),
            "PreCharge": lambda *_: precharge(value(100, V)),
        }
        done = await drive(station, timing=timing, poll_s=0.001)
        assert isinstance(done.error, Silence)
        assert done.error.timer == "V2G_EVCC_ReadyToCharge_Timeout"
        assert ("contactor", "closed") not in done.plug.done


async def test_an_offer_that_is_none() -> None:
    status = messages.AC_EVSEStatus(
        PowerSwitchClosed=False, RCD=False, NotificationMaxDelay=0, EVSENotification=messages.EVSENotification.None_
    )
    ac = messages.AC_EVSEChargeParameter(
        AC_EVSEStatus=status, EVSEMaxVoltage=value(400, V), EVSEMaxCurrent=value(32, A), EVSEMinCurrent=value(6, A)
    )
    done = await fails("ChargeParameterDiscovery", instead(parameters(parameter=ac)))
    assert isinstance(done.error, Refused)


@pytest.mark.parametrize(
    ("isolation", "status"),
    [("Fault", "EVSE_Ready"), ("Invalid", "EVSE_Ready"), ("Valid", "EVSE_Malfunction"), ("Valid", "EVSE_NotReady")],
)
async def test_a_cable_check_that_is_not_passed(isolation: str, status: str) -> None:
    async with scripted() as station:
        station.answers["CableCheck"] = lambda *_: cable_check(dc_status(status, isolation=isolation))
        done = await drive(station)
    assert isinstance(done.error, StationFault)
    assert station.names[-2:] == ["CableCheck", "SessionStop"]
    assert ("contactor", "closed") not in done.plug.done


async def test_no_contactor_before_the_voltage_is_there() -> None:
    async with scripted() as station:
        station.answers["PreCharge"] = lambda request, turn: precharge(
            request.EVTargetVoltage if turn == 3 else value(349, V)
        )
        done = await drive(station)
        assert done.error is None
        closed = done.plug.done.index(("contactor", "closed"))
        counted = [how for what, how in done.plug.done[:closed] if what == "request"]
        assert counted[-1] == STEPS.index("PreCharge") + 4


async def test_welding_detection_is_repeated_until_the_voltage_is_gone() -> None:
    async with scripted() as station:
        station.answers["WeldingDetection"] = lambda _, turn: welding([300, 100, 59][turn])
        done = await drive(station)
        assert (done.error, done.trip.welding_v) == (None, 59)
        assert len(all_of(station, messages.WeldingDetectionReq)) == 3


async def test_values_without_a_unit_are_read() -> None:
    async with scripted() as station:
        bare = messages.PhysicalValue(Multiplier=0, Value=370)
        station.answers["PreCharge"] = lambda *_: precharge(bare)
        assert (await drive(station)).error is None


# --- what stations in the field answer ------------------------------------------------------------------------------


@needs_reference
async def test_answers_of_real_stations() -> None:
    """Every answer captured in DIN, one after the other where it belongs: read, and no fault of ours."""
    captured: dict[str, list[messages.BodyElement]] = {}
    with gzip.open(REFERENCE / "frames" / "real-cars.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            frame = json.loads(line)
            if frame["protocol"] == "din" and frame["direction"] == "secc>evcc":
                message = schema("din").decode(bytes.fromhex(frame["exi"]))
                assert isinstance(message, messages.V2G_Message)
                body = message.Body.BodyElement
                assert body is not None
                captured.setdefault(type(body).__name__.removesuffix("Res"), []).append(body)
    assert set(captured) == set(STEPS)
    for step, answers in captured.items():
        errors = [await _error_after(step, answer) for answer in answers[:20]]
        assert all(error is None or isinstance(error, Refused | Silence) for error in errors), (step, errors)
        assert None in errors, step


async def _error_after(step: str, answer: messages.BodyElement) -> V2GError | None:
    async with scripted() as station:
        station.answers[step] = _once(answer, station.answers[step])
        return (await drive(station)).error


def _once(answer: messages.BodyElement, usual_answer: Script) -> Script:
    return lambda request, turn: answer if turn == 0 else usual_answer(request, turn)
