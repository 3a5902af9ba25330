"""What a case makes of whatever happens in its steps: a verdict, always."""

from __future__ import annotations

import asyncio

import pytest

from lab.cases.case import Case
from lab.cases.peer import Peer
from lab.cases.pixit import Pixit
from lab.cases.registry import catalogue
from lab.cases.verdict import Unclear, Unmet, demand
from v2g.errors import Undecodable

RUN = Pixit(energy="AC", payment="EIM")


async def verdict(error: Exception | None, longest_s: float = 5.0) -> tuple[str, str, tuple[str, ...]]:
    async def steps(peer: Peer, _: Pixit) -> None:
        peer.evidence.append("> SessionSetupReq")
        if error is not None:
            raise error

    told = await Case("nothing", steps, longest_s=longest_s)(Peer(), RUN)
    return told.outcome, told.reason, told.evidence


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "pass"),
        (Unmet("it says OK"), "fail"),
        (Undecodable("garbage"), "fail"),
        (Unclear("no connection"), "inconclusive"),
        (ConnectionRefusedError("no connection"), "inconclusive"),
    ],
)
async def test_every_end_is_a_verdict_with_its_evidence(error: Exception | None, outcome: str) -> None:
    assert await verdict(error) == (outcome, str(error or ""), ("> SessionSetupReq",))


async def test_a_case_without_end_is_inconclusive() -> None:
    async def steps(_: Peer, __: Pixit) -> None:
        await asyncio.Event().wait()

    told = await Case("endless", steps, longest_s=0.01)(Peer(), RUN)
    assert (told.outcome, told.reason) == ("inconclusive", "the case did not end")


def test_what_is_demanded_and_does_not_hold_is_unmet() -> None:
    demand(True, "never")
    with pytest.raises(Unmet, match="too late"):
        demand(False, "too late")


def test_the_catalogue_holds_what_was_counted() -> None:
    """820 ids of the standard's own, and the six that one tester adds."""
    rows = catalogue().values()
    assert len(rows) == 826
    assert sum(row.station for row in rows) == 306
    assert sum(row.id.startswith("VERISCO") for row in rows) == 6
    assert all(row.modes for row in rows)
