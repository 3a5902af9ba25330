"""How our processes end: SIGINT and SIGTERM cancel what runs, which then takes leave."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def until_signal(work: Coroutine[Any, Any, T]) -> T | None:
    """Run until the work ends or SIGINT or SIGTERM comes; None when it was cut short."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return None
