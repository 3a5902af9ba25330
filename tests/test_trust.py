"""Who decides whom to trust: `pki.validate` and nobody else, in SECC, EVCC and lab."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("v2g", "secc", "evcc", "lab", "plugcharge")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
# What could stand in for a decision of `pki.validate`, in any library we have.
DECIDERS = {
    "verify_directly_issued_by",
    "signed_by",
    "verification",
    "PolicyBuilder",
    "X509Store",
    "X509StoreContext",
    "load_verify_locations",
    "load_verify_dir",
    "set_default_verify_paths",
    "load_default_certs",
    "create_default_context",
    "CERT_REQUIRED",
    "CERT_OPTIONAL",
    "VERIFY_PEER",
    "CertificateValidator",
    "ValidationContext",
}
ALLOWED = {
    # OpenSSL knows no anchor there, and asks `verify` instead.
    ("v2g/tls/_openssl.py", "VERIFY_PEER"),
    # A station finds its own root in a file, to send it along; it trusts nobody for that.
    ("v2g/tls/identity.py", "verify_directly_issued_by"),
    # The broker is no party of V2G.
    ("secc/mqtt.py", "create_default_context"),
    # Tariffs are signed by who issued the contract that the car itself holds.
    ("evcc/tariff.py", "signed_by"),
}
VERDICTS = {"pki.validate", "pki.relying_party"}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def names(tree: ast.AST) -> Iterator[str]:
    """Yield every name that is used, imported, or taken of something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from (part for alias in node.names for part in alias.name.split("."))


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield module and name of everything taken from another module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nobody_decides_on_trust_beside_pki(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {(relative(path), name) for name in names(tree) if name in DECIDERS}
    assert found <= ALLOWED


def test_what_is_allowed_is_still_there() -> None:
    found = {(relative(path), name) for path in SOURCES for name in names(ast.parse(path.read_text(encoding="utf-8")))}
    assert found >= ALLOWED


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_verdicts_are_made_in_pki_alone(path: Path) -> None:
    """Nobody else calls the type of a verdict: it is passed on, never made up."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Verdict"
    ]
    taken = {module for module, name in imported(tree) if name == "Verdict"}
    assert not made or "v2g.trust" not in taken


@pytest.mark.parametrize("room", ["secc", "evcc", "lab"])
def test_each_room_asks_pki(room: str) -> None:
    asked = {
        module
        for path in (ROOT / room).rglob("*.py")
        for module, _ in imported(ast.parse(path.read_text(encoding="utf-8")))
    }
    assert asked & VERDICTS


def test_a_decider_is_found_wherever_it_stands() -> None:
    for source in (
        "from cryptography.x509 import verification",
        "import OpenSSL\nOpenSSL.crypto.X509Store()",
        "def f(a, b):\n    a.verify_directly_issued_by(b)",
        "from pki.certificate import signed_by as s",
        "import cryptography.x509.verification as v",
    ):
        assert set(names(ast.parse(source))) & DECIDERS
