"""Who may compute in handshakes: one step of one of them in each round of an event loop, so that sessions go on.

A step takes milliseconds of CPU, most of it for signatures of -20. Of a hundred vehicles at once each waits for the
others; a charge loop waits for one step, not for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()


async def in_turn(step: Callable[[], T]) -> T:
    """Do one step when it is its turn; whatever else is ready runs before the next one's. Raises what the step does."""
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
        try:
            return step()
        finally:
            await asyncio.sleep(0)
