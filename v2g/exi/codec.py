"""A schema set: bytes to messages and back, by generated code where all is as it should be, else the slow way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import cached_property
from itertools import product
from threading import RLock
from types import ModuleType
from typing import Any

from v2g.errors import Undecodable
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.exi.forms import Forms
from v2g.exi.frame import Frame
from v2g.exi.grammar import Grammar
from v2g.exi.library import READING, WRITING, Library
from v2g.exi.message import Message
from v2g.exi.misplaced import of_another_set
from v2g.exi.notes import Decoded, Note, Quirk, tail_notes
from v2g.exi.parts import parts_of
from v2g.exi.trace import Explained, Form, explain
from v2g.v2gtp import LIMIT

OURS = "ours"
"""What the encoding is called that we send."""

LOOPS = (9, 3)
"""From which size on other codecs keep a full list's code: EXIficient's compiled grammars, libcbv2g."""


class Schema:
    """One closed set of message modules with one table of root elements.

    Any thread may use it: the generated code keeps its place in one stream, so they take turns.
    """

    def __init__(self, name: str, modules: tuple[ModuleType, ...]) -> None:
        self.name = name
        self._modules = modules
        self._turn = RLock()

    def decode(self, data: bytes) -> Message:
        """Read a document; tells its root message. Raises `Undecodable`."""
        return self.read(data).message

    def read(self, data: bytes) -> Decoded:
        """Read a document; tells its root message and what was unusual. Raises `Undecodable`."""
        with self._turn:
            frame = self.grammar.document
            good = self._read_good(frame, data)
            if good is not None:
                return good
            return self._read_deviating(frame, data, Reading(self.grammar, data, self.library), Reading.document)

    def encode(self, message: Message, *, strict: bool = True) -> bytes:
        """Write a document with this root message.

        Raises ValueError naming the path of a value that is out of range; with `strict=False` only of one that would
        not be read either.
        """
        with self._turn:
            code = self._document_codes.get(type(message))
            if code is None:
                raise ValueError(self._no_root(type(message)))
            try:
                return self.library.write(self.grammar.document, code, message)
            except WRITING:
                return Writing(self.grammar, self.library, strict=strict).document(code, message)

    def decode_fragment(self, data: bytes) -> Message:
        """Read a fragment, as signatures are made over; tells its one element. Raises `Undecodable`."""
        return self.read_fragment(data).message

    def read_fragment(self, data: bytes) -> Decoded:
        """Read a fragment; tells its one element and what was unusual. Raises `Undecodable`."""
        with self._turn:
            good = self._read_good(self.grammar.fragment, data)
            return good if good is not None else self._read_deviating_fragment(data)

    def encode_fragment(self, message: Message, name: str | None = None) -> bytes:
        """Write a fragment of one element, as signatures are made over.

        `name` is the element's, where the class alone does not tell it. Values out of range are written as far as
        they are read, since what was received must be checked as it was signed. Raises ValueError.
        """
        with self._turn:
            frame = self.grammar.fragment
            code = frame.code(type(message), name)
            if code in frame.classes:
                with contextlib.suppress(*WRITING):
                    return self.library.write(frame, code, message)
            return Writing(self.grammar, self.library, strict=False).fragment(code, message)

    def fragment_forms(self, message: Message, name: str | None = None) -> Forms:
        """Tell all encodings of a fragment that are in use, ours first, each with what it is called.

        A peer's signature may be over any of them. They differ for the relaxed element `eMAID` ("typed": by the
        grammar of its type), for lists filled to their maximum ("open lists": with the code of one item more), and for
        empty values ("gaps": the element just ends). Raises ValueError.
        """
        code = self.grammar.fragment.code(type(message), name)
        ours = self.encode_fragment(message, name)
        return Forms([(ours, OURS)], self._other_forms(code, message))

    def explain(self, data: bytes, form: Form = "document") -> Explained:
        """Read, and tell what each bit means; of undecodable bytes up to the error."""
        verdict: Decoded | Undecodable
        try:
            verdict = self.read(data) if form == "document" else self.read_fragment(data)
        except Undecodable as error:
            verdict = error
        return explain(self._grammars(), data, form, verdict)

    def warm(self, *classes: type[Message]) -> None:
        """Have the code for these classes, their envelope and their parts written now rather than at first use."""
        with self._turn:
            for cls in parts_of(self.grammar, classes):
                self.library.read_function(cls)
                self.library.write_function(cls)

    @cached_property
    def grammar(self) -> Grammar:
        """The grammar of the set, by the rules of EXI."""
        return Grammar(self._modules)

    @cached_property
    def library(self) -> Library:
        """The generated code of the set."""
        return Library(self.grammar)

    @cached_property
    def looped(self) -> tuple[Library, ...]:
        """The generated code for the streams of those who keep the code of a full list, by `LOOPS`."""
        return tuple(Library(Grammar(self._modules, loops_from=loops_from)) for loops_from in LOOPS)

    @cached_property
    def _document_codes(self) -> dict[type[Message], int]:
        """The code of each class that can be a root element."""
        return {cls: code for code, cls in self.grammar.document.classes.items()}

    def _no_root(self, cls: type[Any]) -> str:
        """Tell why nothing of this class is a document."""
        told = f"{cls.__name__} is no root element of {self.name}"
        if not issubclass(cls, Message):
            return f"{told}, nor a message at all"
        if cls not in self.grammar.classes:
            return f"{told}: {of_another_set(self.grammar, cls)}"
        return f"{told}; put it into a message, or write it alone by encode_fragment"

    def _other_forms(self, code: int, message: Message) -> Iterator[tuple[bytes, str]]:
        """Make the encodings of a fragment that are not ours, one after the other; some may be the same."""
        libraries = {"": self.library, "gaps": self.library}
        for most, library in zip(LOOPS, self.looped, strict=True):
            libraries[f"open lists from {most}"] = library
        several = len(self.grammar.fragment.roots[code].types) > 1
        for way, typed in product(libraries, ("", "typed") if several else ("",)):
            if way or typed:
                library = libraries[way]
                writing = Writing(library.grammar, library, strict=False, gaps=way == "gaps")
                with self._turn:
                    form = writing.fragment(code, message, relaxed=not typed)
                yield form, ", ".join(filter(None, (typed, way)))

    def _grammars(self) -> Iterator[Grammar]:
        yield self.grammar
        yield from (library.grammar for library in self.looped)

    def _read_good(self, frame: Frame, data: bytes) -> Decoded | None:
        """Read by generated code; None if something in the message is unusual."""
        if len(data) > LIMIT:
            raise Undecodable(f"{len(data)} bytes", bit=8 * LIMIT, expected=f"at most {LIMIT}")
        try:
            message, left, tail = self.library.read(frame, data)
        except READING:
            return None
        except TypeError as error:
            raise TypeError(f"{error}; hand over bytes, of hex by bytes.fromhex") from error
        if left < 8 and not tail:
            return Decoded(message=message)
        again = self._read_looped(frame, data, self.library.full)
        return again or Decoded(message=message, notes=tail_notes(8 * len(data), left, tail))

    def _read_deviating(
        self, frame: Frame, data: bytes, reading: Reading, read: Callable[[Reading], Decoded]
    ) -> Decoded:
        """Read what generated code refused; if a list is full and the end is bad, as other codecs write full lists."""
        try:
            decoded = read(reading)
        except Undecodable:
            again = self._read_looped(frame, data, reading.full)
            if again is None:
                raise
            return again
        finally:
            self.library.forget()
        bad_end = any(note.quirk in (Quirk.SPARE, Quirk.PADDING) for note in decoded.notes)
        again = self._read_looped(frame, data, reading.full) if bad_end else None
        return again or decoded

    def _read_deviating_fragment(self, data: bytes) -> Decoded:
        """Read a fragment that generated code refused; where the element has several types, also by its class's."""
        frame = self.grammar.fragment
        reading = Reading(self.grammar, data, self.library)
        try:
            return self._read_deviating(frame, data, reading, Reading.fragment)
        except Undecodable:
            if reading.relaxed:
                again = Reading(self.grammar, data, self.library)
                with contextlib.suppress(Undecodable):
                    return self._read_deviating(frame, data, again, Reading.typed_fragment)
            raise

    def _read_looped(self, frame: Frame, data: bytes, full: set[int]) -> Decoded | None:
        """Read as codecs do that keep the code of a full list; None if no list was full or that does not help.

        `full` tells the lists that were full in the last reading; only if these end differently is another worth it.
        """
        for library in self.looped if full else ():
            if not any(library.grammar.loops(most) for most in full):
                continue
            with contextlib.suppress(*READING):
                message, left, tail = library.read(frame, data)
                if left < 8 and not tail:
                    return Decoded(message=message, notes=(Note(Quirk.FULL_LIST),))
            full = set(library.full)
            library.forget()
        return None
