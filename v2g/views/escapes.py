r"""Characters that XML 1.0 cannot carry, such as the NULs that a car sends, written so that they can be read back.

An element with such characters says so itself, by the attribute `escaped` of the namespace `NAMESPACE`: it names what
is escaped, `text` for the element's own text, else attributes. In there, and nowhere else, a backslash is `\\` and a
character that XML cannot carry is `\u` with four hexadecimal digits. Text without the mark is what it says it is.
"""

from __future__ import annotations

import re

NAMESPACE = "urn:plugcharge:escape"
MARK = f"{{{NAMESPACE}}}escaped"
TEXT = "text"
"""Stands in a mark for the element's own text."""

_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff"
_NEEDING = re.compile(f"[{_FORBIDDEN}]")
_CHANGED = re.compile(rf"[{_FORBIDDEN}\\]")
_ESCAPE = re.compile(r"\\(?:(\\)|u([0-9A-Fa-f]{4})|)")


def needs_escape(text: str) -> bool:
    """Tell whether XML 1.0 cannot carry a text."""
    return _NEEDING.search(text) is not None


def escape(text: str) -> str:
    """Write a text with escapes."""
    return _CHANGED.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04X}", text)


def unescape(text: str) -> str:
    """Read a text with escapes. Raises ValueError for a backslash that begins none."""
    return _ESCAPE.sub(_character, text)


def masked(text: str) -> str:
    """Tell an escaped text with one replacement character for each escape, as long as the text it stands for."""
    return _ESCAPE.sub("\ufffd", text)


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return "\\"
    if not found[2]:
        raise ValueError(r"a backslash begins no escape; write \\ for itself, or \u and four hexadecimal digits")
    return chr(int(found[2], 16))
