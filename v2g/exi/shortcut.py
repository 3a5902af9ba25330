"""What generated code does for the slow way to read: whole elements without long lists, and the items of long lists.

The slow way only comes once generated code has failed. How far that came in each long list is known, so that nothing
long is read twice, and the slow way itself only goes where something deviates.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from v2g.exi.layout import is_long
from v2g.exi.library import READING, Library
from v2g.exi.message import Message


@dataclass(slots=True)
class Place:
    """Where a stream is being read: its bits, how many are unread, and how many unbounded items may still come."""

    bits: int
    left: int
    room: int


class Shortcut:
    """Generated code for one reading of these bytes."""

    def __init__(self, library: Library, data: bytes) -> None:
        self._library = library
        library.begin(data)

    @property
    def full(self) -> set[int]:
        """The maxima of the lists that generated code found filled to them."""
        return self._library.full

    def element(self, cls: type[Message], place: Place) -> Message | None:
        """Read an element and move on; None if it deviates, or is better read part by part."""
        if cls.abstract or is_long(self._library.grammar, cls):
            return None
        self._library.room[0] = place.room
        try:
            message, _, left = self._library.read_function(cls)(place.bits, place.left)
        except READING:
            return None
        place.left, place.room = left, self._library.room[0]
        return message

    def items(self, cls: type[Message], field: str, found: list[Message], place: Place) -> None:
        """Read on in a long list of `cls` as far as nothing deviates, and move on behind the last good item."""
        kept = self._library.kept
        if place.left not in kept:
            self._library.room[0] = place.room
            with contextlib.suppress(*READING):
                self._library.items_function(cls, field)(place.bits, place.left, found)
        items, place.left, place.room = kept[place.left]
        found += items[len(found) :]
