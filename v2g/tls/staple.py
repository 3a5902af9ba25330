"""The OCSP response that a station staples to its certificate: how it is judged, and when a vehicle goes on.

The vehicle asks with status_request (RFC 6066 section 8; in TLS 1.3 RFC 8446 section 4.4.2.1) and looks at the answer
inside the handshake, after the chain itself was judged. Who signed a response and whom it is about is not known here:
the judge is handed in. A station whose staple is refused is told so by bad_certificate_status_response.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from v2g.errors import Untrusted


class Policy(StrEnum):
    """What a vehicle does about staples: demand one, judge what comes, ask the responder instead, or not ask at all."""

    REQUIRE = "require"
    IF_PRESENT = "if-present"
    FETCH = "fetch"
    OFF = "off"


class State(StrEnum):
    """What a staple came to. `none`: there was none. `unusable`: it may not be relied upon, and so says nothing."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"
    UNUSABLE = "unusable"
    NONE = "none"


REFUSED: dict[Policy, frozenset[State]] = {
    Policy.REQUIRE: frozenset(State) - {State.GOOD},
    Policy.IF_PRESENT: frozenset({State.REVOKED, State.UNKNOWN, State.UNUSABLE}),
    Policy.FETCH: frozenset({State.REVOKED}),
    Policy.OFF: frozenset({State.REVOKED}),
}
"""What ends a handshake. Who fetches goes on without a good staple, and has to get a good word elsewhere."""

_TOLD = {
    State.REVOKED: "the responder says that the certificate is revoked",
    State.UNKNOWN: "the responder does not know the certificate",
    State.NONE: "none came, and this vehicle requires one",
}

Judge = Callable[[bytes, Sequence[bytes]], str]
"""Says `good`, `revoked` or `unknown` of the first certificate of a chain (DER), which holds otherwise.

It is given the response (DER) and the chain, without its root; raises `Untrusted` for a response not to be used.
"""


class StapleRefused(Untrusted):
    """A vehicle does not go on with what was stapled, or was not; `state` says what it came to."""

    def __init__(self, state: State, detail: str) -> None:
        self.state = state
        super().__init__(f"OCSP staple, {state}", detail)


@dataclass(frozen=True, slots=True)
class Stapling:
    """A policy and the judge it relies on; several connections may use one.

    `excuses` tells which chains need no staple: those of private operators, who have nobody to ask [V2G2-872].
    """

    policy: Policy
    judge: Judge
    excuses: Callable[[Sequence[bytes]], bool] = lambda _chain: False

    @property
    def asks(self) -> bool:
        """Whether the ClientHello asks for staples."""
        return self.policy is not Policy.OFF

    def look(self, response: bytes, chain: Sequence[bytes]) -> State:
        """Judge the staple of the first certificate of a chain that was judged already; b"" where none came.

        Raises `StapleRefused` for what the policy does not bear.
        """
        state, detail = self._state(response, chain)
        if state in REFUSED[self.policy] and not (state is State.NONE and self.excuses(chain)):
            raise StapleRefused(state, detail)
        return state

    def wants(self, state: str) -> bool:
        """Tell whether a good word is still to be fetched after a handshake whose staple came to `state`."""
        return self.policy is Policy.FETCH and state != State.GOOD

    def _state(self, response: bytes, chain: Sequence[bytes]) -> tuple[State, str]:
        if not response:
            return State.NONE, _TOLD[State.NONE]
        try:
            state = self._judged(response, chain)
        except Untrusted as error:
            return State.UNUSABLE, str(error)
        return state, _TOLD.get(state, "")

    def _judged(self, response: bytes, chain: Sequence[bytes]) -> State:
        """Ask the judge; whatever goes wrong on the way is no good word."""
        try:
            return State(self.judge(response, chain))
        except Untrusted:
            raise
        except Exception as error:
            raise Untrusted("OCSP", f"its check failed with {type(error).__name__}: {error}") from error
