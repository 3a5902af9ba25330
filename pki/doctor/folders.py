"""Checks of the place itself: whether it is the folder that was meant, whose layout it has, what could be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pki.doctor.case import Case
from pki.doctor.evidence import MOST_FILES
from pki.doctor.finding import Remark, Severity
from pki.shown import shown
from pki.store import Store

# A file that only this layout has, below the folder its owner wants to be given.
_MARKS = {
    "Josev": ("iso15118_2/certs/v2gRootCACert.pem", "PKI_PATH"),
    "EVerest": ("ca/v2g/V2G_ROOT_CA.pem", "its folder of certificates"),
}
_UP = 3
_DOWN = 3
_MOST_FOLDERS = 2_000


def nothing_here(case: Case) -> Iterator[Remark]:
    """A folder without certificates is mostly the wrong one: say where there are some."""
    if case.path is None or case.path.is_file() or not case.evidence.empty:
        return
    what = "holds no certificates" if case.path.is_dir() else "there is no such file or folder"
    near = nearby(case.path)
    there = "; ".join(f"{shown(str(folder))} ({kind})" for folder, kind in near[:5])
    remedy = f"did you mean {there}?" if there else "`plugcharge pki init` makes a tree in certs/out"
    yield Remark(severity=Severity.ERROR, place=shown(str(case.path)), what=what, remedy=remedy)


def layout(case: Case) -> Iterator[Remark]:
    """Name the layout of another stack, and the folder it wants to be given."""
    if case.path is None or case.evidence.empty:
        return
    for folder in (case.path, *case.path.resolve().parents[:2]):
        kind = kind_of(folder)
        if kind in _MARKS:
            given = "" if folder == case.path else f"; {kind} wants {shown(str(folder))} as {_MARKS[kind][1]}"
            yield Remark(
                severity=Severity.NOTE if folder == case.path else Severity.WARNING,
                place=shown(str(case.path)),
                what=f"these are the certificates of {kind}{given}",
                remedy=f"`plugcharge pki import --layout {kind.lower()}` makes a tree of them",
            )
            return


def unreadable(case: Case) -> Iterator[Remark]:
    """Tell files that look like certificates, keys or lists and are none."""
    for path, problem in case.evidence.unreadable.items():
        yield Remark(
            severity=Severity.ERROR,
            place=case.place(path),
            what=shown(problem),
            remedy="copy it again from where it was made; PEM and DER are read, PKCS#12 is not",
        )


def manifest(case: Case) -> Iterator[Remark]:
    """A damaged manifest keeps machines from finding what lies in a tree."""
    for tree in case.trees:
        path = Store(tree).manifest
        problem = _unlisted(path)
        if problem:
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(path),
                what=f"the list of what lies in the tree is damaged: {shown(problem)}",
                remedy="`plugcharge pki init` writes it anew",
            )


def _unlisted(path: Path) -> str:
    """Return what keeps a manifest from being read; "" for a good one, and where there is none."""
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or type(error).__name__
    except (ValueError, RecursionError) as error:
        return f"no JSON: {error}"
    whole = isinstance(told, dict) and all(isinstance(told.get(part), dict) for part in ("certificates", "files"))
    return "" if whole else "it names no certificates and files"


def too_much(case: Case) -> Iterator[Remark]:
    """Say that not everything was looked at."""
    if case.evidence.truncated:
        yield Remark(
            severity=Severity.WARNING,
            place=shown(str(case.path)),
            what=f"only the first {MOST_FILES:,} files were read",
            remedy="name a folder further down",
        )


def nearby(path: Path) -> list[tuple[Path, str]]:
    """Return the folders around a path that hold certificates in a layout we know, the nearest first."""
    start = path if path.is_dir() else path.parent
    tops = [start, *start.resolve().parents[:_UP], Path("certs/out")]
    found: dict[Path, tuple[Path, str]] = {}
    budget = _MOST_FOLDERS
    for top in tops:
        for folder in _below(top, _DOWN, budget):
            budget -= 1
            kind = kind_of(folder)
            if kind:
                found.setdefault(folder.resolve(), (folder, kind))
        if found or budget <= 0:
            break
    return list(found.values())


def _below(top: Path, depth: int, most: int) -> Iterator[Path]:
    """Yield a folder and those below it, the higher first; what cannot be entered holds nothing for us."""
    level = [top]
    for _ in range(depth + 1):
        below: list[Path] = []
        for folder in level:
            if most <= 0:
                return
            most -= 1
            yield folder
            below.extend(_folders(folder))
        level = below


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:
        return []


def kind_of(folder: Path) -> str:
    """Return whose layout a folder has: "Josev", "EVerest", "a tree of ours", or "" for none."""
    try:
        for kind, (mark, _) in _MARKS.items():
            if (folder / mark).is_file():
                return kind
        return "a tree of ours" if Store(folder).places() else ""
    except OSError:
        return ""
