"""Messages out of nothing but their declarations: every field, choice, group member and limit gets its turn.

Draws come from a `random.Random`, so that hypothesis (`st.randoms()`) can seed them as well as a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from random import Random
from typing import Any, TypeVar

from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole

M = TypeVar("M", bound=Message)

MOST_ITEMS = 4
FULL_LIST = 24
LONGEST = 40
CHARACTERS = "abcXYZ019:*-_~"
FOREIGN = "\u00e4\u03a9\u20ac\u4e2d"
UNUSUAL = "\x00\t \U0001d11e"
REFUSED = ("KeyInfo", "Object")
"""Fields whose content the codec does not take."""

CONTENT_MAY_BE_EMPTY = ("CanonicalizationMethod", "SignatureMethod", "DigestMethod", "Transform", "Object")


class Messages:
    """A source of messages of one schema set; `tame` leaves out what an XML tool in between would not carry."""

    def __init__(self, grammar: Grammar, random: Random, *, tame: bool = False) -> None:
        self._grammar = grammar
        self._random = random
        self._tame = tame

    def message(self, cls: type[M]) -> M:
        """Make a message of a class."""
        values: dict[str, Any] = {}
        declared = [field for field in fields(cls) if field.name not in REFUSED]
        for choice, members in groupby(declared, key=lambda field: field.choice):
            alternatives = list(members)
            if choice is not None:
                alternatives = [self._random.choice(alternatives)]
            for field in alternatives:
                if field.many:
                    values[field.name] = self._items(field)
                elif field.least or choice is not None or self._random.random() < 0.5:
                    values[field.name] = self._value(field)
        return cls(**values)

    def root(self) -> Message:
        """Make a message of any class that can stand alone and is understood."""
        classes = [root.types[0] for root in self._grammar.documents]
        usable = [kind for kind in classes if isinstance(kind, type) and not kind.group and understood(kind)]
        return self.message(self._random.choice(usable))

    def _items(self, field: Field) -> list[Any]:
        most = MOST_ITEMS if field.most is None else min(field.most, MOST_ITEMS)
        count = self._random.randint(field.least, most)
        if field.most is not None and field.most <= FULL_LIST and self._random.random() < 0.1:
            count = field.most
        return [self._value(field) for _ in range(count)]

    def _value(self, field: Field) -> Any:
        kind = field.type
        if not isinstance(kind, type):
            return self._simple(kind)
        if kind.group:
            members = [start.type for start in self._grammar.members(kind)]
            kind = self._random.choice([cls for cls in members if isinstance(cls, type) and not cls.group])
        return self.message(kind)

    def _simple(self, kind: Simple) -> Any:
        match kind:
            case Flag():
                return self._random.random() < 0.5
            case Listed(members):
                return self._random.choice(list(members))
            case Whole():
                return self._whole(kind)
            case Text(least, most):
                alphabet = CHARACTERS + FOREIGN if self._tame else CHARACTERS + FOREIGN + UNUSUAL
                if self._random.random() < 0.7:
                    alphabet = CHARACTERS
                return "".join(self._pick(alphabet) for _ in range(self._length(least, most)))
            case Octets(_, least, most):
                return bytes(self._random.randrange(256) for _ in range(self._length(least, most)))

    def _pick(self, alphabet: Sequence[str]) -> str:
        return alphabet[self._random.randrange(len(alphabet))]

    def _whole(self, kind: Whole) -> int:
        low = -(1 << 160) if kind.low is None else kind.low
        high = 1 << 160 if kind.high is None else kind.high
        small = range(max(low, -200), min(high, 20_000) + 1)
        if self._random.random() < 0.6 and small:
            return self._random.choice(small)
        return self._random.choice([low, high, self._random.randint(low, high)])

    def _length(self, least: int, most: int | None) -> int:
        if self._tame:
            least = max(least, 1)
        top = LONGEST if most is None else most
        if self._random.random() < 0.1:
            return top
        return self._random.randint(least, max(least, min(top, LONGEST)))


def understood(cls: type[Message]) -> bool:
    """Tell whether a class may be sent: neither it nor a part it must have holds more than fields can tell."""
    if cls.content is not None:
        return cls.__name__ in CONTENT_MAY_BE_EMPTY
    parts = [field.type for field in fields(cls) if field.least]
    return all(understood(part) for part in parts if isinstance(part, type) and not part.group)
