"""Which name was meant: the nearest of those that are known, or the first of them."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_NAMED = 12
LONGEST = 64
"""Longer names are nobody's slip."""


def nearest(name: str, known: Iterable[str], none: str = "no fields") -> str:
    """Tell the end of an error about an unknown name: `did you mean X?`, or `known are ...`."""
    names = list(known)
    found = get_close_matches(name, names, n=2, cutoff=0.75) if len(name) <= LONGEST else []
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return (
        f"did you mean {' or '.join(sorted(found))}?"
        if found
        else f"known are {', '.join(names[:MOST_NAMED]) or none}{more}"
    )
