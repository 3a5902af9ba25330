"""How often a test repeats: the usual count, or the large one that `make endurance` asks for."""

from __future__ import annotations

import os

ENDURANCE = os.environ.get("PLUGCHARGE_ENDURANCE") == "1"


def count(usual: int, large: int) -> int:
    """Return `large` when PLUGCHARGE_ENDURANCE=1 is set, else `usual`."""
    return large if ENDURANCE else usual
