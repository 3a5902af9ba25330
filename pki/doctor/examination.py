"""The whole examination: which checks there are, in the order their findings are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pki.doctor import chains, configured, folders, keys, names, times, trust
from pki.doctor.case import Case
from pki.doctor.evidence import Evidence
from pki.doctor.finding import Finding, Remark, Severity
from pki.doctor.settings import Kind, read
from pki.overview import uncollected
from pki.shown import printable

Check = Callable[[Case], Iterator[Remark]]

CHECKS: tuple[Check, ...] = (
    folders.nothing_here,
    folders.layout,
    folders.too_much,
    folders.unreadable,
    folders.manifest,
    times.clock,
    times.validity,
    times.lists,
    keys.pairs,
    keys.readable,
    keys.permissions,
    chains.order,
    chains.complete,
    chains.surplus,
    chains.anchors,
    chains.branches,
    chains.twins,
    names.profiles,
    names.accounts,
    trust.revoked,
    trust.refused,
    configured.configurations,
    configured.present,
    configured.together,
    configured.suited,
    configured.anchored,
    configured.outdated,
)


def diagnose(path: Path | None, settings: Sequence[Path] = (), at: datetime | None = None) -> list[Finding]:
    """Examine a file or folder and the files that configurations name; return what was found, the worst first.

    `at` is the time to judge by (aware; now if None). Nothing is raised for what lies there, whatever it is.
    """
    with uncollected():
        case = open_case(path, settings, at)
        found = [_finding(check, remark) for check in CHECKS for remark in check(case)]
    order = list(Severity)
    return sorted(_without_echoes(found), key=lambda finding: order.index(finding.severity))


def open_case(path: Path | None, settings: Sequence[Path] = (), at: datetime | None = None) -> Case:
    """Read everything there is to read about a case."""
    evidence = Evidence(at or datetime.now(UTC))
    configurations = [read(file) for file in settings]
    for configuration in configurations:
        for reference in configuration.references:
            if reference.path.is_file():
                password = configuration.passwords.get(reference.setting.table)
                evidence.examine(reference.path, password if reference.setting.kind is Kind.KEY else None)
    if path is not None and path.exists():
        evidence.gather(path)
        for trust in [above / "trust" for above in path.resolve().parents[:4]]:
            if trust.is_dir():
                # A part of a tree is judged by the anchors of the whole.
                evidence.gather(trust)
    return Case(path, evidence, configurations)


def _finding(check: Check, remark: Remark) -> Finding:
    return Finding(
        check=name_of(check),
        severity=remark.severity,
        place=printable(remark.place),
        what=printable(remark.what),
        remedy=printable(remark.remedy),
    )


def name_of(check: Check) -> str:
    """Return the name a check is known by."""
    return check.__name__.replace("_", "-")


def _without_echoes(found: Sequence[Finding]) -> Iterator[Finding]:
    """Leave out that a chain is refused where another finding already says why."""
    refusal = name_of(trust.refused)
    explained = {one.place for one in found if one.severity is Severity.ERROR and one.check != refusal}
    yield from (one for one in found if one.check != refusal or not explained)
