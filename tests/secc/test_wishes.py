"""The charger's requests: which wish stands, and what a repeated id does."""

from __future__ import annotations

from typing import Literal

import pytest

from secc import api
from secc.wishes import REMEMBERED, Wishes

Do = Literal["stop", "pause", "resume", "renegotiate", "emergency_stop"]


def request(do: Do, request_id: str = "") -> api.ChargerRequest:
    return api.ChargerRequest(id=request_id or do, do=do)


@pytest.mark.parametrize(
    ("said", "wish", "replies"),
    [
        (["stop"], "stop", "a"),
        (["pause", "stop"], "stop", "aa"),
        (["stop", "pause"], "stop", "ar"),
        (["renegotiate", "pause"], "pause", "aa"),
        (["pause", "renegotiate"], "pause", "ar"),
        (["pause", "resume"], "none", "aa"),
        (["stop", "resume"], "stop", "ar"),
        (["resume"], "none", "r"),
        (["emergency_stop", "resume", "renegotiate"], "stop", "arr"),
    ],
)
def test_the_stronger_wish_stands(said: list[Do], wish: str, replies: str) -> None:
    wishes = Wishes()
    given = [wishes.take(request(do), running=True)[0] for do in said]
    assert wishes.wish == wish
    assert "".join(reply[0] for reply in given) == replies
    assert (wishes.emergency is not None) == ("emergency_stop" in said)


def test_the_same_id_gets_the_same_reply_and_is_not_followed_twice() -> None:
    wishes = Wishes()
    first = wishes.take(request("stop", "1"), running=True)
    wishes.forget()
    assert wishes.take(request("stop", "1"), running=True) == first
    assert wishes.wish == "none"


def test_an_emergency_stop_is_followed_however_often() -> None:
    wishes = Wishes()
    for _ in range(2):
        wishes.forget()
        wishes.take(request("emergency_stop", "1"), running=True)
        assert wishes.emergency is not None


def test_without_a_session_nothing_is_wished() -> None:
    wishes = Wishes()
    replies = [wishes.take(request(do), running=False) for do in ("stop", "renegotiate", "emergency_stop")]
    assert [reply for reply, _ in replies] == ["accepted", "refused", "accepted"]
    assert wishes.wish == "none"
    assert wishes.emergency is None


def test_memory_is_bounded() -> None:
    wishes = Wishes()
    for number in range(1_000):
        wishes.take(request("stop", str(number)), running=True)
    assert len(wishes._replies) == REMEMBERED


def test_a_renegotiation_fulfils_its_wish_and_no_stronger_one() -> None:
    wishes = Wishes()
    steps: list[tuple[Do, str]] = [("renegotiate", "none"), ("pause", "pause"), ("stop", "stop")]
    for do, left in steps:
        wishes.take(request(do), running=True)
        wishes.renegotiated()
        assert wishes.wish == left


def test_another_renegotiation_needs_another_request() -> None:
    wishes = Wishes()
    for wanted in ("renegotiate", "none"):
        wishes.take(request("renegotiate", "1"), running=True)
        assert wishes.wish == wanted
        wishes.renegotiated()
    wishes.take(request("renegotiate", "2"), running=True)
    assert wishes.wish == "renegotiate"


@pytest.mark.parametrize(
    ("do", "reply", "recall"),
    [
        ("resume", "accepted", "wake_up"),
        ("stop", "accepted", "release"),
        ("emergency_stop", "accepted", "release"),
        ("pause", "refused", "none"),
        ("renegotiate", "refused", "none"),
    ],
)
def test_what_a_paused_session_is_asked(do: Do, reply: str, recall: str) -> None:
    wishes = Wishes()
    wishes.paused = True
    assert wishes.take(request(do), running=False)[0] == reply
    assert (wishes.recall, wishes.wish) == (recall, "none")
    wishes.forget()
    assert wishes.recall == "none"
    assert wishes.take(request("resume", "later"), running=False)[0] == "refused"
