"""A class's attributes and child elements as numbered steps, the form in which code is written for them.

Every production of a class has one label, counted through all steps; a state's first-level code is the label minus
the label of the first step still possible. That turns "which code means what here" into one subtraction.
"""

from __future__ import annotations

from enum import Enum
from functools import cache

from v2g.exi.fields import Type, fields
from v2g.exi.grammar import END, Grammar, Stage, State, attributes
from v2g.exi.message import Message
from v2g.exi.types import Mark, Octets, Text
from v2g.record import Fact

FEW_ITEMS = 3
"""Lists of more items are read by code of their own, which the slow way can call; items of these hold such lists."""


class Kind(Enum):
    """What a step reads or writes."""

    ATTRIBUTE = "attribute"
    VALUE = "value"
    ELEMENTS = "elements"


class Alternative(Fact):
    """One production of a step: a value or element for a field."""

    field: str
    type: Type


class Step(Fact):
    """One attribute, the value, or one place among the child elements."""

    kind: Kind
    label: int
    alternatives: tuple[Alternative, ...]
    least: int
    most: int | None
    many: bool

    @property
    def is_long(self) -> bool:
        """Whether this is a list of more than a few items."""
        return self.many and (self.most is None or self.most > FEW_ITEMS)

    @property
    def after(self) -> int:
        """The label behind this step."""
        return self.label + len(self.alternatives)


class Layout:
    """The steps of one class.

    `end` is the label of the element's end. A class with a content expression has no steps for it: only the end
    is understood there, and where that is not allowed `end` is None.
    """

    def __init__(self, grammar: Grammar, cls: type[Message]) -> None:
        self.cls = cls
        self.steps: list[Step] = []
        self.end: int | None
        for attribute in attributes(cls):
            self._add(Kind.ATTRIBUTE, (Alternative(attribute.name, attribute.type),), int(attribute.required))
        value = next((field for field in fields(cls) if field.mark is Mark.CONTENT), None)
        if value is not None:
            self._add(Kind.VALUE, (Alternative(value.name, value.type),), 1)
        elif cls.content is None:
            for slot in grammar.slots(cls):
                alternatives = tuple(Alternative(start.field, start.type) for start in slot.starts)
                self._add(Kind.ELEMENTS, alternatives, slot.least, slot.most, many=slot.many)
        self.end, self._behind = self.label(len(self.steps)), 1
        if cls.content is not None:
            events = grammar.row(State(Stage.CONTENT, (), grammar.content(cls), cls.mixed)).events
            self.end, self._behind = self.end + events.index(END) if END in events else None, len(events)

    def codes(self, position: int) -> int:
        """Tell how many productions there are before the step at `position`."""
        count = 0
        for step in self.steps[position:]:
            count += len(step.alternatives)
            if step.least:
                return count
        return count + self._behind

    def bits(self, position: int) -> int:
        """Tell the width of the first-level code before the step at `position`."""
        return self.codes(position).bit_length()

    def label(self, position: int) -> int:
        """Tell the label of the first production before the step at `position`."""
        if position < len(self.steps):
            return self.steps[position].label
        return self.steps[-1].after if self.steps else 0

    def _add(
        self,
        kind: Kind,
        alternatives: tuple[Alternative, ...],
        least: int,
        most: int | None = 1,
        *,
        many: bool = False,
    ) -> None:
        self.steps.append(Step(kind, self.label(len(self.steps)), alternatives, least, most, many))


@cache
def layout_of(grammar: Grammar, cls: type[Message]) -> Layout:
    """Tell the layout of a class."""
    return Layout(grammar, cls)


@cache
def is_fixed(grammar: Grammar, kind: Type) -> bool:
    """Tell whether a class is a plain sequence of required parts, small enough to be written out in place."""
    if not isinstance(kind, type):
        return True
    if kind.group or layout_of(grammar, kind).end is None:
        return False
    return all(
        (step.least, step.most) == (1, 1)
        and len(step.alternatives) == 1
        and is_fixed(grammar, step.alternatives[0].type)
        for step in layout_of(grammar, kind).steps
    )


@cache
def is_long(grammar: Grammar, kind: Type) -> bool:
    """Tell whether there may be a long list in a value."""
    return isinstance(kind, type) and any(
        step.is_long or any(is_long(grammar, each.type) for each in step.alternatives)
        for step in layout_of(grammar, kind).steps
    )


@cache
def is_spending(grammar: Grammar, kind: Type) -> bool:
    """Tell whether there may be a list without a bound in a value."""
    return isinstance(kind, type) and any(
        (step.many and step.most is None) or any(is_spending(grammar, each.type) for each in step.alternatives)
        for step in layout_of(grammar, kind).steps
    )


@cache
def may_be_empty(grammar: Grammar, kind: Type) -> bool:
    """Tell whether there may be a text or octets in a value, which may be empty."""
    if not isinstance(kind, type):
        return isinstance(kind, Text | Octets)
    steps = layout_of(grammar, kind).steps
    return any(may_be_empty(grammar, each.type) for step in steps for each in step.alternatives)
