"""One record of everything a session did; log lines, MQTT events, ladders and reports read it.

Kinds are free words. Two have a meaning here: `request` and `response`, with the fact `name`, are the session's
messages. A request that repeats one of the two before it, with its response and what is noted until the next one, is
the loop: logged at DEBUG and kept in a ring of its own, so that hours of charging push no other entry out. Everything
else is logged at INFO. What a peer can cause at will (`PEERS_OWN`) fills at most half of the other ring and goes on in
the loop's: no peer pushes out what was found about it.

A fact named in `SECRETS` is dropped when it is recorded, and only plain values reach a log line, in one line and with
a bounded length. Objects are kept as they are and handed to subscribers: a whole message still holds its challenge or
its encrypted key, so whoever shows or stores entries must choose the fields it takes from one. Only the newest entries
keep the fact `message`: an offer of 3 x 1024 entries takes half a megabyte, and a vehicle may ask for one each second.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any

from v2g.record import Record

CAPACITY = 2_048
TEXT_LIMIT = 200
NUMBER_BITS = 256
WHOLE = 32  # the newest entries with a message that keep it
RECENT = 2  # requests a repeated one may lie back: one more would take the stop after a short loop for part of it
PEERS_OWN = frozenset({"request", "response", "note", "ignored"})
SECRETS = frozenset(
    {"password", "passphrase", "secret", "key", "private_key", "pin", "challenge", "gen_challenge", "GenChallenge"}
)

_log = logging.getLogger(__name__)


class Entry(Record):
    """What happened: seconds since the journal began, a kind, and its facts; `number` counts all entries from 0."""

    number: int
    at: float
    kind: str
    facts: dict[str, Any]

    def __str__(self) -> str:
        return " ".join([f"{self.at:.3f}", self.kind, *self._words()])

    def _words(self) -> Iterator[str]:
        for name, value in self.facts.items():
            if isinstance(value, bytes):
                yield f"{name}={value.hex() if len(value) <= 8 else f'({len(value)} bytes)'}"
            elif isinstance(value, float):
                yield f"{name}={value:.6g}"
            elif isinstance(value, int) and value.bit_length() > NUMBER_BITS:
                yield f"{name}=({value.bit_length()} bits)"
            elif isinstance(value, str | int):
                yield f"{name}={_plain(str(value))}"


def _plain(text: str) -> str:
    """Shorten and, where a peer might break the line or fake a fact, quote."""
    short = text if len(text) <= TEXT_LIMIT else text[:TEXT_LIMIT] + "..."
    return short if short.isascii() and short.isprintable() and " " not in short and "=" not in short else ascii(short)


class Journal:
    """The record of one session, bounded in length; `session` is what its log lines begin with."""

    def __init__(
        self, session: str = "", *, capacity: int = CAPACITY, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.session = session
        self._clock = clock
        self._began = clock()
        self._number = 0
        self._facts: deque[Entry] = deque(maxlen=capacity)
        self._loop: deque[Entry] = deque(maxlen=capacity)
        self._whole: deque[Entry] = deque()
        self._subscribers: list[Callable[[Entry], None]] = []
        self._recent: deque[object] = deque(maxlen=RECENT)
        self._repeats = False
        self._room_for_peer = capacity // 2

    def record(self, kind: str, **facts: Any) -> None:
        """Note what happened. Never raises for what a value is, never blocks."""
        if not SECRETS.isdisjoint(facts):
            facts = {name: value for name, value in facts.items() if name not in SECRETS}
        entry = Entry(number=self._number, at=self._clock() - self._began, kind=kind, facts=facts)
        self._number += 1
        repeated = self._is_loop(kind, facts)
        (self._loop if repeated else self._facts).append(entry)
        self._let_go(entry)
        level = logging.DEBUG if repeated else logging.INFO
        if _log.isEnabledFor(level):
            _log.log(level, "%s %s", self.session or "-", entry)
        for subscriber in self._subscribers:
            subscriber(entry)

    def _let_go(self, entry: Entry) -> None:
        """Keep the message of this entry, and let an old one go."""
        if "message" in entry.facts:
            self._whole.append(entry)
        if len(self._whole) > WHOLE:
            del self._whole.popleft().facts["message"]

    def subscribe(self, callback: Callable[[Entry], None]) -> Callable[[], None]:
        """Call `callback` with every new entry, on the session's hot path; returns what ends the subscription."""
        self._subscribers = [*self._subscribers, callback]

        def unsubscribe() -> None:
            self._subscribers = [each for each in self._subscribers if each is not callback]

        return unsubscribe

    @property
    def entries(self) -> list[Entry]:
        """All entries still held, in the order they came."""
        return list(heapq.merge(self._facts, self._loop, key=attrgetter("number")))

    @property
    def dropped(self) -> int:
        """How many entries were pushed out by newer ones."""
        return self._number - len(self._facts) - len(self._loop)

    def messages(self) -> list[tuple[str, float]]:
        """Return the messages still held, as name and milliseconds since the journal began."""
        return [
            (str(entry.facts.get("name", "")), entry.at * 1e3)
            for entry in self.entries
            if entry.kind in {"request", "response"}
        ]

    def _is_loop(self, kind: str, facts: dict[str, Any]) -> bool:
        if kind == "request":
            name = facts.get("name")
            self._repeats = name in self._recent
            self._recent.append(name)
        if kind not in PEERS_OWN:
            return False
        if (self._repeats and kind != "ignored") or not self._room_for_peer:
            return True
        self._room_for_peer -= 1
        return False
