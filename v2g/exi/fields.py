"""What a message class declares, read off its annotations: fields in wire order with their types and limits."""

from __future__ import annotations

from functools import cache
from inspect import get_annotations
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from v2g.exi.message import Message
from v2g.exi.types import Choice, Enumeration, Flag, Listed, Mark, Occurs, Octets, Simple, Text, Whole
from v2g.record import Fact

Type = Simple | type[Message]
"""A value without children, or the class of an element with children."""


class Field(Fact):
    """One declared field; `namespace` is that of the attribute or local element, `many` tells a list."""

    name: str
    namespace: str
    type: Type
    mark: Mark | None
    least: int
    most: int | None
    many: bool
    choice: Choice | None


@cache
def fields(cls: type[Message]) -> tuple[Field, ...]:
    """Tell the fields of `cls`, those of its bases first, each in the order of declaration."""
    found = []
    for owner in reversed(cls.__mro__):
        if issubclass(owner, Message):
            hints = _hints(owner)
            found += [_field(name, hints[name], owner) for name in hints if name in cls.__struct_fields__]
    return tuple(found)


@cache
def _hints(owner: type[Message]) -> dict[str, Any]:
    """Tell what the annotations of a class itself say; their names are looked up in its module alone."""
    return get_annotations(owner, locals={}, eval_str=True)


@cache
def fields_by_name(cls: type[Message]) -> dict[str, Field]:
    """Tell the fields of `cls` by their names."""
    return {field.name: field for field in fields(cls)}


def simple_or_class(hint: Any) -> Type:
    """Tell the type an annotation stands for. Raises TypeError for one that cannot travel."""
    return _type(*_unwrap(hint)[:2])


def _field(name: str, hint: Any, owner: type[Message]) -> Field:
    python_type, facts, optional, many = _unwrap(hint)
    mark = next((fact for fact in facts if isinstance(fact, Mark)), None)
    choice = next((fact for fact in facts if isinstance(fact, Choice)), None)
    occurs = next((fact for fact in facts if isinstance(fact, Occurs)), Occurs(0 if optional else 1, 1))
    kind = _type(python_type, facts)
    qualified = owner.qualified_attributes if mark is Mark.ATTRIBUTE else owner.qualified_elements
    namespace = owner.namespace if qualified else ""
    if isinstance(kind, type) and (kind.group or mark is Mark.REFERENCE):
        namespace = kind.namespace
    return Field(name, namespace, kind, mark, occurs.least, occurs.most, many, choice)


def _unwrap(hint: Any) -> tuple[Any, list[Any], bool, bool]:
    """Peel an annotation: the innermost type, its marks and limits, whether optional, whether a list."""
    facts: list[Any] = []
    optional = many = False
    while (origin := get_origin(hint)) is not None:
        inner, *others = get_args(hint)
        if origin is Annotated:
            facts += others
        elif origin in (Union, UnionType):
            optional = True
            inner = next(part for part in (inner, *others) if part is not type(None))
        elif origin is list:
            many = True
        hint = inner
    return hint, facts, optional, many


def _type(python_type: Any, facts: list[Any]) -> Type:
    """Tell the type of an annotation already peeled."""
    limits = next((fact for fact in facts if isinstance(fact, Whole | Text | Octets)), None)
    if limits is not None:
        return limits
    if python_type is bool:
        return Flag()
    if python_type is str:
        return Text()
    if isinstance(python_type, type) and issubclass(python_type, Enumeration):
        return Listed(python_type)
    if isinstance(python_type, type) and issubclass(python_type, Message):
        return python_type
    raise TypeError(f"{python_type!r} is no type of a message field")
