"""Writes the Python source that writes one message class: straight-line code, with runs of bits joined at once.

A function takes (o, a, n, out) and returns (a, n) as `runtime` describes. The code of a production is its label minus
the base of the state it comes from. Where optional parts make that depend on the message, the code carries the base
in `b` and the width in `k`.
"""

from __future__ import annotations

from v2g.exi.fields import Type
from v2g.exi.layout import Kind, Layout, Step, is_fixed, layout_of
from v2g.exi.message import Message
from v2g.exi.names import Names
from v2g.exi.runtime import FLUSH_BITS, MOST_CHARACTERS, MOST_OCTETS, SHORT_LENGTH
from v2g.exi.source import Source
from v2g.exi.types import Flag, Listed, Octets, Text, Whole
from v2g.record import Fact

TABLE_SIZE = 128
"""Up to so many numbers, a table is faster than a comparison and a subtraction."""
SHORT_TEXT = SHORT_LENGTH - 2
"""Longest text whose length takes one octet; it is sent plus two."""


class _State(Fact):
    """The state before the next production: the label that has code 0, and the width of codes."""

    base: int
    width: int


class EncoderSource(Source):
    """The function that writes one class; `text` is complete after construction."""

    def __init__(self, names: Names, cls: type[Message], function: str) -> None:
        super().__init__(f"def {function}(o, a, n, out):")
        self._names = names
        self._run: list[tuple[int, int | str]] = []
        self._message(cls, "o")
        self._flush()
        self._line("return a, n")

    # Runs of bits

    def _put(self, width: int, bits: int | str) -> None:
        if width:
            self._run.append((width, bits))

    def _take(self, extra: int = 0) -> tuple[int, str]:
        """Take the pending run: its width, and ` | ...` that joins it to `a`, `extra` bits further left."""
        total = position = sum(width for width, _ in self._run)
        constant = 0
        terms = []
        for width, bits in self._run:
            position -= width
            if isinstance(bits, int):
                constant |= bits << position + extra
            else:
                terms.append(f"{bits} << {position + extra}" if position + extra else bits)
        self._run = []
        terms = [str(constant)] * bool(constant) + terms
        return total, "".join(f" | {term}" for term in terms)

    def _flush(self) -> None:
        total, terms = self._take()
        if total:
            self._line(f"a = a << {total}{terms}")
            self._line(f"n += {total}")

    # Codes

    def _code(self, state: _State | None, label: int) -> None:
        """Write the code of a production; no state means that `b` and `k` know it."""
        if state is not None:
            self._put(state.width, label - state.base)
            return
        self._flush()
        self._line(f"a = a << k | {label} - b" if label else "a = a << k | -b")
        self._line("n += k")

    def _remember(self, state: _State | None) -> None:
        """Let `b` and `k` know the state before paths part."""
        if state is not None:
            self._line(f"b, k = {state.base}, {state.width}")

    # Values

    def _value(self, kind: Type, place: str) -> None:
        """Write the value the expression `place` tells."""
        match kind:
            case Flag():
                self._put(1, f"{self._names.codes(kind)}[{place}]")
            case Listed():
                self._put(kind.bits, f"{self._names.codes(kind)}[{place}]")
            case Whole(int(low), int(high)) if kind.bits is not None:
                if high - low < TABLE_SIZE:
                    self._put(kind.bits, f"{self._names.codes(kind)}[{place}]")
                else:
                    self._fixed_number(low, high, kind.bits, place)
            case Whole():
                self._number(kind, place)
            case Text(least, most):
                self._text(place, least, MOST_CHARACTERS if most is None else most)
            case Octets(_, least, most):
                self._octets(place, least, MOST_OCTETS if most is None else most)

    def _fixed_number(self, low: int, high: int, bits: int, place: str) -> None:
        x = self._fresh("x")
        self._line(f"{x} = {place}")
        self._line(f"if not {low} <= {x} <= {high}: raise Deviation")
        self._put(bits, f"({x} - {low})" if low > 0 else f"({x} + {-low})" if low else x)

    def _number(self, kind: Whole, place: str) -> None:
        """Write one octet or two in line, more by a call; the pending run goes with them."""
        sign = int(kind.signed)
        self._line(f"x = {place}")
        if kind.high is not None and (kind.low not in (0, -kind.high - 1) or kind.high < 1 << 14):
            self._line(f"if not {kind.low} <= x <= {kind.high}: raise Deviation")
        if any(isinstance(bits, str) for _, bits in self._run):
            total, terms = self._take()
            self._line(f"w = {terms.removeprefix(' | ')}")
            self._put(total, "w")
        run = self._run
        self._line("if 0 <= x < 128:")
        total, terms = self._take(8 + sign)
        self._line(f"    a = a << {total + 8 + sign}{terms} | x; n += {total + 8 + sign}")
        self._line("elif 127 < x < 16384:")
        self._run = run
        total, terms = self._take(16 + sign)
        bits = total + 16 + sign
        self._line(f"    a = a << {bits}{terms} | x << 8 & 32512 | x >> 7 | 32768; n += {bits}")
        self._line("else:")
        self._run = run
        self._indent += 1
        self._flush()
        self._line(f"a, n = {'put_integer' if sign else 'put_number'}(a, n, x, {kind.high})")
        self._indent -= 1

    def _text(self, place: str, least: int, most: int) -> None:
        """Write short ASCII in line, other texts by a call."""
        self._flush()
        self._line(f"x = {place}; m = len(x)")
        self._line(f"if {least} <= m <= {min(most, SHORT_TEXT)} and x.isascii():")
        self._line("    a = (a << 8 | m + 2) << (m << 3) | int.from_bytes(x.encode()); n += m + 1 << 3")
        self._line(f"else: a, n = put_text(a, n, x, {least}, {most})")

    def _octets(self, place: str, least: int, most: int) -> None:
        self._flush()
        self._line(f"x = {place}; m = len(x)")
        self._line(f"if not {least} <= m <= {most}: raise Deviation")
        # As in `put_octets`, b'' + lets nothing pass but octets.
        if most <= SHORT_LENGTH:
            self._line("a = (a << 8 | m) << (m << 3) | int.from_bytes(b'' + x); n += m + 1 << 3")
        else:
            self._line("a, n = put_octets(a, n, x, out)")

    # Elements

    def _element(self, kind: Type, place: str) -> None:
        """Write an element whose code has been written; `place` is a local name if the type is a class."""
        if not isinstance(kind, type):
            self._put(1, 0)
            self._value(kind, place)
            self._put(1, 0)
            return
        if self._names.has_subclass(kind):
            self._line(f"if type({place}) is not {self._names.constructor(kind)}: raise Deviation")
        if is_fixed(self._names.grammar, kind):
            self._message(kind, place)
        else:
            self._flush()
            self._line(f"a, n = {self._names.writer(kind)}({place}, a, n, out)")

    def _message(self, cls: type[Message], place: str) -> None:
        layout = layout_of(self._names.grammar, cls)
        state: _State | None = _before(layout, 0)
        for position, step in enumerate(layout.steps):
            state = self._step(layout, position, step, place, state)
        if layout.end is None:
            self._line("raise Deviation")
        else:
            self._code(state, layout.end)

    def _step(self, layout: Layout, position: int, step: Step, place: str, state: _State | None) -> _State | None:
        """Write one step; returns the state after it, None if that depends on the message."""
        following = _before(layout, position + 1)
        first = step.alternatives[0]
        source = f"{place}.{first.field}"
        if len({alternative.field for alternative in step.alternatives}) > 1:
            return self._choice(step, place, state, following)
        if step.least and not step.many and len(step.alternatives) == 1:
            self._one(step, self._local(first.type, source), state)
            return following
        x = self._fresh("y")
        self._line(f"{x} = {source}")
        if step.least:
            return self._list(layout, position, step, x, state) if step.many else self._group(step, x, state, following)
        self._flush()
        self._remember(state)
        self._block(f"if {x} != []:" if step.many else f"if {x} is not None:")
        if step.many:
            self._remember(self._list(layout, position, step, x, state))
        else:
            self._group(step, x, state, following)
            self._flush()
            self._remember(following)
        self._leave()
        return None

    def _local(self, kind: Type, source: str) -> str:
        """Tell an expression for a value; objects get a local name, since more than one field is asked of them."""
        if not isinstance(kind, type):
            return source
        local = self._fresh("y")
        self._line(f"{local} = {source}")
        return local

    def _one(self, step: Step, place: str, state: _State | None) -> None:
        self._code(state, step.label)
        if step.kind is Kind.ELEMENTS:
            self._element(step.alternatives[0].type, place)
        else:
            self._value(step.alternatives[0].type, place)

    def _group(self, step: Step, place: str, state: _State | None, following: _State) -> _State:
        """Write the one member of a group that `place` is."""
        if len(step.alternatives) == 1:
            self._one(step, place, state)
            return following
        classes = tuple(alternative.type for alternative in step.alternatives if isinstance(alternative.type, type))
        self._flush()
        self._line(f"c, f = {self._names.writers(classes)}[type({place})]")
        if state is None:
            self._line(f"a = a << k | c + {step.label} - b")
            self._line("n += k")
        else:
            offset = step.label - state.base
            self._put(state.width, f"(c + {offset})" if offset else "c")
            self._flush()
        self._line(f"a, n = f({place}, a, n, out)")
        return following

    def _choice(self, step: Step, place: str, state: _State | None, following: _State) -> _State | None:
        """Write the one of several fields that is set."""
        self._flush()
        sources = [f"{place}.{alternative.field}" for alternative in step.alternatives]
        count = " + ".join(f"({source} is not None)" for source in sources)
        self._line(f"if {count} {'!= 1' if step.least else '> 1'}: raise Deviation")
        if not step.least:
            self._remember(state)
        for number, alternative in enumerate(step.alternatives):
            x = self._fresh("y")
            self._line(f"{x} = {sources[number]}")
            self._block(f"if {x} is not None:")
            self._code(state, step.label + number)
            self._element(alternative.type, x)
            self._flush()
            if not step.least:
                self._remember(following)
            self._leave()
        return following if step.least else None

    def _list(self, layout: Layout, position: int, step: Step, items: str, state: _State | None) -> _State | None:
        """Write the items of a list; returns the state after them."""
        kind = step.alternatives[0].type
        again = _State(step.label, (layout.codes(position + 1) + 1).bit_length())
        if step.most is None:
            self._line(f"room[0] -= len({items})")
            self._line(f"if room[0] < 0 or len({items}) < {max(step.least, 1)}: raise Deviation")
        else:
            self._line(f"if not {max(step.least, 1)} <= len({items}) <= {step.most}: raise Deviation")
        x = self._fresh("y")
        self._line(f"{x} = {items}[0]")
        self._code(state, step.label)
        self._element(kind, x)
        if step.least > 1:
            self._items(kind, x, f"{items}[1:{step.least}]", _State(step.label, 1))
        self._items(kind, x, f"{items}[{max(step.least, 1)}:]", again)
        if step.most is None or self._names.grammar.loops(step.most):
            return again
        full = _before(layout, position + 1)
        self._line(
            f"b, k = ({full.base}, {full.width}) if len({items}) == {step.most} else ({again.base}, {again.width})",
        )
        return None

    def _items(self, kind: Type, item: str, items: str, state: _State) -> None:
        self._block(f"for {item} in {items}:")
        self._code(state, state.base)
        self._element(kind, item)
        self._flush()
        self._line(f"if n > {FLUSH_BITS}: a, n = flush(a, n, out)")
        self._leave()


def _before(layout: Layout, position: int) -> _State:
    return _State(layout.label(position), layout.bits(position))
