"""What a case finds: pass, fail or inconclusive, why, and the messages that show it."""

from __future__ import annotations

from typing import Literal

from v2g.record import Record

Outcome = Literal["pass", "fail", "inconclusive"]


class Verdict(Record):
    """The outcome of one case; `evidence` are the messages exchanged, in order, one line each."""

    outcome: Outcome
    reason: str = ""
    evidence: tuple[str, ...] = ()


class Unmet(Exception):
    """The system under test did something else than the case demands."""


class Unclear(Exception):
    """The system under test was not brought to where the case begins."""


def demand(holds: bool, reason: str) -> None:
    """Raise `Unmet` unless something holds."""
    if not holds:
        raise Unmet(reason)
