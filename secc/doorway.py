"""Who is at the outlet, and who is still on the way in: shaking hands keeps nobody out.

One vehicle is here at a time. Whoever says nothing, or never ends its handshake, is only on the way in: the first
that gets through has the outlet, and all others are turned away with that.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Any, Self

from v2g.errors import PeerGone

MOST_COMING = 32
"""So many may be on the way in at once; beyond it the oldest has to go."""
TAKEN = "another vehicle is here"


class Doorway:
    """The door of one outlet."""

    def __init__(self) -> None:
        self._coming: dict[asyncio.Task[Any], None] = {}
        self._here: asyncio.Task[Any] | None = None

    @property
    def occupied(self) -> bool:
        """Whether a vehicle is here."""
        return self._here is not None

    @property
    def used(self) -> bool:
        """Whether a vehicle is here or on the way in."""
        return self.occupied or bool(self._coming)

    def passage(self) -> Passage:
        """Begin the way in of the task that runs. Raises `RuntimeError` outside of one."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("only tasks pass")
        if len(self._coming) >= MOST_COMING:
            self._dismiss(next(iter(self._coming)), f"{MOST_COMING} others came after it, and it was not through yet")
        self._coming[task] = None
        return Passage(self, task)

    def enter(self, task: asyncio.Task[Any]) -> None:
        """Let one in that is on the way, and turn the others away. Raises `PeerGone` where one is here."""
        if self.occupied:
            raise PeerGone(TAKEN)
        self._coming.pop(task, None)
        self._here = task
        for other in list(self._coming):
            self._dismiss(other, TAKEN)

    def leave(self, task: asyncio.Task[Any]) -> None:
        """Forget a task, wherever it was."""
        self._coming.pop(task, None)
        if self._here is task:
            self._here = None

    def _dismiss(self, task: asyncio.Task[Any], why: str) -> None:
        del self._coming[task]
        task.cancel(why)


class Passage:
    """One task's way through the door; it has left at the end of its block."""

    def __init__(self, door: Doorway, task: asyncio.Task[Any]) -> None:
        self._door = door
        self._task = task
        self.here = False

    def enter(self) -> None:
        """Be here. Raises `PeerGone` where another one is."""
        self._door.enter(self._task)
        self.here = True

    @property
    def elsewhere(self) -> bool:
        """Whether another vehicle is here, so that nothing at the outlet is ours to touch."""
        return self._door.occupied and not self.here

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._door.leave(self._task)
