"""What others wrote into names of certificates and files never steers the terminal of who looks at them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.commands import pki
from tests.pki.lint.made import CONTRACT_20, LEAF, ROOT, STATION, SUB2, Spec, make, p521

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\x7f\r\x08"
AT = ("--at", "2026-06-01")


def pem(*ders: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)


@pytest.fixture
def hostile(folder: Path) -> Path:
    """A tree with names of its own in every place where the commands print one."""
    above = make(replace(SUB2, cn=f"Sub{ESCAPES}2"), make(replace(ROOT, cn=f"Root{ESCAPES}")))
    top = make(replace(ROOT, cn=f"Root{ESCAPES}"))
    specs = {
        "car": replace(LEAF, cn=f"DE8AA{ESCAPES}"),
        "evse": replace(STATION, cn=f"DE*ABC*E{ESCAPES}", dc=ESCAPES),
        "dc": Spec(cn="DE8AA0012345670", dc=f"MO{ESCAPES}"),
        "twenty": replace(CONTRACT_20, cn=f"DE8AA{ESCAPES}"),
        "other": Spec(cn=ESCAPES, key=p521, usage="s"),
    }
    for number, (name, spec) in enumerate(specs.items()):
        place = folder / "leaf" / ("contract" if number % 2 else f"con{ESCAPES[:-2]}tract") / f"{name}{ESCAPES}"
        place.mkdir(parents=True)
        leaf = make(spec, above)
        (place / "cert.pem").write_bytes(pem(leaf.der))
        (place / "chain.pem").write_bytes(pem(leaf.der, top.der, above.der, above.der))
        (place / f"noise{ESCAPES}.pem").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (folder / "trust" / f"mo{ESCAPES}.pem").write_bytes(pem(top.der, above.der))
    (folder / "ca" / f"m{ESCAPES}o").mkdir()
    (folder / "ca" / f"m{ESCAPES}o" / f"sub{ESCAPES}2.pem").write_bytes(pem(above.der))
    (folder / "broken" / ESCAPES).mkdir(parents=True)
    shutil.copytree(folder, folder.parent / f"tree{ESCAPES}")
    return folder.parent


@pytest.mark.parametrize(
    "words",
    [
        ("lint", "--all", *AT),
        ("lint", "--all", "--hubject", *AT),
        ("lint", "--all", "--edition", "iso20", *AT),
        ("lint", "--role", ESCAPES),
        ("doctor", *AT),
        ("doctor",),
        ("show", "--all", "--out"),
    ],
)
@pytest.mark.parametrize("part", ["", f"tree{ESCAPES}", f"tree{ESCAPES}/leaf/contract", f"none{ESCAPES}"])
def test_nothing_steers_the_terminal(hostile: Path, words: tuple[str, ...], part: str) -> None:
    ran = CliRunner().invoke(pki, [*words, str(hostile / part)])
    assert ran.output
    strange = {character for character in ran.output if not character.isprintable() and character != "\n"}
    lines = [line for line in ran.output.split("\n") if strange.intersection(line)]
    assert not strange, ascii(lines[:5])
