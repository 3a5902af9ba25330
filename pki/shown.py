"""How text of foreign certificates and file names is shown to people: nothing in it may move a cursor or hide."""

from __future__ import annotations

_LONGEST = 120


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return text on one line: what does not print (controls, direction marks, surrogates) is written as its escape.

    More than `longest` characters end in "…".
    """
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(_plain(character) for character in cut)


def printable(text: str) -> str:
    """Return a message of ours with its lines as they are, and what others put into them as `shown` has it."""
    return "\n".join(shown(line, len(line)) for line in text.split("\n"))


def _plain(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
