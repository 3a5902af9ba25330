"""Checks of secc.toml and evcc.toml: the files they name exist, belong together and are the present ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pki.certificate import Certificate
from pki.doctor.case import Case, name_of, spki
from pki.doctor.finding import Remark, Severity
from pki.doctor.keys import other_key
from pki.doctor.settings import Kind, Reference, Settings
from pki.shown import shown


def configurations(case: Case) -> Iterator[Remark]:
    """Tell configurations that cannot be read, or name no certificate at all."""
    for settings in case.settings:
        if settings.problem:
            what, remedy, severity = shown(settings.problem, 300), "correct it", Severity.ERROR
        elif not settings.references:
            what, severity = "names no certificates", Severity.NOTE
            remedy = "docs/secc.md and docs/evcc.md show the tables [tls], [trust], [contract] and [provisioning]"
        else:
            continue
        place = shown(str(settings.file))
        yield Remark(severity=severity, place=place, what=what, remedy=remedy)


def present(case: Case) -> Iterator[Remark]:
    """Every file that is named has to be there, and to hold what its key says."""
    for settings in case.settings:
        for reference in settings.references:
            what = _lacking(case, reference)
            if what:
                yield _about(settings, reference, what, _elsewhere(case, reference.path))


def _lacking(case: Case, reference: Reference) -> str:
    path, held = reference.path, case.evidence
    if not path.exists():
        return "no such file"
    if path.is_dir():
        return "is a folder, not a file"
    if path in held.unreadable:
        return held.unreadable[path]
    if reference.setting.kind is Kind.KEY:
        return "" if path in held.keys else "holds no private key"
    return "" if path in held.files else "holds no certificates"


def _elsewhere(case: Case, wanted: Path) -> str:
    """Say where a file of that name lies instead."""
    tail = wanted.parts[-2:]
    known = [*case.evidence.files, *case.evidence.keys]
    found = next((path for path in known if path != wanted and path.parts[-2:] == tail), None)
    return f"there is {shown(str(found))}" if found else "name the file that `plugcharge pki show` lists for it"


def together(case: Case) -> Iterator[Remark]:
    """Chain and key have to belong together, and the key has to open."""
    for settings in case.settings:
        for table in settings.tables:
            leaf = _leaf(case, settings, table)
            path = settings.find(table, Kind.KEY)
            key = case.evidence.keys.get(path) if path else None
            if leaf is None or key is None or leaf.key is None:
                continue
            if key.public is not None and spki(key.public) != spki(leaf.key):
                found = other_key(case, leaf, key)
                what = f"[{table}] key {shown(str(key.path))} is {found.what}"
                yield _remark(settings, what, found.remedy)
            elif key.encrypted:
                password = "wrong" if table in settings.passwords else "not there"
                what = f"[{table}] key {shown(str(key.path))} is encrypted, and its password is {password}"
                yield _remark(settings, what, f"write the right one as `password` into [{table}]")


def suited(case: Case) -> Iterator[Remark]:
    """The chain of a table has to be of the role it is presented in."""
    for settings in case.settings:
        for reference in settings.references:
            leaf = _leaf(case, settings, reference.setting.table)
            wanted = reference.setting.role
            if reference.setting.kind is not Kind.CHAIN or leaf is None or wanted is None:
                continue
            role = case.role(reference.path, leaf)
            if leaf.ca:
                yield _about(settings, reference, f"begins with the CA {name_of(leaf)}", "write the leaf first")
            elif role and role != wanted:
                yield _about(settings, reference, f"is a {role} certificate, not a {wanted} one", "name another chain")


def anchored(case: Case) -> Iterator[Remark]:
    """The root named for a chain has to be the one it hangs on."""
    for settings in case.settings:
        for reference in settings.references:
            if reference.setting.kind is not Kind.ROOT or reference.path not in case.evidence.files:
                continue
            leaf = _leaf(case, settings, reference.setting.table)
            roots = case.evidence.files[reference.path].certificates
            if leaf is not None and not {root.der for root in roots}.intersection(_above(case, leaf.der)):
                what = f"{name_of(leaf)} does not hang on {name_of(roots[0])}"
                yield _about(settings, reference, what, "name the root above the chain, of the same tree")


def outdated(case: Case) -> Iterator[Remark]:
    """A copy of a certificate that was renewed in the tree since is the commonest surprise of all."""
    if case.path is None:
        return
    newest: dict[bytes, Certificate] = {}
    for path, certificate in case.certificates():
        if path.is_relative_to(case.path):
            other = newest.get(certificate.subject)
            if other is None or other.not_before < certificate.not_before:
                newest[certificate.subject] = certificate
    for settings in case.settings:
        for reference in settings.references:
            file = case.evidence.files.get(reference.path)
            for used in file.certificates if file else ():
                current = newest.get(used.subject)
                if current is not None and current.not_before > used.not_before:
                    dates = f"{used.not_before:%Y-%m-%d %H:%M}; there is one of {current.not_before:%Y-%m-%d %H:%M}"
                    what = f"has {name_of(used)} of {dates}"
                    yield _about(settings, reference, what, f"use {case.place(case.homes[current.der])}")


def _leaf(case: Case, settings: Settings, table: str) -> Certificate | None:
    path = settings.find(table, Kind.CHAIN)
    file = case.evidence.files.get(path) if path else None
    return file.certificates[0] if file else None


def _above(case: Case, der: bytes) -> Iterator[bytes]:
    at: bytes | None = der
    while at is not None:
        yield at
        at = case.issuers[at]


def _about(settings: Settings, reference: Reference, what: str, remedy: str) -> Remark:
    setting = reference.setting
    return _remark(settings, f"[{setting.table}] {setting.key} {shown(str(reference.path))} {what}", remedy)


def _remark(settings: Settings, what: str, remedy: str) -> Remark:
    return Remark(severity=Severity.ERROR, place=shown(str(settings.file)), what=shown(what, 400), remedy=remedy)
