"""How a refusal, a note or a trace names, for people, what stands or could have stood in a place."""

from __future__ import annotations

from collections.abc import Sequence

from v2g.exi.grammar import AnyStart, Attribute, Characters, End, Event, Grammar, Row, Stage, Start
from v2g.exi.message import Message
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole

MOST_NAMES = 6

_CONTENT = ("an undeclared element", "an undeclared text")
_ATTRIBUTES = ("an undeclared attribute", "an attribute of another type")
_SECOND_LEVEL = {
    Stage.FIRST: ("xsi:type", "xsi:nil", *_ATTRIBUTES, *_CONTENT),
    Stage.ATTRIBUTES: (*_ATTRIBUTES, *_CONTENT),
    Stage.CONTENT: _CONTENT,
}


def names(row: Row) -> str:
    """Tell what may come in a state."""
    return some([event_name(event) for event in row.events])


def members(grammar: Grammar, head: type[Message]) -> str:
    """Tell what may stand for the abstract head of a group, which is nothing in a set without members of it."""
    return some([start.name for start in grammar.members(head) if start.type is not head]) or "another element"


def some(told: Sequence[str]) -> str:
    """Tell the first of many names."""
    return ", ".join((*told[:MOST_NAMES], *("...",) * (len(told) > MOST_NAMES)))


def event_name(event: Event) -> str:
    """Tell one event as something expected."""
    match event:
        case Attribute():
            return "@" + event.name
        case Start():
            return event.name
        case Characters():
            return describe(event.type)
        case End():
            return "the end of the element"
        case AnyStart():
            return "any element"
        case _:
            return "any text"


def event_code_name(event: Event) -> str:
    """Tell one event by the abbreviations of the EXI specification."""
    match event:
        case Attribute():
            return f"AT {event.name}"
        case Start():
            return f"SE {event.name}"
        case Characters():
            return "CH"
        case End():
            return "EE"
        case AnyStart():
            return "SE(*)"
        case _:
            return "CH (untyped)"


def second_level_name(row: Row, code: int) -> str:
    """Tell a production of the second level."""
    told = _SECOND_LEVEL[row.state.stage]
    told = told if row.ends else ("the end of the element", *told)
    return told[code] if code < len(told) else f"unknown, number {code}"


def describe(kind: Simple) -> str:
    """Tell the values a type allows."""
    match kind:
        case Flag():
            return "true or false"
        case Listed(listed):
            return f"a {listed.__name__}"
        case Whole(low, high):
            return f"a number from {'any' if low is None else low} to {'any' if high is None else high}"
        case Text(least, most):
            return f"a text of {least} to {'any number of' if most is None else most} characters"
        case Octets(_, least, most):
            return f"{least} to {'any number of' if most is None else most} octets"
