"""What the writers of source ask of the namespace their code will run in."""

from __future__ import annotations

from typing import Protocol

from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.types import Flag, Listed, Whole


class Names(Protocol):
    """The namespace of one schema set's generated code."""

    grammar: Grammar

    def constructor(self, cls: type[Message]) -> str:
        """Tell the name of the class."""

    def values(self, kind: Flag | Listed | Whole) -> str:
        """Tell the name of the sequence of all values of a type with a field of fixed width, in code order."""

    def codes(self, kind: Flag | Listed | Whole) -> str:
        """Tell the name of the table from those values to their codes."""

    def reader(self, cls: type[Message]) -> str:
        """Tell the name of the function that reads `cls`."""

    def items_reader(self, cls: type[Message], position: int) -> str:
        """Tell the name of the function that reads on in the list at a step of `cls`."""

    def writer(self, cls: type[Message]) -> str:
        """Tell the name of the function that writes `cls`."""

    def readers(self, classes: tuple[type[Message], ...]) -> str:
        """Tell the name of a list with the function of each class; abstract ones refuse."""

    def writers(self, classes: tuple[type[Message], ...]) -> str:
        """Tell the name of a table from class to (position, function); abstract ones are missing."""

    def has_subclass(self, cls: type[Message]) -> bool:
        """Tell whether another class of the set extends `cls`."""
