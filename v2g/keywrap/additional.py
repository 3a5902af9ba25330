"""The additional data that the cipher of a -20 delivery protects, in all its readings [V2G20-2492].

It is the PCID in capitals without separators, then the subject key identifier (SKI) of the contract certificate in
hexadecimal capitals. The lengths that sources give, 18 and 16, do not fit every PCID and SKI (unverified), hence the
readings: whoever sends takes one, whoever opens tells which fitted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_SHORT_TYPE = 0x40
"""The four bits before a key identifier of 60 bits (RFC 5280 4.2.1.2, method 2)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading, by name, with what it puts behind or in place of the PCID."""

    name: str
    meaning: str
    make: Callable[[str, bytes], bytes]


def _pcid(text: str) -> bytes:
    return text.strip().replace("-", "").upper().encode()


def _hex(ski: bytes) -> bytes:
    return ski.hex().upper().encode()


def _short(ski: bytes) -> bytes:
    """The identifier of 8 bytes that belongs to one of 20: both are of the same hash."""
    return ski if len(ski) <= 8 else bytes([_SHORT_TYPE | ski[-8] & 0x0F]) + ski[-7:]


STANDARD = Reading("ski", "PCID, then all of the SKI in hexadecimal", lambda pcid, ski: _pcid(pcid) + _hex(ski))
READINGS = (
    STANDARD,
    Reading("ski8", "PCID, then the SKI of 8 bytes in hexadecimal", lambda pcid, ski: _pcid(pcid) + _hex(_short(ski))),
    Reading("raw16", "PCID, then the first 16 bytes of the SKI", lambda pcid, ski: _pcid(pcid) + ski[:16]),
    Reading("raw", "PCID, then all bytes of the SKI", lambda pcid, ski: _pcid(pcid) + ski),
    Reading("pcid17", "17 characters of the PCID, then the SKI", lambda pcid, ski: _pcid(pcid)[:17] + _hex(ski)),
    Reading("none", "nothing", lambda _pcid, _ski: b""),
)
"""Ours first, then the others in the order they are tried."""


def reading(name: str) -> Reading:
    """Tell the reading of a name. Raises ValueError naming all."""
    for each in READINGS:
        if each.name == name:
            return each
    raise ValueError(f"no additional data is named {name!r}; known are {', '.join(each.name for each in READINGS)}")


def readings(pcid: str, ski: bytes) -> dict[bytes, str]:
    """Tell the additional data in all readings, each with the name of the first that gives it."""
    found: dict[bytes, str] = {}
    for each in READINGS:
        found.setdefault(each.make(pcid, ski), each.name)
    return found
