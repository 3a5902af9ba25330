"""A short run of the fuzzers that coverage leads: they start, learn, find nothing, and would find something."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.endurance import ENDURANCE
from tests.fuzz.failures import PARSERS, again, command_of
from tests.fuzz.targets import TARGETS, seeds
from v2g.protocols import SCHEMAS

needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris is not installed (pip install 'plugcharge[fuzz]'; wheels for Python 3.11 to 3.13 on x86-64 Linux)",
)
SHORT = ("--runs=150", "--seeds=10", "--seed=1")
LONG = ("--seconds=60",)
LONGEST = 180
"""Seconds after which a run is stuck; to watch the code of a set takes several by itself."""

COVERED = re.compile(r"#(\d+)\s+(INITED|DONE) +cov: (\d+) ft: (\d+)")


def guided(target: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *command_of(target).split()[1:], "--folder", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)


@needs_atheris
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run_learns_and_finds_nothing(target: str, tmp_path: Path) -> None:
    finished = guided(target, tmp_path, *(LONG if ENDURANCE else SHORT))
    assert finished.returncode == 0, finished.stderr[-4_000:]
    (_, _, covered_first, features_first), (_, _, covered, features) = COVERED.findall(finished.stderr)
    assert int(covered) >= int(covered_first) > 20
    assert int(features) > int(features_first)


@needs_atheris
def test_the_code_that_the_codec_writes_leads_as_well(tmp_path: Path) -> None:
    """Without it the seeds of two sets would cover much the same: the interpreter is one for all."""
    covered = {}
    for name in ("sap", "iso2"):
        finished = guided(name, tmp_path, "--runs=1", "--seeds=80")
        covered[name] = int(COVERED.findall(finished.stderr)[0][2])
    assert covered["iso2"] > 2.5 * covered["sap"]


@needs_atheris
def test_a_planted_defect_is_found_kept_and_told(tmp_path: Path) -> None:
    """The defect sits in code that is only written when a class is first met."""
    (tmp_path / "sitecustomize.py").write_text(PLANTED, encoding="utf-8")
    paths = os.pathsep.join([str(tmp_path), str(Path.cwd())])
    command = [sys.executable, *command_of("sap").split()[1:], "--folder", str(tmp_path), "--runs=20000"]
    found = subprocess.run(
        command, capture_output=True, text=True, timeout=LONGEST, check=False, env={**os.environ, "PYTHONPATH": paths}
    )
    assert found.returncode != 0
    assert f"sap fails, try again: {command_of('sap')} --input {tmp_path}/sap/failed" in found.stderr
    assert (tmp_path / "sap" / "failed").read_bytes().hex() in found.stderr


PLANTED = """
import builtins
plain = builtins.compile
def planted(source, name, *rest, **options):
    if name == "<read_SupportedAppProtocolRes>":
        head, body = source.split("\\n", 1)
        source = head + "\\n    if v >> p - 4 & 15 == 7: raise ZeroDivisionError\\n" + body
    return plain(source, name, *rest, **options)
builtins.compile = planted
"""


@pytest.mark.parametrize("target", ["din", "framer"])
def test_an_input_is_checked_again_without_atheris(target: str, tmp_path: Path) -> None:
    data = seeds(target)[0]
    text = again(target, data, tmp_path)
    assert data.hex() in text
    for given in (data.hex(), str(tmp_path / target / "failed")):
        checked = guided(target, tmp_path, "--input", given)
        assert checked.stdout == f"{target}: {len(data)} bytes hold\n", checked.stderr


def test_every_target_has_a_command() -> None:
    assert (*SCHEMAS, *PARSERS) == TARGETS
    assert {command_of(target).split()[2] for target in TARGETS} == {"tests.fuzz.codec", "tests.fuzz.parsers"}
