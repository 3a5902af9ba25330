"""Files read anew while the process runs: on SIGHUP at once, and when they have changed and came to rest.

Files of one renewal are written one after the other: read in between, a chain and its key would not belong together.
So a change counts when the next look finds no other. What cannot be used leaves what there was in force.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

LOOK_S = 2.0
RENEWED = "certificates_renewed"
REFUSED = "certificates_refused"

T = TypeVar("T")
Tell = Callable[[str, str], None]
"""Takes kind and reason of an event."""
State = tuple[tuple[int, int, int] | None, ...]

log = logging.getLogger(__name__)


async def reread(
    files: Sequence[Path],
    since: State,
    hangup: asyncio.Event,
    load: Callable[[], T],
    use: Callable[[T], None],
    tell: Tell,
) -> None:
    """Hand what `load` reads to `use` whenever a file has changed, until cancelled; `load` runs in a thread.

    `since` is the state of the files before they were read for the first time; `hangup` has them read at once. What
    `load` raises is told, and nothing else happens.
    """
    in_force = seen = since
    while True:
        asked = await _wait(hangup)
        now = await asyncio.to_thread(state, files)
        rests, seen = now == seen, now
        if asked or (now != in_force and rests):
            in_force = now
            await _exchange(load, use, tell)


async def _exchange(load: Callable[[], T], use: Callable[[T], None], tell: Tell) -> None:
    try:
        loaded = await asyncio.to_thread(load)
    except (ValueError, OSError) as error:
        refusal = str(error)
    except Exception as error:
        log.exception("reading certificates anew failed by a fault of ours")
        refusal = f"internal error, {type(error).__name__}"
    else:
        use(loaded)
        log.info("certificates and trust were read anew; new connections use them")
        tell(RENEWED, "read anew; new connections use them")
        return
    log.error("the old certificates stay in force: %s", refusal)
    tell(REFUSED, f"the old ones stay in force: {refusal}")


def state(files: Sequence[Path]) -> State:
    """Tell files apart from what they were; None is one that is not there."""
    return tuple(_of(file) for file in files)


def _of(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def _wait(hangup: asyncio.Event) -> bool:
    """Wait for the next look; True if it was asked for."""
    try:
        async with asyncio.timeout(LOOK_S):
            await hangup.wait()
    except TimeoutError:
        return False
    hangup.clear()
    return True
