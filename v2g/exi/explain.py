"""The slow way to read: straight from the grammar, tolerant of what the field sends, and able to say what is wrong.

Generated code reads what is as it should be; all other bytes come here. What deviates but can be understood is read
and noted: values out of range, empty values sent as missing ones (EXIficient), texts sent as references to earlier
ones, spare bytes behind the end, lists whose last code tells that they could go on (libcbv2g, EXIficient's compiled
grammars). Anything else raises `Undecodable` with the path, the bit and what could have stood there; so does a stream
with more than `MOST_NOTES` deviations, since each of them costs memory here and entries in the session's journal.
"""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

from v2g.errors import Undecodable
from v2g.exi.fields import Field, fields, fields_by_name
from v2g.exi.frame import HEADER, Frame, Root
from v2g.exi.grammar import END, Attribute, Characters, Event, Grammar, Row, Start
from v2g.exi.library import READING, Library
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Note, Quirk, tail_notes
from v2g.exi.relaxed import Relaxed, relaxed_class, value_field
from v2g.exi.runtime import (
    HIGHEST_CHARACTER,
    MOST_CHARACTERS,
    MOST_GROUPS,
    MOST_ITEMS,
    MOST_LONG_GROUPS,
    MOST_OCTETS,
    SURROGATES,
    TRIM_BITS,
    text,
    tolerated,
)
from v2g.exi.texts import Name, Texts
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole
from v2g.exi.wording import describe, event_name, names

V = TypeVar("V", str, bytes)

MISSED_END = -1
"""Stands for the second-level code that ends an element where the first level does not let it end."""
MOST_NOTES = 64
"""So many deviations one message may have; the worst peers seen make about ten."""
FEW_ITEMS = 3
"""Items of lists this short hold long lists themselves: to fail at their end and to begin again would cost too much."""
MOST_QUOTED = 80
"""Characters of a peer's text that a note repeats."""


class Reading:
    """One reading of one document or fragment; after it, `full` tells the maxima of the lists filled to them.

    With a library, its code reads the items of lists that are as they should be: that makes long messages cheap.
    """

    def __init__(self, grammar: Grammar, data: bytes, library: Library | None = None) -> None:
        self._grammar = grammar
        self._library = library
        self._size = self._left = self._known = len(data) << 3
        self._all_bits = int.from_bytes(data, "big")
        self._path: list[str] = []
        self._notes: list[Note] = []
        self._texts = Texts()
        self._room = MOST_ITEMS
        self.full: set[int] = set()

    def document(self) -> Decoded:
        """Read a document. Raises `Undecodable`."""
        return self._stream(self._grammar.document, relaxed=False)

    def fragment(self) -> Decoded:
        """Read a fragment. Raises `Undecodable`."""
        return self._stream(self._grammar.fragment, relaxed=True)

    def typed_fragment(self) -> Decoded:
        """Read a fragment, one with several types as libcbv2g writes it: by its class. Raises `Undecodable`."""
        return self._stream(self._grammar.fragment, relaxed=False)

    def _stream(self, frame: Frame, *, relaxed: bool) -> Decoded:
        root = self._root(frame)
        kind = root.types[0] if len(root.types) == 1 else relaxed_class(root)
        if not isinstance(kind, type):
            raise self._failure(f"{root.name} alone is no message", self._at)
        if len(root.types) > 1 and relaxed:
            message = self._relaxed(root, kind)
        else:
            message = self._message(kind, self._grammar.first(kind))
        at = self._at
        if self._bits(frame.end_bits) != frame.end:
            raise self._failure("another part", at, "the end of the fragment")
        tail = tail_notes(self._size, self._left, self._all_bits & (1 << self._left) - 1)
        return Decoded(message=message, notes=(*self._notes, *tail))

    # Where we are

    def _where(self) -> str:
        return "/".join(self._path)

    def _failure(self, what: str, at: int, expected: str = "") -> Undecodable:
        return Undecodable(what, path=self._where(), bit=at, expected=expected)

    def _note(self, quirk: Quirk, detail: str = "") -> None:
        if len(self._notes) == MOST_NOTES:
            raise self._failure(f"more than {MOST_NOTES} deviations", self._at)
        self._notes.append(Note(quirk, self._where(), detail))

    # Bits and numbers

    @property
    def _at(self) -> int:
        """The next bit, counted from the first."""
        return self._size - self._left

    def _bits(self, width: int) -> int:
        left = self._left - width
        if left < 0:
            raise self._failure("the bytes end too early", self._at, f"{width} bits")
        self._left = left
        bits = self._all_bits >> left & (1 << width) - 1
        if self._known - left > TRIM_BITS:
            self._all_bits &= (1 << left) - 1
            self._known = left
        return bits

    def _number(self, most_groups: int = MOST_GROUPS) -> int:
        at = self._at
        number = 0
        for group in range(most_groups):
            octet = self._bits(8)
            number |= (octet & 127) << 7 * group
            if octet < 128:
                return number
        raise self._failure(f"a number of more than {most_groups} octets", at)

    # The frame of a stream

    def _root(self, frame: Frame) -> Root:
        if self._bits(8) != HEADER:
            raise self._failure("an unknown EXI header", 0, f"{HEADER:#x} (version 1, no options)")
        code = self._bits(frame.bits)
        if code >= len(frame.roots):
            raise self._failure("an unknown root element", 8)
        self._path.append(frame.roots[code].name)
        return frame.roots[code]

    # Events

    def _code(self, row: Row) -> int:
        """Read a code of the first level, or `MISSED_END`."""
        at = self._at
        code = self._bits(row.bits)
        if code < len(row.events):
            return code
        if code > len(row.events):
            raise self._failure("an unknown event", at, names(row))
        second = self._bits((row.second_level - 1).bit_length())
        if second or row.ends:
            raise self._failure("a deviation from the schema", at, names(row))
        return MISSED_END

    def _message(self, cls: type[Message], row: Row) -> Message:
        """Read an element of a class, whose first row is `row`."""
        if cls.group:
            raise self._failure(f"{cls.__name__} is abstract", self._at)
        values: dict[str, Any] = {}
        while True:
            left = self._left
            code = self._code(row)
            if code == MISSED_END:
                self._missing_value(row, cls, values, self._size - left)
                break
            event = row.events[code]
            if event is END:
                break
            if isinstance(event, Start) and event.field:
                self._child(event, row.inside(code), cls, values, self._size - left)
            else:
                self._own(event, cls, values, self._size - left)
            row = row.after(code)
        return cls(**values)

    def _child(self, start: Start, row: Row, cls: type[Message], values: dict[str, Any], at: int) -> None:
        """Read a child element into `values`."""
        if start.many:
            field = fields_by_name(cls)[start.field]
            self._item(start, row, field, values.setdefault(start.field, []), at)
        else:
            values[start.field] = self._element(start, row, start.name)

    def _element(self, start: Start, row: Row, step: str) -> Any:
        kind = start.type
        self._path.append(step)
        value = self._message(kind, row) if isinstance(kind, type) else self._simple_element(kind, row, start)
        self._path.pop()
        return value

    def _simple_element(self, kind: Simple, row: Row, start: Start) -> Any:
        code = self._code(row)
        if code == MISSED_END:
            return self._nothing(kind)
        value = self._value(kind, (start.namespace, start.name))
        self._code(row.after(code))
        return value

    def _own(self, event: Event, cls: type[Message], values: dict[str, Any], at: int) -> None:
        """Read an attribute or the element's own value into `values`."""
        match event:
            case Attribute():
                self._path.append("@" + event.name)
                values[event.name] = self._value(event.type, (event.namespace, event.name))
                self._path.pop()
            case Characters():
                values[value_field(cls)] = self._value(event.type, (cls.namespace, self._path[-1]))
            case _:
                raise self._failure(f"{event_name(event)} inside {cls.__name__}", at, "an empty element")

    def _item(self, start: Start, row: Row, field: Field, items: list[Any], at: int) -> None:
        if len(items) == field.most or (field.most is None and not self._room):
            raise self._failure(f"more than {field.most or MOST_ITEMS} items", at, "the end of the list")
        if field.most is None:
            self._room -= 1
        item = self._good_item(start) if field.most is None or field.most > FEW_ITEMS else None
        if item is None:
            item = self._element(start, row, f"{start.name}[{len(items)}]")
        items.append(item)
        if len(items) == field.most:
            self.full.add(field.most)

    def _good_item(self, start: Start) -> Message | None:
        """Read an item by generated code; None if there is none or it does not take the bits."""
        if self._library is None or not isinstance(start.type, type):
            return None
        self._library.room[0] = self._room
        try:
            message, self._left = self._library.read_function(start.type)(self._all_bits, self._left)
        except READING:
            return None
        self._room = self._library.room[0]
        self.full |= self._library.full
        self._texts.add((start.namespace, start.name), message)
        return message

    def _missing_value(self, row: Row, cls: type[Message], values: dict[str, Any], at: int) -> None:
        """Take the end of an element that lacks something: good for an empty value, an error otherwise."""
        missing = row.events[-1]
        if not isinstance(missing, Characters):
            raise self._failure(f"{cls.__name__} ends too early", at, names(row))
        values[value_field(cls)] = self._nothing(missing.type)

    def _relaxed(self, root: Root, cls: type[Message]) -> Message:
        """Read an element of which only the name is known: attributes, then its text."""
        kinds = {field.name: field.type for field in fields(cls)}
        codes = Relaxed(self._grammar)
        value = value_field(cls)
        values: dict[str, Any] = {}
        while value not in values:
            at = self._at
            code = self._bits(codes.bits)
            field = value if code >= codes.end else codes.attributes[code][1] if code < len(codes.attributes) else ""
            kind = kinds.get(field)
            if not isinstance(kind, Text) or code > codes.characters:
                raise self._failure("an event that is not understood here", at, ", ".join(kinds))
            if code == codes.end:
                values[field] = self._nothing(kind)
            else:
                values[field] = self._text(kind, (root.namespace, field))
        if code == codes.characters and self._bits(codes.content_bits) != codes.content_end:
            raise self._failure("more than a text", at, f"the end of {root.name}")
        missing = [field.name for field in fields(cls) if field.least and field.name not in values]
        if missing:
            raise self._failure(f"{cls.__name__} without {', '.join(missing)}", at)
        return cls(**values)

    # Values

    def _nothing(self, kind: Simple) -> str | bytes:
        self._note(Quirk.EMPTY)
        match kind:
            case Text():
                return self._checked_length("", kind)
            case Octets():
                return self._checked_length(b"", kind)
        raise self._failure("a missing value", self._at, describe(kind))

    def _value(self, kind: Simple, name: Name) -> Any:
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
            raise self._failure(f"number {position} of {len(members)} {kind.members.__name__}", at)
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
            self._note(Quirk.FACET, f"{number} is not {describe(kind)}")
        return number

    def _text(self, kind: Text, name: Name) -> str:
        at = self._at
        length = self._number() - 2
        if length < 0:
            value = self._earlier_text(self._texts.all() if length == -1 else self._texts.of(name), at)
            self._admit(len(value), kind, MOST_CHARACTERS, at)
        else:
            self._admit(length, kind, MOST_CHARACTERS, at)
            value = self._characters(length, at)
            self._texts.add(name, value)
        return self._checked_length(value, kind)

    def _earlier_text(self, texts: list[str], at: int) -> str:
        """Read a reference into a table of texts."""
        position = self._bits((len(texts) - 1).bit_length()) if texts else 0
        if position >= len(texts):
            raise self._failure("a reference to a text that was never sent", at)
        self._note(Quirk.TABLE, repr(texts[position][:MOST_QUOTED]))
        return texts[position]

    def _characters(self, length: int, at: int) -> str:
        if length << 3 > self._left:
            raise self._failure(f"a text of {length} characters", at, "at most what the bytes hold")
        with contextlib.suppress(*READING):
            characters, self._left = text(self._all_bits, self._left, length, 0, MOST_CHARACTERS)
            return characters
        return self._characters_one_by_one(length)

    def _characters_one_by_one(self, length: int) -> str:
        """Read characters of which one is wrong, to tell which."""
        characters = []
        for _ in range(length):
            at = self._at
            character = self._number()
            if character > HIGHEST_CHARACTER or character in SURROGATES:
                raise self._failure(f"{character:#x} is no character", at)
            characters.append(chr(character))
        return "".join(characters)

    def _octets(self, kind: Octets) -> bytes:
        at = self._at
        length = self._number()
        self._admit(length, kind, MOST_OCTETS, at)
        if length << 3 > self._left:
            raise self._failure(f"a value of {length} octets", at, "at most what the bytes hold")
        return self._checked_length(self._bits(length << 3).to_bytes(length, "big"), kind)

    def _admit(self, length: int, kind: Text | Octets, cap: int, at: int) -> None:
        """Refuse a length beyond what is tolerated before anything is read for it."""
        if length > tolerated(kind.most, cap):
            raise self._failure(f"length {length}", at, f"at most {cap}" if kind.most is None else describe(kind))

    def _checked_length(self, value: V, kind: Text | Octets) -> V:
        if len(value) < kind.least or (kind.most is not None and len(value) > kind.most):
            self._note(Quirk.FACET, f"length {len(value)} is not {describe(kind)}")
        return value
