"""What the page says about one certificate: how long it lives, how large it is, who checks it, what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pki.certificate import Certificate
from pki.doctor.finding import Finding, Severity
from pki.keys import kind_of
from pki.outline import days_text
from pki.overview import Line
from pki.profiles import Profile
from pki.report.checkers import checkers, part
from pki.report.extensions import extensions
from pki.report.markup import Markup, element, joined, text
from pki.report.picture import state


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One certificate with everything the page says of it; `issuer` is the subject above it that has a card."""

    line: Line
    certificate: Certificate
    row: Profile | None
    anchor: str
    issuer: Subject | None
    findings: Sequence[Finding]


def card(subject: Subject) -> Markup:
    """Return the card of a certificate."""
    line = subject.line
    flags = [element("span", {"class": "flag"}, flag) for flag in line.flags]
    head = element("h3", None, line.common_name.strip() or "(no name)", Markup(" ") if flags else None, *flags)
    return element(
        "article",
        {"class": f"card {state(line)}{_marked(subject)}", "id": subject.anchor},
        head,
        element(
            "p", {"class": "place"}, element("b", None, line.role), Markup(" · "), element("code", None, line.place)
        ),
        element("div", {"class": "bars"}, _life(line), _size(line)),
        _checked_by(subject),
        *(finding_note(finding) for finding in subject.findings),
        _facts(subject),
    )


def _marked(subject: Subject) -> str:
    """Return the class of a card with findings, by the worst of them."""
    held = {finding.severity for finding in subject.findings}
    return next((f" with-{severity}" for severity in Severity if severity in held), "")


def _life(line: Line) -> Markup:
    gone = round(100 * (1 - line.life_left), 1)
    dates = f"{line.not_before:%Y-%m-%d} to {line.not_after:%Y-%m-%d}"
    return element(
        "div",
        {"class": "bar life"},
        element("span", {"class": "label"}, "Lifetime"),
        _rail(round(100 - gone, 1), f"{days_text(line)}, {dates}", right=True),
        element("span", {"class": "value"}, days_text(line)),
        element("span", {"class": "note"}, dates),
    )


def _size(line: Line) -> Markup:
    limit = line.limit
    share = 100.0 if limit is None else min(100.0, round(100 * line.size / limit, 1))
    most = f"of {limit:,} bytes" if limit else "no known limit"
    kind = "over" if limit is not None and line.size > limit else "size"
    return element(
        "div",
        {"class": f"bar {kind}"},
        element("span", {"class": "label"}, "Size"),
        _rail(share, f"{line.size:,} bytes, {most}"),
        element("span", {"class": "value"}, f"{line.size:,} bytes"),
        element("span", {"class": "note"}, most),
    )


def _rail(share: float, says: str, *, right: bool = False) -> Markup:
    """Return a bar of a share in percent, filled from the left or, for what runs out, from the right."""
    fill = element("span", {"class": "fill", "style": f"width:{share:g}%{';margin-left:auto' if right else ''}"})
    return element("span", {"class": "rail", "role": "img", "aria-label": says}, fill)


def _checked_by(subject: Subject) -> Markup | None:
    row = subject.row
    if row is None:
        return None
    items = [
        element("li", None, element("b", None, checker.who), f" {checker.occasion}")
        for checker in checkers(row.branch, row.tier)
    ]
    heading = element("h4", None, f"Who checks it, as {part(row.tier)}")
    return joined(heading, element("ul", {"class": "checkers"}, *items))


def finding_note(finding: Finding) -> Markup:
    """Return a finding as a note of its own."""
    return element(
        "p",
        {"class": f"finding {finding.severity}"},
        element("b", None, finding.severity.upper()),
        f" {finding.what}. ",
        element("i", None, *spoken(finding.remedy)),
    )


def spoken(words: str) -> Iterator[Markup]:
    """Yield a remedy with the commands in it as such."""
    for place, piece in enumerate(words.split("`")):
        yield code(piece) if place % 2 else text(piece)


def _facts(subject: Subject) -> Markup:
    rows = [element("div", None, element("dt", None, name), element("dd", None, says)) for name, says in _said(subject)]
    return element("dl", None, *rows)


def _said(subject: Subject) -> Iterator[tuple[str, Markup | str]]:
    certificate = subject.certificate
    yield "Subject", certificate.parsed.subject.rfc4514_string()
    yield "Issuer", _issuer(subject)
    yield "Valid", f"{certificate.not_before:%Y-%m-%d %H:%M:%S} to {certificate.not_after:%Y-%m-%d %H:%M:%S} UTC"
    yield "Serial number", code(f"{certificate.serial:X}")
    yield "Key", kind_of(certificate.key) if certificate.key else "of an unknown kind"
    yield "Signature", _algorithm(certificate)
    yield "SHA-256", code(_grouped(hashlib.sha256(certificate.der).hexdigest().upper()))
    for extension in extensions(certificate):
        mark = Markup(" (critical)") if extension.critical else Markup("")
        yield extension.name, joined(element("span", None, extension.says, mark))


def _issuer(subject: Subject) -> Markup | str:
    if subject.issuer is not None:
        link = {"href": f"#{subject.issuer.anchor}"}
        return element("a", link, subject.issuer.line.common_name or subject.issuer.line.place)
    certificate = subject.certificate
    if certificate.issuer == certificate.subject:
        return "itself"
    return f"{certificate.parsed.issuer.rfc4514_string()} (not here)"


def _algorithm(certificate: Certificate) -> str:
    algorithm = certificate.parsed.signature_algorithm_oid
    return _ALGORITHMS.get(algorithm.dotted_string, algorithm.dotted_string)


def code(value: str) -> Markup:
    """Return digits that are compared by eye."""
    return element("code", None, value)


def _grouped(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


_ALGORITHMS = {
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.113": "Ed448",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
}
