"""A cursor over the bytes of a TLS message: numbers, and blocks with their length before them, never past the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from v2g.errors import Undecodable

MOST = 16_384
"""Entries of a list where nothing else bounds them."""

Item = TypeVar("Item")


class Reader:
    """A cursor over bytes that never reads past its end; `path` names what is being read."""

    def __init__(self, data: bytes, path: str) -> None:
        self._data = data
        self._path = path
        self._at = 0

    def __bool__(self) -> bool:
        return self._at < len(self._data)

    def take(self, count: int) -> bytes:
        """Take `count` bytes."""
        piece = self._data[self._at : self._at + count]
        if len(piece) < count:
            raise Undecodable("ends too early", path=self._path, bit=8 * self._at, expected=f"{count} bytes")
        self._at += count
        return piece

    def rest(self) -> bytes:
        """Take all that is left."""
        return self.take(len(self._data) - self._at)

    def number(self, size: int) -> int:
        """Take an unsigned integer of `size` bytes, big endian."""
        return int.from_bytes(self.take(size))

    def block(self, size: int, name: str) -> Reader:
        """Take a block that `size` bytes of length precede; `name` is its place in the path."""
        return Reader(self.take(self.number(size)), f"{self._path}.{name}")

    def every(self, read: Callable[[Reader], Item], most: int = MOST) -> tuple[Item, ...]:
        """Read one item after the other up to the end, `most` at most."""
        items: list[Item] = []
        while self:
            if len(items) == most:
                raise Undecodable("goes on", path=self._path, bit=8 * self._at, expected=f"at most {most} entries")
            items.append(read(self))
        return tuple(items)

    def end(self) -> None:
        """Refuse bytes that nobody read."""
        if self:
            raise Undecodable("goes on", path=self._path, bit=8 * self._at, expected="its end")
