"""How a session ended: one word for logs, events and people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from v2g.errors import HandshakeFailed, PeerGone, Refused, Silence, Undecodable, Untrusted, V2GError

Kind = Literal[
    "terminated", "paused", "refused", "silence", "gone", "undecodable", "handshake", "untrusted", "internal"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a session ended, with which last message, and with which alert where TLS did not come about."""

    kind: Kind
    reason: str = ""
    last_message: str = ""
    response_code: str = ""
    alert: str = ""


def alert_of(error: V2GError) -> str:
    """Tell the alert that a failed handshake ended with, and whether it was sent or received; empty where not known."""
    if isinstance(error, HandshakeFailed) and error.received:
        return f"received {error.received}"
    return f"sent {error.sent}" if isinstance(error, HandshakeFailed | Untrusted) and error.sent else ""


def kind_of(error: V2GError) -> Kind:
    """Name the kind of end an error makes."""
    match error:
        case Refused():
            return "refused"
        case Silence():
            return "silence"
        case PeerGone():
            return "gone"
        case Undecodable():
            return "undecodable"
        case HandshakeFailed():
            return "handshake"
    return "untrusted"
