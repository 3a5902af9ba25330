"""Every request type at every wait of a DIN 70121 session, against a table written by hand.

The table is a transcription of the sequence of DIN 70121, with two rules above it: before SessionSetup everything else
is a sequence error; after it SessionStopReq is accepted everywhere. No session code is read.
"""

from __future__ import annotations

import pytest

from tests.secc.bench import Bench, dc_bench
from tests.secc.bench_car import Car
from tests.secc.bench_din import DC, EVERY, SETUP, stop
from tests.secc.bench_requests import walk
from v2g.messages.din import BodyElement

# What only the schema has (contracts, AC, receipts, details of services) is legal nowhere.
LEGAL = {
    "SessionSetup": {"SessionSetup"},
    "ServiceDiscovery": {"ServiceDiscovery"},
    "ServicePaymentSelection": {"ServicePaymentSelection"},
    "ContractAuthentication": {"ContractAuthentication"},
    "ChargeParameterDiscovery": {"ChargeParameterDiscovery"},
    "CableCheck": {"CableCheck"},
    "PreCharge first": {"PreCharge"},
    "PreCharge": {"PreCharge", "PowerDelivery"},
    "CurrentDemand first": {"CurrentDemand"},
    "CurrentDemand": {"CurrentDemand", "PowerDelivery"},
    "WeldingOrStop": {"WeldingDetection", "SessionStop"},
}
WAITS = [wait for wait, _ in DC[1:]]


def stem(message: object) -> str:
    return type(message).__name__.removesuffix("Req").removesuffix("Res")


async def inject(station: Bench, wait: str, request: BodyElement) -> tuple[Car, str]:
    """Send one request at a wait; return the car and the code of the answer, which must be of the right type."""
    station.charger.orders.clear()
    station.charger.change(plug="B")
    car = await station.car_at(DC, wait)
    body = await car.ask(request)
    assert stem(body) == stem(request), f"{type(request).__name__} was answered by {type(body).__name__}"
    assert car.answers[-1].session_id == car.session_id
    return car, car.answers[-1].code


@pytest.mark.parametrize("wait", WAITS)
async def test_every_request_at_a_wait(wait: str) -> None:
    legal = LEGAL[wait.removesuffix(" again")]
    async with dc_bench() as station:
        for request in EVERY:
            if stem(request) in legal:
                continue
            car, code = await inject(station, wait, request)
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


@pytest.mark.parametrize("wait", WAITS[1:])
@pytest.mark.parametrize("wrong", [bytes(8), b"", b"\x01" * 8, b"\x01", "truncated"])
async def test_another_session_id_at_a_wait(wait: str, wrong: bytes | str) -> None:
    """[V2G-DC-391]: whatever is asked, an id that is not the session's is an unknown session."""
    legal = next(request for request in EVERY if stem(request) in LEGAL[wait.removesuffix(" again")])
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        other = wrong if isinstance(wrong, bytes) else car.session_id[:4]
        body = await car.ask(legal, session_id=other)
        assert (stem(body), body.ResponseCode) == (stem(legal), "FAILED_UnknownSession")
        assert car.answers[-1].session_id == car.session_id
        station.assert_open_before_answer()
        await car.close()
        await station.ended("refused")


@pytest.mark.parametrize("wait", WAITS[1:])
async def test_an_unknown_session_comes_before_the_order(wait: str) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, wait)
        illegal = next(each for each in EVERY[1:] if stem(each) not in LEGAL[wait.removesuffix(" again")])
        assert (await car.ask(illegal, session_id=bytes(8))).ResponseCode == "FAILED_UnknownSession"


@pytest.mark.parametrize("session_id", [b"", b"\0", bytes(8), b"\x05", b"\x05" * 8])
async def test_setup_with_any_session_id_opens_a_new_session(session_id: bytes) -> None:
    """Without a pause there is no old session to join."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "SessionSetup")
        body = await car.ask(SETUP, session_id=session_id)
        assert body.ResponseCode == "OK_NewSessionEstablished"
        assert (len(car.session_id), any(car.session_id)) == (8, True)
        assert car.session_id != session_id.ljust(8, b"\0")


async def test_after_a_failure_only_a_stop_is_heard() -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "ChargeParameterDiscovery")
        assert (await car.ask(EVERY[1])).ResponseCode == "FAILED_SequenceError"
        assert (await car.ask(stop())).ResponseCode == "OK"
        assert await car.gone()
        await station.ended("refused")


@pytest.mark.parametrize("request_", [EVERY[1], EVERY[5]], ids=["discovery", "authentication"])
async def test_after_a_failure_nothing_else_is_answered(request_: BodyElement) -> None:
    async with dc_bench() as station:
        car = await station.car_at(DC, "ContractAuthentication")
        await car.ask(EVERY[1])
        car.send(car.encode(request_))
        assert await car.gone()
        await station.ended("refused")


async def test_no_answer_of_the_walk_lacks_a_session_id() -> None:
    async with dc_bench() as station:
        car = await station.car()
        await walk(car, station.charger, DC)
        assert {answer.session_id for answer in car.answers} == {car.session_id}


def test_every_wait_is_in_the_table() -> None:
    assert {name.removesuffix(" again") for name, _ in DC} - {"SupportedAppProtocol"} == set(LEGAL)
