"""How long a vehicle may take to do what it was asked, and to come down to a limit."""

from __future__ import annotations

import pytest

from secc import api
from secc.expectations import Expectations, excess
from secc.limits import Bounds
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
        told.append(expected.draws(excessive=True))
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
        expected.draws(excessive=amperes > 18)
        now.time += 1
    assert expected.exceeding == exceeding
    now.time += 8
    assert expected.overdue == ""


@pytest.mark.parametrize(
    ("current_a", "power_w", "told"),
    [
        (19.6, None, ""), (19.7, None, "19.7 A"), (-19.7, None, "19.7 A"),
        (16.0, 5_548.0, ""), (16.0, 5_549.0, "5549 W"), (16.0, -5_549.0, "5549 W"),
    ],
)  # fmt: skip
def test_what_is_too_much(current_a: float, power_w: float | None, told: str) -> None:
    """16 A and 3.68 kW are allowed; a tenth more, and 2 A or 1.5 kW, may be the meter's fault."""
    measured = api.Measurement(boot="b", sample=1, voltage_v=230, current_a=current_a, power_w=power_w)
    bounds = Bounds(max_w=3_680, max_a=16, max_v=None, min_v=None, limited_by={})
    assert excess(measured, bounds).startswith(told)
    assert bool(excess(measured, bounds)) == bool(told)
