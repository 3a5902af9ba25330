"""Findings as SARIF 2.1.0 (OASIS), which code hosts and editors show beside the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from pki.lint.finding import Finding, Severity
from pki.lint.report import Report
from pki.lint.rules import RULES, Rule
from v2g import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}

Object = Mapping[str, Any]


def as_sarif(report: Report) -> Object:
    """Return the one run of a report."""
    used = [rule for rule in RULES.values() if any(finding.rule == rule.id for finding in report.findings)]
    places = {rule.id: place for place, rule in enumerate(used)}
    driver = {
        "name": "plugcharge pki lint",
        "version": __version__,
        "rules": [_rule(rule) for rule in used],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": _uri(examined.name)}} for examined in report.examined],
        "results": [_result(finding, places[finding.rule]) for finding in report.findings],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: Rule) -> Object:
    return {
        "id": rule.id,
        "shortDescription": {"text": _sentence(rule.meaning)},
        "help": {"text": _sentence(rule.remedy)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {"tags": list(rule.requirements)},
    }


def _result(finding: Finding, place: int) -> Object:
    result = {
        "ruleId": finding.rule,
        "ruleIndex": place,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{_sentence(finding.text)} {_sentence(finding.remedy)}"},
        "locations": [_location(finding)],
        "properties": {"requirements": list(finding.requirements), "also": list(finding.place.also)},
    }
    if finding.sha256:
        result["partialFingerprints"] = {"certificateSha256/v1": finding.sha256}
    return result


def _location(finding: Finding) -> Object:
    physical: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.place.file)}}
    if finding.place.line is not None:
        physical["region"] = {"startLine": finding.place.line}
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.place.certificate:
        parts = (f"certificate {finding.place.certificate}", finding.place.tier, finding.place.field)
        name = "/".join(_present(parts))
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return location


def _present(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]


def _uri(name: str) -> str:
    """Return a file as a URI, relative if the file was named so; a connection by its address."""
    if Path(name).is_absolute():
        return Path(name).as_uri()
    return quote(name.encode("utf-8", "surrogateescape"), safe="/._-~")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
