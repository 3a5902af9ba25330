"""The plan of the house, held: which package may import which, how long a file may be, what no file is called."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ALLOWED = {
    "v2g": {"v2g"},
    "pki": {"pki", "v2g"},
    "secc": {"secc", "pki", "v2g"},
    "evcc": {"evcc", "pki", "v2g"},
    "plugcharge": {"plugcharge", "secc", "evcc", "pki", "v2g"},
    "lab": {"lab", "secc", "evcc", "pki", "v2g"},
}
MAX_LINES = 400
DECLARATIONS = (ROOT / "v2g" / "messages", ROOT / "secc" / "api.py")
SOURCES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


def imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything a module imports, relative imports resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            yield node.lineno, ".".join([*base, *([node.module] if node.module else [])])


def ours(path: Path) -> list[tuple[int, str]]:
    """Return line and name of each import of one of our packages."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return [(line, name) for line, name in imports(tree, package) if name.split(".")[0] in ALLOWED]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_imports_run_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    wrong = [
        f"{relative(path)}:{line} imports {name}"
        for line, name in ours(path)
        if name.split(".")[0] not in ALLOWED[room]
    ]
    assert not wrong


@pytest.mark.parametrize("path", sorted(ROOT.glob("*/commands.py")), ids=relative)
def test_commands_of_a_package_stay_in_it(path: Path) -> None:
    """What needs two packages belongs to plugcharge, which mounts by name and imports nothing but v2g."""
    assert {name.split(".")[0] for _, name in ours(path)} <= {path.parent.name, "v2g"}


@pytest.mark.parametrize(
    ("source", "package", "found"),
    [
        ("import secc.api", "v2g", ["secc.api"]),
        ("def f():\n    from pki.validate import validate", "v2g", ["pki.validate"]),
        ("from . import message", "v2g.exi", ["v2g.exi"]),
        ("from ..record import Record", "v2g.exi", ["v2g.record"]),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, package: str, found: list[str]) -> None:
    assert [name for _, name in imports(ast.parse(source), package)] == found


def test_no_session_needs_the_views() -> None:
    """They are for people, and XML needs what a station may not have; only commands load them."""
    rooms = [path for path in SOURCES if (ROOT / "v2g" / "views") not in path.parents]
    users = {relative(path) for path in rooms if any(name.startswith("v2g.views") for _, name in ours(path))}
    assert users == {"v2g/commands.py", "pki/contract/document.py"}


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_is_one_noun(path: Path) -> None:
    assert path.stem not in {"utils", "util", "helpers", "misc"}
    if not any(path.is_relative_to(place) for place in DECLARATIONS):
        assert len(path.read_text(encoding="utf-8").splitlines()) < MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_file_says_what_it_owns(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), f"{relative(path)} has no module docstring"


@pytest.mark.parametrize(
    ("fact", "room", "owners"), [("ZZ00000", "v2g", ["v2g/identifiers.py"]), (65_536, "v2g/exi", [])], ids=str
)
def test_a_fact_is_declared_once(fact: object, room: str, owners: list[str]) -> None:
    """The id of a station without one; the longest payload, which the codec takes from V2GTP."""
    found = [
        relative(path)
        for path in SOURCES
        if path.is_relative_to(ROOT / room)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value == fact
    ]
    assert found == owners
