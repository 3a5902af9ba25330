"""How a refusal or a note names, for people, what could have stood in a place."""

from __future__ import annotations

from v2g.exi.grammar import Attribute, Characters, End, Event, Row, Start
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole

MOST_NAMES = 6


def names(row: Row) -> str:
    """Tell what may come in a state, for people."""
    told = [event_name(event) for event in row.events]
    return ", ".join(told[:MOST_NAMES] + ["..."] * (len(told) > MOST_NAMES))


def event_name(event: Event) -> str:
    """Tell one event, for people."""
    match event:
        case Attribute():
            return "@" + event.name
        case Start():
            return event.name
        case Characters():
            return describe(event.type)
        case End():
            return "the end of the element"
        case _:
            return "free content"


def describe(kind: Simple) -> str:
    """Tell the values a type allows, for people."""
    match kind:
        case Flag():
            return "true or false"
        case Listed(members):
            return f"a {members.__name__}"
        case Whole(low, high):
            return f"a number from {'any' if low is None else low} to {'any' if high is None else high}"
        case Text(least, most):
            return f"a text of {least} to {'any number of' if most is None else most} characters"
        case Octets(_, least, most):
            return f"{least} to {'any number of' if most is None else most} octets"
