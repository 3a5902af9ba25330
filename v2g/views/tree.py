"""Messages as indented text for people: a line for each value, physical ones as numbers with their unit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import groupby

from v2g.exi.fields import fields
from v2g.exi.message import Message
from v2g.exi.types import Octets, Text
from v2g.views.parts import Part, is_attribute, parts
from v2g.views.values import to_text

WIDTH = 100
INDENT = "  "
LEAST_SHOWN = 16
"""Characters of a value that are shown however narrow the page is."""
SCALES = (("Multiplier", "Unit", "Value"), ("Exponent", "Value"))
"""The fields of what is a number times ten to the power of its first field."""


def to_tree(message: Message, name: str = "", *, width: int = WIDTH) -> str:
    """Tell a message as lines of at most about `width` characters; what does not fit is cut, and its size told."""
    return "\n".join(_lines(name or message.element, message, "", width))


def _lines(label: str, message: Message, indent: str, width: int) -> Iterator[str]:
    inner = indent + INDENT
    found = list(parts(message))
    attributes = [f"@{part.name}={to_text_of(part)}" for part in found if is_attribute(part.field)]
    yield " ".join([f"{indent}{label}", *attributes])
    rest = [part for part in found if not is_attribute(part.field)]
    for _, group in groupby(rest, key=lambda part: part.field):
        items = list(group)
        if isinstance(items[0].value, Message):
            for number, part in enumerate(items):
                yield from _element(f"{part.name}[{number}]" if part.field.many else part.name, part, inner, width)
        else:
            yield _cut(f"{inner}{items[0].name} ", ", ".join(to_text_of(part) for part in items), items, width)


def _element(label: str, part: Part, indent: str, width: int) -> Iterator[str]:
    physical = physical_text(part.value)
    if physical:
        yield f"{indent}{label} {physical}"
    else:
        yield from _lines(label, part.value, indent, width)


def physical_text(message: Message) -> str:
    """Tell a number with its unit such as `400 V (Multiplier 0)`; empty for what is none."""
    names = tuple(field.name for field in fields(type(message)))
    if names not in SCALES:
        return ""
    values = {name: getattr(message, name) for name in names}
    scale = values[names[0]]
    number = format(Decimal(values["Value"]).scaleb(scale), "f" if abs(scale) <= 9 else "E")
    unit = f" {values['Unit']}" if values.get("Unit") is not None else ""
    return f"{number}{unit} ({names[0]} {scale})"


def to_text_of(part: Part) -> str:
    """Tell a value without children; what could act on a terminal is escaped."""
    kind = part.field.type
    if isinstance(kind, type):
        raise TypeError(f"{kind.__name__} is no value")
    text = to_text(kind, part.value)
    return _quoted(text) if isinstance(kind, Text) else text or "(empty)"


def _cut(label: str, text: str, items: list[Part], width: int) -> str:
    """Tell a line, shortened to the width if its value can be."""
    room = max(width - len(label), LEAST_SHOWN)
    if len(text) <= room:
        return label + text
    octets = isinstance(items[0].field.type, Octets) and len(items) == 1
    size = f"... ({len(items[0].value)} bytes)" if octets else f"... ({len(text)} characters)"
    return label + text[: max(room - len(size), LEAST_SHOWN)] + size


def _is_plain(text: str) -> bool:
    return text.isprintable() and text == text.strip() and text[:1] not in ("", '"', "'")


def _quoted(text: str) -> str:
    return repr(text) if not _is_plain(text) else text
