"""The planner of test benches: how plans are written, and tariffs that hold under the station's own check."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from secc import api, tariffs
from secc.authorization import Contract
from secc.simulated.planner import Planner, parse
from secc.simulated.tariff import TariffOperator
from tests.certificates import car1
from tests.secc.simulated_bench import Bench
from tests.secc.test_simulated_console import say
from v2g.trust import Role, Verdict

REQUEST = api.PlanRequest(
    id="r1", session="s1", deadline_s=20, energy_mode="AC3", max_charge_w=22_080, max_entries=1_024, emaid="DE1"
)


def written(schedules: list[api.PlannedSchedule]) -> list[list[tuple[float, float]]]:
    return [[(step.start_s, step.max_w) for step in each.steps] for each in schedules]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("11040", [[(0, 11_040)]]),
        ("11040 3600:4140 / 22080", [[(0, 11_040), (3_600, 4_140)], [(0, 22_080)]]),
        ("0:1 0.5:2.5", [[(0, 1), (0.5, 2.5)]]),
        ("none", []),
    ],
)
def test_a_plan_in_a_line(text: str, expected: list[list[tuple[float, float]]]) -> None:
    assert written(parse(text)) == expected


@pytest.mark.parametrize("text", ["", "x", "1 /", "5:100", "1 10:2 10:3", "-1", "1 20:-1", "1:2:3", "nan", "1 / none"])
def test_what_is_no_plan(text: str) -> None:
    with pytest.raises(ValueError, match="write WATTS"):
        parse(text)


@given(st.text(max_size=40))
def test_any_line_is_a_plan_or_says_how_to_write_one(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert len(parse(text)) <= max(1, text.count("/") + 1)


def test_nobody_is_answered_without_a_plan() -> None:
    planner = Planner(None)
    assert planner.ask(REQUEST) is None
    plan = planner.change("4140")
    assert plan is not None
    assert (plan.id, written(plan.schedules)) == ("r1", [[(0, 4_140)]])


def test_tariffs_hold_at_the_station(certificates: Path) -> None:
    plan = Planner("11040 3600:4140 / 22080", TariffOperator(certificates)).ask(REQUEST)
    assert plan is not None
    chain = car1(certificates).chain
    key = x509.load_der_x509_certificate(chain[0]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    verdict = Verdict(role=Role.CONTRACT)
    contract = Contract(emaid="DE1", chain=chain, verdict=verdict, challenge=bytes(16), public_key=key)
    read = tariffs.read(plan, contract, 1_024)
    assert read is not None
    told = [each for each in read.each if each is not None]
    assert [[entry.EPriceLevel for entry in each.SalesTariffEntry] for each in told] == [[1, 2], [1]]


def test_the_console_plans() -> None:
    bench = Bench("ac")
    say(bench, "plan 11040 3600:4140 / 22080")
    assert bench.all(api.Plan) == []
    bench.hear(REQUEST)
    assert written(bench.all(api.Plan)[-1].schedules) == [[(0, 11_040), (3_600, 4_140)], [(0, 22_080)]]
    say(bench, "plan 6900")
    assert written(bench.all(api.Plan)[-1].schedules) == [[(0, 6_900)]]
    with pytest.raises(ValueError, match="write WATTS"):
        say(bench, "plan a lot")


def pwm(bench: Bench) -> bool | None:
    return bench.state.pwm


def test_the_pilot_stands_still_during_a_pause_until_the_vehicle_is_woken() -> None:
    bench = Bench("ac")
    bench.online()
    bench.plug("B")
    bench.run(0.1)
    assert pwm(bench) is True
    bench.hear(api.Session(boot=bench.boot, seq=900, stage="paused"))
    bench.run(0.1)
    assert pwm(bench) is False
    wake = api.Command(id="w1", boot=bench.boot, session="s1", do="wake_up", deadline_s=10)
    bench.hear(wake)
    bench.run(0.1)
    assert (bench.ack().id, bench.ack().result) == ("w1", "done")
    assert pwm(bench) is True
    bench.hear(api.Session(boot=bench.boot, seq=901, stage="connected"))
    bench.hear(api.Session(boot=bench.boot, seq=902, stage="paused"))
    bench.run(0.1)
    assert pwm(bench) is False


def test_nobody_is_woken_where_nobody_sleeps() -> None:
    bench = Bench("ac")
    bench.online()
    bench.hear(api.Command(id="w1", boot=bench.boot, session="s1", do="wake_up", deadline_s=10))
    assert (bench.ack().result, bench.ack().reason) == ("rejected", "nobody is paused")


def test_a_paused_vehicle_wakes_the_charger_by_its_pilot() -> None:
    """By C after B; a C that was said before the pause began is none."""
    bench = Bench("ac")
    bench.online()
    bench.plug("C")
    bench.run(0.1)
    bench.hear(api.Session(boot=bench.boot, seq=900, stage="paused"))
    bench.run(0.1)
    bench.plug("B")
    bench.run(0.1)
    assert pwm(bench) is False
    bench.plug("C")
    bench.run(0.1)
    assert pwm(bench) is True
    bench.plug("B")
    bench.run(0.1)
    assert pwm(bench) is True
