"""Findings as people read them, in a terminal or a log."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping

from pki.lint.finding import Finding
from pki.lint.report import Described, Examined, Report
from pki.lint.rules import RULES, Rule
from pki.shown import shown

_WIDTH = 110


def as_text(report: Report, *, every: bool = False) -> Iterator[str]:
    """Yield lines: each source with what was found in it; with `every` those without a finding, too."""
    found = report.placed()
    for examined in report.examined:
        lines = list(_source(examined, found, every=every))
        if lines or every:
            yield f"{shown(examined.name)}: {_counted(len(examined.certificates), 'certificate')}"
            yield from lines
            yield ""
    yield _summary(report)


def _source(examined: Examined, found: Mapping[tuple[str, int], list[Finding]], *, every: bool) -> Iterator[str]:
    for finding in found.get((examined.name, 0), ()):
        yield from _finding(finding)
    for described in examined.certificates:
        own = found.get((examined.name, described.number), ())
        if own or every:
            yield from _certificate(described)
        for finding in own:
            yield from _finding(finding)


def _certificate(described: Described) -> Iterator[str]:
    taken = f"{described.role} ({described.edition})" if described.role else "no role"
    yield f"  {described.number}. {described.subject or 'unreadable'}: {taken}"
    if described.why:
        yield f"     taken for that by: {described.why}"


def _finding(finding: Finding) -> Iterator[str]:
    unsaid = [requirement for requirement in finding.requirements if requirement not in finding.text]
    cited = f" [{', '.join(unsaid)}]" if unsaid else ""
    field = f" {finding.place.field}:" if finding.place.field else ""
    yield from _wrapped(f"     {finding.severity}: {finding.rule}:{field} {finding.text}{cited}")
    yield from _wrapped(f"       {finding.remedy}")
    if finding.place.also:
        yield from _wrapped(f"       also in {', '.join(map(shown, finding.place.also))}")


def _wrapped(text: str) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(
        text.lstrip(), _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _summary(report: Report) -> str:
    certificates = sum(len(examined.certificates) for examined in report.examined)
    counts = ", ".join(_counted(count, severity.value) for severity, count in report.counts.items())
    files = _counted(len(report.examined), "source")
    return f"{_counted(certificates, 'certificate')} in {files}: {counts}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def listed() -> Iterator[str]:
    """Yield all rules, one per line."""
    longest = max(map(len, RULES))
    for rule in RULES.values():
        yield f"{rule.id:{longest}}  {rule.severity:7}  {rule.meaning}"


def explained(rule: Rule) -> Iterator[str]:
    """Yield what a rule means."""
    yield f"{rule.id} ({rule.severity})"
    yield f"  Holds when: {rule.meaning}."
    yield f"  Otherwise: {rule.remedy}."
    if rule.requirements:
        yield f"  Requirements: {', '.join(rule.requirements)}"
