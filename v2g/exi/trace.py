"""What each bit of a stream means: for people who look for an error, in their codec or in ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from v2g.errors import Undecodable
from v2g.exi.explain import MISSED_END, Reading
from v2g.exi.frame import Frame, Root
from v2g.exi.grammar import Grammar, Row
from v2g.exi.message import Message
from v2g.exi.notes import Decoded
from v2g.exi.relaxed import Relaxed
from v2g.exi.texts import Name
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole
from v2g.exi.wording import event_code_name
from v2g.v2gtp import LIMIT

Form = Literal["document", "fragment"]

_WAYS: dict[Form, tuple[Callable[[Reading], Decoded], ...]] = {
    "document": (Reading.document,),
    "fragment": (Reading.fragment, Reading.typed_fragment),
}


@dataclass(frozen=True, slots=True)
class Step:
    """Some bits with their meaning: `bit` is the place of the first, `bits` are zeros and ones, perhaps none at all.

    `path` names the element or attribute that is being read there.
    """

    bit: int
    bits: str
    path: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The steps through a stream, together all its bits, and what came of it: `decoded`, or `error` saying why not."""

    steps: tuple[Step, ...]
    decoded: Decoded | None = None
    error: Undecodable | None = None


def explain(grammars: Iterable[Grammar], data: bytes, form: Form, verdict: Decoded | Undecodable) -> Explained:
    """Tell how `data` led to the verdict: by the first grammar that comes to the same."""
    if isinstance(verdict, Undecodable) and len(data) > LIMIT:
        return Explained((Step(0, _digits(data), "", _not_read(verdict)),), None, verdict)
    decoded, error = (verdict, None) if isinstance(verdict, Decoded) else (None, verdict)
    wanted = str(error) if decoded is None else decoded.message
    steps: tuple[Step, ...] = ()
    for outcome, taken in _attempts(grammars, data, form):
        if outcome == wanted:
            return Explained(taken, decoded, error)
        steps = steps or taken
    return Explained(steps, decoded, error)


def _attempts(grammars: Iterable[Grammar], data: bytes, form: Form) -> Iterator[tuple[Message | str, tuple[Step, ...]]]:
    """Tell the outcome of each way to read, and its steps."""
    for grammar in grammars:
        for way in _WAYS[form]:
            tracing = _Tracing(grammar, data)
            outcome = tracing.follow(way)
            yield outcome, tuple(tracing.steps)


class _Tracing(Reading):
    """A reading that writes down its steps; each covers what was read since the one before."""

    def __init__(self, grammar: Grammar, data: bytes) -> None:
        super().__init__(grammar, data)
        self.steps: list[Step] = []
        self._digits = _digits(data)
        self._told = 0
        self._noted = 0

    def follow(self, way: Callable[[Reading], Decoded]) -> Message | str:
        """Read to the end, or to where the error is; tells the message, or what is wrong."""
        try:
            message = way(self).message
        except Undecodable as error:
            self._step(self._size, _not_read(error), error.path)
            return str(error)
        padding = -self._at % 8
        if padding:
            self._step(self._at + padding, "padding", "")
        if self._left > padding:
            self._step(self._size, f"{self._left // 8} spare bytes", "")
        return message

    def _step(self, end: int, meaning: str, path: str) -> None:
        noted = "".join(f"; {note.quirk}: {note.detail}" for note in self._notes[self._noted :] if note.detail)
        self.steps.append(Step(self._told, self._digits[self._told : end], path, meaning + noted))
        self._told, self._noted = end, len(self._notes)

    def _tell(self, meaning: str) -> None:
        self._step(self._at, meaning, "/".join(self._path))

    # What is read, with its meaning

    def _header(self) -> None:
        super()._header()
        self._tell(f"EXI header: version 1, no options{', after the cookie' if self._notes else ''}")

    def _root(self, frame: Frame) -> Root:
        root = super()._root(frame)
        self._step(self._at, f"SE {root.name} (code {frame.roots.index(root)} of {len(frame.roots)})", "")
        return root

    def _end(self, frame: Frame) -> None:
        super()._end(frame)
        self._step(self._at, "end of the fragment", "")

    def _code(self, row: Row) -> int:
        code = super()._code(row)
        count = len(row.events)
        if code == MISSED_END:
            self._tell(f"EE (code {count} of {count}, then 0 of {row.second_level} of the second level)")
        else:
            self._tell(f"{event_code_name(row.events[code])} (code {code} of {count})")
        return code

    def _relaxed_code(self, codes: Relaxed) -> int:
        code = super()._relaxed_code(codes)
        what = f"AT {codes.attributes[code][1]}" if code < len(codes.attributes) else "an event"
        what = {codes.end: "EE", codes.characters: "CH"}.get(code, what)
        self._tell(f"{what} (code {code} of {codes.characters + 1})")
        return code

    def _relaxed_end(self, codes: Relaxed) -> None:
        super()._relaxed_end(codes)
        self._tell(f"EE (code {codes.content_end} of {codes.content_end + 2})")

    def _length(self, kind: Text | Octets) -> int:
        length = super()._length(kind)
        if isinstance(kind, Octets):
            self._tell(f"{length} bytes")
        elif length >= 0:
            self._tell(f"{length} characters (sent as {length + 2})")
        else:
            whose = "any element" if length == -1 else "this element"
            self._tell(f"refers to an earlier text of {whose} (sent as {length + 2})")
        return length

    def _earlier_text(self, texts: list[str], at: int) -> str:
        value = super()._earlier_text(texts, at)
        self._tell(f"number {texts.index(value)} of {len(texts)}: {value!r}")
        return value

    def _nothing(self, kind: Simple) -> str | bytes:
        value = super()._nothing(kind)
        self._tell("no value, taken as an empty one")
        return value

    def _value(self, kind: Simple, name: Name) -> Any:
        value = super()._value(kind, name)
        if self._told < self._at or not isinstance(kind, Text | Octets):
            self._tell(_meaning(kind, value))
        return value


def _digits(data: bytes) -> str:
    return "".join(f"{octet:08b}" for octet in data)


def _not_read(error: Undecodable) -> str:
    return f"not read: {error.what}{'; expected ' if error.expected else ''}{error.expected}"


def _meaning(kind: Simple, value: Any) -> str:
    match kind:
        case Flag():
            return "true" if value else "false"
        case Listed(members):
            return f"{value} ({members(value).position} of {len(members)})"
        case Whole(low=int(low), bits=int()) if low:
            return f"{value} (sent as {value - low})"
        case Octets():
            return str(value.hex())
        case _:
            return repr(value)
