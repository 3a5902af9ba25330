"""Bytes and time: what a peer may do to the stream of a station, and how long it may take over it."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.secc.bench import ac_bench, bench, dc_bench
from tests.secc.bench_car import Car, framed, hello
from tests.secc.bench_requests import (
    AC,
    DC,
    EVERY,
    SETUP,
    STATUS,
    Step,
    demand,
    power,
    precharge,
    stop,
    walk,
)
from v2g.messages import iso2
from v2g.protocols import schema

ROUTES = {"AC": AC, "DC": DC}
SCALE = 0.004
SEQUENCE_S = 60 * SCALE
SETUP_S = 18 * SCALE
LATE_S = 1.0
"""How much later than its timer an end may come on a busy machine."""


def raw(message: Any) -> bytes:
    return framed(schema("iso2").encode(message))


# --- the sequence timeout -------------------------------------------------------------------------------------------

AFTER_SETUP = [
    pytest.param(energy, route, wait, id=f"{energy}-{wait}")
    for energy, route in (("AC", AC), ("DC", DC))
    for wait, _ in route[2:]
    if not wait.endswith("again")
]


@pytest.mark.parametrize(("energy", "route", "wait"), AFTER_SETUP)
async def test_sequence_timeout(energy: str, route: Sequence[Step], wait: str) -> None:
    async with bench(energy, scale=SCALE) as station:
        car = await station.car_at(route, wait)
        began = time.monotonic()
        assert await car.gone(SEQUENCE_S + 2)
        assert SEQUENCE_S - 0.05 <= time.monotonic() - began < SEQUENCE_S + LATE_S
        event = await station.ended("silence")
        assert "V2G_SECC_Sequence_Timeout" in event["reason"]
        await station.serves_next()


@pytest.mark.parametrize("wait", ["SupportedAppProtocol", "SessionSetup"])
async def test_setup_timeout(wait: str) -> None:
    async with ac_bench(scale=SCALE * 5) as station:
        began = time.monotonic()
        car = await station.car_at(AC, wait)
        assert await car.gone(5 * SETUP_S + 2)
        assert 5 * SETUP_S - 0.05 <= time.monotonic() - began < 5 * SETUP_S + LATE_S
        await station.ended("silence")
        await station.serves_next()


async def test_setup_time_counts_from_the_beginning() -> None:
    """SupportedAppProtocol late does not buy time for SessionSetup."""
    async with ac_bench(scale=SCALE * 5) as station:
        began = time.monotonic()
        car = await station.car()
        assert not await _silent_for(car, 3 * SETUP_S)
        await car.negotiate()
        assert await car.gone(5 * SETUP_S + 2)
        assert time.monotonic() - began < 5 * SETUP_S + LATE_S


async def _silent_for(car: Car, seconds: float) -> bool:
    """Wait; whether the station closed meanwhile."""
    return await car.gone(seconds)


Feed = Callable[[Car, int], bytes]
FEEDS: dict[str, Feed] = {
    "a request byte by byte": lambda _, turn: framed(bytes(1_000))[turn : turn + 1],
    "frames of another payload type": lambda _, __: framed(b"\0\0", 0x8002),
    "empty frames": lambda _, __: struct.pack(">BBHI", 1, 0xFE, 0x8001, 0),
    "frames of another version": lambda _, __: struct.pack(">BBHI", 2, 0xFD, 0x8001, 1) + b"x",
}


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("wait", ["SessionSetup", "ChargingStatus"])
async def test_what_is_no_request_extends_no_wait(feed: str, wait: str) -> None:
    scale, limit = (SCALE * 5, 5 * SETUP_S) if wait == "SessionSetup" else (SCALE * 2, 2 * SEQUENCE_S)
    async with ac_bench(scale=scale) as station:
        car = await station.car_at(AC, wait)
        began = time.monotonic()
        turn = 0
        while time.monotonic() - began < limit + 2:
            car.send(FEEDS[feed](car, turn))
            turn += 1
            if await _silent_for(car, limit / 40):
                break
        assert time.monotonic() - began < limit + LATE_S
        assert turn > 5
        await station.ended("silence")


async def test_undecodable_messages_extend_no_wait_where_they_are_ignored() -> None:
    async with ac_bench(scale=SCALE * 2, session={"undecodable": "ignore"}) as station:
        car = await station.car_at(AC, "ChargingStatus")
        began = time.monotonic()
        while not await _silent_for(car, SEQUENCE_S / 20):
            car.send(framed(b"\xff" * 7))
            assert time.monotonic() - began < 2 * SEQUENCE_S + LATE_S
        await station.ended("silence")


# --- budgets --------------------------------------------------------------------------------------------------------


async def polled(car: Car, request: Any, seconds: float) -> float:
    """Ask again and again until it fails; the time that took."""
    began = time.monotonic()
    body = await car.ask(request)
    while body.ResponseCode == "OK":
        assert getattr(body, "EVSEProcessing", "Ongoing") != "Finished"
        assert time.monotonic() - began < seconds + 2
        body = await car.ask(request)
    assert body.ResponseCode == "FAILED"
    return time.monotonic() - began


async def test_budgets_begin_anew_with_their_phase() -> None:
    """What the first cable check and pre-charge took is not missing in the second."""
    async with dc_bench(scale=0.05) as station:
        car = await station.car_at(DC, "PreCharge first again")
        assert 0.24 <= await polled(car, precharge(), 0.25) < 0.25 + LATE_S


async def test_external_identification_budget() -> None:
    async with ac_bench(authorization={"external_wait_s": 0.2}) as station:
        station.charger.card = "none"
        car = await station.car_at(AC, "Authorization")
        body = await car.ask(EVERY[7])
        assert body.EVSEProcessing == "Ongoing_WaitingForCustomerInteraction"
        assert 0.15 <= await polled(car, EVERY[7], 0.2) < 0.2 + LATE_S
        await car.close()
        await station.ended("refused")


async def test_a_refused_card_leaves_the_car_waiting_for_the_next() -> None:
    async with ac_bench() as station:
        station.charger.card = "rejected"
        car = await station.car_at(AC, "Authorization")
        body = await car.ask(EVERY[7])
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing_WaitingForCustomerInteraction")
        station.charger.card = "accepted"
        assert (await car.ask(EVERY[7])).EVSEProcessing == "Finished"


# --- the peer goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reset", [False, True], ids=["FIN", "RST"])
@pytest.mark.parametrize(
    ("energy", "wait"),
    [("AC", "SupportedAppProtocol"), ("AC", "SessionSetup"), ("AC", "ChargingStatus"), ("DC", "CableCheck"),
     ("DC", "PreCharge"), ("DC", "CurrentDemand"), ("DC", "WeldingOrStop"), ("AC", "SessionStop")],
)  # fmt: skip
async def test_a_peer_that_goes(energy: str, wait: str, reset: bool) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], wait)
        if reset:
            raw_socket = car.writer.get_extra_info("socket")
            raw_socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            car.writer.transport.abort()
        else:
            car.writer.write_eof()
        await station.ended("gone", within=1.0)
        await station.serves_next()


async def test_a_peer_that_goes_with_its_request() -> None:
    """The answer finds nobody; that is no fault of ours."""
    async with ac_bench() as station:
        car = await station.car_at(AC, "PowerDeliveryStart")
        car.send(car.encode(power("Start")))
        await asyncio.sleep(0)
        car.writer.transport.abort()
        station.charger.change(plug="C")
        await station.ended("gone")
        await station.serves_next()


# --- bytes ----------------------------------------------------------------------------------------------------------

TWO_TO_THE_16 = 65_536
CLOSES: dict[str, Callable[[Car], bytes]] = {
    "garbage": lambda _: b"GET / HTTP/1.1\r\n\r\n",
    "oversized": lambda _: struct.pack(">BBHI", 1, 0xFE, 0x8001, TWO_TO_THE_16 + 1),
    "absurd length": lambda _: struct.pack(">BBHI", 1, 0xFE, 0x8001, 0xFFFFFFFF) + b"x",
    "no EXI": lambda _: framed(b"\x00" * 20),
    "half a message": lambda car: framed(car.encode(SETUP)[8:12]),
    "random": lambda _: framed(bytes(range(7, 200))),
    "a response": lambda car: car.encode(iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.OK)),
    "a second protocol offer": lambda _: framed(schema("sap").encode(hello())),
    "three at once": lambda car: car.encode(STATUS) * 3,
    "many at once": lambda car: car.encode(STATUS) * 500,
    "no body": lambda car: raw(iso2.V2G_Message(Header=iso2.MessageHeader(SessionID=car.session_id), Body=iso2.Body())),
}


@pytest.mark.parametrize("energy", ["AC", "DC"])
@pytest.mark.parametrize("case", CLOSES)
async def test_bytes_that_end_a_session(energy: str, case: str) -> None:
    async with bench(energy) as station:
        car = await station.car_at(ROUTES[energy], {"AC": "ChargingStatus", "DC": "CurrentDemand"}[energy])
        car.send(CLOSES[case](car))
        if case.endswith("at once"):
            await _drained(car)
        else:
            assert await car.gone(1.0)
        event = await station.ended("undecodable", within=1.0)
        assert event["reason"]
        assert len(event["reason"]) <= 500
        await station.serves_next()


async def _drained(car: Car) -> None:
    """Read until the end, whatever comes before it."""
    try:
        async with asyncio.timeout(2):
            await car.reader.read()
    except ConnectionError:
        return


@pytest.mark.parametrize("case", [name for name in CLOSES if name != "no body"])
async def test_bytes_that_end_a_connection_before_its_session(case: str) -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "SessionSetup")
        car.send(CLOSES[case](car))
        await _drained(car)
        await station.until(lambda: bool(station.endings))
        assert station.endings[0]["kind"] in {"undecodable", "refused"}
        station.assert_safe()
        await station.serves_next()


@pytest.mark.parametrize("case", ["no EXI", "half a message", "random", "a second protocol offer", "no body"])
async def test_undecodable_messages_may_be_ignored(case: str) -> None:
    async with ac_bench(session={"undecodable": "ignore"}) as station:
        car = await station.car_at(AC, "ChargingStatus")
        car.send(CLOSES[case](car))
        assert (await car.ask(STATUS)).ResponseCode == "OK"


@pytest.mark.parametrize("case", ["a response", "three at once", "garbage", "oversized"])
async def test_what_closes_though_undecodable_messages_are_ignored(case: str) -> None:
    async with ac_bench(session={"undecodable": "ignore"}) as station:
        car = await station.car_at(AC, "ChargingStatus")
        car.send(CLOSES[case](car))
        await _drained(car)
        await station.ended("undecodable")


async def test_a_truncated_frame_then_silence() -> None:
    async with ac_bench(scale=SCALE) as station:
        car = await station.car_at(AC, "ServiceDiscovery")
        car.send(car.encode(iso2.ServiceDiscoveryReq())[:-1])
        assert await car.gone(SEQUENCE_S + 1)
        await station.ended("silence")


async def test_a_wrong_header_is_skipped() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        car.send(struct.pack(">BBHI", 1, 0xFE, 0x9000, 2) + b"\x10\x00")
        car.send(struct.pack(">BBHI", 1, 0xFE, 0x8001, 0))
        car.send(framed(bytes(60_000), 0x8002))
        assert (await car.ask(STATUS)).ResponseCode == "OK"


async def test_a_request_in_pieces() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        for byte in car.encode(STATUS):
            car.send(bytes([byte]))
            await asyncio.sleep(0)
        assert (await car.receive()).code == "OK"


async def test_one_early_request_is_held() -> None:
    async with ac_bench() as station:
        car = await station.car_at(AC, "ChargingStatus")
        car.send(car.encode(STATUS) + car.encode(power("Stop")))
        assert [(await car.receive()).name for _ in range(2)] == ["ChargingStatusRes", "PowerDeliveryRes"]


async def test_early_requests_while_one_is_in_work() -> None:
    """The answer waits for the contactor; what comes meanwhile is held once and not twice."""
    async with ac_bench() as station:
        charger = station.charger
        car = await station.car_at(AC, "PowerDeliveryStart")
        charger.change(plug="C")
        charger.closes = False
        car.send(car.encode(power("Start")) + car.encode(STATUS))
        await station.until(lambda: charger.levels["contactor"] == "closed")
        charger.change(contactor="closed")
        assert [(await car.receive()).name for _ in range(2)] == ["PowerDeliveryRes", "ChargingStatusRes"]


# --- the handshake of protocols -------------------------------------------------------------------------------------


async def test_no_protocol_in_common() -> None:
    async with ac_bench() as station:
        car = await station.car()
        response = await car.negotiate("urn:din:70121:2012:MsgDef")
        assert (response.ResponseCode, response.SchemaID) == ("Failed_NoNegotiation", None)
        assert await car.gone()
        await station.ended("refused")
        await station.serves_next()


async def test_another_major_version_is_no_protocol_in_common() -> None:
    async with ac_bench() as station:
        car = await station.car()
        car.send(framed(schema("sap").encode(hello(major=1))))
        response = schema("sap").decode(await car.read_payload())
        assert getattr(response, "ResponseCode", "") == "Failed_NoNegotiation"


async def test_a_session_message_before_the_handshake() -> None:
    async with ac_bench() as station:
        car = await station.car()
        car.send(car.encode(SETUP))
        assert await car.gone()
        await station.ended("undecodable")


# --- other connections ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True])
async def test_a_second_car_while_one_is_here(certificates: Path, tls: bool) -> None:
    async with ac_bench(certificates=certificates) as station:
        car = await station.car_at(AC, "ChargingStatus")
        with pytest.raises((asyncio.IncompleteReadError, OSError)):
            await (await station.car(tls=tls)).negotiate()
        assert [each["kind"] for each in station.charger.said("event")][-1] == "connection_refused"
        assert (await car.ask(STATUS)).ResponseCode == "OK"
        assert station.endings == []


async def test_without_a_charger_nobody_is_served() -> None:
    async with ac_bench() as station:
        setup, station.charger.setup = station.charger.setup, None
        assert await (await station.car()).gone()
        station.charger.setup = setup
        await station.serves_next()


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"", "silence"),
        (b"\x16\x03\x01\x00\x05hello", "undecodable"),
        (b"GET / HTTP/1.1\r\n\r\n", "undecodable"),
        (b"\x16\x03\x01\xff\xff", "undecodable"),
    ],
)
async def test_tls_that_comes_to_nothing(certificates: Path, greeting: bytes, kind: str) -> None:
    async with ac_bench(certificates=certificates, tls={"handshake_s": 0.2}) as station:
        assert station.station.tls_port is not None
        car = await Car.connect(station.station.tls_port)
        car.send(greeting)
        await _drained(car)
        await car.close()
        await station.ended(kind)
        await walk(await station.car(tls=True), station.charger, AC)


async def test_plain_port_is_shut_where_tls_is_required(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, tls={"required": True}) as station:
        assert station.station.tcp_port is None


async def test_a_slow_peer_of_a_tls_session_is_closed(certificates: Path) -> None:
    async with ac_bench(certificates=certificates, scale=SCALE * 2) as station:
        car = await station.car_at(AC, "Authorization", tls=True)
        assert await car.gone(2 * SEQUENCE_S + 1)
        await station.ended("silence")


# --- how quick ------------------------------------------------------------------------------------------------------


async def test_answer_time_of_the_dc_loop(capsys: pytest.CaptureFixture[str]) -> None:
    """Printed for people; nothing is asserted, a busy machine proves nothing."""
    async with dc_bench() as station:
        car = await station.car_at(DC, "CurrentDemand")
        request = car.encode(demand())
        took, payload = [], b""
        for _ in range(300):
            began = time.perf_counter()
            car.send(request)
            payload = await car.read_payload()
            took.append((time.perf_counter() - began) * 1e3)
        last = schema("iso2").decode(payload)
        assert isinstance(last, iso2.V2G_Message)
        assert isinstance(last.Body.BodyElement, iso2.CurrentDemandRes)
        took.sort()
        with capsys.disabled():
            print(
                f"\nCurrentDemand, request to response in process: median {took[150]:.2f} ms, 99 % {took[297]:.2f} ms"
            )
        assert (await car.ask(stop())).ResponseCode == "OK"
