"""When the time of a vehicle at the plug runs, for whom, and when it is over."""

from __future__ import annotations

import pytest

from secc.arrival import Arrival
from v2g.timing import Timing

SETUP_S = 18.0
SHORT = Timing(1e-9)


def arrival(timing: Timing | None = None) -> Arrival:
    return Arrival(timing or Timing())


def link(waiting: Arrival) -> None:
    """D-LINK_READY, seen from before on."""
    waiting.look(absent=True, ready=False)
    waiting.look(absent=False, ready=True)


def test_there_is_no_hurry_before_somebody_is_plugged_in() -> None:
    waiting = arrival()
    waiting.look(absent=True, ready=False)
    assert waiting.left() is None
    assert not waiting.over


def test_of_a_link_that_was_there_before_nobody_knows_since_when() -> None:
    waiting = arrival()
    waiting.look(absent=False, ready=True)
    assert waiting.left() is None
    assert waiting.came().left() == pytest.approx(SETUP_S, abs=1)


def test_it_runs_from_the_link_on() -> None:
    waiting = arrival()
    link(waiting)
    left = waiting.left()
    assert left == pytest.approx(SETUP_S, abs=1)
    waiting.look(absent=False, ready=True)
    assert (waiting.left() or 0.0) <= (left or 0.0), "looking again buys no time"
    assert waiting.came().left() <= (left or 0.0)


def test_it_is_over_with_nobody_here() -> None:
    waiting = arrival(SHORT)
    link(waiting)
    assert waiting.over
    waiting.look(absent=False, ready=True)
    assert waiting.over


def test_it_begins_anew_with_the_link() -> None:
    waiting = arrival(SHORT)
    link(waiting)
    waiting.look(absent=True, ready=False)
    assert not waiting.over
    waiting.look(absent=False, ready=True)
    assert waiting.left() is not None


def test_a_silent_controller_changes_nothing() -> None:
    waiting = arrival()
    waiting.look(absent=True, ready=False)
    waiting.look(absent=False, ready=False)
    assert waiting.left() is None
    waiting.look(absent=False, ready=True)
    assert waiting.left() is not None
    waiting.look(absent=False, ready=False)
    assert waiting.left() is not None


def test_once_a_vehicle_was_here_there_is_no_hurry_any_more() -> None:
    waiting = arrival(SHORT)
    link(waiting)
    assert waiting.came().over
    waiting.look(absent=False, ready=True)
    assert not waiting.over
    assert waiting.left() is None


def test_the_next_vehicle_on_the_same_link_has_all_its_time() -> None:
    waiting = arrival()
    link(waiting)
    waiting.came()
    assert waiting.came().left() == pytest.approx(SETUP_S, abs=1)
