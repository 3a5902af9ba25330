"""Every exchange of a session, for its result: the journal forgets those of a long loop, evidence must not."""

from __future__ import annotations

import msgspec

from v2g.journal import Entry
from v2g.record import Record


class Exchange(Record):
    """A request, and what was answered to it; None where nothing came that could be taken for the answer.

    Times in milliseconds: `at_ms` since the start of the charge, `took_ms` until the answer was read.
    """

    request: str
    response: str | None = None
    code: str | None = None
    at_ms: float
    took_ms: float | None = None


class Note(Record):
    """Something unusual in how the answers to a request were encoded: how often, and when it was first seen."""

    request: str
    note: str
    times: int
    at_ms: float


class Account:
    """Hears a journal and keeps all exchanges and notes."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._notes: dict[tuple[str, str], Note] = {}

    def see(self, entry: Entry) -> None:
        """Take an entry of the vehicle's journal."""
        at_ms, facts = round(entry.at * 1e3, 3), entry.facts
        match entry.kind:
            case "request":
                self.exchanges.append(Exchange(request=facts["name"], at_ms=at_ms))
            case "response":
                self.exchanges[-1] = msgspec.structs.replace(
                    self.exchanges[-1], response=facts["name"], code=facts["code"], took_ms=round(facts["took_ms"], 3)
                )
            case "note":
                self._note(facts["first"], facts["count"], at_ms)

    def _note(self, first: str, count: int, at_ms: float) -> None:
        request = self.exchanges[-1].request
        note = f"{first} (and {count - 1} more)" if count > 1 else first
        before = self._notes.get((request, note)) or Note(request=request, note=note, times=0, at_ms=at_ms)
        self._notes[request, note] = msgspec.structs.replace(before, times=before.times + 1)

    @property
    def notes(self) -> list[Note]:
        """What was unusual, in the order in which it was first seen."""
        return list(self._notes.values())

    @property
    def messages(self) -> list[tuple[str, float]]:
        """Every message as name and milliseconds since the start, in order."""
        return [message for exchange in self.exchanges for message in _messages(exchange)]

    @property
    def refused(self) -> bool:
        """Whether the last answer was a failure."""
        return bool(self.exchanges) and (self.exchanges[-1].code or "").upper().startswith("FAILED")


def _messages(exchange: Exchange) -> list[tuple[str, float]]:
    asked = (exchange.request, exchange.at_ms)
    if exchange.response is None or exchange.took_ms is None:
        return [asked]
    return [asked, (exchange.response, round(exchange.at_ms + exchange.took_ms, 3))]
