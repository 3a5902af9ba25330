"""A case: something that can be run against a peer under a PIXIT and comes to a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lab.cases.peer import Peer
from lab.cases.pixit import Pixit
from lab.cases.verdict import Unclear, Unmet, Verdict

P = TypeVar("P", bound=Peer)
LONGEST_S = 30.0

Steps = Callable[[P, Pixit], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case(Generic[P]):
    """What to do; `features` are what the system has to be set up with, `hurry` the timers it has to run faster.

    `pattern` is the name of the steps, without their parameters.
    """

    pattern: str
    steps: Steps[P]
    features: frozenset[str] = frozenset()
    hurry: Mapping[str, float] = field(default_factory=dict)

    async def __call__(self, peer: P, pixit: Pixit) -> Verdict:
        """Run it to its verdict; whatever the peer does, this raises nothing."""
        try:
            async with asyncio.timeout(LONGEST_S):
                await self.steps(peer, pixit)
        except Unmet as error:
            return Verdict(outcome="fail", reason=str(error), evidence=tuple(peer.evidence))
        except Unclear as error:
            return Verdict(outcome="inconclusive", reason=str(error), evidence=tuple(peer.evidence))
        except TimeoutError:
            return Verdict(outcome="inconclusive", reason="the case did not end", evidence=tuple(peer.evidence))
        return Verdict(outcome="pass", evidence=tuple(peer.evidence))
