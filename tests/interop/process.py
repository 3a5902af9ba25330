"""A child process of a test: what it says, line by line, and its end, with everything it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

LINE_LIMIT = 1 << 20  # Josev logs whole messages with their certificates in one line
TAIL = 25
TIED = ("setpriv", "--pdeathsig", "KILL", "--")  # the child does not outlive a test that was killed


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start and how to tell how it fares.

    `ready` is said once it serves; all of `done` in a session that ended well. `ends` promises that it ends by itself,
    with status 0 only when all was well: Josev ends with 0 in every case, and late, so it promises nothing.
    """

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""
    done: Sequence[str] = ()
    ends: bool = False


class Failed(AssertionError):
    """A program did not do what it should; the message ends with its last lines."""


class Process:
    """A running program. Use `async with`: whatever it started ends with the block."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.lines: list[str] = []
        self._closed = False
        self._heard = asyncio.Condition()
        self._child: asyncio.subprocess.Process | None = None
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the program in a process group of its own; its output is also kept in `<folder>/<name>.log`."""
        self.program.folder.mkdir(parents=True, exist_ok=True)
        self._child = await asyncio.create_subprocess_exec(
            *TIED,
            *self.program.command,
            cwd=self.program.folder,
            env={**os.environ, **self.program.environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
            limit=LINE_LIMIT,
        )
        self._pump = asyncio.create_task(self._read(self._child))
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the whole group: politely, and after five seconds not."""
        assert self._child is not None
        assert self._pump is not None
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._pump), 5)
        self.signal(signal.SIGKILL)
        await self._child.wait()
        await self._pump

    async def says(self, words: str, within: float) -> str:
        """Wait for a line that contains `words`; raises `Failed` after `within` seconds or at the program's end."""

        def heard() -> bool:
            return self._found(words) is not None or self._closed

        try:
            async with asyncio.timeout(within), self._heard:
                await self._heard.wait_for(heard)
        except TimeoutError:
            raise self._failed(f"did not say {words!r} within {within:g} s") from None
        line = self._found(words)
        if line is None:
            raise self._failed(f"ended without saying {words!r}")
        return line

    async def ended(self, within: float) -> int:
        """Wait for the program's own end and return its exit status; raises `Failed` after `within` seconds."""
        assert self._child is not None
        try:
            async with asyncio.timeout(within), self._heard:
                await self._heard.wait_for(lambda: self._closed)
        except TimeoutError:
            raise self._failed(f"did not end within {within:g} s") from None
        return await self._child.wait()

    def require(self, holds: bool, what: str) -> None:
        """Raise `Failed` with the program's last lines unless `holds`."""
        if not holds:
            raise self._failed(what)

    def _found(self, words: str) -> str | None:
        return next((line for line in self.lines if words in line), None)

    def _failed(self, what: str) -> Failed:
        return Failed("\n".join([f"{self.program.name} {what}; its last lines:", *self.lines[-TAIL:]]))

    async def told(self, line: str) -> None:
        """Write a line to its standard input."""
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(line.encode() + b"\n")
        await self._child.stdin.drain()

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._closed

    @property
    def pid(self) -> int:
        """The process id, also that of its group."""
        assert self._child is not None
        return self._child.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group; nothing happens when it is gone."""
        assert self._child is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)

    async def _read(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None
        with (self.program.folder / f"{self.program.name}.log").open("w", encoding="utf-8") as log:
            async for raw in child.stdout:
                line = raw.decode(errors="replace").rstrip()
                log.write(line + "\n")
                async with self._heard:
                    self.lines.append(line)
                    self._heard.notify_all()
        async with self._heard:
            self._closed = True
            self._heard.notify_all()
