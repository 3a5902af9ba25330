"""What goes before and beside the order of an ISO 15118-2 session: ids of sessions, and the end after a failure.

The order itself is held to the table of the standard in tests/lab.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.secc.bench import bench
from tests.secc.bench_requests import AC, DC, EVERY, Step, stem, stop, walk
from v2g.messages.iso2 import BodyElement


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
