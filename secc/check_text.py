"""The report of `secc check` as people read it."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from secc.check import Report, Shown

WIDTH = 100
LABEL = 11


def lines(report: Report) -> Iterator[str]:
    """Write a report."""
    yield f"{report.config}: TLS by {report.library}"
    for each in report.certificates:
        yield ""
        yield from _certificate(each)
    if report.remarks:
        yield ""
    for remark in report.remarks:
        yield from _entry("remark", remark)


def _certificate(each: Shown) -> Iterator[str]:
    where = ", key in a secure element" if each.in_secure_element else ""
    yield f"{each.place} {each.subject}: {each.generation}, {each.key}{where}"
    yield from _entry("valid", f"until {each.valid_until}, {each.days_left} days")
    yield from _entry("root", each.root or "not named")
    yield from _entry("serves", each.serves)
    asked = f"; from {', '.join(each.staple_sources)}" if each.staple_sources else ""
    yield from _entry("staple", each.staple + asked)
    for key, text in each.limits.items():
        yield from _entry("impossible", f"{key}: {text}")
    for remark in each.remarks:
        yield from _entry("remark", remark)
    for problem in each.problems:
        yield from _entry("PROBLEM", problem)


def _entry(label: str, text: str) -> Iterator[str]:
    first, *rest = wrap(text, WIDTH - LABEL - 2, break_long_words=False, break_on_hyphens=False)
    yield f"  {label:<{LABEL}}{first}"
    for line in rest:
        yield f"  {'':<{LABEL}}{line}"
