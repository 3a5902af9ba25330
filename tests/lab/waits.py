"""Where sessions wait for the peer, noted while they run: which line of which function, and what may come there."""

from __future__ import annotations

import ast
import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

from v2g import link
from v2g.exi.message import Message
from v2g.link import EvccLink, SeccLink

ROOT = Path(__file__).parent.parent.parent
WAITING = {"secc": {"ev.first", "ev.answer", "ev.relay"}, "evcc": {"evse.ask"}}
"""The calls by which a session of each package waits for its peer."""


class Place(NamedTuple):
    """One such call in the source: file, function, and its first line."""

    file: str
    function: str
    line: int


class Wait(NamedTuple):
    """A station waited here for one of these requests; a vehicle sent this one here."""

    place: Place
    messages: tuple[str, ...]


class Waits:
    """All waits of the sessions that ran meanwhile, in order."""

    def __init__(self) -> None:
        self.noted: list[Wait] = []
        self._more = asyncio.Condition()

    async def until(self, number: int) -> Wait:
        """Wait until there are so many, and tell the last."""
        async with asyncio.timeout(5), self._more:
            await self._more.wait_for(lambda: len(self.noted) >= number)
        return self.noted[-1]

    async def note(self, messages: Sequence[str]) -> None:
        """Note that the session that calls waits for these messages, or for the answer to this one."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename in (__file__, link.__file__):
            frame = frame.f_back
        assert frame is not None
        async with self._more:
            self.noted.append(Wait(_place(frame), tuple(messages)))
            self._more.notify_all()


@contextmanager
def waits() -> Iterator[Waits]:
    """Note the waits of all sessions that run inside; stations and vehicles alike."""
    noted = Waits()
    receive, ask = SeccLink._next, EvccLink.ask

    async def receiving(self: SeccLink, *legal: type[Message]) -> Message:
        await noted.note([each.__name__ for each in legal])
        return await receive(self, *legal)

    async def asking(self: EvccLink, request: Any, **more: Any) -> Any:
        await noted.note([type(request).__name__])
        return await ask(self, request, **more)

    with patch.object(SeccLink, "_next", receiving), patch.object(EvccLink, "ask", asking):
        yield noted


def _place(frame: FrameType) -> Place:
    file = Path(frame.f_code.co_filename)
    found = [
        place
        for place, last in _calls(file)
        if place.line <= frame.f_lineno <= last and place.function == frame.f_code.co_name
    ]
    return found[-1] if found else Place(str(file), frame.f_code.co_name, frame.f_lineno)


@cache
def _calls(file: Path) -> list[tuple[Place, int]]:
    """All such calls in the coroutines of a file, with the line each ends in."""
    names = WAITING.get(file.parent.name, set())
    if not names or not file.is_relative_to(ROOT):
        return []
    found = []
    for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(function, ast.AsyncFunctionDef):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
                place = Place(str(file.relative_to(ROOT)), function.name, node.lineno)
                found.append((place, node.end_lineno or node.lineno))
    return found


def places(package: str) -> set[Place]:
    """Every wait that the source of a package has."""
    return {place for file in (ROOT / package).rglob("*.py") for place, _ in _calls(file)}
