"""Python source in the making: lines, blocks, fresh names. What a run of bits is, the two writers know."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Source(ABC):
    """The source of one function, line by line; `_flush` writes what waits before the flow of control changes."""

    def __init__(self, head: str) -> None:
        self._lines = [head]
        self._indent = 1
        self._counter = 0

    @property
    def text(self) -> str:
        """The source so far."""
        return "\n".join(self._lines)

    @abstractmethod
    def _flush(self) -> None:
        """Write what has been collected."""

    def _line(self, text: str) -> None:
        self._lines.append("    " * self._indent + text)

    def _block(self, head: str) -> None:
        self._flush()
        self._line(head)
        self._indent += 1

    def _leave(self) -> None:
        self._flush()
        self._indent -= 1

    def _fresh(self, letter: str) -> str:
        self._counter += 1
        return f"{letter}{self._counter}"
