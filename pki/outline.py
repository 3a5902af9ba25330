"""A tree of certificates as lines for people: branches drawn, bars for life, large families cut short."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pki.overview import Flag, Line
from pki.shown import shown

FAMILY = 20  # leaves of one role below one issuer, shown one by one
KEPT = 10  # of a larger family
_BAR = 10
_LONGEST_NAME = 40
_BAD = frozenset({Flag.REVOKED, Flag.EXPIRED, Flag.NOT_YET_VALID, Flag.TOO_LARGE})


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What branches and bars are drawn with."""

    child: str = "├─ "
    last: str = "└─ "
    past: str = "│  "
    life: str = "█"
    gone: str = "░"
    more: str = "…"


ASCII = Glyphs("|- ", "`- ", "|  ", "#", ".", "...")


@dataclass(slots=True)
class Node:
    """A certificate with those below it, or instead of a line so many leaves of a role that are not shown."""

    line: Line | None
    hidden: Sequence[Line] = ()
    below: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text: where it hangs, its place, and the cells after it; `line` is None for hidden leaves."""

    branch: str
    name: str
    cells: tuple[str, ...]
    line: Line | None


def grow(lines: Sequence[Line], *, every: bool = False) -> list[Node]:
    """Return the roots of a survey; `every` keeps large families whole."""
    nodes = {line.place: Node(line) for line in lines}
    for line in lines:
        if line.issuer is not None:
            nodes[line.issuer].below.append(nodes[line.place])
    if not every:
        for node in nodes.values():
            node.below = _thinned(node.below)
    tops = [nodes[line.place] for line in lines if line.issuer is None]
    return tops if every else _thinned(tops)


def _thinned(brothers: list[Node]) -> list[Node]:
    """Keep the first of a large family of childless brothers, those with a flag before others."""
    families: dict[str, list[Line]] = defaultdict(list)
    for node in brothers:
        if node.line is not None and not node.below:
            families[node.line.role].append(node.line)
    hidden: dict[str, Sequence[Line]] = {}
    for family in families.values():
        if len(family) > FAMILY:
            urgent = sorted(family, key=lambda line: not line.flags)
            hidden |= dict.fromkeys((line.place for line in urgent[KEPT:]), ())
    kept = [node for node in brothers if node.line is None or node.line.place not in hidden]
    for family in families.values():
        rest = [line for line in family if line.place in hidden]
        if rest:
            kept.append(Node(None, rest))
    return kept


def rows(nodes: Sequence[Node], glyphs: Glyphs) -> Iterator[Row]:
    """Yield a tree from the top, each node followed by those below it."""
    waiting = [(node, "", node is nodes[-1]) for node in reversed(nodes)]
    while waiting:
        node, above, last = waiting.pop()
        yield _row(node, above + (glyphs.last if last else glyphs.child), glyphs)
        inner = above + (" " * len(glyphs.past) if last else glyphs.past)
        waiting.extend((child, inner, child is node.below[-1]) for child in reversed(node.below))


def _row(node: Node, branch: str, glyphs: Glyphs) -> Row:
    line = node.line
    if line is None:
        return Row(branch, hidden_text(node.hidden, glyphs.more), (), None)
    size = f"{line.size}/{line.limit} B" if line.limit else f"{line.size} B"
    cells = (
        shown(line.role, _LONGEST_NAME),
        shown(line.common_name, _LONGEST_NAME),
        days_text(line),
        bar(line.life_left, glyphs),
        size,
        ", ".join(line.flags),
    )
    return Row(branch, shown(line.place), cells, line)


def hidden_text(hidden: Sequence[Line], more: str = "…") -> str:
    """Say what is not shown: "… 9,990 more contract leaves, 3 of them expired; --all shows them"."""
    text = f"{more} {len(hidden):,} more {shown(hidden[0].role)} {'leaf' if len(hidden) == 1 else 'leaves'}"
    for flag in Flag:
        count = sum(flag in line.flags for line in hidden)
        text += f", {count:,} {flag}" if count else ""
    return f"{text}; --all shows them"


def days_text(line: Line) -> str:
    """Say how long a certificate is still valid."""
    if Flag.EXPIRED in line.flags:
        return "EXPIRED"
    return f"{line.days_left:,} {'day' if line.days_left == 1 else 'days'} left"


def bad(line: Line) -> bool:
    """Tell whether a certificate is of no use as it is."""
    return bool(_BAD.intersection(line.flags))


def bar(share: float, glyphs: Glyphs) -> str:
    """Draw a share of 0 to 1 as ten cells; what is not nothing has one at least."""
    full = round(share * _BAR) or (1 if share > 0 else 0)
    return glyphs.life * full + glyphs.gone * (_BAR - full)


def as_text(folder: Path, lines: Sequence[Line], *, every: bool = False, glyphs: Glyphs | None = None) -> Iterator[str]:
    """Yield a survey as lines for people."""
    for text, _ in aligned(folder, lines, every=every, glyphs=glyphs):
        yield text


def aligned(
    folder: Path, lines: Sequence[Line], *, every: bool = False, glyphs: Glyphs | None = None
) -> Iterator[tuple[str, Line | None]]:
    """Yield the lines of text of a survey with the certificate each is about, columns under one another."""
    yield f"{shown(str(folder))}  {len(lines):,} certificates", None
    drawn = list(rows(grow(lines, every=every), glyphs or Glyphs()))
    full = [row for row in drawn if row.line]
    first = max((len(row.branch) + len(row.name) for row in full), default=0)
    widths = [max(len(row.cells[column]) for row in full) for column in range(len(full[0].cells))] if full else []
    for row in drawn:
        cells = [f"{row.branch}{row.name}".ljust(first), *map(str.ljust, row.cells, widths)]
        yield "  ".join(cells).rstrip(), row.line
