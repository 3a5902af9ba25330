"""The console of the simulated charger, line by line, on the bench."""

from __future__ import annotations

import pytest

from secc import api
from secc.simulated.console import obey
from tests.secc.simulated_bench import Bench


def say(bench: Bench, line: str) -> None:
    obey(bench.charger, line.split())
    bench.run(0.05)


def test_faults_come_and_go() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    say(bench, "fault rcd")
    assert bench.faults == {"rcd"}
    assert bench.state.contactor == "open"
    say(bench, "mend rcd")
    bench.plug("A")
    bench.run(0.05)
    assert bench.faults == set()


def test_limits_lower_and_return() -> None:
    bench = Bench()
    bench.charging_dc(50.0)
    say(bench, "limit max_current_a 10")
    assert bench.all(api.ChargerLimits)[-1].max_current_a == 10.0
    bench.until(lambda: abs(bench.hardware.current_a - 10.0) < 0.1, 0.5)
    say(bench, "limit max_charge_w 2000")
    limits = bench.all(api.ChargerLimits)[-1]
    assert (limits.max_current_a, limits.max_charge_w) == (10.0, 2_000.0)
    bench.until(lambda: abs(bench.hardware.power_w - 2_000) < 10, 0.5)
    say(bench, "limit none")
    assert bench.all(api.ChargerLimits)[-1].max_current_a is None
    bench.until(lambda: abs(bench.hardware.current_a - 50.0) < 0.5, 0.5)


def test_requests_reach_the_secc() -> None:
    bench = Bench("ac")
    for do in ("stop", "pause", "resume", "renegotiate", "emergency_stop"):
        say(bench, f"request {do}")
        assert bench.all(api.ChargerRequest)[-1].do == do
    assert len({request.id for request in bench.all(api.ChargerRequest)}) == 5


def test_cards_answer_the_request_until_one_is_accepted() -> None:
    bench = Bench("ac", card="none")
    say(bench, "card accept")
    bench.hear(api.AuthorizationRequest(id="r1", session="s1", kind="external", deadline_s=60.0))
    bench.run(1.0)
    for line in ("card reject", "card accept", "card accept"):
        say(bench, line)
    said = [(word.id, word.accepted) for word in bench.all(api.ChargerAuthorization)]
    assert said == [("advance", True), ("r1", False), ("r1", True), ("advance", True)]
    assert bench.all(api.ChargerAuthorization)[0].valid_for_s == 60.0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("dance", "there are fault, mend, card, request, limit and plan"),
        ("fault", "there are fault"),
        ("fault fire", "Invalid enum value 'fire'"),
        ("mend fire", "Invalid enum value 'fire'"),
        ("card maybe", "Invalid enum value 'maybe'"),
        ("request lunch", "Invalid enum value 'lunch'"),
        ("limit max_current_a much", "max_current_a"),
        ("limit max_current_a 99999", "max_current_a"),
        ("limit max_beer_l 3", "no quantity 'max_beer_l'"),
    ],
)
def test_what_it_does_not_understand_changes_nothing(line: str, reason: str) -> None:
    bench = Bench("ac")
    bench.run(0.1)
    before = len(bench.said)
    with pytest.raises(ValueError, match=reason):
        obey(bench.charger, line.split())
    assert len(bench.said) == before
    assert bench.hardware.faults.standing == []
