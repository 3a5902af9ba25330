"""What the lines of a sequence table look like, and how one is followed beside a session.

A message is named by its stem and the content that decides what it means: `PowerDelivery(Start)`. What else a message
says is a set of words, `Field=value`, of its enumerations, numbers and flags and of the parts it consists of; a field
left out is `Field=None`. `TLS` or `plain` is known from the start.

Sources are sections of the protocol reference, ids of the standards in brackets. Where they differ, a line stands for
the reading chosen and names the other one as `contested`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from v2g.exi.message import Message

ANYWHERE = "*"
SERVED = "OK"
END, PAUSED = "end", "paused"
CLOSED = "closed"
"""What happens to bytes that are no request: no answer, the connection is closed."""

DECIDES = {
    "PaymentServiceSelectionReq": "SelectedPaymentOption",
    "ServicePaymentSelectionReq": "SelectedPaymentOption",
    "PowerDeliveryReq": ("ChargeProgress", "ReadyToChargeState"),
    "SessionStopReq": "ChargingSession",
}
"""The field of a request that decides which line of a table is meant."""
REMEMBERED = ("PaymentServiceSelectionReq", "ServicePaymentSelectionReq", "ChargeParameterDiscoveryReq")
"""The requests whose words hold for the rest of the session."""


def name(message: Message) -> str:
    """Name a message as the tables do."""
    kind = type(message).__name__
    stem = kind.removesuffix("Req").removesuffix("Res")
    if kind.endswith("Req") and getattr(message, "GenChallenge", None) is not None:
        return f"{stem}(GenChallenge)"
    fields = DECIDES.get(kind, ())
    for each in (fields,) if isinstance(fields, str) else fields:
        if (decision := getattr(message, each, None)) is not None:
            return f"{stem}({decision})"
    return stem


def stem(named: str) -> str:
    """The message's name without what decides."""
    return named.partition("(")[0]


def words(message: Message) -> frozenset[str]:
    """Everything a message says that a table can ask for."""
    return frozenset(_words(message))


def _words(message: Message) -> Iterator[str]:
    for each in message.__struct_fields__:
        value = getattr(message, each)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, Message):
                yield f"{each}={type(one).__name__}"
                yield from _words(one)
            elif one is None or isinstance(one, Enum | int):
                yield f"{each}={one}"


@dataclass(frozen=True, slots=True)
class Served:
    """A request a station serves in a state, and the state a positive answer leads to; the first line that fits counts.

    `given` must be said by the request, by the response before it, or be known of the session; `answered` by the
    response to it. Codes in `refused`: the request is in order, but always refused by one of them. `contested` names
    another reading, under which the answer is one of the codes in `instead`.
    """

    state: str
    request: str
    next: str
    source: str
    given: str = ""
    answered: str = ""
    refused: str = ""
    contested: str = ""
    instead: str = "FAILED_SequenceError"

    def concerns(self, state: str, request: str, known: frozenset[str]) -> bool:
        """Whether the line is about this request in this state."""
        return self.state in (state, ANYWHERE) and self.request == request and known.issuperset(self.given.split())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a vehicle may do after a response: requests by name, or end; the first line that fits counts.

    `contested` is what some would do as well.
    """

    request: str
    next: str
    source: str
    given: str = ""
    answered: str = ""
    contested: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """The tables of one standard, for both sides.

    `codes` are the failure codes beyond the common ones that a response may carry, by its stem.
    """

    key: str
    station: tuple[Served, ...]
    vehicle: tuple[Asked, ...]
    codes: Mapping[str, str]
    first: str = "SessionSetup"

    @property
    def states(self) -> list[str]:
        """All states in which a station waits."""
        return list(dict.fromkeys(row.state for row in self.station if row.state != ANYWHERE))

    def allowed(self, response: str) -> frozenset[str]:
        """The codes a response may carry, by its stem."""
        common = ["OK", "FAILED", "FAILED_SequenceError"]
        unknown = [] if response == "SessionSetup" else ["FAILED_UnknownSession"]
        return frozenset([*common, *unknown, *self.codes.get(response, "").split()])

    def expected(self, state: str, request: Message, known: Iterable[str], *, ours: bool = True) -> frozenset[str]:
        """The codes one of which a station answers with, `OK` for all positive ones; `ours` is a right session id.

        Before SessionSetup everything else is out of sequence; after it the session id is looked at first, though
        not that of another SessionSetupReq, then the order (3.0, "Precedence").
        """
        if not ours and state != self.first and type(request).__name__ != "SessionSetupReq":
            return frozenset({"FAILED_UnknownSession"})
        row = self._row(state, request, known)
        if row is None:
            return frozenset({"FAILED_SequenceError"})
        codes = row.refused.split() or [SERVED]
        return frozenset([*codes, *(row.instead.split() if row.contested else ())])

    def _row(self, state: str, request: Message, known: Iterable[str]) -> Served | None:
        said = _with(request, known)
        fitting = (row for row in self.station if row.concerns(state, name(request), said))
        return next((row for row in fitting if row.state != ANYWHERE or state != self.first), None)

    def accepted(self, state: str, known: Iterable[str]) -> tuple[set[str], set[str]]:
        """The stems of the requests a station must, and may, let through in a state, apart from SessionStop."""
        must, may = set[str](), set[str]()
        for row in self.station:
            if row.state == state and stem(row.request) != "SessionStop":
                sure = not row.contested and frozenset(known).issuperset(_of_the_past(row.given))
                (must if sure and "FAILED_SequenceError" not in row.refused else may).add(stem(row.request))
        return must, may - must


def _of_the_past(given: str) -> list[str]:
    """Those of the words that a request does not say itself."""
    return [word for word in given.split() if not word.startswith("EVChargeParameter=")]


def _with(request: Message, known: Iterable[str]) -> frozenset[str]:
    """What is known once a request came: what it says itself is newer than what was known of the same field."""
    said = words(request)
    fields = {word.partition("=")[0] for word in said}
    return said.union(word for word in known if word.partition("=")[0] not in fields)


@dataclass(slots=True)
class StationFollower:
    """Where a station must be, by its table, after the exchanges so far."""

    standard: Standard
    known: frozenset[str]
    state: str = field(init=False)
    said: frozenset[str] = frozenset()
    """The words of the last response."""

    def __post_init__(self) -> None:
        self.state = self.standard.first

    def expected(self, request: Message, *, ours: bool = True) -> frozenset[str]:
        """The codes one of which must answer this request now."""
        return self.standard.expected(self.state, request, self.known | self.said, ours=ours)

    def accepted(self) -> tuple[set[str], set[str]]:
        """What the station must, and may, let through now."""
        return self.standard.accepted(self.state, self.known | self.said)

    def exchanged(self, request: Message, response: Message) -> None:
        """Go on by one exchange that succeeded. Raises LookupError where no line says what comes then."""
        asked, answered = _with(request, self.known | self.said), words(response)
        if type(request).__name__ in REMEMBERED:
            self.known = _with(request, self.known)
        for row in self.standard.station:
            if row.concerns(self.state, name(request), asked) and answered.issuperset(row.answered.split()):
                self.state, self.said = row.next, answered
                return
        raise LookupError(f"no line for {name(request)} in {self.state}, answered {sorted(answered)}")


@dataclass(slots=True)
class VehicleFollower:
    """What a vehicle may do next, by its table, after the exchanges so far."""

    standard: Standard
    known: frozenset[str]

    def row(self, request: Message, response: Message) -> Asked:
        """The line for a response that is no failure. Raises LookupError where there is none."""
        if type(request).__name__ in REMEMBERED:
            self.known = _with(request, self.known)
        answered = words(response)
        for row in self.standard.vehicle:
            fits = row.request == name(request) and self.known.issuperset(row.given.split())
            if fits and answered.issuperset(row.answered.split()):
                return row
        raise LookupError(f"no line for {name(request)}, answered {sorted(answered)}")

    def next(self, request: Message, response: Message) -> tuple[set[str], set[str]]:
        """What a vehicle should, and by another reading may, do after a response that is no failure."""
        row = self.row(request, response)
        return set(row.next.split()), set(row.contested.split())


FAILURE = ({END}, {"SessionStop(Terminate)", "SessionStop"})
"""After any FAILED* (3.0 "EVCC on FAILED" [V2G2-735]; 9.1: only SessionStopReq(Terminate) is left, the alternative)."""
MISTAKE = ({END}, set[str]())
"""After a response of another type [V2G2-482] or session [V2G2-751], after what nobody can read, and after silence."""
