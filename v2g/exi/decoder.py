"""Writes the Python source that reads one message class: straight-line code, with runs of bits read at once.

A function takes (v, p) and returns them behind the message, as `runtime` describes. All bits between two values of
varying length are read with one shift; constant bits (states with one production) are checked with one comparison.
`c` is the label of the production that came, wherever there was a choice.
"""

from __future__ import annotations

from v2g.exi.fields import Type, fields
from v2g.exi.layout import Kind, Layout, Step, is_fixed, is_spending, layout_of
from v2g.exi.message import Message
from v2g.exi.names import Names
from v2g.exi.runtime import MOST_CHARACTERS, MOST_OCTETS, SHORT_LENGTH, TRIM_BITS
from v2g.exi.source import Source
from v2g.exi.types import Flag, Listed, Octets, Text, Whole
from v2g.record import Fact

RUN_BITS = 58
"""Longest run of bits that is read at once: two digits of a Python integer, so that taking it apart is cheap."""
SHORT_OCTETS = 255
"""Binaries declared no longer are not worth the question whether to forget them."""


class _Piece(Fact):
    """Bits of a run: a constant, or a variable with the expression that makes its value of `{}`."""

    width: int
    constant: int = 0
    variable: str = ""
    template: str = "{}"


class _Decoder(Source):
    """A function that reads something."""

    def __init__(self, names: Names, head: str) -> None:
        super().__init__(head)
        self._names = names
        self._run: list[_Piece] = []
        self._later: list[str] = []

    # Runs of bits

    def _constant(self, width: int, value: int) -> None:
        self._run.append(_Piece(width, value))

    def _variable(self, width: int, variable: str, template: str = "{}") -> None:
        self._run.append(_Piece(width, 0, variable, template))

    def _code(self, width: int, base: int) -> None:
        """Read a code into `c`, as a label."""
        self._variable(width, "c", f"({{}}) + {base}" if base else "{}")
        self._flush()

    def _flush(self) -> None:
        """Write what reads the pending run, then what waited for it."""
        run, self._run = self._run, []
        while run:
            total = count = 0
            while count < len(run) and total + run[count].width <= RUN_BITS:
                total += run[count].width
                count += 1
            self._read(run[:count], total)
            run = run[count:]
        later, self._later = self._later, []
        for line in later:
            self._line(line)

    def _read(self, pieces: list[_Piece], total: int) -> None:
        """Write what reads `total` bits and takes them apart."""
        mask = expected = 0
        position = total
        taken = []
        for piece in pieces:
            position -= piece.width
            if piece.variable:
                taken.append((piece, position))
            else:
                mask |= ((1 << piece.width) - 1) << position
                expected |= piece.constant << position
        window = f"v >> p & {(1 << total) - 1}"
        if total:
            self._line(f"p -= {total}")
        if not taken:
            self._line(f"if {window} != {expected}: raise Deviation")
            return
        if len(pieces) == 1:
            self._assign(taken[0][0], window if total else "0")
            return
        self._line(f"w = {window}")
        if mask:
            self._line(f"if w & {mask} != {expected}: raise Deviation")
        for piece, place in taken:
            shifted = f"w >> {place}" if place else "w"
            top = place + piece.width == total
            self._assign(piece, shifted if top else f"{shifted} & {(1 << piece.width) - 1}" if piece.width else "0")

    def _assign(self, piece: _Piece, bits: str) -> None:
        self._line(f"{piece.variable} = {piece.template.format(bits)}")

    # Values

    def _value(self, kind: Type, variable: str) -> None:
        match kind:
            case Flag():
                self._variable(1, variable, "{} == 1")
            case Listed():
                self._variable(kind.bits, variable, f"{self._names.values(kind)}[{{}}]")
            case Whole(int(low), int(high)) if kind.bits is not None:
                exact = low == 0 and high + 1 == 1 << kind.bits
                self._variable(kind.bits, variable, "{}" if exact else f"{self._names.values(kind)}[{{}}]")
            case Whole():
                self._number(kind, variable)
            case Text(least, most):
                self._text(variable, least, MOST_CHARACTERS if most is None else most)
            case Octets(_, least, most):
                self._octets(variable, least, MOST_OCTETS if most is None else most)

    def _number(self, kind: Whole, variable: str) -> None:
        sign = self._fresh("s") if kind.signed else ""
        if sign:
            self._variable(1, sign)
        self._variable(8, variable)
        self._flush()
        if kind.high is None:
            self._line(f"if {variable} > 127: {variable}, p = longest(v, p, {variable})")
        else:
            self._block(f"if {variable} > 127:")
            self._line("p -= 8")
            self._line("x = v >> p & 255")
            self._line(f"if x < 128: {variable} += (x << 7) - 128")
            self._line(f"else: {variable}, p = longer(v, p + 8, {variable}, {kind.high})")
            self._leave()
        if sign:
            self._line(f"if {sign}: {variable} = -1 - {variable}")
        limits = [f"{variable} < {kind.low}"] if kind.low not in (None, 0) and _narrower(kind) else []
        limits += [f"{variable} > {kind.high}"] if kind.high is not None and kind.high < 1 << 14 else []
        if limits:
            self._line(f"if {' or '.join(limits)}: raise Deviation")

    def _length(self) -> str:
        length = self._fresh("n")
        self._variable(8, length)
        self._flush()
        self._line(f"if {length} > 127: {length}, p = longer(v, p, {length}, {MOST_OCTETS + 2})")
        return length

    def _octets(self, variable: str, least: int, most: int) -> None:
        if least == most <= SHORT_LENGTH:
            self._constant(8, most)
            self._flush()
            self._line(f"p -= {most << 3}")
            self._line(f"{variable} = (v >> p & {(1 << (most << 3)) - 1:#x}).to_bytes({most})")
            return
        length = self._length()
        wrong = f"{length} != {most}" if least == most else f"{length} > {most}"
        wrong += f" or {length} < {least}" if 0 < least < most else ""
        self._line(f"if {wrong}: raise Deviation")
        self._line(f"x = {length} << 3")
        self._line("p -= x")
        self._line(f"{variable} = (v >> p & (1 << x) - 1).to_bytes({length})")
        if most > SHORT_OCTETS:
            self._trim()

    def _text(self, variable: str, least: int, most: int) -> None:
        """Read ASCII in line, other characters by a call."""
        length = self._length()
        self._line(f"if not {least + 2} <= {length} <= {most + 2}: raise Deviation")
        self._line(f"x = {length} - 2 << 3")
        self._line("p -= x")
        self._line(f"w = (v >> p & (1 << x) - 1).to_bytes({length} - 2)")
        self._line(f"if w.isascii(): {variable} = w.decode()")
        self._line(f"else: {variable}, p = text(v, p + x, {length} - 2)")

    # Elements

    def _element(self, kind: Type, variable: str) -> None:
        """Read an element whose code has been read."""
        if not isinstance(kind, type):
            self._constant(1, 0)
            self._value(kind, variable)
            self._constant(1, 0)
        elif is_fixed(self._names.grammar, kind):
            self._message(kind, variable + "_")
            self._later.append(f"{variable} = {self._construct(kind, variable + '_')}")
        else:
            self._flush()
            self._line(f"{variable}, v, p = {self._names.reader(kind)}(v, p)")

    def _trim(self) -> None:
        """Forget what was read, so that what is shifted stays short."""
        self._line(f"if v.bit_length() - p > {TRIM_BITS}: v ^= v >> p << p")

    def _construct(self, cls: type[Message], prefix: str) -> str:
        arguments = ", ".join(f"{field.name}={prefix}{field.name}" for field in fields(cls))
        return f"{self._names.constructor(cls)}({arguments})"

    def _message(self, cls: type[Message], prefix: str) -> None:
        """Read all steps of a class into variables named after its fields."""
        layout = layout_of(self._names.grammar, cls)
        chosen = False
        for position, step in enumerate(layout.steps):
            chosen = self._step(layout, position, step, prefix, chosen=chosen)
        if layout.end is None:
            self._flush()
            self._line("raise Deviation")
        elif chosen:
            self._line(f"if c != {layout.end}: raise Deviation")
        else:
            position = len(layout.steps)
            self._constant(layout.bits(position), layout.end - layout.label(position))

    def _step(self, layout: Layout, position: int, step: Step, prefix: str, *, chosen: bool) -> bool:
        """Read one step; `chosen` tells that its code is in `c` already; returns whether the next one's is."""
        alone = len(step.alternatives) == 1
        if step.least and alone and not chosen:
            self._constant(layout.bits(position), 0)
        elif not chosen:
            self._code(layout.bits(position), step.label)
        if step.least and alone:
            if chosen:
                self._line(f"if c != {step.label}: raise Deviation")
        elif step.least:
            self._line(f"if c >= {step.after}: raise Deviation")
        else:
            self._default(step, prefix)
            self._block(f"if c < {step.after}:")
        self._content(layout, position, step, prefix)
        if step.many:
            chosen = True
        elif step.least:
            chosen = False
        else:
            self._code(layout.bits(position + 1), layout.label(position + 1))
            chosen = True
        if not step.least:
            self._leave()
        return chosen

    def _default(self, step: Step, prefix: str) -> None:
        for name in dict.fromkeys(alternative.field for alternative in step.alternatives):
            self._line(f"{prefix}{name} = {'[]' if step.many else 'None'}")

    def _content(self, layout: Layout, position: int, step: Step, prefix: str) -> None:
        first = step.alternatives[0]
        variable = prefix + first.field
        if step.many:
            self._list(layout, position, step, variable)
        elif step.kind is not Kind.ELEMENTS:
            self._value(first.type, variable)
        elif len(step.alternatives) == 1:
            self._element(first.type, variable)
        else:
            self._alternatives(step, prefix)

    def _alternatives(self, step: Step, prefix: str) -> None:
        classes = [alternative.type for alternative in step.alternatives if isinstance(alternative.type, type)]
        names = list(dict.fromkeys(alternative.field for alternative in step.alternatives))
        if len(names) == 1 and len(classes) == len(step.alternatives):
            place = f"c - {step.label}" if step.label else "c"
            self._line(f"{prefix}{names[0]}, v, p = {self._names.readers(tuple(classes))}[{place}](v, p)")
            return
        for name in names:
            self._line(f"{prefix}{name} = None")
        for number, alternative in enumerate(step.alternatives):
            self._block(f"{'elif' if number else 'if'} c == {step.label + number}:")
            self._element(alternative.type, prefix + alternative.field)
            self._leave()

    def _list(self, layout: Layout, position: int, step: Step, variable: str) -> None:
        """Read items until another code comes; leaves that code in `c`."""
        item = self._fresh("i")
        self._item(step, item)
        self._line(f"{variable} = [{item}]")
        if step.least > 1:
            self._block(f"for _ in range({step.least - 1}):")
            self._constant(1, 0)
            self._append(step, item, variable)
            self._leave()
        if step.is_long:
            self._line(f"v, p, c = {self._names.items_reader(layout.cls, position)}(v, p, {variable})")
        else:
            self._more(layout, position, step, variable)

    def _more(self, layout: Layout, position: int, step: Step, variable: str, good: str = "") -> None:
        """Read the items after those that must be there; `good` is a line to write behind each."""
        again = layout.codes(position + 1) + 1
        self._block("while True:")
        self._full(layout, position, step, variable)
        self._code(again.bit_length(), step.label)
        self._line(f"if c != {step.label}: break")
        if self._names.grammar.loops(step.most):
            self._line(f"if len({variable}) == {step.most}: raise Deviation")
        self._append(step, self._fresh("i"), variable)
        if good:
            self._line(good)
        self._trim()
        self._leave()

    def _full(self, layout: Layout, position: int, step: Step, variable: str) -> None:
        """End a list that holds all it may: its items' code is gone, and `full` hears of it."""
        if step.most is not None and not self._names.grammar.loops(step.most):
            self._block(f"if len({variable}) == {step.most}:")
            self._line(f"full.add({step.most})")
            self._code(layout.bits(position + 1), step.after)
            self._line("break")
            self._leave()

    def _append(self, step: Step, item: str, variable: str) -> None:
        self._item(step, item)
        self._line(f"{variable}.append({item})")

    def _item(self, step: Step, item: str) -> None:
        """Read an item, taking it from what the stream may hold of those in lists without a bound of their own."""
        if step.most is None:
            self._flush()
            self._line("room[0] -= 1")
            self._line("if room[0] < 0: raise Deviation")
        self._element(step.alternatives[0].type, item)
        self._flush()


class DecoderSource(_Decoder):
    """The function that reads one class; `text` is complete after construction."""

    def __init__(self, names: Names, cls: type[Message], function: str) -> None:
        super().__init__(names, f"def {function}(v, p):")
        self._message(cls, "_")
        self._flush()
        self._line(f"return {self._construct(cls, '_')}, v, p")


class ItemsSource(_Decoder):
    """The function that reads on in a long list, to its end; it returns (v, p, c).

    However it ends, `kept` knows by the place it began how far the items are good: so the slow way need not read them
    again.
    """

    def __init__(self, names: Names, cls: type[Message], position: int, function: str) -> None:
        super().__init__(names, f"def {function}(v, p, items):")
        layout = layout_of(names.grammar, cls)
        step = layout.steps[position]
        spends = step.most is None or is_spending(names.grammar, step.alternatives[0].type)
        good, kept = ("q = p; r = room[0]", "items, q, r") if spends else ("q = p", "items, q, room[0]")
        self._line("b = p")
        self._line(good)
        self._block("try:")
        self._more(layout, position, step, "items", good)
        self._leave()
        self._block("finally:")
        self._line(f"kept[b] = {kept}")
        self._leave()
        self._line("return v, p, c")


def _narrower(kind: Whole) -> bool:
    """Tell whether a number may be below the range although its magnitude passed."""
    return kind.low is not None and (kind.high is None or kind.low > -kind.high - 1)
