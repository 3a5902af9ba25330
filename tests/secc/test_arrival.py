"""When the time of a vehicle at the plug runs, for whom, and when it is over."""

from __future__ import annotations

import pytest

from secc.arrival import Arrival
from v2g.timing import Timing

SETUP_S = 18.0
SHORT = Timing(1e-9)


def arrival(timing: Timing | None = None) -> Arrival:
    return Arrival(timing or Timing())


def test_there_is_no_hurry_before_somebody_is_plugged_in() -> None:
    waiting = arrival()
    waiting.look(ready=False, reported=True)
    assert waiting.left() is None
    assert not waiting.over


def test_without_a_reported_link_the_time_runs_from_the_connection() -> None:
    waiting = arrival()
    waiting.look(ready=True, reported=False)
    assert waiting.left() is None
    assert waiting.came().left() == pytest.approx(SETUP_S, abs=1)


def test_it_runs_from_the_link_on() -> None:
    waiting = arrival()
    waiting.look(ready=True, reported=True)
    left = waiting.left()
    assert left == pytest.approx(SETUP_S, abs=1)
    waiting.look(ready=True, reported=True)
    assert (waiting.left() or 0.0) <= (left or 0.0), "looking again buys no time"
    assert waiting.came().left() <= (left or 0.0)


def test_it_is_over_with_nobody_here() -> None:
    waiting = arrival(SHORT)
    waiting.look(ready=True, reported=True)
    assert waiting.over
    waiting.look(ready=True, reported=True)
    assert waiting.over


@pytest.mark.parametrize("reported", [True, False], ids=["link lost", "controller gone"])
def test_it_begins_anew_with_the_link(reported: bool) -> None:
    waiting = arrival(SHORT)
    waiting.look(ready=True, reported=True)
    waiting.look(ready=False, reported=reported)
    assert not waiting.over
    waiting.look(ready=True, reported=True)
    assert waiting.left() is not None


def test_once_a_vehicle_was_here_there_is_no_hurry_any_more() -> None:
    waiting = arrival(SHORT)
    waiting.look(ready=True, reported=True)
    assert waiting.came().over
    waiting.look(ready=True, reported=True)
    assert not waiting.over
    assert waiting.left() is None


def test_the_next_vehicle_on_the_same_link_has_all_its_time() -> None:
    waiting = arrival()
    waiting.look(ready=True, reported=True)
    waiting.came()
    assert waiting.came().left() == pytest.approx(SETUP_S, abs=1)
