"""The tables of texts read so far, to which a sender may refer instead of repeating a text (EXI 7.3).

No peer should: the options agreed forbid it. Plain EXIficient does it all the same, so that reading has to know.
"""

from __future__ import annotations

from collections.abc import Iterator

from v2g.exi.fields import Field, fields
from v2g.exi.message import Message
from v2g.exi.types import Mark

Name = tuple[str, str]
"""Namespace and local name of an element or attribute."""


class Texts:
    """Texts in the order they were sent; the tables are only made when a reference comes."""

    def __init__(self) -> None:
        self._unfiled: list[tuple[Name, str | Message]] = []
        self._by_name: dict[Name, list[str]] = {}
        self._all: list[str] = []

    def add(self, name: Name, text: str | Message) -> None:
        """Remember the text of an element or attribute, or all texts of an element with this name."""
        self._unfiled.append((name, text))

    def of(self, name: Name) -> list[str]:
        """Tell the texts of one name."""
        self._file()
        return self._by_name.get(name, [])

    def all(self) -> list[str]:
        """Tell all texts."""
        self._file()
        return self._all

    def _file(self) -> None:
        for name, text in self._unfiled:
            for where, each in [(name, text)] if isinstance(text, str) else _texts(name, text):
                if each:
                    self._by_name.setdefault(where, []).append(each)
                    self._all.append(each)
        self._unfiled.clear()


def _texts(name: Name, message: Message) -> Iterator[tuple[Name, str]]:
    """Tell the texts of a message in the order they are sent: attributes by name, then content."""
    declared = fields(type(message))
    attributes = sorted((field for field in declared if field.mark is Mark.ATTRIBUTE), key=_by_name)
    for field in (*attributes, *(field for field in declared if field.mark is not Mark.ATTRIBUTE)):
        value = getattr(message, field.name)
        for item in value if field.many else (value,):
            where = name if field.mark is Mark.CONTENT else (field.namespace, field.name)
            if isinstance(item, Message):
                group = isinstance(field.type, type) and field.type.group
                yield from _texts((item.namespace, item.element) if group else where, item)
            elif type(item) is str:
                yield where, item


def _by_name(field: Field) -> Name:
    return field.name, field.namespace
