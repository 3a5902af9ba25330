"""What can go wrong between a vehicle and a station, one class per kind.

Bad input from outside always ends in one of these, never in a KeyError or an IndexError. Misuse by our own caller
is a ValueError or TypeError instead.
"""

from __future__ import annotations

from typing import Literal


class V2GError(Exception):
    """Base of everything a peer, a certificate or a wire can cause."""


class Undecodable(V2GError):
    """Bytes that are no message.

    `path` names the element being read, `bit` counts from the first bit of the document, `expected` says what could
    have stood there; each is empty or None where it is not known.
    """

    def __init__(self, what: str, *, path: str = "", bit: int | None = None, expected: str = "") -> None:
        self.what = what
        self.path = path
        self.bit = bit
        self.expected = expected
        where = f" at {path}" if path else ""
        where += f", bit {bit}" if bit is not None else ""
        wanted = f"; expected {expected}" if expected else ""
        super().__init__(f"{what}{where}{wanted}")


class Refused(V2GError):
    """The peer asked for what is not allowed; `code` is the ResponseCode that tells it so.

    `payload` is the refusal as somebody else encoded it, to be handed on as it is; empty where we make our own.
    """

    def __init__(self, code: str, reason: str = "", *, payload: bytes = b"") -> None:
        self.code = code
        self.reason = reason
        self.payload = payload
        super().__init__(f"{code}: {reason}" if reason else code)


class Stopped(V2GError):
    """The peer ended or paused the session, as it may."""

    def __init__(self, kind: Literal["Terminate", "Pause"] = "Terminate") -> None:
        self.kind = kind
        super().__init__(kind)


class Silence(V2GError):
    """A timer ran out; `timer` is its name in the standard."""

    def __init__(self, timer: str, seconds: float) -> None:
        self.timer = timer
        self.seconds = seconds
        super().__init__(f"{timer} ({seconds:g} s) ran out")


class PeerGone(V2GError):
    """The connection ended while the session still needed it."""


class HandshakeFailed(V2GError):
    """No TLS connection came about, for another reason than trust; `reason` says why, as far as it is known.

    `sent` and `received` are the alerts of ours and of the peer, by the names of the registry; empty where none passed.
    """

    def __init__(self, reason: str, *, sent: str = "", received: str = "") -> None:
        self.reason = reason
        self.sent = sent
        self.received = received
        super().__init__(f"TLS handshake failed: {reason}")


class Untrusted(V2GError):
    """A certificate or signature does not hold; `rule` names the check that failed.

    `sent` is the alert that told a peer in TLS, by the name of the registry; empty elsewhere.
    """

    def __init__(self, rule: str, detail: str = "") -> None:
        self.rule = rule
        self.detail = detail
        self.sent = ""
        super().__init__(f"{rule}: {detail}" if detail else rule)
