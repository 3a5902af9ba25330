"""The base of all messages: a frozen record that knows its namespace and whether it may stand alone.

A class is declared once and is the only source of grammar, bits and views:

    class PhysicalValue(Message, namespace=DATA_TYPES):
        Multiplier: UnitMultiplier
        Unit: UnitSymbol
        Value: Short

Fields are the schema's particles in order, under their wire names. `X | None` is optional, a list says its bounds
with `Occurs`. `group=True` makes a class the head of a substitution group: its subclasses are the members, and a
field of the head's type takes any of them; the head itself is abstract unless `abstract=False`. `element` makes a
class a global element, under the class's name or the given one; members of a group are elements anyway, unless
`element=False`.
"""

from __future__ import annotations

from typing import Any, ClassVar

from v2g.exi.types import Particle
from v2g.record import Record, RecordType


class MessageType(RecordType):
    """Metaclass that turns the class keywords into class variables."""

    def __new__(
        mcls,
        name: str,
        bases: tuple[type, ...],
        body: dict[str, object],
        /,
        *,
        namespace: str | None = None,
        element: bool | str | None = None,
        group: bool = False,
        abstract: bool | None = None,
        **options: Any,
    ) -> Any:
        """Define the class; `options` go on to `Record`."""
        member = group or any(getattr(ancestor, "group", False) for base in bases for ancestor in base.__mro__)
        if element is None:
            element = member
        body["element"] = element if isinstance(element, str) else name if element else ""
        body["group"] = group
        body["abstract"] = group if abstract is None else abstract
        if namespace is not None:
            body["namespace"] = namespace
        # Messages hold no cycles: the garbage collector need not follow thousands of them.
        return super().__new__(mcls, name, bases, body, **({"gc": False} | options))


class Message(Record, metaclass=MessageType):
    """A message or a part of one; compares by value and cannot be changed."""

    namespace: ClassVar[str] = ""
    """The namespace the type is declared in."""
    element: ClassVar[str] = ""
    """Name of the global element of this type; empty if it has none."""
    group: ClassVar[bool] = False
    """Whether the class is the head of a substitution group: any member may stand where it is named."""
    abstract: ClassVar[bool] = False
    """Whether no element of this very type can be sent, as of most heads."""
    qualified_attributes: ClassVar[bool] = False
    """Whether attributes belong to the namespace."""
    qualified_elements: ClassVar[bool] = True
    """Whether child elements belong to the namespace."""
    mixed: ClassVar[bool] = False
    """Whether text may stand between child elements."""
    content: ClassVar[Particle | None] = None
    """The content where fields cannot express it; such content is known to the grammar but refused by the codec."""
