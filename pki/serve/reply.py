"""What a service answers, before HTTP: status, body and what is counted of it."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

TEXT = "text/plain; charset=utf-8"


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer; `outcome` is a word for the metrics, `faults` are the misbehaviours that were on for it."""

    body: bytes
    media: str = TEXT
    status: int = 200
    headers: Mapping[str, str] = {}
    outcome: str = "ok"
    faults: frozenset[str] = frozenset()


def refused(
    status: int,
    text: str,
    *,
    outcome: str = "refused",
    headers: Mapping[str, str] | None = None,
    faults: frozenset[str] = frozenset(),
) -> Reply:
    """Say in one line what is wrong with a request, and what to do."""
    return Reply(body=f"{text}\n".encode(), status=status, headers=headers or {}, outcome=outcome, faults=faults)
