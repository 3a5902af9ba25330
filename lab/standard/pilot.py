"""What state the control pilot must be in at each request, DIN 70121 and ISO 15118-2, transcribed by hand.

No session code reads this. States are those of IEC 61851-1 without their number; `within_s` is the time a station may
take to see the state before it decides. A request that is not here says nothing of the pilot: B, C and D will do.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

PLUGGED = "BCD"
READY = "CD"

GONE = "AEF"
"""Unplugged, shorted, or out of order: whatever is said, power goes off and the connection ends (6.1, 7)."""


class Demanded(NamedTuple):
    """A request (with its choice), the pilot states it may come in, and the answer in any other."""

    request: str
    states: str
    refused: Literal["FAILED", "FAILED_ContactorError"]
    within_s: float
    source: str


DC: tuple[Demanded, ...] = (
    Demanded("CableCheck", READY, "FAILED", 1.5, "3.2 [V2G2-917] [V2G2-918], 3.1 [V2G-DC-547]; T DC_008"),
    Demanded("PreCharge", READY, "FAILED", 0.0, "6.1: the vehicle left C or D while the output was on"),
    Demanded("PowerDelivery(Start)", READY, "FAILED", 0.0, "6.1"),
    Demanded("CurrentDemand", READY, "FAILED", 0.0, "6.1, 9.2: ends current, contactor and session at once"),
    Demanded("WeldingDetection", "B", "FAILED", 1.5, "3.2, 3.1 [V2G-DC-556]; T Welding_005"),
    Demanded("SessionStop", "B", "FAILED", 1.5, "3.2; T SessionStop_006; only after power was on"),
)
AC: tuple[Demanded, ...] = (
    Demanded("PowerDelivery(Start)", READY, "FAILED_ContactorError", 3.0, "4.3 [V2G2-847] [V2G2-860]; 3.2"),
    Demanded("ChargingStatus", READY, "FAILED", 0.0, "6.1, 9.2"),
)
STOPS_ANYWHERE = ("PowerDelivery(Stop)",)
"""A vehicle stops in C, D or, in AC, in B already: 3.3, T AC_005."""
