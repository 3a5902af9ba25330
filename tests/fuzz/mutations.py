"""Bytes a hostile peer might send: seeds bent at the bits, and messages bent while they are written.

EXI is not aligned to bytes. So bits are inserted and cut out as well as bytes, and the second kind of mutation knows
where a code or a number stands: that is how lengths are blown up, events left out, and escapes put where they belong.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

import msgspec

from tests.fuzz.corpus import seeds
from tests.random_messages import Messages, understood
from v2g.exi.codec import Schema
from v2g.exi.compose import Writing
from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar
from v2g.exi.library import WRITING
from v2g.exi.message import Message
from v2g.exi.runtime import MOST_ITEMS
from v2g.exi.types import Text
from v2g.protocols import schema
from v2g.v2gtp import LIMIT

EDGES = (0, 1, 2, 127, 128, 255, 4_097, 16_385, 2**16, 2**31, 2**32, 2**48, 2**63, 2**64, 2**70, 2**2051, 2**2100)
"""Numbers at which something changes, and lengths no message has."""
LONG = 0.01
"""Share of the inputs that come of long lists: those are dear."""
LONG_LIST = 500
"""Items of a list that is long and yet not full."""
BENT = 0.3
"""Share of the inputs that are bent while they are written."""
REFERRING = 0.2
"""Share of those in which texts are sent by reference."""

Bits = tuple[int, int]
"""A number and how many bits it has."""


class Mutations:
    """An endless source of inputs for one schema set; the same seed gives the same inputs."""

    def __init__(self, name: str, random: Random) -> None:
        self._codec = schema(name)
        self._random = random
        self._seeds = seeds(name)
        self._messages = Messages(self._codec.grammar, random)

    def input(self) -> bytes:
        """Make the next input."""
        lot = self._random.random()
        if lot < LONG:
            return self._bent_bits(self._random.choice(long_streams(self._codec.name)), self._random.randint(0, 2))
        if lot < LONG + BENT:
            return self._bent_writing()
        return self._bent_bits(self._random.choice(self._seeds), self._random.choice((1, 1, 1, 2, 4, 8)))

    def _bent_bits(self, data: bytes, times: int) -> bytes:
        for _ in range(times):
            data = self._random.choice(BENDINGS)(self._random, data, self._seeds)
        return data

    def _bent_writing(self) -> bytes:
        frame = self._codec.grammar.document
        message = self._messages.root()
        code = next(code for code, cls in frame.classes.items() if cls is type(message))
        libraries = (self._codec.library, *self._codec.looped)
        grammar = self._random.choice(libraries).grammar
        return Bending(grammar, self._random).document(code, message)


class Bending(Writing):
    """Writes a message with one or two things gone wrong: a number, the bits of a code or value, or their presence.

    Some refer to texts sent before, as peers should not.
    """

    def __init__(self, grammar: Grammar, random: Random) -> None:
        super().__init__(grammar, strict=False)
        self._texts: list[str] = []
        self._refers = random.random() < REFERRING
        self._random = random
        self._until = random.randint(1, random.choice((4, 20, 80)))
        self._again = random.random() < 0.3

    def _number(self, number: int) -> None:
        if not self._is_due():
            super()._number(number)
            return
        match self._random.randrange(4):
            case 0:
                super()._number(self._random.choice(EDGES))
            case 1:
                super()._number(max(0, number + self._random.choice((-2, -1, 1, 2, 8, 64))))
            case 2:
                self._padded(number, self._random.choice((1, 2, 9, 10, 292, 293)))
            case 3:
                super()._number(number << self._random.randint(1, 64))

    def _put(self, width: int, bits: int) -> None:
        if width > 16 or not self._is_due():
            super()._put(width, bits)
            return
        match self._random.randrange(4):
            case 0:
                super()._put(width, (1 << width) - 1)
                super()._put(3, self._random.randrange(8))
            case 1:
                super()._put(width, self._random.getrandbits(width) if width else 0)
            case 2:
                super()._put(width, bits)
                super()._put(width, bits)
            case 3:
                """Leave it out."""

    def _text(self, kind: Text, value: str) -> None:
        if self._refers and self._texts:
            super()._number(1)
            super()._put((len(self._texts) - 1).bit_length(), self._random.randrange(len(self._texts)))
        else:
            super()._text(kind, value)
            self._texts += [value] if value else []

    def _padded(self, number: int, octets: int) -> None:
        """Write a number in more octets than it takes."""
        super()._put(8, 128 | number & 127)
        for _ in range(octets):
            number >>= 7
            super()._put(8, 128 | number & 127)
        super()._put(8, 0)

    def _is_due(self) -> bool:
        self._until -= 1
        if self._until == 0 and self._again:
            self._until, self._again = self._random.randint(1, 20), False
            return True
        return self._until == 0


def _bits(data: bytes) -> Bits:
    return int.from_bytes(data, "big"), 8 * len(data)


def _bytes(number: int, size: int) -> bytes:
    """Tell the bytes of so many bits, filled up with zeros."""
    padding = -size & 7
    return (number << padding).to_bytes((size + padding) // 8, "big")


def _put_in(random: Random, data: bytes, number: int, width: int) -> bytes:
    """Put bits in anywhere behind the header."""
    whole, size = _bits(data)
    left = random.randint(0, max(0, size - 8))
    return _bytes((whole >> left << width | number) << left | whole & (1 << left) - 1, size + width)


def flip_bits(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Turn some bits over."""
    whole, size = _bits(data)
    for _ in range(random.choice((1, 1, 2, 5))):
        whole ^= 1 << random.randrange(size) if size else 0
    return whole.to_bytes(len(data), "big")


def overwrite(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Set one byte to a value at an edge."""
    at = random.randrange(len(data) + 1)
    return data[:at] + bytes([random.choice((0, 1, 127, 128, 255))]) + data[at + 1 :]


def insert_bits(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Put some bits in."""
    width = random.randint(1, 24)
    return _put_in(random, data, random.getrandbits(width), width)


def insert_number(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Put a number of the kind lengths are made of in."""
    octets = random.choice((1, 2, 4, 8, 9, 10, 293, 8_192 if random.random() < 0.02 else 12))
    return _put_in(random, data, int.from_bytes(b"\xff" * octets + b"\x7f", "big"), 8 * octets + 8)


def insert_bytes(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Put some bytes in."""
    at = random.randint(0, len(data))
    return data[:at] + random.randbytes(random.choice((1, 2, 4, 16, 64))) + data[at:]


def remove_bits(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Cut some bits out."""
    whole, size = _bits(data)
    width = random.randint(0, min(size, 24))
    left = random.randint(0, size - width)
    return _bytes(whole >> left + width << left | whole & (1 << left) - 1, size - width)


def remove_bytes(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Cut some bytes out."""
    at = random.randint(0, len(data))
    return data[:at] + data[at + random.choice((1, 2, 4, 16)) :]


def truncate(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Keep the beginning."""
    return data[: random.randint(0, len(data))]


def append(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Add bytes at the end."""
    return data + random.choice((b"\0", b"\xff", random.randbytes(random.randint(1, 40))))


def repeat(random: Random, data: bytes, _pool: Sequence[bytes]) -> bytes:
    """Repeat some bits many times: with luck they are the item of a list."""
    whole, size = _bits(data)
    width = random.randint(1, min(size, 600)) if size else 0
    left = random.randint(0, size - width)
    times = random.choice((2, 3, 5, 20, 100 if random.random() < 0.1 else 4))
    piece = whole >> left & (1 << width) - 1
    before, behind = whole >> left + width, whole & (1 << left) - 1
    run = sum(piece << width * place for place in range(times))
    return _bytes((before << width * times | run) << left | behind, size + width * (times - 1))


def splice(random: Random, data: bytes, pool: Sequence[bytes]) -> bytes:
    """Go on as another message ends, cut at bits."""
    first, size = _bits(data)
    second, other_size = _bits(random.choice(pool))
    kept, left = random.randint(0, size), random.randint(0, other_size)
    return _bytes(first >> size - kept << left | second & (1 << left) - 1, kept + left)


BENDINGS: tuple[Callable[[Random, bytes, Sequence[bytes]], bytes], ...] = (
    flip_bits,
    flip_bits,
    overwrite,
    insert_bits,
    insert_bytes,
    insert_number,
    remove_bits,
    remove_bytes,
    truncate,
    append,
    repeat,
    splice,
)


@cache
def long_streams(name: str) -> list[bytes]:
    """Make fragments of every class that has a list: with the list full, one short of it, and long."""
    codec = schema(name)
    messages = Messages(codec.grammar, Random(name))
    found = []
    for code, cls in codec.grammar.fragment.classes.items():
        for field in fields(cls):
            if field.many and understood(cls):
                message = _with_items(messages, cls, field)
                items = getattr(message, field.name)
                most = MOST_ITEMS if field.most is None else field.most
                for size in {most, most - 1, min(most, LONG_LIST)} if items else ():
                    longer = (items * (size // len(items) + 1))[:size]
                    found += _written(codec, code, msgspec.structs.replace(message, **{field.name: longer}))
    return found


def _with_items(messages: Messages, cls: type[Message], field: Field) -> Message:
    """Make a message, if it can be with something in the list."""
    message = messages.message(cls)
    for _ in range(10):
        if getattr(message, field.name):
            break
        message = messages.message(cls)
    return message


def _written(codec: Schema, code: int, message: Message) -> list[bytes]:
    """Write a fragment, full lists in every way they are written; nothing if it is too long or not to be sent."""
    found: dict[bytes, None] = {}
    for library in (codec.library, *codec.looped):
        with contextlib.suppress(*WRITING):
            found[library.write(codec.grammar.fragment, code, message)] = None
    return [data for data in found if len(data) <= LIMIT]
