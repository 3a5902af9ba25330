"""Findings as JUnit XML, which CI servers show: a suite per source, a failed case per finding that counts."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from pki.lint.finding import Finding, Severity
from pki.lint.report import Described, Examined, Report
from pki.shown import shown


def as_junit(report: Report, least: Severity | None = Severity.ERROR) -> str:
    """Return the document. Findings at least as bad as `least` fail, others stand in the output of a case."""
    suites = ET.Element("testsuites", name="plugcharge pki lint")
    found = report.placed()
    for examined in report.examined:
        suites.append(_suite(examined, found, _failing(least)))
    for count in ("tests", "failures"):
        suites.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def _failing(least: Severity | None) -> frozenset[Severity]:
    if least is None:
        return frozenset()
    order = list(Severity)
    return frozenset(order[: order.index(least) + 1])


def _suite(
    examined: Examined, found: Mapping[tuple[str, int], list[Finding]], failing: frozenset[Severity]
) -> ET.Element:
    suite = ET.Element("testsuite", name=_text(examined.name))
    called = {0: "the file", **{described.number: _called(described) for described in examined.certificates}}
    for number, who in called.items():
        suite.extend(_cases(examined.name, who, found.get((examined.name, number), []), failing))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(sum(1 for case in suite if case.find("failure") is not None)))
    suite.set("errors", "0")
    suite.set("skipped", "0")
    return suite


def _cases(source: str, called: str, found: list[Finding], failing: frozenset[Severity]) -> list[ET.Element]:
    """Return a case for each finding that fails, or one that passes."""
    bad = [one for one in found if one.severity in failing]
    cases = []
    for one in bad:
        case = ET.Element("testcase", classname=_text(source), name=_text(f"{called}: {one.rule}"))
        failure = ET.SubElement(case, "failure", type=str(one.severity), message=_text(one.text))
        failure.text = _text(f"{one.place}: {one.text}. {one.remedy}. {' '.join(one.requirements)}".strip())
        cases.append(case)
    if not bad:
        cases.append(ET.Element("testcase", classname=_text(source), name=_text(called)))
    others = [f"{one.severity}: {one.rule}: {one.place}: {one.text}" for one in found if one not in bad]
    if others:
        ET.SubElement(cases[0], "system-out").text = "\n".join(map(_text, others))
    return cases


def _called(described: Described) -> str:
    return f"certificate {described.number} ({described.role or 'no role'})"


def _text(text: str) -> str:
    """XML has no place for control characters and lone surrogates: they are shown as their escapes."""
    return shown(text, 1000)
