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

Session = Callable[[EvccLink, Trip], Awaitable[None]]

SPOKEN: dict[str, tuple[Dialect, Session]] = {"iso2": (ISO2, iso2.drive), "din": (DIN, din.drive)}


def offered(plan: Plan, *, secure: bool) -> dict[Dialect, Session]:
    """Tell what to offer, the most wanted first; DIN 70121 has no TLS. Raises `Declined` where nothing is left."""
    found = dict(SPOKEN[key] for key in plan.protocols if key != "din" or not secure)
    if not found:
        raise Declined("the connection has TLS, and the car was told to speak DIN 70121 alone, which has none")
    return found
