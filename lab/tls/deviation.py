"""What makes up a vehicle that deviates in TLS: what it offers, shows and sends, and what a station makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from v2g.tls.alerts import Alert
from v2g.tls.client_hello import Extension
from v2g.tls.suites import PRESCRIBED, TLS_1_3, Generation


class Reaction(StrEnum):
    """What a station does: goes on and answers, says by an alert why not, or closes without a word."""

    ACCEPTED = "accepted"
    ALERT = "alert"
    CLOSED = "closed"


class Shows(StrEnum):
    """The certificates a vehicle shows where it is asked for them."""

    VEHICLE = "vehicle"
    CONTRACT = "contract"
    MO_VEHICLE = "mo-vehicle"
    """A vehicle certificate in every respect, but issued below the root of a mobility operator."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A ClientHello by the numbers of the registries, in the order of preference.

    `shares` are the groups with a key share, in TLS 1.3. `without` are extensions left out, `added` others put in, and
    `tail` is what follows the last of them inside the message.
    """

    versions: tuple[int, ...]
    suites: tuple[int, ...]
    groups: tuple[int, ...]
    schemes: tuple[int, ...]
    shares: tuple[int, ...] = ()
    without: frozenset[int] = frozenset()
    added: tuple[tuple[int, bytes], ...] = ()
    tail: bytes = b""

    @property
    def second(self) -> bool:
        """Whether TLS 1.3 is among the versions."""
        return TLS_1_3 in self.versions


def prescribed(generation: Generation) -> Offer:
    """Return what a vehicle of a generation has to offer."""
    lists = PRESCRIBED[generation]
    groups = tuple(code.number for code in lists.groups)
    return Offer(
        versions=(lists.version,),
        suites=tuple(code.number for code in lists.suites),
        groups=groups,
        schemes=tuple(code.number for code in lists.schemes),
        shares=groups[:1] if lists.version == TLS_1_3 else (),
        added=((Extension.STATUS_REQUEST, bytes([1, 0, 0, 0, 0])),) if lists.mutual else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How a ClientHello is put on the wire: bytes in a record and a TCP segment, 0 for all of it; seconds between.

    `after` follows it at once, in clear.
    """

    record: int = 0
    segment: int = 0
    pause_s: float = 0.0
    after: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One way of getting it wrong, and what has to follow; `alerts` are the right ones, the most fitting first.

    `chain_times` is how often the issuers are shown. `again` means that a second ClientHello follows the handshake.
    """

    name: str
    text: str
    generation: Generation
    reaction: Reaction
    alerts: tuple[Alert, ...] = ()
    requirements: tuple[str, ...] = ()
    offer: Offer
    shows: Shows = Shows.VEHICLE
    chain_times: int = 1
    sending: Sending = field(default_factory=Sending)
    again: bool = False

    def expects(self, outcome: Outcome) -> bool:
        """Tell whether a station did what it has to."""
        return outcome.reaction is self.reaction and (not self.alerts or outcome.alert in self.alerts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a station did. `alert` is the one it sent; `version` and `suite` are empty or 0 without a ServerHello."""

    reaction: Reaction
    alert: Alert | None = None
    version: str = ""
    suite: int = 0
    detail: str = ""
