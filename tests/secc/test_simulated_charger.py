from __future__ import annotations

import msgspec
import pytest

from secc import api
from secc.simulated.faults import KINDS
from tests.secc.simulated_bench import BATTERY_V, Bench


def charging(energy: str) -> Bench:
    """A bench that charges, in DC with as much current as the ramp has farthest to go from."""
    if energy == "ac":
        bench = Bench("ac")
        bench.charging_ac()
    else:
        bench = Bench("dc")
        bench.charging_dc(180.0)
    return bench


# --- DC: the order of power


def test_a_dc_session_costs_less_than_800_ms_of_hardware_time() -> None:
    bench = Bench()
    bench.online()
    bench.begin()
    bench.plug("C")
    bench.permit(lock="locked")
    spent = bench.until(lambda: bench.state.lock == "locked", 0.2)
    bench.limits(2.0)
    bench.check_cable()
    spent += bench.until(lambda: bench.state.cable_check == "passed", 1.0)
    assert bench.ack().result == "done"
    assert bench.state.contactor == "open"
    assert bench.hardware.voltage_v < 60
    bench.target("precharge", BATTERY_V, 2.0)
    bench.permit("locked", "closed", "on")
    spent += bench.until(lambda: abs(bench.hardware.voltage_v - BATTERY_V) <= 20, 1.0)
    bench.plug("C", "closed")
    bench.limits(50.0)
    bench.target("charge", BATTERY_V, 50.0)
    bench.run(1.0)
    bench.target("idle", 0.0, 0.0)
    spent += bench.until(lambda: bench.hardware.current_a < 1, 1.0)
    bench.permit("locked", "open", "off")
    spent += bench.until(lambda: bench.state.contactor == "open", 0.2)
    bench.plug("B", "open")
    spent += bench.until(lambda: bench.hardware.voltage_v < 60, 1.0)
    assert spent < 0.8
    assert bench.hardware.energy_wh == pytest.approx(20_000 / 3_600, rel=0.2)


def test_output_reaches_the_test_voltage_during_the_cable_check_and_no_current_flows() -> None:
    bench = Bench()
    seen: list[tuple[float, float]] = []
    bench.after_step = lambda: seen.append((bench.hardware.voltage_v, bench.hardware.current_a))
    bench.prepared()
    assert max(volts for volts, _ in seen) == pytest.approx(500)
    assert max(amperes for _, amperes in seen) == 0


def test_precharge_never_gives_more_than_two_amperes() -> None:
    bench = Bench()
    bench.prepared()
    bench.limits(100.0)
    bench.target("precharge", BATTERY_V, 80.0)
    bench.permit("locked", "closed", "on")
    bench.plug("C", "closed")
    bench.run(0.5)
    assert 0 < bench.hardware.current_a <= 2


def test_current_is_the_least_of_target_limits_and_rating() -> None:
    bench = Bench(dc={"current_a": 120.0, "power_w": 30_000.0})
    bench.charging_dc(50.0)
    bench.target("charge", BATTERY_V, 500.0)
    bench.run(0.5)
    assert bench.hardware.current_a == pytest.approx(50)  # the limits
    bench.limits(500.0, 1e6)
    bench.run(0.5)
    assert bench.hardware.current_a == pytest.approx(75)  # 30 kW at 400 V
    bench.limits(500.0, 4_000.0)
    bench.run(0.5)
    assert bench.hardware.current_a == pytest.approx(10)  # 4 kW at 400 V
    bench.target("charge", BATTERY_V, 7.0)
    bench.run(0.5)
    assert bench.hardware.current_a == pytest.approx(7)


def test_zero_limits_open_whatever_the_permit_says() -> None:
    bench = Bench()
    bench.charging_dc()
    bench.limits(0.0)
    bench.until(lambda: bench.state.contactor == "open", 0.6)
    assert bench.hardware.current_a == 0


def test_limits_run_out_after_their_time() -> None:
    bench = Bench()
    bench.charging_dc()
    bench.limits(50.0, 200_000.0, valid_for_s=1.0)
    bench.run(0.9)
    assert bench.hardware.current_a > 0
    bench.until(lambda: bench.state.contactor == "open", 1.6)


def test_a_lowered_maximum_voltage_of_the_vehicle_is_an_emergency() -> None:
    bench = Bench()
    bench.charging_dc()
    bench.target("charge", BATTERY_V, 50.0, vehicle_max_voltage_v=350.0)
    assert bench.until(lambda: bench.state.contactor == "open", 0.4) < 0.4
    assert bench.faults == {"overvoltage"}


@pytest.mark.parametrize("pilot", ["A", "B", "E", "F"])
@pytest.mark.parametrize("energy", ["ac", "dc"])
def test_leaving_c_opens_at_once_and_coming_back_does_not_revive(energy: str, pilot: api.Pilot) -> None:
    bench = charging(energy)
    bench.plug(pilot)
    assert bench.state.contactor == "open"
    assert bench.hardware.current_a == 0
    bench.plug("C", "closed")
    bench.run(1.0)
    assert bench.state.contactor == "open"
    assert bench.permit("locked", "closed", "on").result == "rejected"


def test_rated_current_holds_whatever_is_asked_for() -> None:
    bench = Bench(dc={"current_a": 30.0})
    bench.prepared()
    bench.limits(500.0, 1e6)
    bench.target("charge", BATTERY_V, 500.0)
    bench.permit("locked", "closed", "on")
    bench.plug("C", "closed")
    bench.run(0.5)
    assert bench.hardware.current_a == 30.0


def test_the_plug_stays_locked_while_the_output_is_live() -> None:
    bench = Bench()
    bench.charging_dc()
    bench.permit("unlocked", "open", "off")
    bench.run(2.0)
    assert (bench.state.contactor, bench.state.lock) == ("open", "locked")  # the car's contactor is still closed
    bench.plug("B", "open")
    bench.until(lambda: bench.state.lock == "unlocked", 0.2)
    assert bench.hardware.voltage_v < 60


# --- refusals


def test_another_session_needs_a_cable_check_of_its_own() -> None:
    bench = Bench()
    bench.prepared()
    bench.begin("s2")
    assert bench.state.cable_check == "idle"
    bench.limits(2.0)
    assert bench.permit("locked", "closed", "on").reason == "the cable check is idle"


@pytest.mark.parametrize("energy", ["ac", "dc"])
def test_an_emergency_cuts_the_current_without_a_ramp(energy: str) -> None:
    bench = charging(energy)
    bench.charger.fault("rcd")
    bench.run(0.01)
    assert bench.state.contactor == "open"
    assert bench.hardware.current_a == 0


def test_a_session_is_over_after_an_emergency() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    bench.charger.fault("emergency")
    bench.charger.mend("emergency")
    bench.run(0.1)
    bench.permit("unlocked", "open", "off")
    bench.plug("A")
    bench.plug("C")
    bench.run(0.2)
    assert not bench.faults
    assert bench.permit("locked", "closed", "on").reason == "the session is over"


def test_a_dead_secc_moves_no_lock() -> None:
    bench = Bench("ac")
    bench.online()
    bench.begin()
    bench.permit(lock="locked")
    bench.run(0.1)
    bench.beating = False
    bench.run(2.0)
    bench.permit(lock="unlocked")
    bench.run(0.5)
    assert bench.state.lock == "locked"


def test_power_needs_a_passed_cable_check() -> None:
    bench = Bench()
    bench.online()
    bench.begin()
    bench.plug("C")
    bench.limits(2.0)
    ack = bench.permit("locked", "closed", "on")
    assert (ack.result, ack.reason) == ("rejected", "the cable check is idle")
    bench.run(0.5)
    assert bench.state.contactor == "open"


def test_a_refused_permit_stays_refused_when_its_obstacle_goes_away() -> None:
    bench = Bench("ac")
    bench.online()
    bench.begin()
    bench.plug("B")
    bench.limits()
    ack = bench.permit("locked", "closed", "on")
    assert (ack.result, ack.reason) == ("rejected", "the plug is in B, not in C or D")
    bench.plug("C")
    bench.run(0.5)
    assert bench.state.contactor == "open"
    assert bench.permit("locked", "closed", "on").result == "accepted"
    bench.until(lambda: bench.state.contactor == "closed", 0.2)


@pytest.mark.parametrize(
    ("energy", "options", "lock", "reason"),
    [
        ("ac", {}, "unlocked", "the lock is unlocked"),
        ("ac", {"lock_fails": True}, "locked", "the lock is failed"),
    ],
)
def test_nothing_closes_without_a_lock(energy: str, options: dict[str, bool], lock: str, reason: str) -> None:
    bench = Bench("ac" if energy == "ac" else "dc", **options)
    bench.online()
    bench.begin()
    bench.plug("C")
    bench.limits()
    bench.permit(lock="locked" if lock == "locked" else "unlocked")
    bench.run(0.2)
    ack = bench.permit("locked" if lock == "locked" else "unlocked", "closed", "on")
    assert (ack.result, ack.reason) == ("rejected", reason)


def test_a_cable_check_is_refused_without_limits_lock_or_a_dead_output() -> None:
    bench = Bench()
    bench.online()
    bench.begin()
    bench.plug("C")
    assert bench.check_cable("a").reason == "no authorised limits"
    bench.limits(2.0)
    assert bench.check_cable("b").reason == "the lock is not locked"
    bench.permit(lock="locked")
    bench.run(0.1)
    bench.plug("C", "closed")
    assert bench.check_cable("c").reason == "the output is not off and below 60 V"
    bench.plug("B")
    bench.run(0.1)
    assert bench.check_cable("d").reason == "the plug is in B, not in C or D"


def test_the_same_command_gets_the_same_answer_and_is_not_executed_twice() -> None:
    bench = Bench()
    bench.prepared()
    first = bench.ack()
    assert bench.check_cable("check-1") == first
    bench.run(0.1)
    assert bench.state.cable_check == "passed"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"session": "other"}, "another session"),
        ({"boot": "secc-0"}, "another SECC process is in charge"),
        ({"deadline_s": 0.0}, "its deadline has passed"),
    ],
)
def test_late_and_foreign_commands_are_rejected(change: dict[str, object], reason: str) -> None:
    bench = Bench()
    bench.prepared()
    ack = bench.check_cable("check-2", **change)
    assert (ack.result, ack.reason) == ("rejected", reason)
    assert bench.state.cable_check == "passed"


def test_a_check_that_takes_too_long_fails() -> None:
    bench = Bench(speed=0.01)
    bench.online()
    bench.begin()
    bench.plug("C")
    bench.permit(lock="locked")
    bench.limits(2.0)
    bench.check_cable(deadline_s=1.0)
    bench.until(lambda: bench.state.cable_check == "failed", 1.2)
    assert bench.ack().result == "failed"
    bench.until(lambda: bench.state.contactor == "open", 0.1)


@pytest.mark.parametrize(("stale", "result"), [(("closed", "on"), "rejected"), (("open", "off"), "accepted")])
def test_a_late_permit_opens_but_never_closes(stale: tuple[str, str], result: str) -> None:
    bench = Bench("ac")
    bench.charging_ac()
    late = {"boot": bench.boot, "seq": 1, "session": "s1", "lock": "locked", "contactor": stale[0], "power": stale[1]}
    bench.hear(msgspec.convert(late, api.Permit))
    assert bench.ack().result == result
    bench.run(0.2)
    assert bench.state.contactor == ("open" if stale[0] == "open" else "closed")


def test_a_repeated_permit_changes_nothing() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    permit = api.Permit(**bench.header(), lock="locked", contactor="closed", power="on")
    bench.hear(permit)
    answer = bench.ack()
    bench.hear(permit, retained=True)
    assert bench.ack() == answer
    bench.run(0.2)
    assert bench.state.contactor == "closed"


# --- who is alive


@pytest.mark.parametrize("energy", ["ac", "dc"])
def test_a_silent_secc_opens_within_three_seconds_and_is_reported(energy: str) -> None:
    bench = charging(energy)
    bench.beating = False
    spent = bench.until(lambda: bench.state.contactor == "open", 3.0)
    assert spent > 0.9  # not nervous: two missed beats are none
    assert bench.faults == {"secc_silent"}
    bench.beating = True
    bench.run(1.0)
    assert bench.permit("locked", "closed", "on").reason == "the session is over"
    assert bench.faults == {"secc_silent"}
    bench.begin("s2")
    assert not bench.faults


def test_a_silent_target_opens_dc() -> None:
    bench = Bench()
    bench.charging_dc()
    bench.follow = None
    bench.until(lambda: bench.state.contactor == "open", 1.6)
    assert bench.faults == {"secc_silent"}


def test_ac_needs_no_target() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    bench.run(5.0)
    assert bench.state.contactor == "closed"


@pytest.mark.parametrize("status", [{"state": "offline"}, {"state": "online", "boot": "secc-2"}])
def test_a_restarted_secc_finds_the_contactor_open(status: dict[str, str]) -> None:
    bench = Bench()
    bench.charging_dc()
    bench.boot = status.get("boot", bench.boot)
    bench.hear(api.SeccStatus(**bench.header(), state="offline" if status["state"] == "offline" else "online"))
    bench.until(lambda: bench.state.contactor == "open", 0.6)
    bench.hear(api.SeccStatus(**bench.header(), state="online"))
    bench.run(1.0)
    assert bench.permit("locked", "closed", "on").result == "rejected"
    bench.run(0.5)
    assert bench.state.contactor == "open"


def test_a_restarted_charger_waits_for_another_session() -> None:
    bench = Bench("ac")
    bench.session = "s1"
    bench.hear(api.Permit(**bench.header(), lock="locked", contactor="closed", power="on"), retained=True)
    bench.limits()
    bench.plug("C")
    bench.online()
    bench.run(1.0)
    assert bench.permit("locked", "closed", "on").reason == "the session is over"
    bench.begin("s2")
    bench.limits()
    assert bench.permit("locked", "closed", "on").result == "accepted"
    bench.until(lambda: bench.state.contactor == "closed", 0.2)


# --- faults


@pytest.mark.parametrize(
    ("energy", "kind"),
    [
        (energy, kind)
        for energy in ("ac", "dc")
        for kind in KINDS
        if kind not in {"temperature", "malfunction", "secc_silent"} and (energy, kind) != ("ac", "isolation")
    ],
)
def test_an_emergency_is_reported_latched_and_ends_the_session(energy: str, kind: api.FaultKind) -> None:
    bench = charging(energy)
    bench.charger.fault(kind)
    if kind == "welded":
        bench.permit("locked", "open", "off")
    bench.run(0.5)
    assert bench.state.contactor == ("welded" if kind == "welded" else "open")
    assert {(fault.kind, fault.severity) for fault in bench.state.faults} == {(kind, "emergency")}
    assert not bench.state.ready
    bench.charger.mend(kind)
    bench.run(0.1)
    bench.begin("s2")
    ack = bench.permit("locked", "closed", "on")
    assert ack.result == "rejected"
    bench.permit("unlocked", "open", "off")
    bench.run(0.5)
    bench.plug("A")
    bench.run(0.1)
    assert not bench.faults


def test_a_welded_contactor_keeps_the_plug_locked() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    bench.charger.fault("welded")
    bench.permit("unlocked", "open", "off")
    bench.run(1.0)
    assert bench.state.contactor == "welded"
    assert bench.state.lock == "locked"


def test_an_isolation_fault_fails_the_cable_check() -> None:
    bench = Bench(isolation="fault")
    bench.online()
    bench.begin()
    bench.plug("C")
    bench.permit(lock="locked")
    bench.limits(2.0)
    bench.check_cable()
    bench.until(lambda: bench.state.cable_check == "failed", 1.0)
    assert bench.ack().result == "failed"
    assert bench.state.isolation == "fault"
    bench.until(lambda: bench.hardware.voltage_v < 60, 0.2)


@pytest.mark.parametrize("kind", ["temperature", "malfunction"])
def test_a_stop_fault_lets_the_secc_stop_in_order(kind: api.FaultKind) -> None:
    bench = Bench()
    bench.charging_dc()
    bench.charger.fault(kind)
    bench.run(0.5)
    assert bench.state.contactor == "closed"
    assert [(fault.kind, fault.severity) for fault in bench.state.faults] == [(kind, "stop")]
    assert bench.permit("locked", "closed", "on").result == "rejected"


def test_planned_faults_come_in_time() -> None:
    bench = Bench("ac", faults=[{"kind": "rcd", "after_s": 1.0, "since": "charge"}])
    bench.charging_ac()
    bench.run(0.9)
    assert not bench.faults
    bench.run(0.2)
    assert bench.faults == {"rcd"}


def test_a_car_that_draws_too_much_trips_the_breaker() -> None:
    bench = Bench("ac")
    bench.charging_ac()
    bench.plug("C", current_a=40.0)
    bench.run(0.9)
    assert bench.state.contactor == "closed"
    bench.run(0.2)
    assert bench.faults == {"overcurrent"}


# --- AC, meter, reports


def test_ac_power_is_that_of_all_phases_and_the_meter_adds_it_up() -> None:
    bench = Bench("ac")
    bench.charging_ac(16.0)
    bench.run(3.6)
    measured = bench.all(api.Measurement)[-1]
    assert (measured.voltage_v, measured.current_a, measured.power_w) == (230.0, 16.0, 11_040.0)
    assert measured.current_per_phase_a == [16.0, 16.0, 16.0]
    assert bench.hardware.energy_wh == pytest.approx(11.04, rel=0.02)
    assert bench.all(api.Meter)[-1].energy_import_wh in {9, 10, 11}


def test_single_phase_is_a_third_of_the_power() -> None:
    bench = Bench("ac")
    bench.online()
    bench.begin("s1", "AC1")
    bench.plug("C")
    bench.limits(16.0)
    bench.permit("locked", "closed", "on")
    bench.run(0.1)
    bench.plug("C", current_a=16.0)
    assert bench.hardware.power_w == 3_680.0


def test_reports_come_as_often_as_promised() -> None:
    bench = Bench()
    bench.run(10.0)
    counters = [beat.counter for beat in bench.all(api.Beat)]
    assert counters == list(range(1, len(counters) + 1))
    assert 19 <= len(counters) <= 22
    assert 95 <= len(bench.all(api.Measurement)) <= 110
    bench.charging_dc()
    bench.said.clear()
    bench.run(10.0)
    assert 190 <= len(bench.all(api.Measurement)) <= 210
    assert 9 <= len(bench.all(api.Meter)) <= 11


def test_levels_carry_their_header_and_are_said_only_on_change() -> None:
    bench = Bench()
    bench.charging_dc()
    states = bench.all(api.ChargerState)
    assert [state.seq for state in states] == list(range(1, len(states) + 1))
    assert {state.boot for state in states} == {"charger-1"}
    assert states[-1].session == "s1"
    bench.said.clear()
    bench.run(5.0)
    assert not bench.all(api.ChargerState)
    assert not bench.all(api.Setup)


@pytest.mark.parametrize(("card", "accepted"), [("accept", [True]), ("reject", [False]), ("none", [])])
def test_the_card_reader_answers_external_requests_only(card: str, accepted: list[bool]) -> None:
    bench = Bench("ac", card=card, card_delay_s=0.5)
    bench.online()
    bench.begin()
    for ident, kind in (("r1", "external"), ("r2", "contract")):
        request = {"id": ident, "session": "s1", "kind": kind, "deadline_s": 50}
        bench.hear(msgspec.convert(request, api.AuthorizationRequest))
    bench.run(0.4)
    assert not bench.all(api.ChargerAuthorization)
    bench.run(0.2)
    words = bench.all(api.ChargerAuthorization)
    assert [word.accepted for word in words] == accepted
    assert all(word.id == "r1" for word in words)


def test_stop_after_asks_once() -> None:
    bench = Bench("ac", stop_after_s=1.0)
    bench.charging_ac()
    bench.run(3.0)
    assert [request.do for request in bench.all(api.ChargerRequest)] == ["stop"]


def test_a_foreign_car_charges_in_dc_without_a_cable() -> None:
    bench = Bench(cable="none")
    bench.online()
    bench.begin()
    assert bench.pilots() == ["B"]
    bench.hear(api.Session(**bench.header(), stage="preparing", energy_mode="DC"))
    assert bench.pilots() == ["B", "C"]
    bench.permit(lock="locked")
    bench.limits(2.0)
    bench.check_cable()
    bench.until(lambda: bench.state.cable_check == "passed", 1.0)
    bench.target("precharge", 500.0, 1.0)
    bench.permit("locked", "closed", "on")
    bench.until(lambda: bench.hardware.voltage_v == 500, 0.5)
    bench.limits(100.0)
    bench.target("charge", 500.0, 20.0)
    bench.until(lambda: bench.hardware.current_a == 20, 0.5)
    bench.target("idle", 0.0, 0.0)
    bench.until(lambda: bench.hardware.current_a == 0, 0.5)
    bench.permit("locked", "open", "off")
    bench.hear(api.Session(**bench.header(), stage="stopping", energy_mode="DC"))
    bench.until(lambda: bench.hardware.voltage_v < 60, 0.5)
    assert bench.pilots() == ["B", "C", "B"]


def test_a_foreign_car_draws_what_the_limits_allow_in_ac() -> None:
    bench = Bench("both", cable="none")
    bench.online()
    bench.begin()
    bench.hear(api.Session(**bench.header(), stage="preparing", energy_mode="AC3"))
    bench.limits(16.0, 6_900.0)
    bench.permit("locked", "closed", "on")
    bench.run(0.2)
    assert bench.hardware.current_a == pytest.approx(10.0)
    bench.hear(api.Session(**bench.header(), stage="stopping", energy_mode="AC3"))
    assert bench.state.contactor == "open"


def test_a_foreign_car_stays_in_c_to_renegotiate() -> None:
    bench = Bench("ac", cable="none")
    bench.online()
    bench.begin()
    for stage, pilot in (
        ("negotiating", "B"),
        ("preparing", "C"),
        ("charging", "C"),
        ("negotiating", "C"),
        ("stopping", "B"),
    ):
        bench.hear(msgspec.convert(bench.header() | {"stage": stage, "energy_mode": "AC3"}, api.Session))
        bench.run(0.05)
        assert (stage, bench.state.plug) == (stage, pilot)


@pytest.mark.parametrize(("cable", "told"), [("mqtt", True), ("none", False)])
def test_the_link_is_told_of_where_it_is_known(cable: str, told: bool) -> None:
    """How long a foreign car has been on its link nobody knows; told wrongly, the station would stop waiting for it."""
    bench = Bench("ac", cable=cable)
    bench.run(1.0)
    assert any(topic == api.CHARGER_LINK.name for topic, _ in bench.said) is told
