"""HTML and SVG made of elements: what is not made here is text, and text is always escaped."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from pki.shown import shown

_LONGEST = 400
_VOID = frozenset({"meta", "rect", "path", "circle", "br", "hr", "col"})


class Markup(str):
    """Text that is markup already; only this module makes it from what is not."""

    __slots__ = ()


Child = str | None
"""Text to be escaped, or `Markup`; None and "" leave no trace."""
NOTHING = Markup("")


def element(name: str, attributes: Mapping[str, str | int | float] | None = None, *children: Child) -> Markup:
    """Return an element with its attributes and what is in it."""
    given = "".join(f' {key}="{_number(value)}"' for key, value in (attributes or {}).items())
    inner = "".join(text(child) for child in children if child)
    return Markup(f"<{name}{given}/>" if name in _VOID and not inner else f"<{name}{given}>{inner}</{name}>")


def text(child: str) -> Markup:
    """Return a text as markup: escaped, on one line, without what does not print."""
    return child if isinstance(child, Markup) else Markup(escape(shown(child, _LONGEST), quote=True))


def joined(*parts: Markup) -> Markup:
    """Return markup after markup, each on a line of its own."""
    return Markup("\n".join(part for part in parts if part))


def style(css: str) -> Markup:
    """Return a style sheet of ours; never for text from elsewhere."""
    return Markup(f"<style>\n{css}</style>")


def _number(value: str | float) -> str:
    return text(value) if isinstance(value, str) else f"{value:g}"
