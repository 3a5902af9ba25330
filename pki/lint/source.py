"""What the linter is given: files, folders, what comes through a pipe; and the certificates they hold."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from pki.lint.contents import Piece, certificates_in, looks_like_certificates
from pki.lint.finding import Remark
from pki.store import Store

MAX_FILE = 4 << 20
"""Bytes of the largest file that is read."""
MAX_FILES = 100_000
MAX_DEPTH = 16
PIPE = "-"
_OTHERS = frozenset({".key", ".crl", ".csr", ".req", ".ors", ".json", ".toml", ".html", ".svg", ".md", ".txt"})
_PRIVATE = "private"
_MADE_FROM_TREES = frozenset({"broken", "export"})
"""Folders of a tree of ours that hold no part of it: what is wrong on purpose, and copies in other layouts."""


class Unreachable(ValueError):
    """What was named cannot be read at all; the text says why and what to do."""


@dataclass(slots=True)
class Source:
    """One file, or one connection: its certificates in their order, and what was noticed on the way.

    `chain` tells that it has to be one, as what a server sends.
    """

    name: str
    pieces: list[Piece]
    remarks: list[Remark] = field(default_factory=list)
    chain: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """What of a folder is looked into.

    `exclude` are patterns as a shell has them, for names and for paths below the folder. Folders that are made from a
    tree of ours are left out unless they are named themselves, and told to `skipped`.
    """

    exclude: tuple[str, ...] = ()
    skipped: Callable[[Path], None] = lambda _: None

    def folders(self, base: Path, names: list[str], top: Path) -> list[str]:
        """Return the folders in one to look into, in order."""
        kept = sorted(name for name in names if name != _PRIVATE and not self._excluded(base / name, top))
        made = _MADE_FROM_TREES.intersection(kept) if kept and Store(base).manifest.is_file() else frozenset()
        for name in sorted(made):
            self.skipped(base / name)
        return [name for name in kept if name not in made]

    def files(self, base: Path, names: list[str], top: Path) -> list[Path]:
        """Return the files in a folder to look into, in order."""
        return [base / name for name in sorted(names) if not self._excluded(base / name, top)]

    def _excluded(self, path: Path, top: Path) -> bool:
        below = path.relative_to(top).as_posix()
        return any(fnmatch(path.name, pattern) or fnmatch(below, pattern) for pattern in self.exclude)


EVERYTHING = Search()


def gather(path: Path, password: bytes = b"", search: Search = EVERYTHING) -> Iterator[Source]:
    """Yield a file, or all files below a folder that hold certificates; raise `Unreachable`."""
    if str(path) == PIPE:
        yield _source("stdin", _piped(), password)
    elif path.is_dir():
        yield from _folder(path, password, search)
    else:
        yield _source(str(path), _read(path), password)


def _source(name: str, data: bytes, password: bytes) -> Source:
    pieces, remarks = certificates_in(data, password)
    if not pieces and not any(remark.rule == "unreadable" for remark in remarks):
        locked = any(remark.rule == "locked" for remark in remarks)
        remedy = "give its password with --password" if locked else "name a PEM, DER, PKCS#7 or PKCS#12 file"
        raise Unreachable(f"{name}: {'cannot be opened' if locked else 'holds no certificate'}; {remedy}")
    return Source(name, pieces, remarks)


def _folder(folder: Path, password: bytes, search: Search) -> Iterator[Source]:
    found = False
    for path in _files(folder, search):
        try:
            data = _read(path)
        except Unreachable:
            continue
        if looks_like_certificates(data):
            pieces, remarks = certificates_in(data, password)
            if pieces or remarks:
                found = found or bool(pieces)
                yield Source(str(path), pieces, remarks)
    if not found:
        raise Unreachable(f"{folder}: no file in it holds a certificate")


def _files(folder: Path, search: Search) -> Iterator[Path]:
    """Yield what may be a certificate, not through links: those may lead in circles or out of the folder."""
    count = 0
    for base, folders, names in os.walk(folder):
        deep = len(Path(base).relative_to(folder).parts) >= MAX_DEPTH
        folders[:] = [] if deep else search.folders(Path(base), folders, folder)
        for path in search.files(Path(base), names, folder):
            if path.suffix.lower() in _OTHERS or path.is_symlink() or not path.is_file():
                continue
            count += 1
            if count > MAX_FILES:
                raise Unreachable(f"{folder}: more than {MAX_FILES} files; name a folder below it")
            yield path


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except OSError as error:
        raise Unreachable(f"{path}: cannot be read: {error.strerror}") from error
    return _bounded(str(path), data)


def _piped() -> bytes:
    return _bounded("stdin", sys.stdin.buffer.read(MAX_FILE + 1))


def _bounded(name: str, data: bytes) -> bytes:
    if len(data) > MAX_FILE:
        raise Unreachable(f"{name}: more than {MAX_FILE} bytes, which no chain has")
    return data
