"""Reads the folder of another stack by the table of its layout; every error names the file and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pki.ancestry import self_signed
from pki.certificate import Certificate
from pki.layouts import forms
from pki.layouts.forms import Locked
from pki.layouts.found import Found, ordered, read_file
from pki.layouts.layout import File, Form, Layout
from pki.profiles import Tier

T = TypeVar("T")


def read_folder(table: Layout, source: Path, password: bytes | None = None) -> Found:
    """Return what lies in a folder of a layout, or in one of `table.folders` below it.

    Keys are opened with `password`, with what the password files say, or with the layout's own. Raise ValueError for
    what is missing, damaged, locked, or does not belong together.
    """
    return _Reading(table, _folder(table, source), password).run()


def _folder(table: Layout, source: Path) -> Path:
    """Find the folder that has files of a layout: the one that was named, or the only one below it."""
    if not source.is_dir():
        raise ValueError(f"{source}: no such folder; name the one the {table.name} layout is in")
    candidates = [source / name for name in dict.fromkeys(("", *table.folders))]
    found = [folder for folder in candidates if any(_paths(table, folder, file) for file in table.files)]
    if not found:
        example = candidates[-1] / table.files[0].path
        raise ValueError(f"{source}: holds nothing of the {table.name} layout, such as {example}; name its folder")
    if len(found) > 1:
        raise ValueError(f"{source}: has {' and '.join(folder.name for folder in found)}; name one of them")
    return found[0]


def _paths(table: Layout, folder: Path, file: File) -> list[Path]:
    """Return where the file of a row is, or those of its name where that tells all."""
    if table.kin:
        return sorted(folder.rglob(file.path))
    path = folder / file.path
    return [path] if path.exists() or path.is_symlink() else []


class _Reading:
    """One folder while it is read."""

    def __init__(self, table: Layout, folder: Path, password: bytes | None) -> None:
        self.table = table
        self.folder = folder
        self.given = () if password is None else (password,)
        self.passwords: dict[str, bytes] = {}
        self.found = Found()

    def run(self) -> Found:
        """Read passwords first, as keys need them, and the files of single certificates before chains of them."""
        for file, path, data in self._files(Form.PASSWORD):
            self.passwords[file.places[0]] = _password(path, data)
        for file, path, data in sorted(self._files(Form.DER, Form.PEM), key=lambda each: len(each[0].places)):
            self._certificates(file, path, _told(path, partial(forms.certificates, file.form, data)))
        for file, path, data in self._files(Form.P12):
            self._bundle(file, path, data)
        for file, path, data in self._files(Form.KEY, Form.PKCS8, Form.PKCS8_DER):
            key = _told(path, partial(forms.key, file.form, data, self._candidates(file)))
            self.found.add_key(file.places[0], key, path)
        self.found.match()
        self._note_kin()
        return self.found

    def _files(self, *wanted: Form) -> Iterator[tuple[File, Path, bytes]]:
        for file in self.table.of(*wanted):
            for path in _paths(self.table, self.folder, file):
                data = read_file(path)
                if data is not None:
                    yield file, path, data

    def _candidates(self, file: File) -> list[bytes]:
        """Return the passwords to try: what was given, the file's own, those of others, the layout's."""
        own = self.passwords.get(file.places[0], b"")
        return [each for each in (*self.given, own, *self.passwords.values(), self.table.password) if each]

    def _certificates(self, file: File, path: Path, certificates: Sequence[Certificate]) -> None:
        """Give the certificates of a file their places; what has none is told."""
        if file.places[0].endswith(f"/{Tier.ROOT}"):
            self._roots(file.places[0], certificates, path)
            return
        chain = ordered(certificates) if len(file.places) > 1 else list(certificates)
        if chain != list(certificates):
            self.found.notes.append(f"{path}: its certificates are in another order than leaf, Sub2, Sub1")
        below = [certificate for certificate in chain if not self_signed(certificate)] or chain[:1]
        for place, certificate in zip(file.places, below, strict=False):
            self.found.add(place, certificate, path)
        left = len(chain) - min(len(file.places), len(below))
        if left:
            self.found.notes.append(f"{path}: {left} more than belong there left out, a root or other certificates")

    def _roots(self, place: str, certificates: Sequence[Certificate], path: Path) -> None:
        """Take every root of a file: there may be several valid at once [V2G2-878]."""
        for number, certificate in enumerate(certificates, start=1):
            if number == 1 or self_signed(certificate):
                self.found.add(place if number == 1 else f"{place}{number}", certificate, path)
            else:
                self.found.notes.append(f"{path}: certificate {number} is no root and left out")

    def _bundle(self, file: File, path: Path, data: bytes) -> None:
        key, certificates = _told(path, partial(forms.p12, data, self._candidates(file)))
        self._certificates(file, path, certificates)
        if key is not None:
            self.found.add_key(file.places[0], key, path)

    def _note_kin(self) -> None:
        """Tell of files that are named like those of the layout, and none of them: in another state, say."""
        known = {file.path for file in self.table.files}
        kin = sorted(self.folder.rglob(self.table.kin)) if self.table.kin else []
        others = [path for path in kin if path.name not in known]
        if others:
            self.found.notes.append(f"{len(others)} files of other names left out, such as {others[0]}")


def _password(path: Path, data: bytes) -> bytes:
    """Return the first line, as every reader of such a file takes it."""
    line = data.partition(b"\n")[0].rstrip()
    try:
        forms.encryption_with(line)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; write the password into it anew") from error
    return line


def _told(path: Path, load: Callable[[], T]) -> T:
    """Read what is in a file; an error names it and says what to do."""
    try:
        return load()
    except Locked as error:
        raise ValueError(f"{path}: {error}; give its password with --password, or remove it") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}; copy it again from its source, or remove it") from error
