"""Handshakes over memory, so that a test sees what each side made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.v2g.tls.chains import ED448, chain, second
from v2g.errors import V2GError
from v2g.tls.client_hello import ClientHello, parse
from v2g.tls.context import Generation, ServerContext, server_context
from v2g.tls.session import Caller, Session
from v2g.trust import Rule

FIRST = chain()
SECOND = second()
EDWARDS = second("V2G20 Ed448", ED448)
CAR = second("car")
EDWARDS_CAR = second("car Ed448", ED448)
BOTH = (Generation.ISO2, Generation.ISO20)
STATION = server_context(FIRST.identity, SECOND.identity, EDWARDS.identity, client_anchors=[CAR.root, EDWARDS_CAR.root])


class Asked:
    """A judge that remembers what it was asked, and always answers the same."""

    def __init__(self, answer: Rule | None = None) -> None:
        self.chains: list[tuple[tuple[bytes, ...], Generation]] = []
        self._answer = answer

    def __call__(self, chain: Sequence[bytes], generation: Generation) -> Rule | None:
        self.chains.append((tuple(chain), generation))
        return self._answer


@dataclass(slots=True)
class End:
    """One side, the errors it ended with, and whether its handshake was done."""

    session: Session
    judge: Asked
    done: bool = False
    error: V2GError | None = None

    def go_on(self) -> bytes:
        """Do what can be done; return what is to be sent."""
        try:
            if not self.done:
                self.done = self.session.handshake()
            if self.done:
                self.session.read()
        except V2GError as error:
            self.error = self.error or error
        return self.session.take()


def said(client: Caller) -> ClientHello:
    """Read the ClientHello."""
    session = client.session(Asked())
    assert not session.handshake()
    hello = parse(session.take())
    assert hello is not None
    return hello


def shake(
    client: Caller, server: ServerContext = STATION, *, car: Rule | None = None, station: Rule | None = None
) -> tuple[End, End]:
    """Let both sides shake hands; `car` and `station` are why the other side refuses that one, if it does."""
    asked = Asked(station)
    ours = End(client.session(asked), asked)
    greeting = ours.go_on()
    hello = parse(greeting)
    assert hello is not None
    judge = Asked(car)
    theirs = End(server.session(hello, judge), judge)
    to_station, to_car = greeting, b""
    while to_station or to_car:
        theirs.session.feed(to_station)
        to_car = theirs.go_on()
        ours.session.feed(to_car)
        to_station = ours.go_on()
    return ours, theirs
