"""Which certificate of which tree an argument names: a place such as leaf/contract/car1, or the path of its files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_KINDS = ("ca", "leaf")
_PARTS = 3
_KEYS = "private"


def located(text: str, tree: Path | None, default: Path) -> tuple[Path, str]:
    """Return the folder of a tree and the place in it; `tree` is what --tree says, `default` its default.

    Raises ValueError where path and --tree contradict each other.
    """
    path = Path(text)
    parts = path.parts
    at = max((number for number, part in enumerate(parts[:-2]) if part in _KINDS), default=0)
    place = _place(parts[at:])
    if at == 0 or place is None:
        return tree or default, text if place is None else place
    above = Path(*parts[:at])
    if tree is not None and tree.resolve() != above.resolve():
        raise ValueError(f"{text}: does not lie in {tree}; leave --tree out, or name the place alone: {place}")
    return above, place


def together(texts: Iterable[str], tree: Path | None, default: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the one tree that several arguments are about and their places; raise ValueError for two trees."""
    found = [located(text, tree, default) for text in texts]
    folders = {folder.resolve(): folder for folder, _ in found}
    if len(folders) > 1:
        raise ValueError(f"{' and '.join(map(str, folders.values()))}: are two trees; take one after the other")
    return next(iter(folders.values()), tree or default), tuple(place for _, place in found)


def _place(parts: tuple[str, ...]) -> str | None:
    """Return the place that a path below the folder of a tree names; None where it names none."""
    if len(parts) < _PARTS or parts[0] not in _KINDS:
        return None
    if parts[0] == "leaf":
        return "/".join(parts[:_PARTS])
    *above, name = (part for part in parts if part != _KEYS)
    for suffix in (".pem", ".der", ".key"):
        name = name.removesuffix(suffix)
    return "/".join((*above, name))
