"""What surrounds the one element of a stream: the header, the code of the element, and a fragment's end."""

from __future__ import annotations

from v2g.exi.fields import Type
from v2g.exi.message import Message
from v2g.record import Fact

HEADER = 0x80
"""The EXI header octet: version 1, no options, no cookie."""
COOKIE = b"$EXI"
"""What may precede the header; nobody sends it."""


class Root(Fact):
    """An element a stream may begin with; several types make its fragment grammar a relaxed one."""

    namespace: str
    name: str
    types: tuple[Type, ...]


class Frame:
    """The beginning and end of documents or fragments.

    A document's root code is one of the roots or "any element". A fragment's is that or the end, which is also what
    follows the element; `end_bits` is the width of that code, 0 for documents, where the end takes no bits.
    """

    def __init__(self, roots: tuple[Root, ...], *, fragment: bool) -> None:
        self.roots = roots
        self.bits = (len(roots) + fragment).bit_length()
        self.end_bits = self.bits if fragment else 0
        self.end = len(roots) + 1 if fragment else 0
        self.classes = {code: kind for code, root in enumerate(roots) if (kind := _only_class(root)) is not None}
        """The class by code, for the elements that are exactly one message."""

    def code(self, cls: type[Message], name: str | None = None) -> int:
        """Tell the code a message is sent with; a global element wins over local ones of the same class.

        Raises ValueError where class and element name do not tell.
        """
        codes = [code for code, root in enumerate(self.roots) if cls in root.types and name in (None, root.name)]
        own = [
            code
            for code in codes
            if (self.roots[code].namespace, self.roots[code].name) == (cls.namespace, cls.element)
        ]
        found = own or codes
        if not found:
            raise ValueError(f"{cls.__name__}{f' as {name}' if name else ''} is no element that can be sent alone")
        if len(found) > 1:
            names = ", ".join(sorted({self.roots[code].name for code in codes}))
            raise ValueError(f"{cls.__name__} is sent as one of {names}: name which")
        return found[0]


def _only_class(root: Root) -> type[Message] | None:
    kind = root.types[0]
    return kind if len(root.types) == 1 and isinstance(kind, type) and not kind.abstract else None
