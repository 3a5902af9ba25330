"""The whole page: a summary, what is wrong, and for each tree its picture and a card per certificate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from pki.certificate import Certificate
from pki.doctor.examination import diagnose
from pki.doctor.finding import Finding, Severity
from pki.outline import Node, grow, hidden_text
from pki.overview import Line, describe, gather
from pki.report import variants
from pki.report.card import Subject, card, spoken
from pki.report.markup import NOTHING, Markup, element, joined, style
from pki.report.picture import picture, state
from pki.roles import row_of

_MOST_FINDINGS = 100
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


_LEGEND = element(
    "figcaption",
    None,
    "Roots on the left, what they issued to the right. The bar is the share of the lifetime that is left, the number "
    "its days. A coloured frame is what ends soon, a thick one what is of no use as it is.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """One tree as the page needs it."""

    number: int
    folder: Path
    lines: Sequence[Line]
    found: Mapping[str, Certificate]
    nodes: Sequence[Node]
    findings: Sequence[Finding]

    @property
    def anchor(self) -> str:
        """The address of its section."""
        return f"tree-{self.number}"


def survey(folder: Path, number: int, at: datetime, *, every: bool = False) -> Survey:
    """Read a tree; `every` shows each leaf of large families. Raises ValueError naming a file that cannot be read."""
    found = gather(folder)
    lines = describe(folder, found, at)
    return Survey(
        number=number,
        folder=folder,
        lines=lines,
        found=found,
        nodes=grow(lines, every=every),
        findings=diagnose(folder, at=at),
    )


def page(surveys: Sequence[Survey], title: str, at: datetime) -> str:
    """Return a whole HTML document about trees."""
    head = element(
        "head",
        None,
        element("meta", {"charset": "utf-8"}),
        element("meta", {"http-equiv": "Content-Security-Policy", "content": _POLICY}),
        element("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}),
        element("meta", {"name": "color-scheme", "content": "light dark"}),
        element("title", None, title),
        style((resources.files("pki.report") / "page.css").read_text(encoding="utf-8")),
    )
    body = element(
        "body",
        None,
        element("header", None, element("h1", None, title), _date(at), _contents(surveys)),
        element("main", None, _summary(surveys), *(_section(survey) for survey in surveys)),
    )
    return f"<!DOCTYPE html>\n{element('html', {'lang': 'en'}, head, body)}\n"


def svg(surveys: Sequence[Survey]) -> str:
    """Return the picture of all trees as a file of its own."""
    nodes = [node for survey in surveys for node in survey.nodes]
    drawn = picture(nodes, ", ".join(survey.folder.name for survey in surveys))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn}\n'


def _date(at: datetime) -> Markup:
    stamp = at.astimezone(UTC)
    return element(
        "p",
        {"class": "date"},
        "As of ",
        element("time", {"datetime": stamp.isoformat()}, f"{stamp:%Y-%m-%d %H:%M} UTC"),
    )


def _contents(surveys: Sequence[Survey]) -> Markup:
    if len(surveys) < 2:
        return NOTHING
    links = (element("li", None, element("a", {"href": f"#{each.anchor}"}, each.folder.name)) for each in surveys)
    return element("nav", {"aria-label": "Trees"}, element("ul", None, *links))


def _summary(surveys: Sequence[Survey]) -> Markup:
    lines = [line for survey in surveys for line in survey.lines]
    counts = Counter(finding.severity for survey in surveys for finding in survey.findings)
    first = min(lines, key=lambda line: line.not_after)
    tiles = (
        ("Certificates", f"{len(lines):,}", "good"),
        ("Errors", f"{counts[Severity.ERROR]:,}", "bad" if counts[Severity.ERROR] else "good"),
        ("Warnings", f"{counts[Severity.WARNING]:,}", "due" if counts[Severity.WARNING] else "good"),
        ("First to end", f"{first.not_after:%Y-%m-%d}", state(first)),
    )
    return element(
        "dl",
        {"class": "tiles"},
        *(
            element("div", {"class": f"tile {kind}"}, element("dt", None, name), element("dd", None, value))
            for name, value, kind in tiles
        ),
    )


def _section(survey: Survey) -> Markup:
    subjects = list(_subjects(survey))
    links = {subject.line.place: f"#{subject.anchor}" for subject in subjects}
    name = survey.folder.name
    broken = variants.table(survey.folder)
    return element(
        "section",
        {"id": survey.anchor},
        element("h2", None, name),
        element(
            "figure", {"class": "tree"}, element("div", {"class": "wide"}, picture(survey.nodes, name, links)), _LEGEND
        ),
        _findings(survey.findings),
        element("h3", {"class": "part"}, "Certificates"),
        element("div", {"class": "cards"}, *map(card, subjects)),
        *(element("p", {"class": "hidden"}, hidden_text(hidden)) for hidden in _hidden(survey.nodes)),
        element("h3", {"class": "part"}, "Made wrong on purpose") if broken else None,
        broken,
    )


def _subjects(survey: Survey) -> Iterator[Subject]:
    made: dict[str, Subject] = {}
    by_place = _by_place(survey)
    for line in _shown(survey.nodes):
        certificate = survey.found[line.place]
        subject = made[line.place] = Subject(
            line=line,
            certificate=certificate,
            row=row_of(line.role, certificate),
            anchor=f"c-{survey.number}-{len(made) + 1}",
            issuer=made.get(line.issuer) if line.issuer else None,
            findings=by_place.get(line.place, ()),
        )
        yield subject


def _by_place(survey: Survey) -> dict[str, list[Finding]]:
    """Return findings by the place of the certificate they are about."""
    places = set(survey.found)
    found: dict[str, list[Finding]] = {}
    for finding in survey.findings:
        own = (finding.place.removesuffix(".pem"), finding.place.rpartition("/")[0])
        for place in own:
            if place in places:
                found.setdefault(place, []).append(finding)
    return found


def _shown(nodes: Sequence[Node]) -> Iterator[Line]:
    """Yield the certificates that are shown, each after its issuer."""
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        if node.line is not None:
            yield node.line
        waiting.extend(reversed(node.below))


def _hidden(nodes: Sequence[Node]) -> Iterator[Sequence[Line]]:
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if node.line is None:
            yield node.hidden
        waiting.extend(node.below)


def _findings(findings: Sequence[Finding]) -> Markup:
    """Return what is wrong as a table, or the good news."""
    heading = element("h3", {"class": "part"}, "Findings")
    if not findings:
        return joined(heading, element("p", {"class": "fine"}, "Nothing wrong was found."))
    rows = (
        element(
            "tr",
            {"class": finding.severity},
            element("td", {"class": "severity"}, finding.severity),
            element("td", {"class": "where"}, element("code", None, finding.place)),
            element("td", None, finding.what),
            element("td", None, *spoken(finding.remedy)),
        )
        for finding in findings[:_MOST_FINDINGS]
    )
    head = element("tr", None, *(element("th", {"scope": "col"}, name) for name in ("", "Where", "What", "What to do")))
    table = element("table", {"class": "findings"}, element("thead", None, head), element("tbody", None, *rows))
    more = len(findings) - _MOST_FINDINGS
    rest = element("p", {"class": "hidden"}, f"… {more:,} more; `plugcharge pki doctor --json` has them all")
    return joined(heading, element("div", {"class": "wide"}, table), rest if more > 0 else NOTHING)
