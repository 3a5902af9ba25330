"""The relaxed grammar of a fragment whose element is declared with several types (EXI 8.5.3).

One element needs it: `eMAID` of ISO 15118-2, a plain text in some messages and a text with an Id in others. Every
attribute and element name of the schema set has a code in it. Not all codecs follow the rule, see
`Schema.fragment_forms`.
"""

from __future__ import annotations

from functools import cache

from v2g.exi.fields import fields
from v2g.exi.frame import Root
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.types import Mark, Text


class Relaxed:
    """Codes of the two states: before any text (`bits`, attributes from 0), and after it (`content_bits`)."""

    def __init__(self, grammar: Grammar) -> None:
        self.attributes = grammar.attributes
        names, elements = len(grammar.attributes), len(grammar.fragments)
        self.end = names + elements + 2
        self.characters = self.end + 1
        self.bits = (self.characters + 1).bit_length()
        self.content_end = elements + 1
        self.content_bits = (elements + 3).bit_length()


def relaxed_class(root: Root) -> type[Message] | None:
    """Tell the class a relaxed element is read as: the one of its types made of texts alone, if there is one."""
    for kind in root.types:
        if isinstance(kind, type) and all(field.mark and isinstance(field.type, Text) for field in fields(kind)):
            return kind
    return None


@cache
def value_field(cls: type[Message]) -> str:
    """Tell the field of a class that holds the element's own value."""
    return next(field.name for field in fields(cls) if field.mark is Mark.CONTENT)
