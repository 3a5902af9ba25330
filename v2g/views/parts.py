"""The parts of a message under the names they have in JSON and XML, and which class or type a name stands for.

A field that takes any member of a substitution group goes by the member's name; all others by their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

from v2g.exi.fields import Field, Type, fields
from v2g.exi.frame import Root
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.relaxed import relaxed_class
from v2g.exi.types import Mark
from v2g.views.values import quoted


class Part(NamedTuple):
    """One attribute, value or child element of a message; a list gives one part for each item."""

    field: Field
    namespace: str
    name: str
    value: Any


class Place(NamedTuple):
    """Where a named part belongs: `position` counts the fields of the class in wire order."""

    position: int
    field: Field
    namespace: str
    type: Type


Places = dict[str, Place]


def parts(message: Message) -> Iterator[Part]:
    """Tell the parts that are there, in wire order but for the attributes, which come in order of declaration."""
    for field in fields(type(message)):
        value = getattr(message, field.name)
        for item in value if field.many else [] if value is None else [value]:
            if isinstance(field.type, type) and field.type.group:
                yield Part(field, item.namespace, item.element, item)
            else:
                yield Part(field, field.namespace, field.name, item)


@cache
def places(grammar: Grammar, cls: type[Message]) -> Places:
    """Tell by name what an element of a class may hold in one schema set."""
    found = {}
    for position, field in enumerate(fields(cls)):
        if isinstance(field.type, type) and field.type.group:
            for start in grammar.members(field.type):
                if isinstance(start.type, type) and not start.type.abstract:
                    found[start.name] = Place(position, field, start.namespace, start.type)
        else:
            found[field.name] = Place(position, field, field.namespace, field.type)
    return found


def names_of(grammar: Grammar, cls: type[Message], field: Field) -> str:
    """Tell under which names a field may stand, for errors."""
    return " or ".join(name for name, place in places(grammar, cls).items() if place.field is field)


def built(grammar: Grammar, cls: type[Message], values: dict[str, Any], path: str) -> Message:
    """Make a message. Raises ValueError naming what is missing, too much, or one of too many alternatives."""
    for choice, members in groupby(fields(cls), key=lambda field: field.choice):
        alternatives = list(members)
        if choice is not None:
            present = [field.name for field in alternatives if field.name in values]
            wanted = ", ".join(names_of(grammar, cls, field) for field in alternatives)
            if len(present) > 1:
                raise ValueError(f"{path}: {' and '.join(present)} exclude each other; keep one of {wanted}")
            if choice.required and not present:
                raise ValueError(f"{path}: nothing of {wanted} is there; add one")
            continue
        for field in alternatives:
            _check_count(field, values, f"{path}/{names_of(grammar, cls, field)}")
    return cls(**values)


def root_named(grammar: Grammar, name: str, namespace: str | None = None, *, fragment: bool = False) -> Root:
    """Tell the root element of a name, and of a namespace if that is told. Raises ValueError if there is none."""
    known = grammar.fragments if fragment else grammar.documents
    for root in known:
        if root.name == name and namespace in (None, root.namespace) and root_class(root) is not None:
            return root
    kind = "element" if fragment else "root element"
    if namespace is not None:
        others = sorted({root.namespace or "no namespace" for root in known if root.name == name})
        where = namespace or "no namespace"
        if others:
            raise ValueError(f"{name} is in {where}; it belongs in {' or '.join(others)}")
        raise ValueError(f"{quoted(name)} in {where} is no {kind} of this schema set")
    raise ValueError(f"{quoted(name)} is no {kind} of this schema set")


def root_class(root: Root) -> type[Message] | None:
    """Tell the class a root element is read as; None for one that is no message."""
    kind = root.types[0] if len(root.types) == 1 else relaxed_class(root)
    return kind if isinstance(kind, type) and not kind.abstract else None


def is_attribute(field: Field) -> bool:
    """Tell whether a field is an attribute."""
    return field.mark is Mark.ATTRIBUTE


def _check_count(field: Field, values: dict[str, Any], path: str) -> None:
    value = values.get(field.name)
    count = 0 if value is None else len(value) if field.many else 1
    if count < field.least:
        raise ValueError(f"{path} is missing; add {'it' if field.least == 1 else f'{field.least} of them'}")
    if field.most is not None and count > field.most:
        raise ValueError(f"{path}: {count} are too many; keep {field.most}")
