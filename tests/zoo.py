"""A schema of our own, with every shape of declaration that ISO 15118-2 happens not to use."""

from __future__ import annotations

from typing import Annotated, ClassVar

from v2g.exi.message import Message
from v2g.exi.types import (
    Attribute,
    Base64,
    Byte,
    Choice,
    Content,
    Enumeration,
    Integer,
    Occurs,
    Short,
    Text,
    UnsignedShort,
    Whole,
)

NAMESPACE = "urn:zoo"
SIMPLE_ELEMENTS = {"Note": str}

Lopsided = Annotated[int, Whole(-1, 100_000)]
FromOne = Annotated[int, Whole(1, 2**32 - 1)]
Wide = Annotated[int, Whole(12, 1024)]
Below = Annotated[int, Whole(-5_000, 5_000)]
Few = Annotated[int, Whole(0, 10_000)]


class Animal(Message, namespace=NAMESPACE):
    """Common ground, with qualified attributes."""

    qualified_attributes: ClassVar[bool] = True


class Only(Enumeration):
    """One member: no bits at all."""

    one = "one"


class Size(Enumeration):
    """Three members in two bits."""

    small = "small"
    middle = "middle"
    large = "large"


class Numbers(Animal, element=True):
    """Ranges of all kinds."""

    A: Lopsided
    B: FromOne
    C: Wide | None = None
    D: Below
    E: Few
    F: Integer
    G: Only
    H: Annotated[list[Size], Occurs(2, 2)]


class Tagged(Animal, element=True):
    """Required and optional attributes in turn, and a value."""

    Alpha: Attribute[Byte | None] = None
    Beta: Attribute[str]
    Gamma: Attribute[Size | None] = None
    Delta: Attribute[bool | None] = None
    value: Content[Short]


class Mode(Animal, group=True):
    """The head of a group."""

    Level: UnsignedShort | None = None


class Plain(Mode):
    """A member with nothing of its own."""


class Rich(Plain):
    """A member that extends another member."""

    Names: Annotated[list[str], Occurs(0, None)] = []


class Pair(Animal):
    """A choice that need not be made, then one that must."""

    First: Annotated[Short | None, Choice(1, required=False)] = None
    Second: Annotated[Tagged | None, Choice(1, required=False)] = None
    Third: Annotated[bool | None, Choice(2)] = None
    Fourth: Annotated[Numbers | None, Choice(2)] = None


class Cage(Animal, element=True):
    """Lists with all bounds, optional groups, and a list at the end."""

    Pairs: Annotated[list[Pair], Occurs(2, 5)]
    Habit: Mode | None = None
    Notes: Annotated[list[Annotated[str, Text(1, 8)]], Occurs(0, 3)] = []
    Keeper: Mode
    Data: Annotated[list[Base64], Occurs(1, None)]
    Tags: Annotated[list[Tagged], Occurs(0, 20)] = []
