"""Every fuzz target by name: the schema sets, and the parsers of other bytes."""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz import corpus
from tests.fuzz.cost import Costly, timed
from tests.fuzz.invariants import CodecInvariants, Suspect
from tests.fuzz.wire import PARSERS
from v2g.protocols import SCHEMAS

Check = Callable[[bytes], None]
"""Raises what it finds wrong; returns for bytes that are dealt with as they should be."""

TARGETS = (*SCHEMAS, *PARSERS)


def check(target: str, *, thorough: bool = False, suspect: Suspect | None = None) -> Check:
    """Tell the check of a target, with the options of `CodecInvariants`."""
    if target in PARSERS:
        return _timed(PARSERS[target].check, suspect)
    return CodecInvariants(target, thorough=thorough, suspect=suspect)


def seeds(target: str) -> list[bytes]:
    """Tell what fuzzing of a target begins with."""
    return PARSERS[target].seeds() if target in PARSERS else corpus.seeds(target)


def _timed(plain: Check, suspect: Suspect | None) -> Check:
    def check(data: bytes) -> None:
        try:
            timed(plain, data)
        except Costly as costly:
            if suspect is None:
                raise
            suspect(data, costly.times)

    return check
