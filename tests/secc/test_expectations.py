"""How long a vehicle may take to do what it was asked, and to come down to a limit."""

from __future__ import annotations

import pytest

from secc.expectations import Expectations
from v2g import timing


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    clock = Now()
    monkeypatch.setattr("secc.expectations.Budget", lambda seconds: timing.Budget(seconds, clock))
    return clock


def expectations() -> Expectations:
    return Expectations(delay_s=10, follow_s=5)


def test_the_time_runs_from_the_first_time_asked(now: Now) -> None:
    expected = expectations()
    for _ in range(11):
        expected.ask("stop")
        assert expected.overdue == ""
        now.time += 0.95
    expected.ask("stop")
    assert "stop" in expected.overdue


def test_another_wish_has_its_own_time(now: Now) -> None:
    expected = expectations()
    expected.ask("renegotiate")
    now.time += 9
    expected.ask("stop")
    now.time += 8
    assert expected.overdue == ""
    now.time += 2
    assert expected.overdue


def test_a_wish_withdrawn_is_none(now: Now) -> None:
    expected = expectations()
    expected.ask("pause")
    expected.ask("none")
    now.time += 100
    assert expected.overdue == ""


@pytest.mark.parametrize(("wish", "overdue"), [("renegotiate", False), ("stop", True)])
def test_a_renegotiation_answers_no_wish_to_stop(now: Now, wish: str, overdue: bool) -> None:
    expected = expectations()
    expected.ask("stop" if wish == "stop" else "renegotiate")
    expected.renegotiated()
    now.time += 11
    assert bool(expected.overdue) == overdue


def test_too_much_is_told_once_then_stopped_then_aborted(now: Now) -> None:
    expected = expectations()
    told = []
    for _ in range(20):
        told.append(expected.draws(20, 18))
        if now.time < 105:
            assert not expected.exceeding
        now.time += 1
        if now.time < 115:
            assert expected.overdue == ""
    assert told.count(True) == 1
    assert told.index(True) == 5
    assert "draws more" in expected.overdue


@pytest.mark.parametrize(
    ("drawn", "exceeding"),
    [
        ([20, 20, 20, 20, 20], False),
        ([20, 20, 20, 20, 20, 20], True),
        ([20, 20, 20, 20, 18, 20, 20, 20, 20, 20], False),
        ([20, 20, 20, 20, 20, 20, 18], False),
    ],
)
def test_coming_down_begins_anew(now: Now, drawn: list[float], exceeding: bool) -> None:
    """One reading each second; 18 A are allowed."""
    expected = expectations()
    for amperes in drawn:
        expected.draws(amperes, 18)
        now.time += 1
    assert expected.exceeding == exceeding
    now.time += 8
    assert expected.overdue == ""
