"""The slow way to read: straight from the grammar, tolerant of what the field sends, and able to say what is wrong.

Generated code reads what is as it should be; all other bytes come here. What deviates but can be understood is read
and noted: values out of range, empty values sent as missing ones (EXIficient), texts sent as references to earlier
ones, spare bytes behind the end, lists whose last code tells that they could go on (libcbv2g, EXIficient's compiled
grammars). Anything else raises `Undecodable` with the path, the bit and what could have stood there; so does a stream
with more than `MOST_NOTES` deviations, since each of them costs memory here and entries in the session's journal.
"""

from __future__ import annotations

from typing import Any

from v2g.exi.fields import Field, fields, fields_by_name
from v2g.exi.frame import COOKIE, HEADER, Frame, Root
from v2g.exi.grammar import END, Attribute, Characters, Event, Grammar, Row, Start
from v2g.exi.layout import FEW_ITEMS
from v2g.exi.library import Library
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk, tail_notes
from v2g.exi.relaxed import Relaxed, relaxed_class, value_field
from v2g.exi.runtime import MOST_ITEMS
from v2g.exi.shortcut import Place, Shortcut
from v2g.exi.texts import Name
from v2g.exi.types import Mark, Octets, Simple, Text
from v2g.exi.values import Values
from v2g.exi.wording import event_name, members, names, second_level_name

MISSED_END = -1
"""Stands for the second-level code that ends an element where the first level does not let it end."""


class Reading(Values):
    """One reading of one document or fragment.

    After it, `full` tells the maxima of the lists filled to them, and `relaxed` whether only the name of the fragment's
    element was known.

    With a library, its code reads what is as it should be: that makes long messages cheap.
    """

    def __init__(self, grammar: Grammar, data: bytes, library: Library | None = None) -> None:
        super().__init__(data)
        self._grammar = grammar
        self._shortcut = Shortcut(library, data) if library else None
        self._room = MOST_ITEMS
        self.full: set[int] = set()
        self.relaxed = False

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
        self._header()
        root = self._root(frame)
        kind = root.types[0] if len(root.types) == 1 else relaxed_class(root)
        if not isinstance(kind, type):
            raise self._failure(f"{root.name} alone is no message", self._at, "an element with child elements")
        self.relaxed = relaxed and len(root.types) > 1
        if self.relaxed:
            message = self._relaxed(root, kind)
        else:
            message = self._message(kind, self._grammar.first(kind), (root.namespace, root.name))
        if frame.end_bits:
            self._end(frame)
        tail = tail_notes(self._size, self._left, self._all_bits & (1 << self._left) - 1)
        return Decoded(message=message, notes=(*self._notes, *tail))

    # The frame of a stream

    def _header(self) -> None:
        at = self._at
        self._awaited = f"the EXI header {HEADER:#x} (version 1, no options)"
        octet = self._bits(8)
        if octet == COOKIE[0] and not at and self._bits(8 * len(COOKIE) - 8).to_bytes(len(COOKIE) - 1) == COOKIE[1:]:
            self._note(Quirk.COOKIE)
            at, octet = self._at, self._bits(8)
        if octet != HEADER:
            raise self._failure("an unknown EXI header", at, self._wanted())

    def _root(self, frame: Frame) -> Root:
        at = self._at
        self._awaited = f"one of the {len(frame.roots)} elements of the schema in {frame.bits} bits"
        code = self._bits(frame.bits)
        if code == len(frame.roots):
            raise self._failure("a root element that is not of the schema", at, self._wanted())
        if code > len(frame.roots):
            raise self._failure(f"an unknown root element, number {code}", at, self._wanted())
        self._path.append(frame.roots[code].name)
        return frame.roots[code]

    def _end(self, frame: Frame) -> None:
        at = self._at
        self._awaited = "the end of the fragment"
        if self._bits(frame.end_bits) != frame.end:
            raise self._failure("another part", at, self._wanted())

    # Events

    def _code(self, row: Row) -> int:
        """Read a code of the first level, or `MISSED_END`."""
        at = self._at
        self._awaited = row
        code = self._bits(row.bits)
        if code < len(row.events):
            return code
        if code > len(row.events):
            raise self._failure(f"an unknown event, number {code}", at, names(row))
        second = self._bits((row.second_level - 1).bit_length())
        if second or row.ends:
            raise self._failure(f"a deviation from the schema ({second_level_name(row, second)})", at, names(row))
        return MISSED_END

    def _message(self, cls: type[Message], row: Row, name: Name) -> Message:
        """Read an element of a class, whose first row is `row`."""
        if cls.abstract:
            raise self._failure(f"{cls.__name__} is abstract", self._at, members(self._grammar, cls))
        values: dict[str, Any] = {}
        while True:
            left = self._left
            code = self._code(row)
            if code == MISSED_END:
                self._missing_values(row, cls, values, self._size - left)
                break
            event = row.events[code]
            if event is END:
                break
            more = 0
            if isinstance(event, Start) and event.field:
                more = self._child(event, row.inside(code), cls, values, self._size - left)
            else:
                self._own(event, row, cls, values, name, self._size - left)
            row = row.after(code)
            for _ in range(more):
                row = row.after(0)
        return cls(**values)

    def _child(self, start: Start, row: Row, cls: type[Message], values: dict[str, Any], at: int) -> int:
        """Read a child element into `values`; tells how many items of the same list were read behind it."""
        if not start.many:
            values[start.field] = self._element(start, row, start.name)
            return 0
        field = fields_by_name(cls)[start.field]
        items = values.setdefault(start.field, [])
        self._item(start, row, field, items, at)
        return self._items(start, cls, field, items)

    def _element(self, start: Start, row: Row, step: str) -> Any:
        kind, name = start.type, (start.namespace, start.name)
        if self._shortcut and isinstance(kind, type):
            place = Place(self._all_bits, self._left, self._room)
            message = self._shortcut.element(kind, place)
            if message is not None:
                self._pass(place, start, message)
                return message
        self._path.append(step)
        value = self._message(kind, row, name) if isinstance(kind, type) else self._simple_element(kind, row, name)
        self._path.pop()
        return value

    def _simple_element(self, kind: Simple, row: Row, name: Name) -> Any:
        code = self._code(row)
        if code == MISSED_END:
            return self._nothing(kind)
        value = self._value(kind, name)
        self._code(row.after(code))
        return value

    def _own(self, event: Event, row: Row, cls: type[Message], values: dict[str, Any], name: Name, at: int) -> None:
        """Read an attribute or the element's own value into `values`."""
        match event:
            case Attribute():
                self._path.append("@" + event.name)
                values[event.name] = self._value(event.type, (event.namespace, event.name))
                self._path.pop()
            case Characters():
                values[value_field(cls)] = self._value(event.type, name)
            case _:
                expected = "the end of the element" if row.ends else f"no {self._path[-1]}"
                raise self._failure(f"{event_name(event)} inside {cls.__name__}, which is not understood", at, expected)

    def _item(self, start: Start, row: Row, field: Field, items: list[Any], at: int) -> None:
        if len(items) == field.most or (field.most is None and not self._room):
            raise self._failure(f"more than {field.most or MOST_ITEMS} items", at, "the end of the list")
        if field.most is None:
            self._room -= 1
        items.append(self._element(start, row, f"{start.name}[{len(items)}]"))
        if len(items) == field.most:
            self.full.add(field.most)

    def _items(self, start: Start, cls: type[Message], field: Field, items: list[Any]) -> int:
        """Read on in a long list by generated code as far as it goes; tells how many items that were."""
        before = len(items)
        if self._shortcut is None or before < field.least or (field.most is not None and field.most <= FEW_ITEMS):
            return 0
        place = Place(self._all_bits, self._left, self._room)
        self._shortcut.items(cls, field.name, items, place)
        self._pass(place, start, *items[before:])
        if len(items) == field.most:
            self.full.add(field.most)
        return len(items) - before

    def _pass(self, place: Place, start: Start, *parts: Any) -> None:
        """Go on behind what generated code read."""
        self._left, self._room = place.left, place.room
        if self._shortcut:
            self.full |= self._shortcut.full
        if isinstance(start.type, type | Text):
            for part in parts:
                self._texts.add((start.namespace, start.name), part)

    def _missing_values(self, row: Row, cls: type[Message], values: dict[str, Any], at: int) -> None:
        """Take the end of an element that lacks something: good for empty texts and octets, an error otherwise.

        Failure responses that must carry certificates come like that.
        """
        depth = len(self._path)
        missing = [field for field in fields(cls) if field.name not in values and _required(field)]
        empty = [(field, field.type) for field in missing if isinstance(field.type, Text | Octets)]
        others = cls.content is not None or len(empty) < len(missing)
        if others or not missing or any(field.many or field.choice for field in missing):
            raise self._failure(f"{cls.__name__} ends too early", at, names(row))
        for field, kind in empty:
            self._path += {None: [field.name], Mark.ATTRIBUTE: [f"@{field.name}"]}.get(field.mark, [])
            values[field.name] = self._nothing(kind)
            self._path[depth:] = []

    # An element of which only the name is known

    def _relaxed(self, root: Root, cls: type[Message]) -> Message:
        """Read attributes, then the text."""
        kinds = {field.name: field.type for field in fields(cls)}
        codes = Relaxed(self._grammar)
        value = value_field(cls)
        values: dict[str, Any] = {}
        while value not in values:
            at = self._at
            code = self._relaxed_code(codes)
            field = value if code >= codes.end else codes.attributes[code][1] if code < len(codes.attributes) else ""
            kind = kinds.get(field)
            if not isinstance(kind, Text) or code > codes.characters:
                raise self._failure("an event that is not understood here", at, ", ".join(kinds))
            if code == codes.end:
                values[field] = self._nothing(kind)
            else:
                values[field] = self._value(kind, (root.namespace, root.name if field == value else field))
        if code == codes.characters:
            self._relaxed_end(codes)
        missing = [field.name for field in fields(cls) if field.least and field.name not in values]
        if missing:
            raise self._failure(f"{cls.__name__} without {', '.join(missing)}", at, ", ".join(missing))
        return cls(**values)

    def _relaxed_code(self, codes: Relaxed) -> int:
        self._awaited = "an attribute or the text"
        return self._bits(codes.bits)

    def _relaxed_end(self, codes: Relaxed) -> None:
        at = self._at
        self._awaited = f"the end of {self._path[-1]}"
        if self._bits(codes.content_bits) != codes.content_end:
            raise self._failure("more than a text", at, self._wanted())


def _required(field: Field) -> bool:
    return bool(field.least or (field.choice and field.choice.required))
