"""`plugcharge pki lint` as CI calls it: what it reads, what it prints, how it exits."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.commands import pki
from tests.pki.lint.made import LEAF, STATION, SUB2, Spec, integer, make, path

AT = ("--at", "2026-06-01")


def run(*arguments: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(pki, ["lint", *map(str, arguments)], input=stdin)


def pem(*ders: bytes) -> bytes:
    return b"".join(x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM) for der in ders)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    own = path()
    (tmp_path / "good.pem").write_bytes(pem(*own.chain))
    (tmp_path / "root.pem").write_bytes(pem(own.root.der))
    above = make(SUB2)
    (tmp_path / "warned.pem").write_bytes(pem(make(replace(LEAF, cn="DE8AA0012345671"), above).der))
    (tmp_path / "noted.pem").write_bytes(pem(make(replace(STATION, cn="yard"), above).der))
    (tmp_path / "bad.pem").write_bytes(pem(make(replace(LEAF, usage="s"), above).der))
    (tmp_path / "serial.pem").write_bytes(pem(make(Spec(fields={"serial": integer(5)}), above).der))
    return tmp_path


STATUS = {
    "clean": (["good.pem"], 0),
    "an error": (["bad.pem"], 1),
    "an error among others": (["good.pem", "bad.pem", "warned.pem"], 1),
    "a folder": (["."], 1),
    "a warning": (["warned.pem"], 0),
    "a warning that counts": (["warned.pem", "--fail-on", "warning"], 1),
    "a note": (["noted.pem", "--fail-on", "warning"], 0),
    "a note that counts": (["noted.pem", "--fail-on", "note"], 1),
    "an error that does not count": (["bad.pem", "--fail-on", "never"], 0),
    "an edition that does not fit": (["good.pem", "--edition", "iso20"], 1),
    "anchored": (["good.pem", "--trust", "root.pem"], 0),
    "not anchored": (["good.pem", "--trust", "bad.pem"], 2),
    "no such file": (["none.pem"], 2),
    "no such file among others": (["bad.pem", "none.pem"], 2),
    "no target": ([], 2),
    "no such format": (["good.pem", "--format", "pdf"], 2),
    "no such role": (["good.pem", "--role", "mayor"], 2),
    "nobody listens": (["127.0.0.1:1", "--timeout", "2"], 2),
    "no such folder to write to": (["good.pem", "--output", "none/there.txt"], 2),
}


@pytest.mark.parametrize(("arguments", "status"), STATUS.values(), ids=STATUS)
def test_the_exit_status_is_for_ci(
    files: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], status: int
) -> None:
    monkeypatch.chdir(files)
    result = run(*arguments, *AT)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    assert ("Error: " in result.output) is (status == 2)


def test_what_can_be_read_is_told_beside_what_cannot(files: Path) -> None:
    result = run(files / "bad.pem", files / "none.pem", *AT)
    assert "error: profile-usage" in result.output
    assert "none.pem: cannot be read: No such file" in result.output


def test_text_says_what_where_and_what_to_do(files: Path) -> None:
    output = run(files / "bad.pem", *AT).output
    assert "1. DC=MO,C=DE,O=Test,CN=DE8AA0012345670: contract (iso2)" in output
    assert "taken for that by: DC=MO, its CN, no CA" in output
    assert "error: profile-usage: extensions.keyUsage: its key usage lacks content_commitment [V2G2-822]" in output
    assert "issue it with the key usage of its role" in output
    assert output.endswith("1 certificate in 1 source: 1 error, 0 warnings, 0 notes\n")


def test_json_is_for_machines(files: Path) -> None:
    report = json.loads(run(files / "bad.pem", "--format", "json", *AT).output)
    (finding,) = report["findings"]
    assert (finding["rule"], finding["severity"], finding["requirements"]) == ("profile-usage", "error", ["V2G2-822"])
    assert finding["place"] == {
        "file": str(files / "bad.pem"),
        "certificate": 1,
        "line": 1,
        "tier": "leaf",
        "field": "extensions.keyUsage",
    }
    assert report["counts"] == {"error": 1, "warning": 0, "note": 0}
    (certificate,) = report["examined"][0]["certificates"]
    assert (certificate["role"], certificate["edition"], certificate["sha256"]) == (
        "contract",
        "iso2",
        finding["sha256"],
    )


def test_sarif_and_junit_go_into_files(files: Path) -> None:
    for form in ("sarif", "junit"):
        result = run(files / "bad.pem", "--format", form, "--output", files / form, *AT)
        assert (result.exit_code, result.output) == (1, "")
    assert json.loads((files / "sarif").read_text())["runs"][0]["results"][0]["ruleId"] == "profile-usage"
    assert ET.fromstring((files / "junit").read_text()).get("failures") == "1"


def test_standard_input_is_a_source(files: Path) -> None:
    result = run("-", *AT, stdin=(files / "bad.pem").read_bytes())
    assert result.exit_code == 1, result.output
    assert result.output.startswith("stdin: 1 certificate")


def test_rules_are_listed_and_explained() -> None:
    listed = run("--list")
    assert listed.exit_code == 0
    assert "chain-order" in listed.output
    explained = run("--explain", "profile-size")
    assert explained.exit_code == 0
    assert "V2G2-010" in explained.output
    unknown = run("--explain", "size")
    assert unknown.exit_code == 2
    assert "there is no rule 'size'" in unknown.output


def test_without_pyasn1_a_note_says_so(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pki.lint.second.find_spec", lambda _name: None)
    result = run(files / "good.pem", *AT)
    assert result.exit_code == 0
    assert "note: second-reader" in result.output
    assert "pip install 'plugcharge[lab]'" in result.output


def test_pyasn1_is_loaded_only_to_read() -> None:
    code = "import sys, pki.cli.lint, pki.lint.linter; sys.exit(any(name.startswith('pyasn1') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_made_from_a_tree_is_left_out_unless_it_is_named(files: Path) -> None:
    tree = files / "tree"
    for place in ("broken/one", "export/josev", "ca/broken"):
        (tree / place).mkdir(parents=True)
        (tree / place / "chain.pem").write_bytes((files / "bad.pem").read_bytes())
    (tree / "good.pem").write_bytes((files / "good.pem").read_bytes())
    everything = run(tree, "--format", "json", *AT)
    (tree / "manifest.json").write_text("{}")
    ran = run(tree, "--format", "json", *AT)
    names = {one["name"] for one in json.loads(ran.stdout)["examined"]}
    assert names == {str(tree / "good.pem"), str(tree / "ca/broken/chain.pem")}
    assert len(json.loads(everything.stdout)["examined"]) == 4
    assert f"{tree / 'broken'}: made from a tree and left out" in ran.stderr
    assert str(tree / "export") in ran.stderr
    assert run(files, *AT).stderr.count("left out") == 2
    assert run(tree / "broken", *AT).exit_code == 1


@pytest.mark.parametrize("pattern", ["bad.pem", "b*", "below", "below/*.pem", "*/bad.pem"])
def test_files_and_folders_may_be_excluded(files: Path, pattern: str) -> None:
    place = files / "some" / "below"
    place.mkdir(parents=True)
    (place / "bad.pem").write_bytes((files / "bad.pem").read_bytes())
    (files / "some" / "good.pem").write_bytes((files / "good.pem").read_bytes())
    assert run(files / "some", *AT).exit_code == 1
    assert run(files / "some", "--exclude", pattern, *AT).exit_code == 0


def test_a_quick_run_says_that_one_reader_alone_is_believed(files: Path) -> None:
    ran = run(files / "good.pem", "--quick", *AT)
    assert (ran.exit_code, "second-reader" in ran.output) == (0, True)
