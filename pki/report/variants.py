"""The certificates of a tree that were made wrong on purpose, as their expect.json tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pki.report.markup import Markup, element

MOST = 500
_COLUMNS = {
    "variant": "Variant",
    "role": "Role",
    "reason": "What is wrong",
    "requirement": "Requirement",
    "expected": "Expected reaction",
}


def table(folder: Path) -> Markup | None:
    """Return the variants below `broken/` of a tree as a table; None if there are none."""
    rows = [element("tr", None, *cells) for cells in _rows(folder)]
    if not rows:
        return None
    head = element("tr", None, *(element("th", {"scope": "col"}, title) for title in _COLUMNS.values()))
    return element(
        "div",
        {"class": "wide"},
        element("table", {"class": "variants"}, element("thead", None, head), element("tbody", None, *rows)),
    )


def _rows(folder: Path) -> Iterator[list[Markup]]:
    for path in sorted(folder.glob("broken/*/expect.json"))[:MOST]:
        told = _read(path)
        values = {key: _plain(told.get(key, "")) for key in _COLUMNS}
        values["variant"] = values["variant"] or path.parent.name
        yield [element("td", None, values[key]) for key in _COLUMNS]


def _read(path: Path) -> dict[str, Any]:
    """Return what a file says; one that cannot be read says that."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {"reason": f"expect.json cannot be read: {error}"}
    return told if isinstance(told, dict) else {"reason": "expect.json is no table"}


def _plain(value: object) -> str:
    """Return a value as words: lists and tables spelled out."""
    match value:
        case str():
            return value
        case None:
            return ""
        case dict():
            return ", ".join(f"{key}: {_flat(each)}" for key, each in value.items())
        case list():
            return ", ".join(_flat(each) for each in value)
        case _:
            return str(value)


def _flat(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
