"""The last checks: what was revoked in its tree, and what a SECC or EVCC would refuse for whatever reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pki import revoked as revocations
from pki.doctor.case import Case, name_of
from pki.doctor.evidence import CertificateFile
from pki.doctor.finding import Remark, Severity
from pki.profiles import Edition
from pki.shown import shown
from pki.validate import Policy, validate
from v2g.trust import Role


def revoked(case: Case) -> Iterator[Remark]:
    """Tell certificates that are on the list of revoked ones of their tree."""
    for tree in case.trees:
        yield from _revoked(case, tree)


def _revoked(case: Case, tree: Path) -> Iterator[Remark]:
    try:
        listed = revocations.load(tree).revoked
    except ValueError as error:
        yield Remark(
            severity=Severity.ERROR,
            place=case.place(tree / revocations.NAME),
            what=shown(str(error), 300),
            remedy="restore it from a copy",
        )
        return
    numbers = {(entry.issuer, int(entry.serial)): entry for entry in listed}
    for path, certificate in case.certificates() if numbers else ():
        issuer = case.issuers[certificate.der]
        above = case.homes[issuer].with_suffix("") if issuer else None
        if above is None or not above.is_relative_to(tree) or not path.is_relative_to(tree):
            continue
        entry = numbers.get((above.relative_to(tree).as_posix(), certificate.serial))
        if entry:
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(path),
                what=f"{name_of(certificate)} is revoked since {entry.at:%Y-%m-%d} ({entry.reason.value})",
                remedy="`plugcharge pki renew` makes another in its place; `plugcharge pki revoke --undo` lifts a hold",
            )


def refused(case: Case) -> Iterator[Remark]:
    """Tell chains that are refused as what they are for, by the very check of SECC and EVCC."""
    for tree in case.trees:
        kinds: dict[str, list[bytes]] = {"private": [], "": []}
        for file in case.anchors():
            if case.tree_of(file.path) == tree:
                kind = "private" if file.path.stem == "private" else ""
                kinds[kind] += [certificate.der for certificate in file.certificates]
        policy = Policy(editions=tuple(Edition), private=tuple(kinds["private"]))
        for file in case.evidence.files.values():
            role = file.path.parent.parent.name
            if file.path.name.startswith("chain") and file.path.is_relative_to(tree / "leaf") and role in list(Role):
                yield from _refused(case, file, Role(role), kinds[""], policy)


def _refused(
    case: Case, file: CertificateFile, role: Role, anchors: Sequence[bytes], policy: Policy
) -> Iterator[Remark]:
    verdict = validate([certificate.der for certificate in file.certificates], role, anchors, case.at, policy)
    if not verdict:
        yield Remark(
            severity=Severity.ERROR,
            place=case.place(file.path),
            what=f"{name_of(file.certificates[0])} is refused as {role}, {verdict.broken}: {shown(verdict.detail)}",
            remedy="`plugcharge pki init` makes what is wrong in a tree of ours anew",
        )
