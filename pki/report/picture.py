"""A tree of certificates as one SVG picture: roots on the left, leaves on the right, wrong ones marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from pki.outline import Node, bad, hidden_text
from pki.overview import Flag, Line
from pki.report.markup import Markup, element, joined, style

BOX, HIGH = 236, 58
_GAP_X, _GAP_Y, _MARGIN = 48, 12, 6
_LONGEST = 22
_TAIL = 8  # of a longer name: numbers differ at their end
DEEPEST = 12  # columns; what hangs deeper is drawn in the last


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node is drawn, in pixels from the top left corner, and where the one above it is."""

    node: Node
    x: int
    y: int
    above: tuple[int, int] | None


def picture(nodes: Sequence[Node], name: str, links: Mapping[str, str] | None = None) -> Markup:
    """Return the picture of a tree; `links` are the addresses of what is said about a certificate, by its place."""
    spots = list(_laid_out(nodes))
    width = max((spot.x for spot in spots), default=0) + BOX + _MARGIN
    height = max((spot.y for spot in spots), default=0) + HIGH + _MARGIN
    return element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "t-tree",
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "role": "img",
        },
        element("title", None, f"Certificates of {name}, roots on the left"),
        style((resources.files("pki.report") / "picture.css").read_text(encoding="utf-8")),
        joined(*(_edge(spot) for spot in spots)),
        joined(*(_box(spot, links or {}) for spot in spots)),
    )


def _laid_out(nodes: Sequence[Node]) -> Iterator[Spot]:
    """Place every node beside the middle of those below it."""
    order = list(_downwards(nodes))
    rows: dict[int, float] = {}
    free = 0
    for node, _, _ in reversed(order):
        if not node.below:
            rows[id(node)] = free
            free += 1
        else:
            rows[id(node)] = (rows[id(node.below[0])] + rows[id(node.below[-1])]) / 2
    last = free - 1
    spots: dict[int, Spot] = {}
    for node, depth, above in order:
        x = _MARGIN + min(depth, DEEPEST) * (BOX + _GAP_X)
        y = _MARGIN + round((last - rows[id(node)]) * (HIGH + _GAP_Y))
        upper = spots.get(id(above)) if above else None
        spot = spots[id(node)] = Spot(node, x, y, (upper.x, upper.y) if upper else None)
        yield spot


def _downwards(nodes: Sequence[Node]) -> Iterator[tuple[Node, int, Node | None]]:
    """Yield every node before those below it, with its depth and the one above it."""
    waiting: list[tuple[Node, int, Node | None]] = [(node, 0, None) for node in reversed(nodes)]
    while waiting:
        node, depth, above = waiting.pop()
        yield node, depth, above
        waiting.extend((child, depth + 1, node) for child in reversed(node.below))


def _edge(spot: Spot) -> Markup:
    if spot.above is None:
        return Markup("")
    start_x, start_y = spot.above[0] + BOX, spot.above[1] + HIGH // 2
    end_y, middle = spot.y + HIGH // 2, spot.x - _GAP_X // 2
    return element("path", {"class": "t-edge", "d": f"M{start_x} {start_y}H{middle}V{end_y}H{spot.x}"})


def _box(spot: Spot, links: Mapping[str, str]) -> Markup:
    line = spot.node.line
    if line is None:
        return _hidden_box(spot)
    # An svg of its own cuts off what is too long.
    inner = element(
        "svg",
        {"x": spot.x, "y": spot.y, "width": BOX, "height": HIGH, "class": f"t-node t-{state(line)}"},
        element("title", None, _said(line)),
        element("rect", {"class": "t-box", "x": 0.5, "y": 0.5, "width": BOX - 1, "height": HIGH - 1, "rx": 6}),
        element("text", {"class": "t-role", "x": 12, "y": 17}, line.role),
        element("text", {"class": "t-left", "x": BOX - 10, "y": 17, "text-anchor": "end"}, _corner(line)),
        element("text", {"class": "t-name", "x": 12, "y": 36}, _cut(line.common_name.strip() or "(no name)")),
        element("rect", {"class": "t-rail", "x": 12, "y": HIGH - 12, "width": BOX - 24, "height": 4, "rx": 2}),
        element("rect", {"class": "t-life", "x": 12, "y": HIGH - 12, "width": _wide(line), "height": 4, "rx": 2}),
    )
    link = links.get(line.place)
    return element("a", {"href": link}, inner) if link else inner


def _hidden_box(spot: Spot) -> Markup:
    hidden = spot.node.hidden
    full = hidden_text(hidden).removeprefix("… ").removesuffix("; --all shows them")
    first, _, rest = full.partition(", ")
    return element(
        "svg",
        {"x": spot.x, "y": spot.y, "width": BOX, "height": HIGH, "class": "t-node t-more"},
        element("title", None, full),
        element("rect", {"class": "t-box", "x": 0.5, "y": 0.5, "width": BOX - 1, "height": HIGH - 1, "rx": 6}),
        element("text", {"class": "t-name", "x": 12, "y": 26}, f"+ {first}"),
        element("text", {"class": "t-role", "x": 12, "y": 44}, rest),
    )


def state(line: Line) -> str:
    """Return how a certificate stands, as the style sheets call it: "good", "due" or "bad"."""
    if bad(line):
        return "bad"
    return "due" if Flag.ENDS_SOON in line.flags else "good"


def _said(line: Line) -> str:
    flags = f"; {', '.join(line.flags)}" if line.flags else ""
    return f"{line.role} {line.common_name}: until {line.not_after:%Y-%m-%d}{flags}"


def _corner(line: Line) -> str:
    for flag in (Flag.REVOKED, Flag.EXPIRED, Flag.NOT_YET_VALID, Flag.TOO_LARGE):
        if flag in line.flags:
            return flag.upper()
    return f"{line.days_left:,} d"


def _wide(line: Line) -> float:
    return round((BOX - 24) * line.life_left, 1)


def _cut(name: str) -> str:
    """Shorten a name in its middle."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - _TAIL - 1]}…{name[-_TAIL:]}"
