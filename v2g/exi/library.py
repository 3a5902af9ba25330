"""The generated code of one schema set: written, compiled and kept per class, when a class is first met."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, NoReturn

from v2g.exi import runtime
from v2g.exi.decoder import DecoderSource, ItemsSource
from v2g.exi.encoder import EncoderSource
from v2g.exi.frame import HEADER, Frame
from v2g.exi.grammar import Grammar
from v2g.exi.layout import layout_of
from v2g.exi.message import Message
from v2g.exi.runtime import MOST_ITEMS, Deviation
from v2g.exi.types import Enumeration, Flag, Listed, Whole

Reader = Callable[[int, int], tuple[Message, int, int]]
"""Reads one element: (bits, how many are unread) -> (message, bits, how many are unread)."""
ItemsReader = Callable[[int, int, list[Any]], tuple[int, int, int]]
"""Reads on in a list: (bits, how many are unread, the items so far) -> (bits, how many are unread, the next label)."""
Kept = tuple[list[Any], int, int]
"""The items of a list as far as they are good, how many bits are unread behind them, and how much `room` is left."""
Writer = Callable[[Any, int, int, bytearray], tuple[int, int]]
"""Writes one element: (message, bits, their number, whole bytes before) -> (bits, their number)."""

READING = (Deviation, ValueError, IndexError, KeyError, OverflowError)
"""What reading fails with: a negative shift at the end of the bytes, a code without a meaning."""
WRITING = (*READING, TypeError, AttributeError)
"""What writing fails with: also a value of a wrong type."""
_HELPERS = ("Deviation", "flush", "longer", "longest", "put_integer", "put_number", "put_octets", "put_text", "text")


class Library:
    """Generated functions by class; one not yet needed is a stub that has it written and then steps aside."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar
        self.full: set[int] = set()
        """The maxima of the lists that the last stream filled to them."""
        self.room = [MOST_ITEMS]
        """How many items of lists without a bound of their own the stream may still hold, read or written."""
        self.kept: dict[int, Kept] = {}
        """The long lists of the stream, by how many bits were unread where their code began."""
        self._data = b""
        self._space: dict[str, Any] = {name: getattr(runtime, name) for name in _HELPERS}
        self._space |= {"full": self.full, "room": self.room, "kept": self.kept}
        self._names: dict[Any, str] = {}
        self._readers: dict[type[Message], Reader] = {}
        self._items: dict[tuple[type[Message], str], ItemsReader] = {}
        self._writers: dict[type[Message], Writer] = {}
        self._lists: list[tuple[tuple[type[Message], ...], list[Reader]]] = []
        self._tables: list[dict[type[Message], tuple[int, Writer]]] = []

    def read(self, frame: Frame, data: bytes) -> tuple[Message, int, int]:
        """Read a stream that is as it should be; also tells how many bits are left, and the number they make.

        Raises one of `READING` otherwise; call `forget` when nobody will go on with what was read then.
        """
        if self.full or self.kept:
            self.forget()
        self.room[0] = MOST_ITEMS
        self._data = data
        v = int.from_bytes(data)
        p = len(data) * 8 - 8
        if v >> p != HEADER:
            raise Deviation
        p -= frame.bits
        cls = frame.classes[v >> p & (1 << frame.bits) - 1]
        message, v, p = (self._readers.get(cls) or self.read_function(cls))(v, p)
        if frame.end_bits:
            p -= frame.end_bits
            if v >> p & (1 << frame.end_bits) - 1 != frame.end:
                raise Deviation
        self.kept.clear()
        return message, p, v & (1 << p) - 1

    def begin(self, data: bytes) -> None:
        """Go on with a stream that `read` began, or begin another."""
        if data is not self._data:
            self.forget()
            self._data = data

    def forget(self) -> None:
        """Let go of the last stream."""
        self.full.clear()
        self.kept.clear()
        self.room[0] = MOST_ITEMS
        self._data = b""

    def write(self, frame: Frame, code: int, message: Message) -> bytes:
        """Write a message as the element with this code. Raises one of `WRITING` if it cannot be sent."""
        out = bytearray()
        self.room[0] = MOST_ITEMS
        function = self._writers.get(type(message)) or self.write_function(type(message))
        a, n = function(message, HEADER << frame.bits | code, 8 + frame.bits, out)
        padding = -(n + frame.end_bits) & 7
        n += frame.end_bits + padding
        end = ((a << frame.end_bits | frame.end) << padding).to_bytes(n >> 3)
        return bytes(out) + end if out else end

    def read_function(self, cls: type[Message]) -> Reader:
        """Tell the function that reads `cls`, written now if need be."""
        function = self._readers.get(cls)
        if function is None:
            name = self.reader(cls)
            function = self._readers[cls] = self._compile(DecoderSource(self, cls, name).text, name)
            for classes, functions in self._lists:
                functions[:] = [self._current_reader(member) for member in classes]
        return function

    def items_function(self, cls: type[Message], field: str) -> ItemsReader:
        """Tell the function that reads on in a long list of `cls`, written now if need be."""
        if (cls, field) not in self._items:
            self.read_function(cls)
        return self._items[cls, field]

    def write_function(self, cls: type[Message]) -> Writer:
        """Tell the function that writes `cls`, written now if need be."""
        function = self._writers.get(cls)
        if function is None:
            name = self.writer(cls)
            function = self._writers[cls] = self._compile(EncoderSource(self, cls, name).text, name)
            for table in self._tables:
                if cls in table:
                    table[cls] = (table[cls][0], function)
        return function

    # What the writers of source ask (see `Names`)

    def constructor(self, cls: type[Message]) -> str:
        """Tell the name of the class."""
        if cls not in self._names:
            self._names[cls] = self._add(cls.__name__, cls)
        return self._names[cls]

    def values(self, kind: Flag | Listed | Whole) -> str:
        """Tell the name of the sequence of all values of a type with a field of fixed width, in code order."""
        if (kind, "values") not in self._names:
            self._names[kind, "values"] = self._add("values", _values(kind))
        return self._names[kind, "values"]

    def codes(self, kind: Flag | Listed | Whole) -> str:
        """Tell the name of the table from those values to their codes."""
        if (kind, "codes") not in self._names:
            table = {value: code for code, value in enumerate(_values(kind))}
            self._names[kind, "codes"] = self._add("codes", table)
        return self._names[kind, "codes"]

    def reader(self, cls: type[Message]) -> str:
        """Tell the name of the function that reads `cls`."""
        if (cls, "read") not in self._names:
            self._names[cls, "read"] = self._add(f"read_{cls.__name__}", self._read_stub(cls))
        return self._names[cls, "read"]

    def items_reader(self, cls: type[Message], position: int) -> str:
        """Tell the name of the function that reads on in the list at a step of `cls`."""
        field = layout_of(self.grammar, cls).steps[position].alternatives[0].field
        name = f"read_{cls.__name__}_{field}"
        if (cls, field) not in self._items:
            name = self._add(name, None)
            self._items[cls, field] = self._compile(ItemsSource(self, cls, position, name).text, name)
        return self._items[cls, field].__name__

    def writer(self, cls: type[Message]) -> str:
        """Tell the name of the function that writes `cls`."""
        if (cls, "write") not in self._names:
            self._names[cls, "write"] = self._add(f"write_{cls.__name__}", self._write_stub(cls))
        return self._names[cls, "write"]

    def readers(self, classes: tuple[type[Message], ...]) -> str:
        """Tell the name of a list with the function of each class; abstract ones refuse."""
        if (classes, "read") not in self._names:
            functions = [self._current_reader(cls) for cls in classes]
            self._lists.append((classes, functions))
            self._names[classes, "read"] = self._add("readers", functions)
        return self._names[classes, "read"]

    def writers(self, classes: tuple[type[Message], ...]) -> str:
        """Tell the name of a table from class to (position, function); abstract ones are missing."""
        if (classes, "write") not in self._names:
            table = {
                cls: (position, self._writers.get(cls) or self._write_stub(cls))
                for position, cls in enumerate(classes)
                if not cls.abstract
            }
            self._tables.append(table)
            self._names[classes, "write"] = self._add("writers", table)
        return self._names[classes, "write"]

    def has_subclass(self, cls: type[Message]) -> bool:
        """Tell whether another class of the set extends `cls`."""
        return any(other is not cls and issubclass(other, cls) for other in self.grammar.classes)

    def _add(self, wanted: str, thing: Any) -> str:
        name = wanted
        while name in self._space:
            name = f"{wanted}_{len(self._space)}"
        self._space[name] = thing
        return name

    def _compile(self, text: str, name: str) -> Any:
        code = compile(text, f"<{name}>", "exec")
        body = next(constant for constant in code.co_consts if isinstance(constant, CodeType))
        function = self._space[name] = FunctionType(body, self._space, name)
        return function

    def _current_reader(self, cls: type[Message]) -> Reader:
        return _refuse if cls.abstract else self._readers.get(cls) or self._read_stub(cls)

    def _read_stub(self, cls: type[Message]) -> Reader:
        def stub(v: int, p: int) -> tuple[Message, int, int]:
            return self.read_function(cls)(v, p)

        return stub

    def _write_stub(self, cls: type[Message]) -> Writer:
        def stub(o: Any, a: int, n: int, out: bytearray) -> tuple[int, int]:
            return self.write_function(cls)(o, a, n, out)

        return stub


def _refuse(_v: int, _p: int) -> NoReturn:
    """Stand in for an abstract element."""
    raise Deviation


def _values(kind: Flag | Listed | Whole) -> tuple[bool, ...] | tuple[Enumeration, ...] | tuple[int, ...]:
    match kind:
        case Flag():
            return (False, True)
        case Listed(members):
            return tuple(members)
        case Whole(int(low), int(high)):
            return tuple(range(low, high + 1))
    raise TypeError(f"{kind} has no field of fixed width")
