"""What our processes do when they are sent a signal.

SIGINT and SIGTERM cancel what runs, which then takes leave; SIGHUP is a wish to read files anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Coroutine, Iterator
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


@contextlib.contextmanager
def hangups() -> Iterator[asyncio.Event]:
    """Set an event whenever SIGHUP comes, which meanwhile does not end the process."""
    hangup, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, hangup.set)
    try:
        yield hangup
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
