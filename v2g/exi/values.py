"""Values without child elements, read slowly: one at a time, with what deviates noted and what is wrong named."""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

from v2g.errors import Undecodable
from v2g.exi.grammar import Row
from v2g.exi.library import READING
from v2g.exi.notes import Note, Quirk
from v2g.exi.runtime import (
    HIGHEST_CHARACTER,
    MOST_CHARACTERS,
    MOST_GROUPS,
    MOST_LONG_GROUPS,
    MOST_OCTETS,
    SURROGATES,
    TRIM_BITS,
    text,
    tolerated,
)
from v2g.exi.texts import Name, Texts
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole
from v2g.exi.wording import describe, names, some
from v2g.v2gtp import LIMIT

V = TypeVar("V", str, bytes)

MOST_NOTES = 32
"""So many deviations one message may have; the worst peers seen make about ten."""
MOST_QUOTED = 80
"""Characters of a peer's text that a note repeats."""
MOST_REFERENCES_NOTED = 16
"""References to earlier texts that are noted; whoever sends any sends many."""
MOST_BORROWED = LIMIT
"""Characters that all references of a stream stand for: a message must not grow far beyond its bytes."""
LEAST_BORROWED = 256
"""So many characters each counts for at least, since it takes time as well."""


class Values:
    """The bits of one stream with the place we are at; methods raise `Undecodable`."""

    def __init__(self, data: bytes) -> None:
        self._size = self._left = self._known = len(data) << 3
        self._all_bits = int.from_bytes(data, "big")
        self._path: list[str] = []
        self._awaited: Row | Simple | str = ""
        self._notes: list[Note] = []
        self._references = 0
        self._borrowed = 0
        self._texts = Texts()

    # Where we are

    @property
    def _at(self) -> int:
        """The next bit, counted from the first."""
        return self._size - self._left

    def _failure(self, what: str, at: int, expected: str = "") -> Undecodable:
        return Undecodable(what, path="/".join(self._path), bit=at, expected=expected)

    def _note(self, quirk: Quirk, detail: str = "", value: int | None = None, limit: str = "") -> None:
        if len(self._notes) == MOST_NOTES:
            raise self._failure(f"more than {MOST_NOTES} deviations", self._at, "a message as the schema has it")
        self._notes.append(Note(quirk, "/".join(self._path), detail, value, limit))

    def _out_of_range(self, value: int, kind: Simple, what: str = "") -> None:
        limit = describe(kind)
        self._note(Quirk.FACET, f"{what}{value} is not {limit}", value, limit)

    # Bits and numbers

    def _bits(self, width: int) -> int:
        left = self._left - width
        if left < 0:
            raise self._failure("the bytes end too early", self._at, self._wanted())
        self._left = left
        bits = self._all_bits >> left & (1 << width) - 1
        if self._known - left > TRIM_BITS:
            self._all_bits &= (1 << left) - 1
            self._known = left
        return bits

    def _wanted(self) -> str:
        """Tell what the next bits should be."""
        match self._awaited:
            case str(words):
                return words
            case Row() as row:
                return names(row)
            case kind:
                return describe(kind)

    def _number(self, most_groups: int = MOST_GROUPS) -> int:
        at = self._at
        number = 0
        for group in range(most_groups):
            octet = self._bits(8)
            number |= (octet & 127) << 7 * group
            if octet < 128:
                return number
        raise self._failure(f"a number of more than {most_groups} octets", at, self._wanted())

    # Values

    def _nothing(self, kind: Simple) -> str | bytes:
        """Tell the value of an element that ends where its value should begin."""
        match kind:
            case Text():
                self._note(Quirk.EMPTY)
                return self._checked_length("", kind)
            case Octets():
                self._note(Quirk.EMPTY)
                return self._checked_length(b"", kind)
        raise self._failure("a missing value", self._at, describe(kind))

    def _value(self, kind: Simple, name: Name) -> Any:
        self._awaited = kind
        match kind:
            case Whole():
                return self._whole(kind)
            case Flag():
                return self._bits(1) == 1
            case Listed():
                return self._listed(kind)
            case Text():
                return self._text(kind, name)
            case Octets():
                return self._octets(kind)

    def _listed(self, kind: Listed) -> str:
        at = self._at
        members = tuple(kind.members)
        position = self._bits(kind.bits)
        if position >= len(members):
            raise self._failure(f"number {position} of {len(members)} {kind.members.__name__}", at, some(members))
        return members[position]

    def _whole(self, kind: Whole) -> int:
        at = self._at
        if kind.bits is not None and kind.low is not None:
            number = self._bits(kind.bits) + kind.low
        else:
            negative = kind.signed and self._bits(1)
            magnitude = self._number(MOST_LONG_GROUPS if kind.high is None else MOST_GROUPS)
            if kind.high is not None and magnitude >> 64:
                raise self._failure("a number of more than 64 bits", at, describe(kind))
            number = -1 - magnitude if negative else magnitude
        if (kind.low is not None and number < kind.low) or (kind.high is not None and number > kind.high):
            self._out_of_range(number, kind)
        return number

    def _text(self, kind: Text, name: Name) -> str:
        at = self._at
        length = self._length(kind)
        if length < 0:
            value = self._earlier_text(self._texts.all() if length == -1 else self._texts.of(name), at)
            self._admit(len(value), kind, MOST_CHARACTERS, at)
        else:
            self._admit(length, kind, MOST_CHARACTERS, at)
            value = self._characters(length, at)
            self._texts.add(name, value)
        return self._checked_length(value, kind)

    def _octets(self, kind: Octets) -> bytes:
        at = self._at
        length = self._length(kind)
        self._admit(length, kind, MOST_OCTETS, at)
        if length << 3 > self._left:
            raise self._failure(f"a value of {length} octets", at, f"at most {self._left // 8}, no more bytes are left")
        return self._checked_length(self._bits(length << 3).to_bytes(length, "big"), kind)

    def _length(self, kind: Text | Octets) -> int:
        """Read a length; -1 and -2 stand for a reference to one of all texts, and of those of the same name."""
        return self._number() - 2 if isinstance(kind, Text) else self._number()

    def _earlier_text(self, texts: list[str], at: int) -> str:
        """Read a reference into a table of texts."""
        position = self._bits((len(texts) - 1).bit_length()) if texts else 0
        if position >= len(texts):
            expected = f"one of the {len(texts)} texts before" if texts else "a text, none was sent before"
            raise self._failure("a reference to a text that was never sent", at, expected)
        value = texts[position]
        self._borrowed += max(len(value), LEAST_BORROWED)
        if self._borrowed > MOST_BORROWED:
            what = f"references to more than {MOST_BORROWED} characters"
            raise self._failure(what, at, "the text itself")
        self._references += 1
        if self._references <= MOST_REFERENCES_NOTED:
            self._note(Quirk.TABLE, repr(value[:MOST_QUOTED]))
        return value

    def _characters(self, length: int, at: int) -> str:
        if length << 3 > self._left:
            raise self._failure(
                f"a text of {length} characters", at, f"at most {self._left // 8}, no more bytes are left"
            )
        with contextlib.suppress(*READING):
            characters, self._left = text(self._all_bits, self._left, length)
            return characters
        return self._characters_one_by_one(length)

    def _characters_one_by_one(self, length: int) -> str:
        """Read characters of which one is wrong, to tell which."""
        characters = []
        for _ in range(length):
            at = self._at
            character = self._number()
            if character > HIGHEST_CHARACTER or character in SURROGATES:
                raise self._failure(f"{character:#x} is no character", at, "a Unicode character")
            characters.append(chr(character))
        return "".join(characters)

    def _admit(self, length: int, kind: Text | Octets, cap: int, at: int) -> None:
        """Refuse a length beyond what is tolerated before anything is read for it."""
        if length > tolerated(kind.most, cap):
            raise self._failure(f"length {length}", at, f"at most {cap}" if kind.most is None else describe(kind))

    def _checked_length(self, value: V, kind: Text | Octets) -> V:
        if len(value) < kind.least or (kind.most is not None and len(value) > kind.most):
            self._out_of_range(len(value), kind, "length ")
        return value
