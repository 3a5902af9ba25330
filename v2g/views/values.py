"""A value without children as people write it, and back: hex or base64 as its type says, enumerations by their texts.

Values out of range pass: whether they may be sent is for the codec to say. Only what is no value of its type at all
is refused here.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from v2g.exi.runtime import SURROGATES
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole

Plain = bool | int | str
"""What JSON has for a value."""

MOST_QUOTED = 40
MOST_DIGITS = 1_000

_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_SPACE = " \t\r\n"


def to_plain(kind: Simple, value: Any) -> Plain:
    """Tell a value as JSON has it: numbers and booleans as they are, everything else as text."""
    plain: Plain = value if isinstance(kind, Flag | Whole) else to_text(kind, value)
    return plain


def to_text(kind: Simple, value: Any) -> str:
    """Tell a value as XML has it."""
    match kind:
        case Flag():
            return "true" if value else "false"
        case Octets("hex"):
            return bytes(value).hex().upper()
        case Octets():
            return base64.b64encode(value).decode()
        case _:
            return str(value)


def from_plain(kind: Simple, plain: Any) -> Any:
    """Read a value out of JSON. Raises ValueError saying what it should be."""
    match kind, plain:
        case Flag(), bool():
            return plain
        case Text() | Listed() | Octets(), str():
            return _of_text(kind, plain)
        case Whole(), int() if not isinstance(plain, bool):
            return plain
        case Flag(), _:
            raise ValueError(f"{quoted(plain)} is no boolean; write true or false")
        case Whole(), _:
            raise ValueError(f"{quoted(plain)} is no whole number; write it without quotes and fraction")
    raise ValueError(f"{quoted(plain)} is no text; write {_wanted(kind)} in quotes")


def from_text(kind: Simple, text: str) -> Any:
    """Read a value out of XML. Raises ValueError saying what it should be."""
    if isinstance(kind, Text):
        return _of_text(kind, text)
    text = text.strip(_SPACE)
    match kind:
        case Flag() if text in _FLAGS:
            return _FLAGS[text]
        case Whole() if _WHOLE.fullmatch(text) and len(text) <= MOST_DIGITS:
            return int(text)
        case Flag() | Whole():
            raise ValueError(f"{quoted(text)} is no {'boolean' if kind == Flag() else 'whole number'}")
        case Octets("base64"):
            return _of_text(kind, "".join(text.split()))
    return _of_text(kind, text)


def quoted(value: Any) -> str:
    """Tell a value for an error: at most `MOST_QUOTED` characters of it, nothing that acts on a terminal."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if not isinstance(value, str):
        return ascii(value)[:MOST_QUOTED]
    return ascii(value if len(value) <= MOST_QUOTED else value[:MOST_QUOTED] + "...")


def _of_text(kind: Simple, text: str) -> Any:
    match kind:
        case Listed(members):
            if text in set(members):
                return members(text)
        case Text():
            if not any(ord(character) in SURROGATES for character in text):
                return text
        case Octets("hex"):
            if _HEX.fullmatch(text):
                return bytes.fromhex(text)
        case Octets():
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                pass
    raise ValueError(f"{quoted(text)} is not {_wanted(kind)}")


def _wanted(kind: Simple) -> str:
    """Tell what a text should be."""
    match kind:
        case Listed(members):
            return f"one of {', '.join(members)}"
        case Octets("hex"):
            return "hex, two digits a byte"
        case Octets():
            return "base64"
        case _:
            return "Unicode text without halves of surrogate pairs"
