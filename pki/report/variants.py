"""The certificates of a tree that were made wrong on purpose, as their expect.json tell."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pki.report.markup import NOTHING, Markup, element, joined

MOST = 1000
_COLUMNS = {
    "variant": "Variant",
    "role": "Role",
    "reason": "What is wrong",
    "requirement": "Requirement",
    "expected": "Expected reaction",
}


def table(folder: Path) -> Markup | None:
    """Return the variants below `broken/` of a tree as a table to be opened; None if there are none.

    It has many rows, and is printed only by who opened it.
    """
    files = sorted(folder.glob("broken/*/expect.json"))
    if not files:
        return None
    every = {path: _read(path) for path in files[:MOST]}
    rows = (element("tr", None, *_cells(path, told)) for path, told in every.items())
    head = element("tr", None, *(element("th", {"scope": "col"}, title) for title in _COLUMNS.values()))
    inner = (element("thead", None, head), element("tbody", None, *rows))
    more = len(files) - MOST
    rest = element("p", {"class": "hidden"}, f"… {more:,} more in {folder / 'broken'}") if more > 0 else NOTHING
    wide = element("div", {"class": "wide"}, element("table", {"class": "variants"}, *inner))
    return element("details", None, element("summary", None, _counted(len(files), every.values())), joined(wide, rest))


def _counted(number: int, every: Iterable[Mapping[str, Any]]) -> str:
    """Return how many there are, and of which roles."""
    roles = Counter(_plain(told.get("role", "")) for told in every)
    listed = ", ".join(f"{count:,} {role}" for role, count in sorted(roles.items()) if role)
    return f"{number:,} {'chain' if number == 1 else 'chains'}" + (f": {listed}" if listed else "")


def _cells(path: Path, told: Mapping[str, Any]) -> Iterator[Markup]:
    values = {key: _plain(told.get(key, "")) for key in _COLUMNS}
    values["variant"] = values["variant"] or path.parent.name
    yield from (element("td", None, values[key]) for key in _COLUMNS)


def _read(path: Path) -> dict[str, Any]:
    """Return what a file says; one that cannot be read says that."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        return {"reason": f"expect.json cannot be read: {error}"}
    return told if isinstance(told, dict) else {"reason": "expect.json is no table"}


def _plain(value: Any) -> str:
    """Return a value as words: lists and tables spelled out."""
    match value:
        case str():
            return value
        case None:
            return ""
        case {"by": str()}:
            return _reaction(value)
        case dict():
            return ", ".join(f"{key}: {_flat(each)}" for key, each in value.items() if each)
        case list():
            return ", ".join(_flat(each) for each in value)
        case _:
            return str(value)


def _reaction(told: Mapping[Any, Any]) -> str:
    """Return who does what and when: "EVCC: certificate_expired, TLS handshake"."""
    otherwise = f"refused, {_flat(told['rule'])}" if told.get("rule") else "accepted"
    what = _flat(told.get("code") or told.get("tls_alert") or otherwise)
    return ", ".join([f"{_flat(told['by']).upper()}: {what}", *filter(None, [_flat(told.get("message", ""))])])


def _flat(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
