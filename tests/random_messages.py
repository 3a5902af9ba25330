"""Messages out of nothing but their declarations: every field, choice, group member and limit gets its turn.

Draws come from a `random.Random`, so that hypothesis (`st.randoms()`) can seed them as well as a test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import groupby
from random import Random
from typing import Any, TypeVar

from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.types import Choice, Flag, Listed, Octets, Simple, Text, Whole

M = TypeVar("M", bound=Message)
T = TypeVar("T")

MOST_ITEMS = 4
FULL_LIST = 24
LONGEST = 40
CHARACTERS = "abcXYZ019:*-_~"
FOREIGN = "\u00e4\u03a9\u20ac\u4e2d\U0001d11e"
UNUSUAL = "\x00\t "
REFUSED = ("KeyInfo", "Object")
"""Fields whose content the codec does not take."""

CONTENT_MAY_BE_EMPTY = ("CanonicalizationMethod", "SignatureMethod", "DigestMethod", "Transform", "Object")


class Way(Enum):
    """How a field may turn up."""

    WITH = "with"
    WITHOUT = "without"
    FULL = "with as many as can be"


class Messages:
    """A source of messages of one schema set.

    `tame` leaves out what an XML tool in between would not carry. `words`, if any, are all texts there are; then
    octets may be empty whatever their limits say.
    """

    def __init__(self, grammar: Grammar, random: Random, *, tame: bool = False, words: Sequence[str] = ()) -> None:
        self._grammar = grammar
        self._random = random
        self._tame = tame
        self._words = words
        self._drawn: Counter[tuple[type[Message], str, Way]] = Counter()
        self._made: Counter[type[Message]] = Counter()

    def message(self, cls: type[M]) -> M:
        """Make a message of a class."""
        self._made[cls] += 1
        values: dict[str, Any] = {}
        for choice, members in groupby(_declared(cls), key=lambda field: field.choice):
            for field, way in self._ways(cls, list(members), choice):
                self._drawn[cls, field.name, way] += 1
                if way is not Way.WITHOUT:
                    values[field.name] = self._items(field, way) if field.many else self._value(field)
        return cls(**values)

    def root(self) -> Message:
        """Make a message of any class that can stand alone and is understood."""
        return self.message(self._random.choice(_standalone(self._grammar)))

    def missed(self, classes: Iterable[type[Message]]) -> list[str]:
        """Tell what of these classes and all their parts was not drawn yet: which field, and which way."""
        wanted = {
            (cls, field.name, way)
            for cls in _with_parts(self._grammar, classes)
            for field in _declared(cls)
            for way in _possible(field)
        }
        return sorted(f"{cls.__name__} {way.value} {name}" for cls, name, way in wanted - self._drawn.keys())

    def _ways(self, cls: type[Message], members: list[Field], choice: Choice | None) -> Iterator[tuple[Field, Way]]:
        """Decide how the fields of a choice, or fields that stand alone, turn up this time."""
        if choice is None:
            for field in members:
                likely = [Way.FULL] if self._random.random() < 0.1 else [Way.WITH, Way.WITH, Way.WITHOUT]
                possible = _possible(field)
                yield field, self._fresh(cls, field, [way for way in likely if way in possible] or possible)
            return
        taken: Field | None = self._turn(members, lambda field: self._drawn[cls, field.name, Way.WITH])
        if not choice.required and self._random.random() < 0.3:
            taken = None
        for field in members:
            yield field, Way.WITH if field is taken else Way.WITHOUT

    def _fresh(self, cls: type[Message], field: Field, likely: list[Way]) -> Way:
        """Pick a way; what was had before gives way to what was never had."""
        way = self._random.choice(likely)
        if (cls, field.name, way) not in self._drawn:
            return way
        fresh = [other for other in _possible(field) if (cls, field.name, other) not in self._drawn]
        return self._random.choice(fresh or [way])

    def _turn(self, options: list[T], times: Callable[[T], int]) -> T:
        """Pick an option, rather one that was had less often than the others."""
        fewest = min(map(times, options))
        rare = [option for option in options if times(option) == fewest]
        return self._random.choice(rare if self._random.random() < 0.8 else options)

    def _items(self, field: Field, way: Way) -> list[Any]:
        most = MOST_ITEMS if field.most is None else min(field.most, MOST_ITEMS)
        count = self._random.randint(max(field.least, 1), max(field.least, most))
        if way is Way.FULL and field.most is not None:
            count = field.most
        return [self._value(field) for _ in range(count)]

    def _value(self, field: Field) -> Any:
        kind = field.type
        if isinstance(kind, type):
            return self.message(self._turn(_stand_ins(self._grammar, kind), self._made.__getitem__))
        return self._simple(kind)

    def _simple(self, kind: Simple) -> Any:
        match kind:
            case Flag():
                return self._random.random() < 0.5
            case Listed(members):
                return self._random.choice(list(members))
            case Whole():
                return self._whole(kind)
            case Text() if self._words:
                return self._random.choice(self._words)
            case Octets() if self._words and self._random.random() < 0.2:
                return b""
            case Text(least, most):
                alphabet = CHARACTERS + FOREIGN if self._tame else CHARACTERS + FOREIGN + UNUSUAL
                if self._random.random() < 0.7:
                    alphabet = CHARACTERS
                return "".join(self._pick(alphabet) for _ in range(self._length(least, most)))
            case Octets(_, least, most):
                return self._random.randbytes(self._length(least, most))

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


def travelling(grammar: Grammar) -> list[type[Message]]:
    """Tell the classes that travel as documents: those with a header, or all where a set knows no header."""
    classes = _standalone(grammar)
    headed = [cls for cls in classes if any(field.name == "Header" for field in fields(cls))]
    return headed or classes


def understood(cls: type[Message]) -> bool:
    """Tell whether a class may be sent: neither it nor a part it must have holds more than fields can tell."""
    if cls.content is not None:
        return cls.__name__ in CONTENT_MAY_BE_EMPTY
    parts = [field.type for field in fields(cls) if field.least]
    return all(understood(part) for part in parts if isinstance(part, type) and not part.abstract)


def _standalone(grammar: Grammar) -> list[type[Message]]:
    classes = [root.types[0] for root in grammar.documents]
    return [kind for kind in classes if isinstance(kind, type) and not kind.abstract and understood(kind)]


def _possible(field: Field) -> list[Way]:
    """Tell the ways a field may turn up."""
    ways = [Way.WITH]
    if field.least == 0:
        ways.append(Way.WITHOUT)
    if field.many and field.most is not None and field.most <= FULL_LIST:
        ways.append(Way.FULL)
    return ways


def _declared(cls: type[Message]) -> list[Field]:
    return [field for field in fields(cls) if field.name not in REFUSED]


def _stand_ins(grammar: Grammar, kind: type[Message]) -> list[type[Message]]:
    """Tell the classes a field of this class takes: itself, or the members of its group."""
    members = [start.type for start in grammar.members(kind)] if kind.group else [kind]
    return [cls for cls in members if isinstance(cls, type) and not cls.abstract]


def _with_parts(grammar: Grammar, classes: Iterable[type[Message]]) -> Iterator[type[Message]]:
    """Tell these classes and those of all parts they may hold, each once."""
    todo = list(classes)
    seen = set(todo)
    while todo:
        cls = todo.pop()
        yield cls
        kinds = [field.type for field in _declared(cls) if isinstance(field.type, type)]
        parts = {part for kind in kinds for part in _stand_ins(grammar, kind)} - seen
        seen |= parts
        todo += parts
