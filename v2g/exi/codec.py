"""A schema set: bytes to messages and back, by generated code where all is as it should be, else the slow way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from types import ModuleType

from v2g.errors import Undecodable
from v2g.exi.compose import Writing
from v2g.exi.explain import HEADER, Reading
from v2g.exi.grammar import Grammar
from v2g.exi.layout import Layout, is_fixed
from v2g.exi.library import Library, Reader
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Note, Quirk
from v2g.exi.runtime import Deviation

MOST_BYTES = 65_536
"""Longest stream that is looked at."""
LOOPS = (9, 2)
"""From which size on other codecs keep a full list's code: EXIficient's compiled grammars, libcbv2g."""

_READING = (Deviation, ValueError, IndexError, KeyError, OverflowError)
_WRITING = (Deviation, ValueError, IndexError, OverflowError, TypeError, AttributeError, KeyError)


class Schema:
    """One closed set of message modules with one table of root elements."""

    def __init__(self, name: str, modules: tuple[ModuleType, ...]) -> None:
        self.name = name
        self._modules = modules

    def decode(self, data: bytes) -> Message:
        """Read a document; tells its root message. Raises `Undecodable`."""
        return self.read(data).message

    def read(self, data: bytes) -> Decoded:
        """Read a document; tells its root message and what was unusual. Raises `Undecodable`."""
        try:
            v = int.from_bytes(data, "big")
            p = len(data) * 8 - 8 - self._document_bits
            if v >> p + self._document_bits == HEADER and len(data) <= MOST_BYTES:
                message, p = self._document_readers[v >> p & (1 << self._document_bits) - 1](v, p)
                if p < 8 and not v & (1 << p) - 1:
                    return Decoded(message)
        except _READING:
            pass
        return self._read_slowly(data, Reading.document)

    def encode(self, message: Message, *, strict: bool = True) -> bytes:
        """Write a document with this root message.

        Raises ValueError naming the path of a value that is out of range; with `strict=False` only of one that no
        bits can express.
        """
        code = self._document_codes.get(type(message))
        if code is None:
            raise ValueError(f"{type(message).__name__} is no root element of {self.name}")
        try:
            out = bytearray()
            start = HEADER << self._document_bits | code
            a, n = self.library.write_function(type(message))(message, start, 8 + self._document_bits, out)
            return _close(a, n, out)
        except _WRITING:
            return Writing(self.grammar, strict=strict).document(code, message)

    def decode_fragment(self, data: bytes) -> Message:
        """Read a fragment, as signatures are made over; tells its one element. Raises `Undecodable`."""
        return self.read_fragment(data).message

    def read_fragment(self, data: bytes) -> Decoded:
        """Read a fragment; tells its one element and what was unusual. Raises `Undecodable`."""
        try:
            return self._read_slowly(data, Reading.fragment)
        except Undecodable:
            with contextlib.suppress(Undecodable):
                return self._read_slowly(data, Reading.typed_fragment)
            raise

    def encode_fragment(self, message: Message, name: str | None = None) -> bytes:
        """Write a fragment of one element, as signatures are made over.

        `name` is the element's, where the class alone does not tell it. Values out of range are written all the
        same, since what was received must be checked as it was signed. Raises ValueError.
        """
        code = self._fragment_code(type(message), name)
        roots = self.grammar.fragments
        if len(roots[code].types) > 1:
            return Writing(self.grammar, strict=False).fragment(code, message)
        bits = (len(roots) + 1).bit_length()
        try:
            out = bytearray()
            a, n = self.library.write_function(type(message))(message, HEADER << bits | code, 8 + bits, out)
            return _close(a << bits | len(roots) + 1, n + bits, out)
        except _WRITING:
            return Writing(self.grammar, strict=False).fragment(code, message)

    def fragment_forms(self, message: Message, name: str | None = None) -> tuple[bytes, ...]:
        """Tell all encodings of a fragment that are in use, ours first; a peer's signature may be over any of them.

        They differ for the relaxed element `eMAID` and for lists filled to their maximum. Raises ValueError.
        """
        code = self._fragment_code(type(message), name)
        forms = [self.encode_fragment(message, name)]
        forms += [
            Writing(grammar, strict=False).fragment(code, message, relaxed=relaxed)
            for grammar in (self.grammar, *self._looped)
            for relaxed in (True, False)
        ]
        return tuple(dict.fromkeys(forms))

    def warm(self, *classes: type[Message]) -> None:
        """Have the code for these classes and their parts written now rather than at first use."""
        for cls in classes:
            self.library.read_function(cls)
            self.library.write_function(cls)
            steps = Layout(self.grammar, cls).steps
            kinds = [step.alternatives[0].type for step in steps if len(step.alternatives) == 1]
            self.warm(*(kind for kind in kinds if isinstance(kind, type) and not is_fixed(self.grammar, kind)))

    @cached_property
    def grammar(self) -> Grammar:
        """The grammar of the set, by the rules of EXI."""
        return Grammar(self._modules)

    @cached_property
    def library(self) -> Library:
        """The generated code of the set."""
        return Library(self.grammar)

    @cached_property
    def _document_bits(self) -> int:
        return len(self.grammar.documents).bit_length()

    @cached_property
    def _document_readers(self) -> dict[int, Reader]:
        return {code: self.library.read_function(cls) for cls, code in self._document_codes.items()}

    @cached_property
    def _document_codes(self) -> dict[type[Message], int]:
        """The code of each class that can be a root element."""
        kinds = [root.types[0] for root in self.grammar.documents]
        return {kind: code for code, kind in enumerate(kinds) if isinstance(kind, type) and not kind.group}

    @cached_property
    def _looped(self) -> tuple[Grammar, ...]:
        return tuple(Grammar(self._modules, loops_from=loops_from) for loops_from in LOOPS)

    def _read_slowly(self, data: bytes, read: Callable[[Reading], Decoded]) -> Decoded:
        """Read what deviates; a message with a full list that ends badly is tried again as other codecs write it."""
        if len(data) > MOST_BYTES:
            raise Undecodable(f"{len(data)} bytes", expected=f"at most {MOST_BYTES}")
        reading = Reading(self.grammar, data)
        try:
            decoded = read(reading)
        except Undecodable:
            again = self._read_looped(data, read) if reading.full else None
            if again is None:
                raise
            return again
        if reading.full and _ends_badly(decoded):
            return self._read_looped(data, read) or decoded
        return decoded

    def _read_looped(self, data: bytes, read: Callable[[Reading], Decoded]) -> Decoded | None:
        for grammar in self._looped:
            with contextlib.suppress(Undecodable):
                decoded = read(Reading(grammar, data))
                if not _ends_badly(decoded):
                    return Decoded(decoded.message, (*decoded.notes, Note(Quirk.FULL_LIST)))
        return None

    def _fragment_code(self, cls: type[Message], name: str | None) -> int:
        """Tell the code of the element a message is sent as; a global element wins over local ones."""
        roots = self.grammar.fragments
        codes = [code for code, root in enumerate(roots) if cls in root.types and name in (None, root.name)]
        own = [code for code in codes if (roots[code].namespace, roots[code].name) == (cls.namespace, cls.element)]
        found = own or codes
        if len(found) != 1:
            names = ", ".join(sorted({roots[code].name for code in codes})) or "none"
            raise ValueError(f"which element of {self.name} is {cls.__name__} sent as? {names} could be named")
        return found[0]


def _close(a: int, n: int, out: bytearray) -> bytes:
    """Pad with zeros to a whole byte."""
    padding = -n & 7
    end = (a << padding).to_bytes(n + padding >> 3, "big")
    return bytes(out) + end if out else end


def _ends_badly(decoded: Decoded) -> bool:
    return any(note.quirk in (Quirk.SPARE, Quirk.PADDING) for note in decoded.notes)
