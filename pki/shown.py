"""How text of foreign certificates and file names is shown to people: nothing in it may move a cursor or hide."""

from __future__ import annotations

_LONGEST = 120


def shown(text: str, longest: int = _LONGEST) -> str:
    """Return text on one line: what does not print (controls, direction marks, surrogates) is written as its escape.

    More than `longest` characters end in "…".
    """
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return "".join(_plain(character) for character in cut)


def _plain(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
