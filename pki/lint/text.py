"""Findings as people read them, in a terminal or a log."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Iterator

from pki.lint.finding import Finding
from pki.lint.report import Described, Examined, Report
from pki.lint.rules import RULES, Rule
from pki.shown import shown

_WIDTH = 110


def as_text(report: Report, *, every: bool = False) -> Iterator[str]:
    """Yield lines: each source with what was found in it; with `every` those without a finding, too."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for finding in report.findings:
        by_file[finding.place.file].append(finding)
    for examined in report.examined:
        found = by_file[examined.name]
        if found or every:
            yield from _source(examined, found, every=every)
    yield _summary(report)


def _source(examined: Examined, found: list[Finding], *, every: bool) -> Iterator[str]:
    yield f"{shown(examined.name)}: {_counted(len(examined.certificates), 'certificate')}"
    concerned = {finding.place.certificate for finding in found}
    for finding in found:
        if not finding.place.certificate:
            yield from _finding(finding)
    for described in examined.certificates:
        if described.number in concerned or every:
            yield from _certificate(described)
            for finding in found:
                if finding.place.certificate == described.number:
                    yield from _finding(finding)
    yield ""


def _certificate(described: Described) -> Iterator[str]:
    taken = f"{described.role} ({described.edition})" if described.role else "no role"
    yield f"  {described.number}. {described.subject or 'unreadable'}: {taken}"
    if described.why:
        yield f"     taken for that by: {described.why}"


def _finding(finding: Finding) -> Iterator[str]:
    cited = f" [{', '.join(finding.requirements)}]" if finding.requirements and "[" not in finding.text else ""
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
