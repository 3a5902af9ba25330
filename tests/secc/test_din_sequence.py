"""What goes before and beside the order of a DIN 70121 session: ids of sessions, and the end after a failure.

The order itself is held to the table of the standard in tests/lab.
"""

from __future__ import annotations

import pytest

from tests.secc.bench import dc_bench
from tests.secc.bench_din import DC, EVERY, SETUP, stop
from tests.secc.bench_requests import walk
from v2g.messages.din import BodyElement


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
