"""The journal: order, bounds, levels, and what never reaches a log line."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from v2g.journal import CAPACITY, TEXT_LIMIT, WHOLE, Entry, Journal
from v2g.messages import iso2


def ticking() -> Callable[[], float]:
    moments = iter(range(1_000_000))
    return lambda: next(moments) / 4


def test_entries_carry_seconds_since_the_beginning() -> None:
    journal = Journal(clock=ticking())
    journal.record("connected", peer="[fe80::1]:50000")
    journal.record("ended", kind_of_end="terminated")
    assert [(entry.at, entry.kind, entry.facts) for entry in journal.entries] == [
        (0.25, "connected", {"peer": "[fe80::1]:50000"}),
        (0.5, "ended", {"kind_of_end": "terminated"}),
    ]


def test_messages_are_names_and_milliseconds() -> None:
    journal = Journal(clock=ticking())
    journal.record("request", name="SessionSetupReq")
    journal.record("note", note="spare byte")
    journal.record("response", name="SessionSetupRes", code="OK_NewSessionEstablished")
    assert journal.messages() == [("SessionSetupReq", 250.0), ("SessionSetupRes", 750.0)]


def loop(journal: Journal, turns: int) -> None:
    for _ in range(turns):
        journal.record("request", name="CurrentDemandReq")
        journal.record("response", name="CurrentDemandRes", code="OK")


def test_hours_of_charging_push_out_nothing_but_the_loop() -> None:
    journal = Journal()
    journal.record("request", name="PowerDeliveryReq")
    loop(journal, CAPACITY)
    journal.record("fault", reason="contactor")
    kinds = [entry.kind for entry in journal.entries]
    assert len(kinds) == 1 + 2 + CAPACITY + 1
    assert journal.entries[0].facts["name"] == "PowerDeliveryReq"
    assert kinds[-1] == "fault"
    assert journal.dropped == 2 * CAPACITY - 2 - CAPACITY
    assert [entry.number for entry in journal.entries] == sorted(entry.number for entry in journal.entries)


def test_requests_that_take_turns_are_the_loop_too(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal()
    journal.record("authorised", by="local")
    for _ in range(CAPACITY):
        for name in ("CurrentDemand", "MeteringReceipt"):
            journal.record("note", note="value out of range")
            journal.record("request", name=f"{name}Req")
            journal.record("response", name=f"{name}Res")
    assert journal.entries[0].kind == "authorised"
    caplog.set_level(logging.INFO, "v2g.journal")
    for kind in ("note", "request", "response"):
        journal.record(kind, name="CurrentDemandReq")
    assert not caplog.records


@pytest.mark.parametrize("kind", ["note", "request", "response", "ignored"])
def test_nothing_a_peer_does_pushes_out_what_was_found(kind: str) -> None:
    journal = Journal()
    journal.record("authorised", by="local")
    for number in range(3 * CAPACITY):
        journal.record(kind, name=f"Name{number % 7}")
    journal.record("ended", reason="done")
    kinds = [entry.kind for entry in journal.entries]
    assert (kinds[0], kinds[-2:]) == ("authorised", [kind, "ended"])
    assert len(kinds) <= 2 + CAPACITY + CAPACITY // 2


def test_the_stop_after_a_short_loop_is_no_part_of_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "v2g.journal")
    journal = Journal()
    for name in ("PowerDeliveryReq", "CurrentDemandReq", "CurrentDemandReq", "PowerDeliveryReq"):
        journal.record("request", name=name)
    assert [line.split("name=")[1] for line in caplog.messages] == [
        "PowerDeliveryReq",
        "CurrentDemandReq",
        "PowerDeliveryReq",
    ]


def test_a_flood_of_anything_is_bounded_and_the_end_is_kept() -> None:
    journal = Journal(capacity=10)
    for number in range(1000):
        journal.record("skipped", number=number)
    journal.record("ended")
    assert len(journal.entries) == 10
    assert journal.entries[-1].kind == "ended"
    assert journal.dropped == 991


def test_repeated_messages_are_logged_at_debug_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "v2g.journal")
    journal = Journal("A1B2")
    loop(journal, 3)
    journal.record("request", name="PowerDeliveryReq")
    assert [record.levelname for record in caplog.records] == ["INFO"] * 2 + ["DEBUG"] * 4 + ["INFO"]
    assert caplog.messages[0].startswith("A1B2 0.0")
    assert caplog.messages[0].endswith(" request name=CurrentDemandReq")


def test_secrets_are_neither_kept_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "v2g.journal")
    journal = Journal()
    journal.record("challenge", challenge=b"0123456789abcdef", password="hunter2", evse="DE*ABC*E1")
    assert journal.entries[0].facts == {"evse": "DE*ABC*E1"}
    assert "hunter2" not in caplog.text


def test_the_secrets_of_whole_messages_reach_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "v2g.journal")
    message = iso2.PaymentDetailsRes(
        ResponseCode=iso2.ResponseCode.OK, GenChallenge=b"nobody-sees-this", EVSETimeStamp=0
    )
    journal = Journal()
    journal.record("response", name="PaymentDetailsRes", message=message)
    assert journal.entries[0].facts["message"] is message
    assert [line.split(" ", 2)[2] for line in caplog.messages] == ["response name=PaymentDetailsRes"]


def test_only_the_newest_entries_keep_their_whole_message() -> None:
    message = iso2.ServiceDiscoveryReq()
    journal, heard = Journal(), []
    journal.subscribe(lambda entry: heard.append("message" in entry.facts))
    for number in range(100):
        journal.record("request", name=f"{number}Req", message=message)
        journal.record("authorised")
    kept = [entry.facts.get("message") is message for entry in journal.entries if entry.kind == "request"]
    assert kept == [False] * (100 - WHOLE) + [True] * WHOLE
    assert heard == [True, False] * 100


def test_a_number_of_any_size_has_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "v2g.journal")
    Journal().record("x", serial=1 << 20_000, small=-7)
    assert caplog.messages[0].endswith(" x serial=(20001 bits) small=-7")


def test_long_bytes_and_objects_stay_out_of_the_log_line() -> None:
    entry = Entry(
        number=0, at=1.5, kind="x", facts={"id": b"\x01\x02", "der": bytes(900), "message": object(), "w": 1e4}
    )
    assert str(entry) == "1.500 x id=0102 der=(900 bytes) w=10000"


@given(st.text(max_size=400))
@example("x=y")
@example("ok\ncode=OK")
def test_a_peer_cannot_break_the_line_nor_fake_a_fact(text: str) -> None:
    line = str(Entry(number=0, at=0.0, kind="x", facts={"reason": text}))
    assert line.isprintable()
    assert line.isascii()
    assert len(line) < 12 * TEXT_LIMIT
    if " " in text or "=" in text:
        assert line.removeprefix("0.000 x reason=")[0] in "'\""


def test_subscribers_hear_everything_until_they_leave() -> None:
    journal, heard = Journal(), list[str]()
    leave = journal.subscribe(lambda entry: heard.append(entry.kind))
    journal.record("a")
    leave()
    leave()
    journal.record("b")
    assert heard == ["a"]
