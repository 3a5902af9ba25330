"""The files of one tree: which lies where, who may read it, and how it is written so that nobody reads half a file."""

from __future__ import annotations

import fcntl
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import IO, Any, Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import x448
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pki.issue import Issued
from pki.keys import PrivateKey

logger = logging.getLogger(__name__)
PRIVATE = 0o600
PUBLIC = 0o644
SECOND_KEY = "key-x448.pem"
"""The X448 key of a leaf with two keys, beside the other."""
_LOCK = ".lock"
_PATIENCE_S = 1.0
"""How long somebody waits for another run before he is told."""
_LEFT = re.compile(r"\..+\.(pem|der|key|json|crl)\.[a-z0-9_]{8}")
"""The temporary files of `write`, as `tempfile` names them."""


class Put(Protocol):
    """Writes one of several files that belong together."""

    def __call__(self, path: Path, data: bytes, mode: int = PUBLIC, *, durable: bool = True) -> None:
        """Write a file, as `write` does; it is in its place when all are."""


def write(path: Path, data: bytes, mode: int = PUBLIC, *, durable: bool = True) -> None:
    """Write a file by way of a temporary one, so that a reader sees the old or the new bytes; keep it if equal.

    `durable` waits for the disk, which costs a millisecond or more: whoever writes thousands waits once, at the end.
    """
    with together() as put:
        put(path, data, mode, durable=durable)


@contextmanager
def together() -> Iterator[Put]:
    """Give what writes files that belong together, as `write` does: none is in its place before all were written."""
    waiting: list[tuple[Path, Path]] = []
    try:
        yield partial(_put, waiting)
        for temporary, path in waiting:
            with _naming(path):
                temporary.replace(path)
    finally:
        for temporary, _ in waiting:
            temporary.unlink(missing_ok=True)


def _put(
    waiting: list[tuple[Path, Path]], path: Path, data: bytes, mode: int = PUBLIC, *, durable: bool = True
) -> None:
    """Write what will be in a file to a temporary one beside it, unless it is there already."""
    if path.is_file() and path.stat().st_mode & 0o777 == mode and path.read_bytes() == data:
        return
    make_folder(path.parent, private=mode == PRIVATE)
    with _naming(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        waiting.append((temporary, path))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.chmod(mode)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Have an error of the disk tell the file it is about, not a temporary one or none."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


def make_folder(path: Path, *, private: bool = False) -> None:
    """Make a folder and those above it; a new private one is for its owner only."""
    if path.is_dir():
        return
    path.mkdir(parents=True, exist_ok=True)
    if private:
        path.chmod(0o700)


def unused(path: Path) -> Path:
    """Return <name>.old, or the first such name with a number that is free."""
    names = (path.with_name(f"{path.name}.old{number or ''}") for number in count())
    return next(name for name in names if not name.exists())


class KeyWithheld(ValueError):
    """A key that is not there, or encrypted: its owner may hold what is needed."""


def _load_key(path: Path) -> PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except FileNotFoundError:
        raise KeyWithheld("its key is missing") from None
    except TypeError:
        raise KeyWithheld("its key is encrypted") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("its key cannot be read") from error
    if isinstance(key, PrivateKey):
        return key
    raise ValueError("its key is of a kind that V2G does not use")


def _load_second(path: Path) -> x448.X448PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("its second key cannot be read") from error
    if isinstance(key, x448.X448PrivateKey):
        return key
    raise ValueError("its second key is not on X448")


class Store:
    """The folder of one tree. A place is "ca/<branch>/<name>" or "leaf/<role>/<id>"."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def certificate(self, place: str) -> Path:
        """Return where a certificate lies (PEM; DER beside it)."""
        path = self.folder / place
        return path / "cert.pem" if place.startswith("leaf/") else path.with_name(f"{path.name}.pem")

    def key(self, place: str) -> Path:
        """Return where the private key of a certificate lies."""
        path = self.folder / place
        return path / "key.pem" if place.startswith("leaf/") else path.parent / "private" / f"{path.name}.key"

    def second_key(self, place: str) -> Path:
        """Return where the X448 key of a leaf with two keys lies."""
        return self.key(place).with_name(SECOND_KEY)

    def chain(self, place: str) -> Path:
        """Return where the chain of a leaf lies: itself, Sub2, Sub1, without the root."""
        return self.folder / place / "chain.pem"

    def load_certificate(self, place: str) -> x509.Certificate:
        """Read the certificate of a place; raise ValueError if it is damaged."""
        try:
            return x509.load_pem_x509_certificate(self.certificate(place).read_bytes())
        except (ValueError, x509.InvalidVersion) as error:
            raise ValueError("it is no readable PEM certificate") from error

    def load(self, place: str) -> Issued:
        """Read certificate and key of a place; raise ValueError if they are damaged or do not belong together.

        It is a `KeyWithheld` where there is no key or an encrypted one.
        """
        certificate = self.load_certificate(place)
        key = _load_key(self.key(place))
        if key.public_key() != certificate.public_key():
            raise ValueError("its key is another one's")
        second = _load_second(self.second_key(place)) if self.second_key(place).exists() else None
        return Issued(certificate, key, second)

    def set_aside(self, place: str) -> None:
        """Rename what lies in a place and cannot be loaded to <name>.old: nobody but its owner can tell its worth."""
        try:
            self.load(place)
        except (ValueError, FileNotFoundError):
            # The certificate first: a key that was set aside alone would be missed.
            for path in (self.certificate(place), self.key(place)):
                if path.exists():
                    path.rename(unused(path))

    def places(self) -> list[str]:
        """Return the places that hold a certificate, CAs first."""
        authorities = (path.with_suffix("") for path in sorted(self.folder.glob("ca/*/*.pem")))
        leaves = (path.parent for path in sorted(self.folder.glob("leaf/*/*/cert.pem")))
        return [path.relative_to(self.folder).as_posix() for path in (*authorities, *leaves)]

    def trust(self, kind: str) -> Path:
        """Return where the trust anchors of a kind lie, concatenated: v2g, mo, oem."""
        return self.folder / "trust" / f"{kind}.pem"

    @property
    def manifest(self) -> Path:
        """Where the list of all files and certificates lies."""
        return self.folder / "manifest.json"

    def sweep(self) -> None:
        """Remove the temporary files of a run that was cut short; the caller holds `alone`."""
        parts = ((self.folder / part).rglob(".*") for part in ("ca", "leaf", "trust", "crl"))
        for found in chain(self.folder.glob(".*"), *parts):
            if _LEFT.fullmatch(found.name) and found.is_file():
                found.unlink()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against a second writer; wait for one that is at work."""
        make_folder(self.folder)
        with (self.folder / _LOCK).open("w") as lock:
            _hold(lock, fcntl.LOCK_EX, self.folder)
            yield

    @contextmanager
    def still(self) -> Iterator[None]:
        """Keep writers away while files are read that belong together; wait for one that is at work.

        Nobody of ours ever wrote where there is no lock.
        """
        path = self.folder / _LOCK
        with path.open("rb") if path.is_file() else nullcontext() as lock:
            if lock is not None:
                _hold(lock, fcntl.LOCK_SH, self.folder)
            yield


def _hold(lock: IO[Any], kind: int, folder: Path) -> None:
    """Take a lock of a kind; who has to wait long is told why."""
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        telling = threading.Timer(_PATIENCE_S, logger.warning, ("%s: another run is at work there; waiting", folder))
        telling.daemon = True
        telling.start()
        try:
            fcntl.flock(lock, kind)
        finally:
            telling.cancel()
