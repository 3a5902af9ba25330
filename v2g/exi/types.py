"""The words messages are declared with: numbers, texts, octets, choices, and how often a field occurs.

A field's type is `Annotated[<python type>, <limits>]`; the names follow XML Schema (`Short`, `UnsignedInt`, ...).
The limits decide the bits on the wire (reference: W3C EXI 1.0, section 7.1), so each stands here or in a message
module exactly once.
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, Self, TypeVar

from v2g.record import Fact

T = TypeVar("T")

FIXED_RANGE = 4096
"""Ranges of at most so many numbers have a field of fixed width (EXI 7.1.9)."""


class Flag(Fact):
    """True or false."""


class Whole(Fact):
    """Whole numbers from `low` to `high`, both included; None is no bound."""

    low: int | None = None
    high: int | None = None

    @property
    def bits(self) -> int | None:
        """Width of the fixed field such a number travels in; None if its length varies."""
        if self.low is None or self.high is None or self.high - self.low >= FIXED_RANGE:
            return None
        return (self.high - self.low).bit_length()

    @property
    def signed(self) -> bool:
        """Whether a sign bit precedes a number of varying length."""
        return self.low is None or self.low < 0


class Text(Fact):
    """Any code points, `least` to `most` of them; None is no declared bound."""

    least: int = 0
    most: int | None = None


class Octets(Fact):
    """Bytes, `least` to `most` of them; `form` is how XML and JSON write them."""

    form: Literal["hex", "base64"]
    least: int = 0
    most: int | None = None


class Mark(Enum):
    """What a field is, if it is not simply an element that its class declares."""

    ATTRIBUTE = "attribute"
    CONTENT = "content"
    REFERENCE = "reference"


class Occurs(Fact):
    """How many items a list holds; None is no declared bound."""

    least: int
    most: int | None


class Choice(Fact):
    """One alternative of several; neighbouring fields with equal marks form one choice."""

    number: int = 1
    required: bool = True


class Enumeration(StrEnum):
    """Texts of which one is sent, as its position in the order of declaration."""

    position: int

    def __new__(cls, value: str) -> Self:
        """Number the members as they are declared."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.position = len(cls.__members__)
        return member

    # As fast as a plain text in the tables of generated code; equal texts are equal members.
    __hash__ = str.__hash__


class Listed(Fact):
    """One of the texts of an enumeration."""

    members: type[Enumeration]

    @property
    def bits(self) -> int:
        """Width of the position; none for a single member."""
        return (len(self.members) - 1).bit_length()


Simple = Flag | Listed | Whole | Text | Octets
"""What a value without child elements can be."""

Byte = Annotated[int, Whole(-(2**7), 2**7 - 1)]
Short = Annotated[int, Whole(-(2**15), 2**15 - 1)]
Int = Annotated[int, Whole(-(2**31), 2**31 - 1)]
Long = Annotated[int, Whole(-(2**63), 2**63 - 1)]
Integer = Annotated[int, Whole()]
UnsignedByte = Annotated[int, Whole(0, 2**8 - 1)]
UnsignedShort = Annotated[int, Whole(0, 2**16 - 1)]
UnsignedInt = Annotated[int, Whole(0, 2**32 - 1)]
UnsignedLong = Annotated[int, Whole(0, 2**64 - 1)]
Text32 = Annotated[str, Text(most=32)]
Text64 = Annotated[str, Text(most=64)]
Base64 = Annotated[bytes, Octets("base64")]

Attribute = Annotated[T, Mark.ATTRIBUTE]
Content = Annotated[T, Mark.CONTENT]
Reference = Annotated[T, Mark.REFERENCE]
Alternative = Annotated[T | None, Choice()]


class Particle(Fact):
    """A piece of an element's content."""


class Element(Particle):
    """An element inside a content expression; `type` is a class or an annotated simple type."""

    name: str
    type: Any


class Wildcard(Particle):
    """Any element of any namespace."""


class InOrder(Particle):
    """Parts one after the other."""

    parts: tuple[Particle, ...] = ()


class OneOf(Particle):
    """Exactly one of the parts."""

    parts: tuple[Particle, ...]


class Repeat(Particle):
    """A part `least` to `most` times; None is no bound."""

    part: Particle
    least: int = 0
    most: int | None = None
