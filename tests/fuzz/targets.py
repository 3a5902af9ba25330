"""Every fuzz target by name: the schema sets, and the parsers of other bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.fuzz import corpus
from tests.fuzz.cost import allowed, check_time
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
    def timed(data: bytes) -> None:
        began = time.thread_time()
        plain(data)
        took = time.thread_time() - began
        if took > allowed(len(data)) and suspect is None:
            check_time(plain, data, took)
        elif took > allowed(len(data)) and suspect is not None:
            suspect(data, took / allowed(len(data)))

    return timed
