"""Every request type at every wait of an ISO 15118-2 session, against a table written by hand.

The table is a transcription of the sequence tables of ISO 15118-2 (8.8.4), with two rules above it: before SessionSetup
everything else is a sequence error; after it SessionStopReq(Terminate) is accepted everywhere. No session code is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, DC, EVERY, Step, stop, walk
from v2g.messages.iso2 import BodyElement

# Certificates are neither installed nor updated here, receipts never asked for: those requests are legal nowhere.
LEGAL = {
    "SessionSetup": {"SessionSetup"},
    "ServiceDiscovery": {"ServiceDiscovery"},
    "ServiceOrPayment": {"ServiceDetail", "PaymentServiceSelection"},
    "Authorization": {"Authorization"},
    "ChargeParameterDiscovery": {"ChargeParameterDiscovery"},
    "PowerDeliveryStart": {"PowerDelivery"},
    "ChargingStatus first": {"ChargingStatus"},
    "ChargingStatus": {"ChargingStatus", "PowerDelivery"},
    "SessionStop": {"SessionStop"},
    "CableCheck": {"CableCheck"},
    "PreCharge first": {"PreCharge"},
    "PreCharge": {"PreCharge", "PowerDelivery"},
    "CurrentDemand first": {"CurrentDemand"},
    "CurrentDemand": {"CurrentDemand", "PowerDelivery"},
    "WeldingOrStop": {"WeldingDetection", "SessionStop"},
}
WAITS = [
    pytest.param(energy, route, wait, id=f"{energy}-{wait}")
    for energy, route in (("AC", AC), ("DC", DC))
    for wait, _ in route[1:]
]


def stem(message: object) -> str:
    return type(message).__name__.removesuffix("Req").removesuffix("Res")


async def inject(station: Bench, route: Sequence[Step], wait: str, request: BodyElement) -> tuple[Car, str]:
    """Send one request at a wait; return the car and the code of the answer, which must be of the right type."""
    station.charger.orders.clear()
    station.charger.change(plug="B")
    car = await station.car_at(route, wait)
    body = await car.ask(request)
    assert stem(body) == stem(request), f"{type(request).__name__} was answered by {type(body).__name__}"
    assert car.answers[-1].session_id == car.session_id
    return car, car.answers[-1].code


@pytest.mark.parametrize(("energy", "route", "wait"), WAITS)
async def test_every_request_at_a_wait(energy: str, route: Sequence[Step], wait: str) -> None:
    legal = LEGAL[wait.removesuffix(" again")]
    async with bench(energy) as station:
        for request in EVERY:
            if stem(request) in legal:
                continue
            car, code = await inject(station, route, wait, request)
            if stem(request) == "SessionStop" and wait != "SessionSetup":
                assert code == "OK"
                await car.gone()
                await station.ended("session_ended")
            else:
                assert code == "FAILED_SequenceError", stem(request)
                station.assert_open_before_answer()
                await car.close()
                event = await station.ended("refused")
                assert event["message"] == type(request).__name__
                assert event["response_code"] == "FAILED_SequenceError"
        await station.serves_next()


@pytest.mark.parametrize(("energy", "route", "wait"), WAITS)
async def test_an_offer_to_pause_is_refused_at_every_wait(energy: str, route: Sequence[Step], wait: str) -> None:
    async with bench(energy) as station:
        car, code = await inject(station, route, wait, stop("Pause"))
        assert code == ("FAILED_SequenceError" if wait == "SessionSetup" else "FAILED")
        station.assert_open_before_answer()
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize(("energy", "route", "wait"), [each for each in WAITS if "SessionSetup" not in str(each.id)])
@pytest.mark.parametrize("wrong", [bytes(8), b"", b"\x01" * 8, b"\x01", "truncated"])
async def test_another_session_id_at_a_wait(energy: str, route: Sequence[Step], wait: str, wrong: bytes | str) -> None:
    """Whatever is asked: an id that is not the session's is an unknown session, zero and empty ones included."""
    legal = next(request for request in EVERY if stem(request) in LEGAL[wait.removesuffix(" again")])
    async with bench(energy) as station:
        car = await station.car_at(route, wait)
        other = wrong if isinstance(wrong, bytes) else car.session_id[:4]
        body = await car.ask(legal, session_id=other)
        assert (stem(body), body.ResponseCode) == (stem(legal), "FAILED_UnknownSession")
        assert car.answers[-1].session_id == car.session_id
        station.assert_open_before_answer()
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize("wait", ["ServiceDiscovery", "ChargingStatus"])
@pytest.mark.parametrize("session_id", [bytes(8), b"\0", b"\x01" * 8, None])
async def test_a_second_setup_is_a_sequence_error_whatever_its_session_id(wait: str, session_id: bytes | None) -> None:
    """SessionSetupRes knows no FAILED_UnknownSession."""
    async with bench("AC") as station:
        car = await station.car_at(AC, wait)
        body = await car.ask(EVERY[0], session_id=session_id)
        assert (stem(body), body.ResponseCode) == ("SessionSetup", "FAILED_SequenceError")


@pytest.mark.parametrize("session_id", [b"", b"\0", bytes(8), b"\x05", b"\x05" * 8])
async def test_setup_with_any_session_id_opens_a_new_session(session_id: bytes) -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "SessionSetup")
        body = await car.ask(EVERY[0], session_id=session_id)
        assert body.ResponseCode == "OK_NewSessionEstablished"
        assert len(car.session_id) == 8
        assert any(car.session_id)
        assert car.session_id != session_id.ljust(8, b"\0")


async def test_session_ids_differ() -> None:
    async with bench("AC") as station:
        ids = set()
        for _ in range(5):
            car = await station.car_at(AC, "ServiceDiscovery")
            ids.add(car.session_id)
            await car.ask(stop())
            await car.gone()
        assert len(ids) == 5


@pytest.mark.parametrize(("energy", "route"), [("AC", AC), ("DC", DC)])
async def test_after_a_failure_only_a_stop_is_heard(energy: str, route: Sequence[Step]) -> None:
    async with bench(energy) as station:
        car = await station.car_at(route, "ChargeParameterDiscovery")
        assert (await car.ask(EVERY[1])).ResponseCode == "FAILED_SequenceError"
        assert (await car.ask(stop())).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("refused")


@pytest.mark.parametrize("request_", [stop("Pause"), EVERY[1], EVERY[7]], ids=["pause", "discovery", "authorization"])
async def test_after_a_failure_nothing_else_is_answered(request_: BodyElement) -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "Authorization")
        await car.ask(EVERY[1])
        car.send(car.encode(request_))
        assert await car.gone()
        await station.ended("refused")


async def test_a_stop_with_another_session_id_after_a_failure_is_not_answered() -> None:
    async with bench("AC") as station:
        car = await station.car_at(AC, "Authorization")
        await car.ask(EVERY[1])
        car.send(car.encode(stop(), session_id=bytes(8)))
        assert await car.gone()


async def test_a_failed_session_is_closed_though_the_car_stays() -> None:
    async with bench("AC", scale=0.02) as station:
        car = await station.car_at(AC, "ServiceDiscovery")
        await car.ask(EVERY[2])
        assert await car.gone(5 * 0.02 + 1)
        await station.ended("refused")
        await station.serves_next()


async def test_no_answer_of_the_walk_lacks_a_session_id() -> None:
    async with bench("DC") as station:
        car = await station.car()
        await walk(car, station.charger, DC)
        assert {answer.session_id for answer in car.answers} == {car.session_id}
