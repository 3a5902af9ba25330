"""The files of one tree: which lies where, who may read it, and how it is written so that nobody reads half a file."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pki.tree import Entry

PRIVATE = 0o600
PUBLIC = 0o644


def write(path: Path, data: bytes, mode: int = PUBLIC) -> None:
    """Write a file by way of a temporary one, so that a reader sees the old or the new bytes; keep it if equal."""
    if path.is_file() and path.stat().st_mode & 0o777 == mode and path.read_bytes() == data:
        return
    make_folder(path.parent, private=mode == PRIVATE)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def make_folder(path: Path, *, private: bool = False) -> None:
    """Make a folder and those above it; a private one is for its owner only."""
    path.mkdir(parents=True, exist_ok=True)
    if private and path.stat().st_mode & 0o077:
        path.chmod(0o700)


class Store:
    """The folder of one tree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def certificate(self, entry: Entry) -> Path:
        """Return where the certificate of an entry lies (PEM; DER beside it)."""
        place = self.folder / entry.place
        return place.with_name(f"{entry.name}.pem") if entry.profile.ca else place / "cert.pem"

    def key(self, entry: Entry) -> Path:
        """Return where the private key of an entry lies."""
        place = self.folder / entry.place
        return place.parent / "private" / f"{entry.name}.key" if entry.profile.ca else place / "key.pem"

    def chain(self, entry: Entry) -> Path:
        """Return where the chain of a leaf lies: itself, Sub2, Sub1, without the root."""
        return self.folder / entry.place / "chain.pem"

    def trust(self, kind: str) -> Path:
        """Return where the trust anchors of a kind lie, concatenated: v2g, mo, oem."""
        return self.folder / "trust" / f"{kind}.pem"

    @property
    def manifest(self) -> Path:
        """Where the list of all files and certificates lies."""
        return self.folder / "manifest.json"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against a second writer; wait for one that is at work."""
        make_folder(self.folder)
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
