"""What was unusual about bytes that could be read all the same."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from v2g.exi.message import Message
from v2g.record import Record


class Quirk(StrEnum):
    """The deviations seen in the field that do not keep us from reading a message."""

    COOKIE = "cookie before the header"
    SPARE = "spare bytes"
    PADDING = "padding not zero"
    EMPTY = "empty value as a missing one"
    TABLE = "text by reference"
    FACET = "value out of range"
    FULL_LIST = "full list with an extra code"


@dataclass(frozen=True, slots=True)
class Note:
    """One deviation: what, in which element, and how exactly.

    Of a value out of range, `value` is the number, or the length of a text or of octets, and `limit` says what is
    allowed.
    """

    quirk: Quirk
    path: str = ""
    detail: str = ""
    value: int | None = None
    limit: str = ""

    def __str__(self) -> str:
        where = f" at {self.path}" if self.path else ""
        return f"{self.quirk}{where}{': ' if self.detail else ''}{self.detail}"


class Decoded(Record):
    """A message and what was unusual about its bytes."""

    message: Message
    notes: tuple[Note, ...] = ()


def spare_bytes(notes: tuple[Note, ...]) -> int:
    """Tell how many bytes follow the message, as `tail_notes` notes them."""
    return sum(int(note.detail.partition(" ")[0]) for note in notes if note.quirk is Quirk.SPARE)


def tail_notes(size: int, left: int, tail: int) -> tuple[Note, ...]:
    """Tell what is unusual behind the end: `left` of `size` bits, which are the number `tail`."""
    spare = left // 8
    notes = (Note(Quirk.PADDING),) if tail >> 8 * spare else ()
    return (*notes, Note(Quirk.SPARE, detail=f"{spare} after {size // 8 - spare}")) if spare else notes
