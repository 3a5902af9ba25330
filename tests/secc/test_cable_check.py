"""The cable check: which `passed` is ours, and which is a memory."""

from __future__ import annotations

from typing import Literal

from secc import api
from secc.cable_check import CableCheck


def state(
    seq: int, check: Literal["idle", "running", "passed", "failed"], session: str | None = "s"
) -> api.ChargerState:
    return api.ChargerState(
        boot="c",
        seq=seq,
        time="t",
        session=session,
        plug="C",
        contactor="open",
        lock="locked",
        isolation="valid",
        cable_check=check,
        ready=True,
        faults=[],
    )


def ack(command_id: str, result: Literal["accepted", "done", "rejected", "failed"] = "accepted") -> api.Ack:
    return api.Ack(boot="c", result=result, id=command_id)


def test_it_passes_once_acked_and_said_after_the_order() -> None:
    check = CableCheck()
    command = check.start("s", state(4, "idle"), deadline=30)
    assert check.look(state(5, "passed"), 1) == "running"
    assert check.take(ack(command)) == ""
    assert check.look(state(5, "passed"), 1) == "passed"
    assert check.look(state(6, "idle"), 99) == "passed"


def test_the_outcome_of_an_earlier_check_does_not_count() -> None:
    check = CableCheck()
    command = check.start("s", state(4, "passed"), deadline=30)
    check.take(ack(command))
    assert check.look(state(4, "passed"), 1) == "running"
    assert check.look(state(5, "passed", session="other"), 1) == "running"
    assert check.look(state(6, "failed"), 1) == "failed"


def test_a_refused_order_is_a_failed_check() -> None:
    check = CableCheck()
    check.take(ack(check.start("s", None, deadline=30), "rejected"))
    assert check.look(None, 0) == "failed"


def test_no_outcome_in_time_is_a_failure() -> None:
    check = CableCheck()
    check.take(ack(check.start("s", None, deadline=30)))
    assert check.look(state(1, "running"), 30) == "running"
    assert check.look(state(1, "running"), 30.1) == "failed"


def test_an_ack_for_another_order_is_refused() -> None:
    check = CableCheck()
    first = check.start("s", None, deadline=30)
    second = check.start("s", None, deadline=30)
    assert first != second
    assert check.take(ack(first)) == "unknown id"
    assert check.look(state(1, "passed"), 1) == "running"
