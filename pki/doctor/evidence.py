"""Every certificate, key and revocation list below a folder, read whatever its file is called."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_pem_private_key

from pki.certificate import Certificate, read

MOST_FILES = 200_000
_LARGEST = 1_000_000  # bytes; certificates are small
_MOST_PASSWORDS = 20
_SUFFIXES = frozenset({".pem", ".der", ".crt", ".cer", ".key", ".crl", ".cert"})
# What we made wrong on purpose, or for others, is no part of the tree it lies in.
_LEFT_OUT = frozenset({"broken", "export", ".git", "__pycache__"})


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A file with certificates, in its order."""

    path: Path
    certificates: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file with a private key; `public` is None where it is encrypted or, as `problem` says, cannot be read."""

    path: Path
    mode: int
    public: PublicKeyTypes | None
    encrypted: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ListFile:
    """A file with a revocation list."""

    path: Path
    revocations: x509.CertificateRevocationList


@dataclass(slots=True)
class Evidence:
    """What was read at the places looked at; `unreadable` names files with the reason."""

    at: datetime
    files: dict[Path, CertificateFile] = field(default_factory=dict)
    keys: dict[Path, KeyFile] = field(default_factory=dict)
    lists: list[ListFile] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)
    truncated: bool = False
    known: dict[bytes, Certificate] = field(default_factory=dict)
    """All certificates by their DER."""
    seen: set[Path] = field(default_factory=set)
    beside: dict[Path, tuple[bytes, ...]] = field(default_factory=dict)
    """The passwords found in a folder, for the keys there."""

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to look at."""
        return not (self.files or self.keys or self.lists or self.unreadable)

    def gather(self, place: Path) -> None:
        """Read a file, or every file of a folder and those below it."""
        for path in _files(place):
            if len(self.seen) >= MOST_FILES:
                self.truncated = True
                return
            self.examine(path)

    def examine(self, path: Path, password: bytes | None = None) -> None:
        """Read one file, whatever it holds; nothing is raised, what fails is noted."""
        if path in self.seen:
            return
        self.seen.add(path)
        try:
            data = _bytes(path)
            self._sort(path, data, self._passwords(path.parent) if password is None else (password,))
        except OSError as error:
            self.unreadable[path] = error.strerror or type(error).__name__
        except ValueError as error:
            self.unreadable[path] = str(error)

    def _sort(self, path: Path, data: bytes, passwords: Sequence[bytes]) -> None:
        if b"PRIVATE KEY-----" in data or path.suffix == ".key":
            self.keys[path] = _key(path, data, passwords)
        if b"BEGIN X509 CRL" in data or path.suffix == ".crl":
            self.lists.append(ListFile(path, _list(data)))
        if b"-----BEGIN CERTIFICATE-----" in data:
            self.files[path] = CertificateFile(path, tuple(self._known(der) for der in _blocks(data)))
        elif b"-----BEGIN" not in data and path.suffix not in {".key", ".crl"}:
            self._sort_binary(path, data, passwords)

    def _sort_binary(self, path: Path, data: bytes, passwords: Sequence[bytes]) -> None:
        if not data.strip():
            raise ValueError("it is empty")
        if data[:1] != b"\x30":
            raise ValueError("it holds neither a PEM block nor DER")
        key = _key(path, data, passwords)
        if key.public or key.encrypted:
            self.keys[path] = key
        else:
            self.files[path] = CertificateFile(path, (self._known(data),))

    def _passwords(self, folder: Path) -> tuple[bytes, ...]:
        """Return the passwords that lie beside keys, as other stacks keep them: one file each, one line."""
        if folder not in self.beside:
            files = sorted(path for path in folder.glob("*.txt") if path.stem.upper().endswith("PASSWORD"))
            self.beside[folder] = tuple(dict.fromkeys(_bytes(path).strip() for path in files[:_MOST_PASSWORDS]))
        return self.beside[folder]

    def _known(self, der: bytes) -> Certificate:
        found = self.known.get(der)
        if found is None:
            found = self.known[der] = read(der)
        return found


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    for folder, below, names in os.walk(place):
        below[:] = sorted(name for name in below if name not in _LEFT_OUT)
        yield from _read_first(Path(folder), names)


def _read_first(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """Yield the files that may be of interest, text before binary: what stands in both is told of the first."""
    paths = [folder / name for name in names]
    yield from sorted(
        (path for path in paths if path.suffix in _SUFFIXES), key=lambda path: (path.suffix == ".der", path)
    )


def _bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise ValueError(f"it has more than {_LARGEST:,} bytes")
    return data


def _blocks(data: bytes) -> list[bytes]:
    try:
        return [parsed.public_bytes(Encoding.DER) for parsed in x509.load_pem_x509_certificates(data)]
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"no readable certificate: {error}") from error


def _list(data: bytes) -> x509.CertificateRevocationList:
    load = x509.load_pem_x509_crl if data.startswith(b"-----") else x509.load_der_x509_crl
    try:
        return load(data)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ValueError(f"no readable revocation list: {error}") from error


def _key(path: Path, data: bytes, passwords: Sequence[bytes]) -> KeyFile:
    """Read a private key, with a password only where it needs one."""
    mode = path.stat().st_mode & 0o777
    load = load_pem_private_key if b"-----BEGIN" in data else load_der_private_key
    try:
        return KeyFile(path, mode, load(data, None).public_key())
    except TypeError:
        for password in passwords:
            try:
                return KeyFile(path, mode, load(data, password).public_key())
            except (ValueError, TypeError, UnsupportedAlgorithm):
                continue
    except (ValueError, UnsupportedAlgorithm) as error:
        told = next(iter(str(error).splitlines()), type(error).__name__)
        return KeyFile(path, mode, None, problem=f"no readable private key: {told}")
    return KeyFile(
        path, mode, None, encrypted=True, problem="no password there is for it opens it" if passwords else ""
    )
