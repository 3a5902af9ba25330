"""What somebody at the vehicle asks for while it charges, besides its end; fulfilled at the next turn of the loop."""

from __future__ import annotations

import asyncio


class Wishes:
    """`renegotiate` and `pause` stand until they are fulfilled."""

    def __init__(self) -> None:
        self.renegotiate = False
        self.pause = False
        self._asleep = False
        self._wake = asyncio.Event()

    def change(self) -> None:
        """Ask for new schedules."""
        self.renegotiate = True

    def rest_or_wake(self) -> None:
        """Ask for a pause; during one, for its end."""
        if self._asleep:
            self._wake.set()
        else:
            self.pause = True

    async def slept(self) -> None:
        """Sleep until somebody ends the pause, or did so since it began."""
        self._wake.clear()
        if self.pause:
            self.pause = False
            return
        self._asleep = True
        try:
            await self._wake.wait()
        finally:
            self._asleep = False
