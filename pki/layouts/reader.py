"""Reads the folder of another stack by the table of its layout; every error names the file and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pki.ancestry import self_signed
from pki.certificate import Certificate
from pki.layouts import forms
from pki.layouts.forms import Locked
from pki.layouts.found import Found, ordered, read_file
from pki.layouts.layout import File, Form, Layout
from pki.profiles import Tier


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
    found = [folder for folder in candidates if any((folder / file.path).exists() for file in table.files)]
    if not found:
        example = candidates[-1] / table.files[0].path
        raise ValueError(f"{source}: holds nothing of the {table.name} layout, such as {example}; name its folder")
    if len(found) > 1:
        raise ValueError(f"{source}: has {' and '.join(folder.name for folder in found)}; name one of them")
    return found[0]


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
        for file, data in self._files(Form.PASSWORD):
            self.passwords[file.places[0]] = self._password(file, data)
        for file, data in sorted(self._files(Form.DER, Form.PEM), key=lambda each: len(each[0].places)):
            self._certificates(file, self._checked(file, data))
        for file, data in self._files(Form.P12):
            self._bundle(file, data)
        for file, data in self._files(Form.KEY, Form.PKCS8, Form.PKCS8_DER):
            self._key(file, data)
        self.found.match()
        return self.found

    def _files(self, *wanted: Form) -> Iterator[tuple[File, bytes]]:
        for file in self.table.of(*wanted):
            data = read_file(self.folder / file.path)
            if data is not None:
                yield file, data

    def _password(self, file: File, data: bytes) -> bytes:
        """Return the first line, as every reader of such a file takes it."""
        line = data.partition(b"\n")[0].rstrip()
        try:
            forms.encryption_with(line)
        except ValueError as error:
            raise ValueError(f"{self.folder / file.path}: {error}; write the password into it anew") from error
        return line

    def _candidates(self, file: File) -> list[bytes]:
        """Return the passwords to try: what was given, the file's own, those of others, the layout's."""
        own = self.passwords.get(file.places[0], b"")
        return [each for each in (*self.given, own, *self.passwords.values(), self.table.password) if each]

    def _checked(self, file: File, data: bytes) -> list[Certificate]:
        try:
            return forms.certificates(file.form, data)
        except ValueError as error:
            raise self._unreadable(file, error) from error

    def _unreadable(self, file: File, error: ValueError) -> ValueError:
        remedy = "copy it again from its source, or remove it"
        if isinstance(error, Locked):
            remedy = "give its password with --password, or remove it"
        return ValueError(f"{self.folder / file.path}: {error}; {remedy}")

    def _certificates(self, file: File, certificates: Sequence[Certificate]) -> None:
        """Give the certificates of a file their places; what has none is told."""
        path = self.folder / file.path
        first = file.places[0]
        if first.endswith(f"/{Tier.ROOT}"):
            self._roots(first, certificates, path)
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

    def _bundle(self, file: File, data: bytes) -> None:
        try:
            key, certificates = forms.p12(data, self._candidates(file))
        except ValueError as error:
            raise self._unreadable(file, error) from error
        if not certificates:
            raise self._unreadable(file, ValueError("holds no certificates"))
        self._certificates(file, certificates)
        if key is not None:
            self.found.add_key(file.places[0], key, self.folder / file.path)

    def _key(self, file: File, data: bytes) -> None:
        try:
            key = forms.key(file.form, data, self._candidates(file))
        except ValueError as error:
            raise self._unreadable(file, error) from error
        self.found.add_key(file.places[0], key, self.folder / file.path)
