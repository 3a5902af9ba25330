"""From message classes to EXI grammars: which events may come next, in which order, in how many bits.

The rules are those of W3C EXI 1.0, section 8.5, for strict = false and all preserve options off. A state is what is
left of an element; `Row` holds its first-level productions in the order of their codes. One code more, the highest,
leads to the second level (deviations); only `explain` reads those.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from functools import cached_property
from types import ModuleType

from v2g.exi.fields import Field, Type, fields, simple_or_class
from v2g.exi.frame import Frame, Root
from v2g.exi.message import Message
from v2g.exi.types import Element, InOrder, Mark, OneOf, Particle, Repeat, Simple, Wildcard
from v2g.record import Fact

NOTHING = InOrder()


class Stage(IntEnum):
    """Where in an element a state stands; decides what the second level allows."""

    FIRST = 0
    ATTRIBUTES = 1
    CONTENT = 2


SECOND_LEVEL = {Stage.FIRST: 6, Stage.ATTRIBUTES: 4, Stage.CONTENT: 2}
"""How many second-level productions a state has besides the end: any attribute, element or text, xsi:type, xsi:nil."""


class Start(Particle):
    """An element begins; its value belongs to the message's `field`."""

    namespace: str
    name: str
    type: Type
    field: str = ""
    many: bool = False


class AnyStart(Fact):
    """An element nobody declared begins."""


class Attribute(Fact):
    """An attribute with its value."""

    namespace: str
    name: str
    type: Simple
    required: bool


class Characters(Fact):
    """The value of an element without children."""

    type: Simple


class AnyCharacters(Fact):
    """Text between child elements."""


class End(Fact):
    """The element ends."""


END = End()

Event = Start | AnyStart | Attribute | Characters | AnyCharacters | End


class State(Fact):
    """What is left of an element: attributes, then `rest`, which is a value or child elements."""

    stage: Stage
    attributes: tuple[Attribute, ...]
    rest: Particle | Simple
    mixed: bool = False


class Row:
    """The productions of a state, in the order of their codes."""

    def __init__(self, grammar: Grammar, state: State) -> None:
        self._grammar = grammar
        self._states = tuple(_productions(state))
        self._rows: list[Row | None] = [None] * len(self._states)
        self._firsts: list[Row | None] = [None] * len(self._states)
        self.state = state
        self.events = tuple(event for event, _ in self._states)
        self.bits = len(self.events).bit_length()
        self.ends = END in self.events
        """Whether the element may end here."""
        self.second_level = SECOND_LEVEL[state.stage] + (not self.ends)
        """How many second-level productions there are; the first is the end, where the first level lacks it."""

    def after(self, code: int) -> Row:
        """Tell the row that follows the event with this code."""
        row = self._rows[code]
        if row is None:
            row = self._rows[code] = self._grammar.row(self._states[code][1])
        return row

    def inside(self, code: int) -> Row:
        """Tell the first row of the element that begins with this code."""
        row = self._firsts[code]
        if row is None:
            event = self.events[code]
            if not isinstance(event, Start):
                raise TypeError(f"{event} begins no element")
            row = self._firsts[code] = self._grammar.first(event.type)
        return row


class Slot(Fact):
    """A place among the child elements: any of `starts`, `least` to `most` times."""

    starts: tuple[Start, ...]
    least: int
    most: int | None
    many: bool


class Grammar:
    """The grammar of one schema set.

    By the rule a full list's own code vanishes. Lists of `loops_from` or more items keep it, as other codecs do.
    """

    def __init__(self, modules: tuple[ModuleType, ...], *, loops_from: int | None = None) -> None:
        self._loops_from = loops_from
        self._rows: dict[State, Row] = {}
        self._firsts: dict[Type, Row] = {}
        self.classes = tuple(
            kind
            for module in modules
            for name, kind in vars(module).items()
            if isinstance(kind, type) and issubclass(kind, Message)
            if (kind.__module__, kind.__name__) == (module.__name__, name)
        )
        simple = [
            Root(vars(module)["NAMESPACE"], name, (simple_or_class(hint),))
            for module in modules
            for name, hint in vars(module).get("SIMPLE_ELEMENTS", {}).items()
        ]
        elements = [Root(kind.namespace, kind.element, (kind,)) for kind in self.classes if kind.element]
        self.documents = tuple(sorted(simple + elements, key=_by_name))
        self.document = Frame(self.documents, fragment=False)

    @cached_property
    def fragments(self) -> tuple[Root, ...]:
        """Every element name declared anywhere, with the types it is declared with."""
        found: dict[tuple[str, str], dict[Type, None]] = {}
        declared = [Start(root.namespace, root.name, root.types[0]) for root in self.documents]
        for cls in self.classes:
            declared += _terminals(self.content(cls))
        for start in declared:
            found.setdefault((start.namespace, start.name), {})[start.type] = None
        roots = [Root(namespace, name, tuple(types)) for (namespace, name), types in found.items()]
        return tuple(sorted(roots, key=_by_name))

    @cached_property
    def fragment(self) -> Frame:
        """How a fragment begins and ends."""
        return Frame(self.fragments, fragment=True)

    @cached_property
    def attributes(self) -> tuple[tuple[str, str], ...]:
        """Every attribute declared anywhere as (namespace, name); only relaxed fragment grammars need them."""
        names = {(attribute.namespace, attribute.name) for cls in self.classes for attribute in attributes(cls)}
        return tuple(sorted(names, key=lambda name: (name[1], name[0])))

    def row(self, state: State) -> Row:
        """Tell the productions of a state."""
        row = self._rows.get(state)
        if row is None:
            row = self._rows[state] = Row(self, state)
        return row

    def first(self, kind: Type) -> Row:
        """Tell the productions an element of this type begins with."""
        row = self._firsts.get(kind)
        if row is None:
            row = self._firsts[kind] = self.row(self._first_state(kind))
        return row

    def members(self, head: type[Message]) -> tuple[Start, ...]:
        """Tell what may stand for the head of a substitution group, the abstract head included."""
        members = [kind for kind in self.classes if kind.element and issubclass(kind, head)]
        return tuple(sorted((Start(kind.namespace, kind.element, kind) for kind in members), key=_by_name))

    def slots(self, cls: type[Message]) -> Iterator[Slot]:
        """Tell the child elements of a class in order; not for a class with a content expression."""
        members = [field for field in fields(cls) if field.mark not in (Mark.ATTRIBUTE, Mark.CONTENT)]
        while members:
            field = members.pop(0)
            starts = self._starts(field)
            if field.choice is None:
                yield Slot(starts, field.least, field.most, field.many)
                continue
            while members and members[0].choice == field.choice:
                starts += self._starts(members.pop(0))
            yield Slot(starts, 1 if field.choice.required else 0, 1, many=False)

    def loops(self, most: int | None) -> bool:
        """Tell whether a list of this size keeps its items' code when it is full."""
        return most is not None and self._loops_from is not None and most >= self._loops_from

    def content(self, cls: type[Message]) -> Particle:
        """Tell the child elements of a class as one expression."""
        if cls.content is not None:
            return _bound(cls.content, cls)
        return InOrder(tuple(self._expression(slot) for slot in self.slots(cls)))

    def _expression(self, slot: Slot) -> Particle:
        one: Particle = slot.starts[0] if len(slot.starts) == 1 else OneOf(slot.starts)
        most = None if slot.many and self.loops(slot.most) else slot.most
        return one if (slot.least, most) == (1, 1) else Repeat(one, slot.least, most)

    def _starts(self, field: Field) -> tuple[Start, ...]:
        kind = field.type
        if not isinstance(kind, type) or not kind.group:
            return (Start(field.namespace, field.name, kind, field.name, field.many),)
        return tuple(
            Start(start.namespace, start.name, start.type, field.name, field.many) for start in self.members(kind)
        )

    def _first_state(self, kind: Type) -> State:
        if not isinstance(kind, type):
            return State(Stage.FIRST, (), kind)
        value = next((field.type for field in fields(kind) if field.mark is Mark.CONTENT), None)
        if value is not None and not isinstance(value, type):
            return State(Stage.FIRST, attributes(kind), value)
        return State(Stage.FIRST, attributes(kind), self.content(kind), kind.mixed)


def attributes(cls: type[Message]) -> tuple[Attribute, ...]:
    """Tell the attributes of a class in the order of their codes."""
    found = [
        Attribute(field.namespace, field.name, field.type, field.least > 0)
        for field in fields(cls)
        if field.mark is Mark.ATTRIBUTE and not isinstance(field.type, type)
    ]
    return tuple(sorted(found, key=_by_name))


def _by_name(declared: Start | Attribute | Root) -> tuple[str, str]:
    return declared.name, declared.namespace


def _productions(state: State) -> Iterator[tuple[Event, State]]:
    """Tell the events a state allows, each with the state after it (meaningless after the end)."""
    for position, attribute in enumerate(state.attributes):
        yield attribute, State(Stage.ATTRIBUTES, state.attributes[position + 1 :], state.rest, state.mixed)
        if attribute.required:
            return
    rest = state.rest
    if not isinstance(rest, Particle):
        yield Characters(rest), State(Stage.CONTENT, (), NOTHING)
        return
    following = _first_terminals(rest)
    for terminal, left in following:
        if isinstance(terminal, Start):
            yield terminal, State(Stage.CONTENT, (), left, state.mixed)
    wildcards = [left for terminal, left in following if isinstance(terminal, Wildcard)]
    if wildcards:
        yield AnyStart(), State(Stage.CONTENT, (), wildcards[0], state.mixed)
    if _may_be_empty(rest):
        yield END, state
    if state.mixed:
        yield AnyCharacters(), State(Stage.CONTENT, (), rest, state.mixed)


def _bound(part: Particle, cls: type[Message]) -> Particle:
    """Give the elements of a declared content expression their namespace and type."""
    match part:
        case Element(name, hint):
            return Start(cls.namespace, name, simple_or_class(hint))
        case InOrder(parts):
            return InOrder(tuple(_bound(inner, cls) for inner in parts))
        case OneOf(parts):
            return OneOf(tuple(_bound(inner, cls) for inner in parts))
        case Repeat(inner, least, most):
            return Repeat(_bound(inner, cls), least, most)
        case _:
            return part


def _terminals(part: Particle) -> Iterator[Start]:
    """Tell all elements an expression mentions."""
    match part:
        case Start():
            yield part
        case InOrder(parts) | OneOf(parts):
            for inner in parts:
                yield from _terminals(inner)
        case Repeat(inner, _, _):
            yield from _terminals(inner)


def _may_be_empty(part: Particle) -> bool:
    match part:
        case InOrder(parts):
            return all(_may_be_empty(inner) for inner in parts)
        case OneOf(parts):
            return any(_may_be_empty(inner) for inner in parts)
        case Repeat(inner, least, _):
            return least == 0 or _may_be_empty(inner)
        case _:
            return False


def _first_terminals(part: Particle) -> list[tuple[Particle, Particle]]:
    """Tell with which terminals an expression may begin, each with what is left after it (first mention wins)."""
    found: dict[Particle, Particle] = {}
    for terminal, left in _derivatives(part):
        found.setdefault(terminal, left)
    return list(found.items())


def _derivatives(part: Particle) -> Iterator[tuple[Particle, Particle]]:
    match part:
        case InOrder(parts):
            for position, inner in enumerate(parts):
                rest = parts[position + 1 :]
                yield from ((terminal, _then(left, rest)) for terminal, left in _derivatives(inner))
                if not _may_be_empty(inner):
                    return
        case OneOf(parts):
            for inner in parts:
                yield from _derivatives(inner)
        case Repeat(inner, least, most):
            if most == 0:
                return
            again = Repeat(inner, max(least - 1, 0), None if most is None else most - 1)
            rest = () if again.most == 0 else (again,)
            yield from ((terminal, _then(left, rest)) for terminal, left in _derivatives(inner))
        case _:
            yield part, NOTHING


def _then(part: Particle, rest: tuple[Particle, ...]) -> Particle:
    """Put an expression before others, flat."""
    parts = (part.parts if isinstance(part, InOrder) else (part,)) + rest
    return parts[0] if len(parts) == 1 else InOrder(parts)
