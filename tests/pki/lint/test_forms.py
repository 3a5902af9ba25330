"""Findings in the forms that machines read: SARIF 2.1.0, JUnit and JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse
from xml.etree import ElementTree as ET

import click
import msgspec
import pytest

from pki.cli.lint import lint as lint_command
from pki.lint.contents import Piece
from pki.lint.finding import Remark, Severity
from pki.lint.junit import as_junit
from pki.lint.linter import Demand, lint
from pki.lint.report import Report
from pki.lint.rules import RULES, rule
from pki.lint.sarif import as_sarif
from pki.lint.source import Source
from pki.lint.text import as_text, explained, listed
from tests.pki.lint.made import LEAF, NOW, SUB2, UTF8, make, path

HOSTILE = "<x>&\"'\x00\x1b[31m\u202e\udcff]]>"


@pytest.fixture(scope="module")
def report() -> Report:
    """Sources with findings of every severity, odd names among them."""
    own = path()
    parts = (("CN", UTF8, "DE8AA0012345671"), ("O", UTF8, "<&>\x1b[2J\u202e"), ("DC", UTF8, "MO"))
    odd = make(replace(LEAF, parts=parts, usage="s"), make(SUB2))
    return lint(
        [
            Source("good chain.pem", [Piece(der, line) for line, der in enumerate(own.chain, start=1)]),
            Source("/tmp/ümlaut/<odd>.pem", [Piece(odd.der, 7), Piece(b"\x30\x00")], [Remark("private-key", "a key")]),
            Source("[fe80::1%eth0]:443 (TLS 1.2)", [Piece(own.leaf.der)], chain=True),
            Source(HOSTILE, [Piece(b"\x30\x01")]),
        ],
        Demand(at=NOW),
    )


# What sarif-schema-2.1.0.json demands of the objects used here: required members and the kinds of all allowed ones.
TEXT, COUNT, LIST, OBJECT = str, int, list, dict
SCHEMA: dict[str, tuple[set[str], dict[str, type]]] = {
    "log": ({"version", "runs"}, {"$schema": TEXT, "version": TEXT, "runs": LIST}),
    "run": ({"tool"}, {"tool": OBJECT, "columnKind": TEXT, "artifacts": LIST, "results": LIST}),
    "tool": ({"driver"}, {"driver": OBJECT}),
    "driver": ({"name"}, {"name": TEXT, "version": TEXT, "informationUri": TEXT, "rules": LIST}),
    "rule": (
        {"id"},
        {
            "id": TEXT,
            "shortDescription": OBJECT,
            "help": OBJECT,
            "defaultConfiguration": OBJECT,
            "properties": OBJECT,
        },
    ),
    "message": ({"text"}, {"text": TEXT}),
    "configuration": (set(), {"level": TEXT}),
    "artifact": (set(), {"location": OBJECT}),
    "artifactLocation": (set(), {"uri": TEXT, "uriBaseId": TEXT}),
    "result": (
        {"message"},
        {
            "ruleId": TEXT,
            "ruleIndex": COUNT,
            "level": TEXT,
            "message": OBJECT,
            "locations": LIST,
            "partialFingerprints": OBJECT,
            "properties": OBJECT,
        },
    ),
    "location": (set(), {"physicalLocation": OBJECT, "logicalLocations": LIST}),
    "physicalLocation": (set(), {"artifactLocation": OBJECT, "region": OBJECT}),
    "region": (set(), {"startLine": COUNT}),
    "logicalLocation": (set(), {"fullyQualifiedName": TEXT, "name": TEXT, "kind": TEXT}),
}
LEVELS = {"none", "note", "warning", "error"}


def fits(kind: str, value: Any) -> dict[str, Any]:
    """Return an object of a SARIF document, once it has what the schema demands of it and nothing else."""
    required, allowed = SCHEMA[kind]
    assert isinstance(value, dict), kind
    assert required <= set(value) <= set(allowed), (kind, value)
    assert all(isinstance(member, allowed[name]) for name, member in value.items()), (kind, value)
    return value


def check_location(value: Any) -> None:
    physical = fits("physicalLocation", fits("location", value)["physicalLocation"])
    uri = fits("artifactLocation", physical["artifactLocation"])["uri"]
    assert re.fullmatch(r"[!#-;=?-Z_a-z~%\[\]]+", uri), uri
    assert urlparse(uri).scheme in ("", "file")
    if "region" in physical:
        assert fits("region", physical["region"])["startLine"] >= 1
    for logical in value.get("logicalLocations", ()):
        assert fits("logicalLocation", logical)["kind"] in {"object", "element", "member", "value"}


def test_sarif_has_the_shape_of_its_schema(report: Report) -> None:
    log = fits("log", json.loads(json.dumps(as_sarif(report))))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    driver = fits("driver", fits("tool", fits("run", run)["tool"])["driver"])
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    for one in driver["rules"]:
        fits("rule", one)
        assert fits("message", one["help"])["text"].endswith(".")
        fits("message", one["shortDescription"])
        assert fits("configuration", one["defaultConfiguration"])["level"] in LEVELS
        assert isinstance(one["properties"]["tags"], list)
    for artifact in run["artifacts"]:
        fits("artifactLocation", fits("artifact", artifact)["location"])
    assert len(run["results"]) == len(report.findings)
    for result, finding in zip(run["results"], report.findings, strict=True):
        fits("result", result)
        assert result["level"] in LEVELS
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        assert fits("message", result["message"])["text"]
        assert len(result["locations"]) == 1
        check_location(result["locations"][0])
        assert all(isinstance(value, str) for value in result.get("partialFingerprints", {}).values())


def test_sarif_rules_are_there_once(report: Report) -> None:
    run = as_sarif(report)["runs"][0]
    ids = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert len(ids) == len(set(ids))
    assert set(ids) == {finding.rule for finding in report.findings}


@pytest.mark.parametrize("least", [None, *Severity])
def test_junit_fails_for_what_counts(report: Report, least: Severity | None) -> None:
    suites = ET.fromstring(as_junit(report, least))
    assert suites.tag == "testsuites"
    order = list(Severity)
    bad = [] if least is None else order[: order.index(least) + 1]
    failures = suites.findall("testsuite/testcase/failure")
    assert len(failures) == sum(1 for finding in report.findings if finding.severity in bad)
    assert int(suites.get("failures", "-1")) == len(failures)
    assert int(suites.get("tests", "-1")) == len(suites.findall("testsuite/testcase"))
    for suite in suites:
        cases = suite.findall("testcase")
        assert int(suite.get("tests", "-1")) == len(cases) > 0
        assert all(case.get("name") and case.get("classname") for case in cases)
    outputs = "".join(element.text or "" for element in suites.iter("system-out"))
    for finding in report.findings:
        if finding.severity not in bad:
            assert f"{finding.severity}: {finding.rule}: " in outputs


def test_junit_escapes_what_xml_has_no_place_for(report: Report) -> None:
    text = as_junit(report, Severity.NOTE)
    assert "\x1b" not in text
    assert "\x00" not in text
    names = [suite.get("name", "") for suite in ET.fromstring(text)]
    assert names[1] == "/tmp/ümlaut/<odd>.pem"
    assert names[3].startswith("<x>&\"'\\x00\\x1b[31m")


def test_text_is_safe_on_a_terminal(report: Report) -> None:
    lines = list(as_text(report, every=True))
    assert all(line.isprintable() for line in lines)
    assert lines[-1].startswith("7 certificates in 4 sources: ")


def test_text_leaves_out_what_is_good(report: Report) -> None:
    assert not any("good chain.pem:" in line for line in as_text(report))
    assert any(line == "good chain.pem: 3 certificates" for line in as_text(report, every=True))


def test_json_comes_back_as_it_was(report: Report) -> None:
    plain = Report(
        examined=report.examined[:3], findings=tuple(one for one in report.findings if one.place.file != HOSTILE)
    )
    text = msgspec.json.encode(plain)
    assert msgspec.json.decode(text, type=Report) == plain
    (first, *_) = json.loads(text)["findings"]
    assert {"rule", "severity", "place", "requirements", "text", "remedy"} <= set(first)


def test_every_rule_is_listed_and_explained() -> None:
    lines = list(listed())
    assert [line.split()[0] for line in lines] == list(RULES)
    for name in RULES:
        text = "\n".join(explained(rule(name)))
        assert RULES[name].remedy in text
        assert all(requirement in text for requirement in RULES[name].requirements)
    assert all(re.fullmatch(r"V2G(2|20)-\d{3,4}", each) for one in RULES.values() for each in one.requirements)


def test_words_of_rules_are_plain() -> None:
    for one in RULES.values():
        assert one.meaning
        assert one.remedy
        for text in (one.meaning, one.remedy):
            assert not text.endswith(".")
            assert re.match(r"[a-zA-Z0-9`]", text)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no rule 'x'; `plugcharge pki lint --list` names them"):
        rule("x")


def test_the_documented_example_is_a_report() -> None:
    page = (Path(__file__).parents[3] / "docs/pki-lint.md").read_text()
    (example,) = re.findall(r"```json\n(.+?)```", page, re.DOTALL)
    report = msgspec.json.decode(example, type=Report)
    assert json.loads(example)["counts"] == report.counts
    (finding,) = report.findings
    assert (finding.severity, finding.remedy) == (rule(finding.rule).severity, rule(finding.rule).remedy)
    assert set(finding.requirements) <= set(rule(finding.rule).requirements)


def test_every_option_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs/pki-lint.md").read_text()
    for parameter in lint_command.params:
        if isinstance(parameter, click.Option):
            assert parameter.opts[0] in page, parameter.opts
