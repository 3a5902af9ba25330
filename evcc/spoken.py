"""Which protocols the vehicle speaks, and which of them it offers on a connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from evcc import din, iso2
from evcc.config import Plan
from evcc.trip import Declined, Trip
from v2g.dialect import Dialect
from v2g.din import DIN
from v2g.iso2 import ISO2
from v2g.link import EvccLink
from v2g.stream import Facts
from v2g.tls.suites import Generation

Session = Callable[[EvccLink, Trip], Awaitable[None]]

SPOKEN: dict[str, tuple[Dialect, Session]] = {"iso2": (ISO2, iso2.drive), "din": (DIN, din.drive)}


def offered(plan: Plan, facts: Facts) -> dict[Dialect, Session]:
    """Tell what to offer on a connection, the most wanted first. Raises `Declined` where nothing is left.

    DIN 70121 has no TLS, ISO 15118-2 none above 1.2.
    """
    if facts.generation is Generation.ISO20:
        raise Declined(
            "the station took TLS 1.3, and there are no sessions of ISO 15118-20 yet: `generations` in [tls]"
        )
    found = dict(SPOKEN[key] for key in plan.protocols if key != "din" or not facts.secure)
    if not found:
        raise Declined("the connection has TLS, and the car was told to speak DIN 70121 alone, which has none")
    return found
