"""A case: something that can be run against a peer under a PIXIT and comes to a verdict."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from lab.cases.peer import Peer
from lab.cases.pixit import Pixit
from lab.cases.verdict import Unclear, Unmet, Verdict
from v2g.errors import V2GError

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
    longest_s: float = LONGEST_S

    async def __call__(self, peer: P, pixit: Pixit) -> Verdict:
        """Run it to its verdict; whatever the peer does, this raises nothing."""
        try:
            async with asyncio.timeout(self.longest_s):
                await self.steps(peer, pixit)
        except TimeoutError:
            return Verdict(outcome="inconclusive", reason="the case did not end", evidence=tuple(peer.evidence))
        except (Unmet, V2GError) as error:
            return Verdict(outcome="fail", reason=str(error), evidence=tuple(peer.evidence))
        except (Unclear, OSError) as error:
            return Verdict(outcome="inconclusive", reason=str(error), evidence=tuple(peer.evidence))
        return Verdict(outcome="pass", evidence=tuple(peer.evidence))
