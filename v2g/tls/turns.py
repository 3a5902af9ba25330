"""Who may compute on the way in: one connection at a time, so that sessions go on between.

A step of a handshake takes milliseconds of CPU, most of it for signatures of -20, and the beginning of a connection
some tenths of one. Of a hundred vehicles at once each waits for the others; a charge loop waits for one step alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

ROUNDS = 8
"""So many rounds are free of this between two turns: more than a session needs from a request to its response."""

_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def in_turn(step: Callable[[], T]) -> T:
    """Do one step when it is its turn; all else has the loop for `ROUNDS` then. Raises what the step does."""
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        try:
            return step()
        finally:
            for _ in range(ROUNDS):
                await asyncio.sleep(0)


async def turn() -> None:
    """Wait for a turn, to go on with nobody else on the way in."""
    await in_turn(lambda: None)
