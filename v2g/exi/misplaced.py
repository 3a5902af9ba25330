"""What to say of a part that stands where it does not belong: what was given, what is allowed, and how to mend it."""

from __future__ import annotations

from typing import Any

from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message

MOST_NAMED = 5
"""Classes that a refusal lists."""
MOST_QUOTED = 60


def misplaced(grammar: Grammar, field: Field, value: Any) -> str:
    """Tell why a field does not take this value, which is no message of a class it takes."""
    allowed = _allowed(grammar, field)
    names = [kind.__name__ for kind in allowed]
    wanted = ", ".join(names[:MOST_NAMED])
    wanted += f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    if not isinstance(value, Message):
        return f"{quoted(value)} is no message; {field.name} takes {wanted}"
    given = type(value)
    if given not in grammar.classes:
        return of_another_set(grammar, given)
    for inner in fields(allowed[0]) if len(allowed) == 1 else ():
        if given in _allowed(grammar, inner):
            return f"{given.__name__} is no {names[0]}; wrap it in {names[0]}({inner.name}=...)"
    return f"{given.__name__} is given; {field.name} takes {wanted}"


def of_another_set(grammar: Grammar, given: type[Message]) -> str:
    """Tell a class that the schema set does not know, and the one of the same name that it does know."""
    told = f"{given.__module__}.{given.__name__} is of another schema set"
    same = next((cls for cls in grammar.classes if cls.__name__ == given.__name__), None)
    return f"{told}; take {same.__module__}.{same.__name__}" if same else told


def quoted(value: Any) -> str:
    """Tell a value, no more of it than fits a line."""
    told = ascii(value)
    return told if len(told) <= MOST_QUOTED else f"{told[:MOST_QUOTED]}..."


def _allowed(grammar: Grammar, field: Field) -> list[type[Message]]:
    """Tell the classes a field takes; none if it holds a value."""
    if not isinstance(field.type, type):
        return []
    if not field.type.group:
        return [field.type]
    kinds = [start.type for start in grammar.members(field.type)]
    return [kind for kind in kinds if isinstance(kind, type) and not kind.abstract]
