"""Which protocols a station speaks, and which of them with the vehicle that is here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, NamedTuple

from secc import din, iso2
from secc.config import SeccConfig
from secc.visit import Visit
from v2g.dialect import Dialect
from v2g.din import DIN
from v2g.iso2 import ISO2
from v2g.link import SeccLink
from v2g.tls.suites import Generation

Session = Callable[[SeccLink, Visit], Awaitable[None]]
Transport = Literal["tls12", "tls13", "tcp"]


class Spoken(NamedTuple):
    """One protocol: how it is spoken, the session it is spoken in, and what it travels on."""

    dialect: Dialect
    serve: Session
    transports: frozenset[Transport]


SPOKEN = {
    "iso2": Spoken(ISO2, iso2.serve, frozenset({"tls12", "tcp"})),
    "din": Spoken(DIN, din.serve, frozenset({"tcp"})),
}
"""The protocols there are sessions for; DIN 70121 knows no TLS, ISO 15118-2 none above 1.2."""


def possible(config: SeccConfig) -> dict[str, Spoken]:
    """The protocols that some vehicle may speak here: those allowed, on the transports that are open."""
    opened: set[Transport] = {"tls12", "tls13"} if config.tls.chain or config.tls.identity else set()
    if not config.tls.required:
        opened.add("tcp")
    return {key: SPOKEN[key] for key in config.session.protocols if SPOKEN[key].transports & opened}


def now(visit: Visit) -> dict[Dialect, Session]:
    """The protocols for this vehicle, by its transport and what the outlet can do.

    They are told apart before the vehicle's priorities count [V2G2-167], so that it gets its next choice.
    """
    return {
        spoken.dialect: spoken.serve
        for key, spoken in possible(visit.config).items()
        if _transport(visit) in spoken.transports and (key != "din" or _serves_din(visit))
    }


def _transport(visit: Visit) -> Transport:
    if not visit.secure:
        return "tcp"
    return "tls13" if visit.generation is Generation.ISO20 else "tls12"


def _serves_din(visit: Visit) -> bool:
    """Whether there is DC, and identification from outside."""
    return "DC" in visit.setup.energy_modes and "external" in visit.setup.authorization
