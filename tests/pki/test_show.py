from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from pki.commands import pki
from pki.outline import ASCII, aligned, as_text
from pki.overview import Flag, Line, survey
from pki.shown import shown
from tests.pki.chains import build

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(pki, [str(argument) for argument in arguments])


def flags(folder: Path, at: datetime | None = None) -> dict[str, tuple[Flag, ...]]:
    return {line.place: line.flags for line in survey(folder, at) if line.flags}


def line(number: int, flag: Flag | None = None) -> Line:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    return Line(
        place=f"leaf/contract/c{number}",
        role="contract",
        depth=1,
        issuer="ca/mo/sub2",
        common_name=f"DE{number}",
        days_left=9,
        life_left=0.5,
        not_before=now,
        not_after=now,
        serial="1",
        size=500,
        limit=800,
        flags=(flag,) if flag else (),
    )


ISSUER = replace(line(0), place="ca/mo/sub2", role="mo-sub2", issuer=None, depth=0)


def test_each_certificate_stands_below_its_issuer(folder: Path) -> None:
    lines = run("show", "--out", folder.parent).output.splitlines()
    assert lines[0].startswith(str(folder))
    assert len(lines) == 1 + len(survey(folder))
    at = next(number for number, text in enumerate(lines) if "DEPCGC00000001V" in text)
    assert "729 days left" in lines[at]
    assert "800 B" in lines[at]
    above = [next(text for text in reversed(lines[:at]) if place in text) for place in ("ca/mo/sub2", "ca/mo/sub1")]
    indents = [text.index("ca/") for text in above]
    assert indents == sorted(indents, reverse=True)
    assert lines[at].index("leaf/") > indents[0]
    assert run("show", "--out", folder).output.splitlines() == lines


def test_json_is_for_machines(folder: Path) -> None:
    listed = json.loads(run("show", "--out", folder.parent, "--json").output)["iso2"]
    assert len(listed) == len(survey(folder))
    contract = next(each for each in listed if each["place"] == "leaf/contract/car1")
    told = {key: contract[key] for key in ("depth", "common_name", "days_left", "issuer", "role", "limit", "flags")}
    assert told == {
        "depth": 3,
        "common_name": "DEPCGC00000001V",
        "days_left": 729,
        "issuer": "ca/mo/sub2",
        "role": "contract",
        "limit": 800,
        "flags": [],
    }
    assert 0.99 < contract["life_left"] <= 1


def test_nothing_is_flagged_in_new_trees(trees: Path) -> None:
    for folder in trees.iterdir():
        assert flags(folder) == {}
    limits = {line.limit for line in survey(trees / "iso20")}
    assert limits == {1600}


def test_what_is_wrong_is_flagged(folder: Path) -> None:
    made = datetime.now(UTC)
    (folder / "leaf/secc/evse1/key.pem").unlink()
    key = folder / "leaf/contract/car1/key.pem"
    secret = load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    (folder / "ca/cps/sub2.pem").unlink()
    found = flags(folder)
    assert found["leaf/secc/evse1"] == (Flag.KEY_MISSING,)
    assert found["leaf/contract/car1"] == (Flag.KEY_ENCRYPTED,)
    assert found["leaf/cps/cps1"] == (Flag.NO_ISSUER,)
    assert flags(folder, made + timedelta(days=50))["leaf/secc/evse1"] == (Flag.KEY_MISSING, Flag.ENDS_SOON)
    assert flags(folder, made + timedelta(days=61))["leaf/secc/evse1"] == (Flag.EXPIRED, Flag.KEY_MISSING)
    assert Flag.NOT_YET_VALID in flags(folder, made - timedelta(days=400))["leaf/secc/evse1"]


def test_what_was_revoked_is_flagged(folder: Path) -> None:
    assert run("revoke", "leaf/contract/car1", "--tree", folder).exit_code == 0
    assert flags(folder) == {"leaf/contract/car1": (Flag.REVOKED,)}
    assert "revoked" in run("show", "--out", folder).output


def test_what_is_too_large_is_flagged(folder: Path) -> None:
    (folder / "leaf/contract/car1/cert.pem").write_bytes(oversized())
    assert Flag.TOO_LARGE in flags(folder)["leaf/contract/car1"]


def oversized() -> bytes:
    filler = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x82\x01\xf4" + bytes(500))
    made = build("contract", leaf={"extensions": ((filler, False),)}).leaf
    return made.certificate.public_bytes(Encoding.PEM)


def test_what_cannot_be_read_is_named(folder: Path) -> None:
    (folder / "ca/mo/sub1.pem").write_text("garbage")
    result = run("show", "--out", folder)
    assert result.exit_code == 1
    assert f"DAMAGED: {folder / 'ca/mo/sub1.pem'}: holds no PEM certificates" in result.output
    assert "cryptography.io" not in result.output
    assert "leaf/secc/evse1" in result.output


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "no BEGIN CERTIFICATE in it"),
        ("-----BEGIN CERTIFICATE-----\nMII", "cut short or garbled"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cut short or garbled"),
    ],
)
def test_what_is_damaged_is_told_in_few_words(folder: Path, text: str, problem: str) -> None:
    (folder / "ca/mo/sub1.pem").write_text(text)
    result = run("show", "--out", folder, "--json")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"DAMAGED: {folder / 'ca/mo/sub1.pem'}: holds no PEM certificates ({problem}); ")
    assert "ca/mo/sub1" not in {each["place"] for each in json.loads(result.stdout)["iso2"]}


def test_an_orphan_stands_at_the_top(folder: Path) -> None:
    (folder / "ca/mo/sub2.pem").unlink()
    depths = {line.place: line.depth for line in survey(folder)}
    assert (depths["leaf/contract/car1"], depths["leaf/secc/evse1"]) == (0, 3)


def test_a_large_family_is_cut_short_and_its_troubles_are_not(tmp_path: Path) -> None:
    family = [line(number, Flag.EXPIRED if number in (7000, 9000) else None) for number in range(10_000)]
    texts = list(as_text(tmp_path, [ISSUER, *family]))
    assert len(texts) == 1 + 1 + 10 + 1
    assert texts[-1].endswith("└─ … 9,990 more contract leaves; --all shows them")
    assert any("c7000" in text for text in texts)
    assert any("c9000" in text for text in texts)
    assert len(list(as_text(tmp_path, [ISSUER, *family], every=True))) == 10_002


def test_hidden_troubles_are_counted(tmp_path: Path) -> None:
    family = [line(number, Flag.EXPIRED) for number in range(30)]
    assert list(as_text(tmp_path, [ISSUER, *family]))[-1].endswith(
        "20 more contract leaves, 20 expired; --all shows them"
    )


def test_twenty_are_shown_one_by_one(folder: Path) -> None:
    assert len(list(aligned(folder, [ISSUER, *map(line, range(20))]))) == 22


def test_a_plain_terminal_gets_plain_characters(folder: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "pki", "show", "--out", str(folder)]
    result = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
    assert b"|  |- ca/mo/sub1" in result.stdout.replace(b"`-", b"|-")
    assert list(as_text(folder, survey(folder), glyphs=ASCII)) == result.stdout.decode("ascii").splitlines()


def test_colour_changes_no_word(folder: Path) -> None:
    """A terminal gets the same lines, in colour."""
    (folder / "leaf/secc/evse1/key.pem").unlink()
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "pki", "show", "--out", str(folder)]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "40", "PYTHONIOENCODING": "utf-8"}
    with subprocess.Popen(command, stdout=theirs, cwd=ROOT, env=environment) as process:
        os.close(theirs)
        told = b""
        while chunk := _read(ours):
            told += chunk
    os.close(ours)
    assert process.returncode == 0
    assert b"\x1b[33m" in told
    bare = told.decode().split("\x1b")
    text = bare[0] + "".join(piece.partition("m")[2] for piece in bare[1:])
    assert text.replace("\r\n", "\n").splitlines() == list(as_text(folder, survey(folder)))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # how Linux tells that the other side is closed
        return b""


def test_names_of_others_move_no_cursor(folder: Path) -> None:
    evil = build(leaf={"cn": ("a\x1b[2J\r\nb\u202egnp.exe",)}).leaf
    (folder / "leaf/secc/evse1/cert.pem").write_bytes(evil.certificate.public_bytes(Encoding.PEM))
    output = run("show", "--out", folder).output
    assert r"a\x1b[2J\r\nb\u202egnp.exe" in output
    assert "\x1b" not in output
    assert len(output.splitlines()) == 1 + len(survey(folder))


@given(st.text())
def test_what_is_shown_prints(text: str) -> None:
    result = shown(text)
    assert result.isprintable()
    result.encode()
    if text.isprintable() and len(text) <= 120:
        assert result == text


@pytest.mark.slow
def test_ten_thousand_leaves_take_seconds(folder: Path) -> None:
    """The target is five; time of the processor, and three times of it, as others keep the machine busy."""
    leaf = folder / "leaf/contract/car1"
    for number in range(10_000):
        copy = folder / f"leaf/contract/many{number}"
        copy.mkdir()
        shutil.copy(leaf / "cert.pem", copy)
        shutil.copy(leaf / "key.pem", copy)
    begin = time.process_time()
    lines = survey(folder)
    assert time.process_time() - begin < 15
    assert sum(line.issuer == "ca/mo/sub2" for line in lines) > 10_000
