"""What holds for any bytes given to a schema set, read as a document and as a fragment."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable

from tests.fuzz.cost import Costly, timed, weigh
from v2g.errors import Undecodable
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.exi.frame import COOKIE, Frame
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk
from v2g.protocols import schema
from v2g.v2gtp import LIMIT
from v2g.views import json as json_view
from v2g.views import xml
from v2g.views.tree import to_tree

Verdict = Decoded | Undecodable
Interpreter = Callable[[Grammar, bytes], Reading]
Suspect = Callable[[bytes, float], None]
"""Is told of slow bytes, and how many times as slow as they may be."""

LONGEST_VIEWED = 8_000
"""Bytes of the longest message the views are tried with."""
LONGEST_REFUSAL = 2_000
"""Characters of the longest refusal: no peer fills our journal."""
COMPARED = 16
"""The interpreter is slow: it looks at one input in so many, chosen by the bytes so that a replay does the same."""
WEIGHED = 1_024
"""Memory is measured for one input in so many."""


class Broken(AssertionError):
    """Something does not hold that has to hold for any bytes."""


class CodecInvariants:
    """The invariants of one schema set; `thorough` compares and weighs every input instead of some.

    With `suspect` a slow input is only reported there: code under instrumentation says little about time. `verdicts`
    counts what became of the inputs.
    """

    def __init__(self, name: str, *, thorough: bool = False, suspect: Suspect | None = None) -> None:
        self.codec = schema(name)
        self._thorough = thorough
        self._suspect = suspect
        self._streams = (_Document(name), _Fragment(name))
        self.verdicts: Counter[type[Verdict]] = Counter()

    def __call__(self, data: bytes) -> None:
        """Raise AssertionError, or what the codec should never have raised, if something does not hold."""
        lot = zlib.crc32(data)
        for stream in self._streams:
            verdict = self._read(stream, data)
            self.verdicts[type(verdict)] += 1
            if isinstance(verdict, Decoded):
                _check_message(stream, verdict, data)
            else:
                _check_refusal(verdict, data)
            if self._thorough or lot % COMPARED == 0:
                _check_interpreter(stream, verdict, data)
                _check_views(stream, verdict, data)
            if self._thorough or lot % WEIGHED == 0:
                weigh(stream.verdict, data)

    def _read(self, stream: _Document, data: bytes) -> Verdict:
        try:
            return timed(stream.verdict, data)
        except Costly as costly:
            if self._suspect is None:
                raise
            self._suspect(data, costly.times)
            return stream.verdict(data)


class _Document:
    """How documents are read and written, the fast way and the slow way."""

    def __init__(self, name: str) -> None:
        self.codec = schema(name)
        self.frame: Frame = self.codec.grammar.document

    def read(self, data: bytes) -> Decoded:
        return self.codec.read(data)

    def verdict(self, data: bytes) -> Verdict:
        return _verdict(self.read, data)

    def write(self, message: Message, _like: bytes) -> bytes:
        return self.codec.encode(message, strict=False)

    def forms(self, message: Message, like: bytes) -> tuple[bytes, ...]:
        """Tell all encodings that are proper."""
        return (self.write(message, like),)

    def interpreted(self, data: bytes, interpreter: Interpreter = Reading) -> Verdict:
        return _verdict(lambda data: interpreter(self.codec.grammar, data).document(), data)


class _Fragment(_Document):
    """How fragments are read and written."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.frame = self.codec.grammar.fragment

    def read(self, data: bytes) -> Decoded:
        return self.codec.read_fragment(data)

    def write(self, message: Message, like: bytes) -> bytes:
        code = self._code(like)
        if self._is_named(code):
            return self.codec.encode_fragment(message, self.frame.roots[code].name)
        return Writing(self.codec.grammar, strict=False).fragment(code, message)

    def forms(self, message: Message, like: bytes) -> tuple[bytes, ...]:
        code = self._code(like)
        if self._is_named(code):
            return tuple(self.codec.fragment_forms(message, self.frame.roots[code].name))
        return (self.write(message, like),)

    def interpreted(self, data: bytes, interpreter: Interpreter = Reading) -> Verdict:
        first = _verdict(lambda data: interpreter(self.codec.grammar, data).fragment(), data)
        if isinstance(first, Decoded):
            return first
        typed = _verdict(lambda data: interpreter(self.codec.grammar, data).typed_fragment(), data)
        return typed if isinstance(typed, Decoded) else first

    def _code(self, data: bytes) -> int:
        """Tell the code of the element that a fragment which was read consists of."""
        return int.from_bytes(data.removeprefix(COOKIE)[1:5].ljust(4, b"\0"), "big") >> 32 - self.frame.bits

    def _is_named(self, code: int) -> bool:
        """Tell whether the name alone tells the element: a few are declared in two namespaces, none is ever signed."""
        return [root.name for root in self.frame.roots].count(self.frame.roots[code].name) == 1


class _Watching(Reading):
    """The interpreter, watching for numbers that end in a zero octet they could do without."""

    padded = False
    last = 0

    def _bits(self, width: int) -> int:
        self.last = bits = super()._bits(width)
        return bits

    def _number(self, *most: int) -> int:
        before = self._left
        number = super()._number(*most)
        self.padded |= before - self._left > 8 and self.last == 0
        return number

    def _characters(self, length: int, _at: int) -> str:
        return self._characters_one_by_one(length)


def _is_padded(stream: _Document, data: bytes) -> bool:
    """Tell whether a number has more octets than it takes: proper EXI, but not what we write."""
    watching: list[_Watching] = []

    def watch(grammar: Grammar, data: bytes) -> Reading:
        watching.append(_Watching(grammar, data))
        return watching[-1]

    stream.interpreted(data, watch)
    return any(each.padded for each in watching)


def _verdict(read: Callable[[bytes], Decoded], data: bytes) -> Verdict:
    try:
        return read(data)
    except Undecodable as refusal:
        return refusal


def _check_message(stream: _Document, decoded: Decoded, data: bytes) -> None:
    """What was read can be written, then reads the same, and in the same bits if nothing was unusual."""
    written = stream.write(decoded.message, data)
    if written == data and not decoded.notes:
        return
    if len(written) > LIMIT:
        return
    again = stream.read(written)
    if again.message != decoded.message:
        raise Broken(f"reads as {decoded.message!r}, and when written again as {again.message!r}")
    if {note.quirk for note in again.notes} - {Quirk.FACET}:
        raise Broken(f"is written as {written.hex()}: {', '.join(map(str, again.notes))}")
    if stream.write(again.message, written) != written:
        raise Broken(f"is not written the same way twice, first as {written.hex()}")
    if not decoded.notes and data not in stream.forms(decoded.message, data) and not _is_padded(stream, data):
        raise Broken(f"nothing is noted, but it is written as {written.hex()}")


def _check_refusal(refusal: Undecodable, data: bytes) -> None:
    """A refusal names a place in the bytes, and is short."""
    if refusal.bit is not None and not 0 <= refusal.bit <= 8 * len(data):
        raise Broken(f"refused at bit {refusal.bit} of {8 * len(data)}: {refusal}")
    if len(str(refusal)) > LONGEST_REFUSAL:
        raise Broken(f"refused with {len(str(refusal))} characters: {str(refusal)[:200]}")


def _check_interpreter(stream: _Document, verdict: Verdict, data: bytes) -> None:
    """The interpreter alone says the same, but for full lists as other codecs write them."""
    if len(data) > LIMIT:
        return
    if isinstance(verdict, Decoded) and any(note.quirk is Quirk.FULL_LIST for note in verdict.notes):
        return
    slow = stream.interpreted(data)
    same = slow == verdict if isinstance(verdict, Decoded) else str(slow) == str(verdict)
    if not same:
        raise Broken(f"read as {verdict!r}, by the interpreter as {slow!r}")


def _check_views(stream: _Document, verdict: Verdict, data: bytes) -> None:
    """Whatever a document says, people can be shown it, and send it again."""
    if isinstance(stream, _Fragment) or not isinstance(verdict, Decoded) or len(data) > LONGEST_VIEWED:
        return
    message = verdict.message
    to_tree(message)
    plain = json.loads(json.dumps(json_view.to_json(message)))
    for again in (json_view.from_json(stream.codec, plain), xml.from_xml(stream.codec, xml.to_xml(message))):
        if again != message:
            raise Broken(f"reads as {message!r}, and comes back from a view as {again!r}")
