"""One TLS connection without a socket, whatever library does it: bytes in, bytes out, and what was agreed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from v2g.tls.suites import PRESCRIBED, Generation
from v2g.trust import Rule

Judge = Callable[[Sequence[bytes], Generation], Rule | None]
"""Judges the chain that came, DER, leaf first, in a connection of a generation; it never raises.

None if the chain holds, else the rule that the alert is to tell of. The answer stays the same when it is asked again.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """What a handshake came to, by the names of the registry.

    `chain` is the subject of our own leaf, empty where we showed none; `chain_by` the extension that chose it. `staple`
    is what the station stapled: seen by the vehicle a state of `v2g.tls.staple`, by the station "sent" or "none";
    empty where none was asked for.
    """

    version: str
    suite: str
    group: str
    generation: Generation
    chain: str = ""
    chain_by: str = ""
    staple: str = ""

    @property
    def mutual(self) -> bool:
        """Whether the vehicle showed a certificate, too."""
        return PRESCRIBED[self.generation].mutual


class Session(Protocol):
    """The sans-IO core: `feed` what arrived, then `take` and send what is due."""

    def feed(self, data: bytes) -> None:
        """Give bytes from the wire to TLS."""

    def take(self) -> bytes:
        """Return the bytes to put on the wire; b"" when there are none."""

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises `HandshakeFailed`, `Untrusted` for a staple."""

    def read(self) -> bytes | None:
        """Decrypt one record: b"" when the peer has said close_notify, None when more bytes are needed first.

        Raises `PeerGone` when the record is broken or the peer sent an alert; `HandshakeFailed` for an alert by which
        a station refuses, as late as TLS 1.3 lets it, what the vehicle showed.
        """

    def write(self, data: bytes) -> None:
        """Encrypt `data` as one record, or as few as 16 384 bytes each allow. Raises `PeerGone` after the end."""

    def close(self) -> None:
        """Say close_notify, if the connection still can."""

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed; only after the handshake."""


class Caller(Protocol):
    """The vehicle's side, ready to connect."""

    def session(self, judge: Judge) -> Session:
        """Start the vehicle's end of a connection; `judge` is asked inside the handshake whether the chain holds."""
