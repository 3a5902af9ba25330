"""How one standard packs, pairs, refuses and ends: what `v2g.link` must know of it and nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from typing import Protocol as Structure

from v2g import protocols
from v2g.exi.message import Message
from v2g.identifiers import UNKNOWN_EVSE
from v2g.messages.xmldsig import Signature

SESSION_ID_SIZE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message without its standard's packaging."""

    session_id: bytes
    body: Message
    signature: Signature | None = None


class Paired:
    """What the dialects of standards have in common whose requests name their responses: DIN 70121 and -2."""

    def is_request(self, body: Message) -> bool:
        """Whether a vehicle may send this."""
        return hasattr(body, "Response")

    def code(self, response: Message) -> str:
        """The response code of a response."""
        return str(getattr(response, "ResponseCode", ""))


class Dialect(Structure):
    """How one standard packs, refuses and ends; `v2g.iso2.ISO2` is one."""

    protocol: protocols.Protocol
    messages: tuple[type[Message], ...]
    setup: type[Message]
    stop: type[Message]

    def wrap(self, envelope: Envelope) -> Message:
        """Pack a message for the codec."""

    def unwrap(self, message: Message) -> Envelope:
        """Unpack what the codec read; raises `Undecodable` when there is no message in it."""

    def is_request(self, body: Message) -> bool:
        """Whether a vehicle may send this."""

    def terminates(self, stop: Message) -> bool:
        """Whether this stop request ends the session for good (and does not pause it)."""

    def stopped(self) -> Message:
        """The positive answer to a stop request."""

    def refusal(self, request: Message, code: str, charger: Refusing) -> Message:
        """The response that belongs to `request`, with a failure code and the least content that is valid."""

    def code(self, response: Message) -> str:
        """The response code of a response."""


@dataclass(slots=True, kw_only=True)
class Refusing:
    """What a refusal must show of the station: its id, the kind of energy, and in DC the status code."""

    evse_id: str = UNKNOWN_EVSE
    energy: Literal["AC", "DC"] = "AC"
    status: str = "EVSE_NotReady"
