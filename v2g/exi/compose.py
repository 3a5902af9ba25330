"""The slow way to write: straight from the grammar, able to say which value cannot be sent.

Generated code writes what is as it should be; all other messages come here. By default values out of range are
refused. With `strict=False` everything that was read can be written again, in the same bits: that is what checking a
signature over a deviating message takes. Given generated code, only what deviates is written slowly.
"""

from __future__ import annotations

from typing import Any

from v2g.exi.fields import Field, Type, fields
from v2g.exi.frame import HEADER, Frame, Root
from v2g.exi.grammar import Attribute, Characters, End, Event, Grammar, Row, Start, attributes
from v2g.exi.layout import may_be_empty
from v2g.exi.library import WRITING, Library
from v2g.exi.message import Message
from v2g.exi.misplaced import misplaced, quoted
from v2g.exi.relaxed import Relaxed, relaxed_class, value_field
from v2g.exi.runtime import MOST_CHARACTERS, MOST_ITEMS, MOST_LONG_GROUPS, MOST_OCTETS, SURROGATES, flush, tolerated
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole


class Writing:
    """One slow writing of one message. Methods raise ValueError with the path of what cannot be sent.

    With `gaps` an element with an empty value just ends, as EXIficient writes it; we send a value of length 0.
    With a library, its code writes the elements that are as they should be: that makes long messages cheap.
    """

    def __init__(
        self, grammar: Grammar, library: Library | None = None, *, strict: bool = True, gaps: bool = False
    ) -> None:
        self._grammar = grammar
        self._library = library
        self._strict = strict
        self._gaps = gaps
        self._out = bytearray()
        self._bits = HEADER
        self._count = 8
        self._room = MOST_ITEMS
        self._path: list[str] = []

    def document(self, code: int, message: Message) -> bytes:
        """Write a document whose root element has this code."""
        return self._stream(self._grammar.document, code, message, relaxed=False)

    def fragment(self, code: int, message: Message, *, relaxed: bool = True) -> bytes:
        """Write a fragment of one element with this code; `relaxed` matters for one declared with several types."""
        return self._stream(self._grammar.fragment, code, message, relaxed=relaxed)

    def _stream(self, frame: Frame, code: int, message: Message, *, relaxed: bool) -> bytes:
        root = frame.roots[code]
        self._path.append(root.name)
        self._put(frame.bits, code)
        if len(root.types) > 1 and relaxed:
            self._relaxed(root, message)
        elif not self._is_written(message):
            self._message(message)
        self._put(frame.end_bits, frame.end)
        return self._finish()

    # Bits

    def _put(self, width: int, bits: int) -> None:
        self._bits = self._bits << width | bits
        self._count += width
        if self._count >= 64:
            self._bits, self._count = flush(self._bits, self._count, self._out)

    def _number(self, number: int) -> None:
        while number > 127:
            self._put(8, 128 | number & 127)
            number >>= 7
        self._put(8, number)

    def _finish(self) -> bytes:
        self._put(-self._count & 7, 0)
        flush(self._bits, self._count, self._out)
        return bytes(self._out)

    def _refusal(self, why: str) -> ValueError:
        return ValueError(f"{'/'.join(self._path)}: {why}")

    # Elements

    def _element(self, start: Start, value: Any, step: str) -> None:
        self._path.append(step)
        if isinstance(start.type, type):
            if type(value) is not start.type:
                raise self._refusal(f"{quoted(value)} is no {start.type.__name__}")
            if not self._is_written(value):
                self._message(value)
        elif self._gaps and _empty(value):
            self._gap(self._grammar.first(start.type))
        else:
            row = self._grammar.first(start.type)
            self._put(row.bits, 0)
            self._value(start.type, value)
            row = row.after(0)
            self._put(row.bits, 0)
        self._path.pop()

    def _gap(self, row: Row) -> None:
        """End an element where its value should stand: by the first second-level code."""
        self._put(row.bits, len(row.events))
        self._put((row.second_level - 1).bit_length(), 0)

    def _is_written(self, message: Message) -> bool:
        """Write an element by generated code, if it is as it should be."""
        library, cls = self._library, type(message)
        if library is None or cls.abstract or (self._gaps and may_be_empty(self._grammar, cls)):
            return False
        whole = len(self._out)
        library.room[0] = self._room
        try:
            self._bits, self._count = library.write_function(cls)(message, self._bits, self._count, self._out)
        except WRITING:
            del self._out[whole:]
            return False
        self._room = library.room[0]
        return True

    def _message(self, message: Message) -> None:
        cls = type(message)
        if cls.abstract:
            raise self._refusal(f"{cls.__name__} is abstract")
        left = {field.name: self._values(message, field) for field in fields(cls)}
        row = self._grammar.first(cls)
        while True:
            code = self._next(row, left, cls)
            event = row.events[code]
            if self._gaps and isinstance(event, Characters) and _empty(left[value_field(cls)][0]):
                self._gap(row)
                return
            self._put(row.bits, code)
            if isinstance(event, End):
                break
            self._event(event, message, left)
            row = row.after(code)
        for field in fields(cls):
            if left[field.name]:
                raise self._no_place(field, left[field.name][0])

    def _values(self, message: Message, field: Field) -> list[Any]:
        value = getattr(message, field.name)
        if not field.many:
            return [] if value is None else [value]
        if not isinstance(value, list | tuple):
            raise self._refusal(f"{field.name} is no list but {quoted(value)}")
        if field.most is None:
            self._spend(field, len(value))
        elif len(value) > field.most:
            raise self._refusal(f"{field.name} has {len(value)} items; at most {field.most} are allowed")
        if 0 < len(value) < field.least:
            raise self._refusal(f"{field.name} has {len(value)} of {field.least} items that must be there")
        return list(value)

    def _spend(self, field: Field, items: int) -> None:
        """Take the items of a list without a bound from what the stream may hold of them, or we could not read it."""
        self._room -= items
        if self._room < 0:
            raise self._refusal(f"more than {MOST_ITEMS} items of lists without a bound, with {field.name}")

    def _next(self, row: Row, left: dict[str, list[Any]], cls: type[Message]) -> int:
        """Tell the code of the first event that a value is left for, or else of the end."""
        for code, event in enumerate(row.events):
            match event:
                case Attribute(name=field) | Start(field=field):
                    values = left.get(field)
                case Characters():
                    values = left[value_field(cls)]
                case _:
                    continue
            if values and not _another_member(event, values[0]):
                return code
        for code, event in enumerate(row.events):
            if isinstance(event, End):
                return code
        for particle in fields(cls):
            here = any(isinstance(event, Start) and event.field == particle.name for event in row.events)
            if here and left[particle.name]:
                raise self._no_place(particle, left[particle.name][0])
        names = [event.name for event in row.events if isinstance(event, Attribute | Start)]
        raise self._refusal(f"{' or '.join(names) or 'a value'} is missing")

    def _no_place(self, field: Field, value: Any) -> ValueError:
        if not isinstance(field.type, type) or type(value) is field.type:
            return self._refusal(f"no place for {field.name} beside what is there")
        return self._refusal(misplaced(self._grammar, field, value))

    def _event(self, event: Event, message: Message, left: dict[str, list[Any]]) -> None:
        cls = type(message)
        match event:
            case Attribute(name=name):
                self._path.append("@" + name)
                self._value(event.type, left[name].pop(0))
                self._path.pop()
            case Characters():
                self._value(event.type, left[value_field(cls)].pop(0))
            case Start(field=field):
                value = left[field].pop(0)
                number = len(getattr(message, field)) - len(left[field]) - 1 if event.many else 0
                self._element(event, value, f"{event.name}[{number}]" if event.many else event.name)

    def _relaxed(self, root: Root, message: Message) -> None:
        """Write an element by the relaxed grammar: attributes, then its text."""
        cls = type(message)
        if cls is not relaxed_class(root):
            raise self._refusal(f"{cls.__name__} cannot be sent as an element of several types")
        codes = Relaxed(self._grammar)
        for attribute in attributes(cls):
            self._put(codes.bits, codes.attributes.index((attribute.namespace, attribute.name)))
            self._value(attribute.type, getattr(message, attribute.name))
        if self._gaps and _empty(getattr(message, value_field(cls))):
            self._put(codes.bits, codes.end)
            return
        self._put(codes.bits, codes.characters)
        field = next(field for field in fields(cls) if field.name == value_field(cls))
        if not isinstance(field.type, type):
            self._value(field.type, getattr(message, field.name))
        self._put(codes.content_bits, codes.content_end)

    # Values

    def _value(self, kind: Simple, value: Any) -> None:
        match kind:
            case Flag():
                self._flag(value)
            case Listed(members):
                if value not in list(members):
                    raise self._refusal(f"{quoted(value)} is no {members.__name__}")
                self._put(kind.bits, members(value).position)
            case Whole():
                self._whole(kind, value)
            case Text():
                self._text(kind, value)
            case Octets():
                self._octets(kind, value)

    def _flag(self, value: Any) -> None:
        if not isinstance(value, bool):
            raise self._refusal(f"{quoted(value)} is neither true nor false")
        self._put(1, value)

    def _whole(self, kind: Whole, value: Any) -> None:
        if not isinstance(value, int):
            raise self._refusal(f"{quoted(value)} is no whole number")
        low, high = kind.low, kind.high
        if self._strict and ((low is not None and value < low) or (high is not None and value > high)):
            raise self._refusal(f"{value} is not within {low} to {high}")
        if kind.bits is not None and low is not None:
            if not 0 <= value - low < 1 << kind.bits:
                raise self._refusal(f"{value} does not fit {kind.bits} bits from {low}")
            self._put(kind.bits, value - low)
            return
        if kind.signed:
            self._put(1, value < 0)
        magnitude = -1 - value if kind.signed and value < 0 else value
        if magnitude < 0 or magnitude >> (7 * MOST_LONG_GROUPS if high is None else 64):
            raise self._refusal(f"{value} cannot be sent")
        self._number(magnitude)

    def _text(self, kind: Text, value: Any) -> None:
        if not isinstance(value, str):
            raise self._refusal(f"{quoted(value)} is no text")
        if any(ord(character) in SURROGATES for character in value):
            raise self._refusal("half a character (a surrogate) cannot be sent")
        self._check_length(kind, len(value), MOST_CHARACTERS)
        self._number(len(value) + 2)
        for character in value:
            self._number(ord(character))

    def _octets(self, kind: Octets, value: Any) -> None:
        if not isinstance(value, bytes | bytearray):
            remedy = "; take bytes, of hex by bytes.fromhex" if isinstance(value, str) else ""
            raise self._refusal(f"{quoted(value)} are no octets{remedy}")
        self._check_length(kind, len(value), MOST_OCTETS)
        self._number(len(value))
        self._put(len(value) << 3, int.from_bytes(value))

    def _check_length(self, kind: Text | Octets, length: int, cap: int) -> None:
        least = kind.least if self._strict else 0
        most = kind.most if self._strict and kind.most is not None else tolerated(kind.most, cap)
        if not least <= length <= most:
            raise self._refusal(f"length {length} is not within {least} to {most}")


def _empty(value: Any) -> bool:
    """Tell whether a value is a text or octets of length 0."""
    return isinstance(value, str | bytes | bytearray) and not value


def _another_member(event: Event, value: Any) -> bool:
    """Tell whether an event stands for another member of the group than the value is."""
    kind: Type | None = event.type if isinstance(event, Start) else None
    return isinstance(kind, type) and isinstance(value, Message) and type(value) is not kind
