"""Timers against the figures of ISO 15118-2, the scale, and budgets on a clock of our own."""

from __future__ import annotations

import math

import pytest

from v2g.timing import MESSAGES, Budget, Timer, Timing

# Table 109 and the text of -2, Tables 75 and 77 of DIN 70121, in seconds, copied by hand from the reference.
STATED = {
    "sequence": 60, "setup_evcc": 20, "setup_secc": 18, "ongoing_evcc": 60, "ongoing_secc": 55, "cable_check_evcc": 40,
    "cable_check_secc": 38, "precharge_evcc": 7, "precharge_secc": 5, "contactor_close": 3, "pilot_change": 0.25,
    "pilot_decide": 1.5, "close": 5, "sdp_wait": 0.25, "ready_evcc": 150, "ready_secc": 148,
}  # fmt: skip


@pytest.mark.parametrize(("name", "seconds"), STATED.items())
def test_timers_are_those_of_the_standard(name: str, seconds: float) -> None:
    assert getattr(Timing(), name) == seconds
    assert getattr(Timing(0.001), name) == pytest.approx(seconds / 1000)


@pytest.mark.parametrize(
    ("request_name", "timeout", "performance"),
    [
        ("CurrentDemandReq", 0.25, 0.025),
        ("PowerDeliveryReq", 5, 4.5),
        ("PaymentDetailsReq", 5, 4.5),
        ("CertificateInstallationReq", 5, 4.5),
        ("AuthorizationReq", 2, 1.5),
        ("SessionStopReq", 2, 1.5),
    ],
)
def test_message_times(request_name: str, timeout: float, performance: float) -> None:
    assert Timing().message_timeout("iso2", request_name) == timeout
    assert Timing(0.1).message_timeout("iso2", request_name) == pytest.approx(timeout / 10)
    assert Timing().message_performance("iso2", request_name) == performance


@pytest.mark.parametrize(
    ("request_name", "timeout", "performance"),
    [("CurrentDemandReq", 0.25, 0.025), ("PowerDeliveryReq", 2, 1.5), ("ContractAuthenticationReq", 2, 1.5)],
)
def test_message_times_of_din(request_name: str, timeout: float, performance: float) -> None:
    """Power has to be switched faster than in -2."""
    assert Timing().message_timeout("din", request_name) == timeout
    assert Timing().message_performance("din", request_name) == performance
    assert Timing().ramp_down_din + Timing().contactor_open_din < performance or request_name != "PowerDeliveryReq"


def test_every_message_of_the_standards_has_its_time() -> None:
    assert (len(MESSAGES["iso2"]), len(MESSAGES["din"])) == (17, 11)
    assert Timing().message_timeout("sap", "SupportedAppProtocolReq") == 2


@pytest.mark.parametrize(("key", "name"), [("iso2", "NoSuchReq"), ("iso3", "SessionStopReq"), ("iso2", "")])
def test_an_unknown_message_is_our_own_mistake(key: str, name: str) -> None:
    with pytest.raises(ValueError, match="no message time"):
        Timing().message_timeout(key, name)


@pytest.mark.parametrize("scale", [0, -1, math.inf, math.nan])
def test_a_scale_must_be_a_positive_number(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        Timing(scale)


@pytest.mark.parametrize("seconds", [0, 0.0, -1, math.inf, math.nan])
def test_a_timeout_must_be_a_positive_number(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"CurrentDemandReq.*positive number of seconds"):
        Timing(timeouts={"SessionStopReq": 3.0, "CurrentDemandReq": seconds})


@pytest.mark.parametrize("name", ["NoSuchReq", "CurrentDemand", "CurrentDemandRes", ""])
def test_a_timeout_of_no_request_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"timeout of {name}: no such request; there are .*CurrentDemandReq"):
        Timing(timeouts={name: 1.0})


def test_a_timeout_replaces_that_of_the_standard_and_is_scaled() -> None:
    timing = Timing(0.5, timeouts={"CurrentDemandReq": 4.0})
    assert timing.message_timeout("iso2", "CurrentDemandReq") == 2.0
    assert timing.message_timeout("iso2", "PowerDeliveryReq") == 2.5


def test_a_station_is_always_faster_than_the_vehicle_waits() -> None:
    timing = Timing()
    for phase in ("setup", "ongoing", "cable_check", "precharge", "ready"):
        assert getattr(timing, f"{phase}_secc") < getattr(timing, f"{phase}_evcc")
    assert all(row.performance < row.timeout for table in MESSAGES.values() for row in table.values())
    assert timing.after_failed < timing.close


def test_every_timer_says_where_it_comes_from() -> None:
    rows = [row for row in vars(Timing).values() if isinstance(row, Timer)]
    assert len(rows) >= len(STATED)
    assert all("[V2G2-" in row.source or row.source.startswith(("ours", "conf", "(unverified)")) for row in rows)
    assert Timing.sequence.name == "V2G_SECC_Sequence_Timeout"


def test_a_budget_runs_on_its_clock_and_is_not_extended() -> None:
    now = 100.0
    budget = Budget(5, clock=lambda: now)
    assert (budget.left(), budget.over) == (5, False)
    now = 104.5
    assert (budget.left(), budget.over) == (0.5, False)
    now = 105.0
    assert (budget.left(), budget.over) == (0, True)
    now = 1e6
    assert (budget.left(), budget.over) == (0, True)
