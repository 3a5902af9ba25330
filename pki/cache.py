"""The evidence that is at hand: OCSP responses and revocation lists, from files, folders and whoever brings them.

Nothing here is believed: what is kept is judged anew, with issuer and clock, by everybody who asks. All of it is
bounded, and may be used from several threads.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from pki import crl, ocsp
from pki.certificate import Certificate
from pki.evidence import ISO2, Flaw, Statement, Terms, Unusable

logger = logging.getLogger(__name__)
MOST_PIECES = 1024
MOST_BYTES = 16 * crl.MOST_BYTES
MOST_FILES = 1024
MOST_OF_ONE = 4
"""Pieces about one certificate, or lists of one CA, that are kept of those added: the others are out of date."""
LOOK_S = 1.0
"""How often a cache that follows its sources looks whether they changed."""
_SUFFIXES = (".crl", ".ocsp", ".der", ".pem")


@dataclass(frozen=True, slots=True)
class Response:
    """An OCSP response, about whom it says."""

    read: ocsp.Response

    @property
    def subject(self) -> tuple[object, ...]:
        """What others would have to be about to say the same, newer or older."""
        about = self.read.about
        return about.algorithm.name, about.name_hash, about.key_hash, about.serial

    @property
    def lasting(self) -> bool:
        """Whether no newer one can take its place."""
        return self.read.standing.final

    def concerns(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Tell whether it speaks of this certificate."""
        about = self.read.about
        return about.serial == certificate.serial and about.fits(certificate.serial, issuer.parsed)

    def judge(self, certificate: Certificate, issuer: Certificate, at: datetime, terms: Terms) -> Statement:
        """Return what it says; raise `Unusable`."""
        return self.read.judge(certificate, issuer, at, terms)


@dataclass(frozen=True, slots=True)
class List:
    """A revocation list."""

    read: crl.RevocationList

    @property
    def subject(self) -> tuple[object, ...]:
        """What others would have to be about to say the same, newer or older."""
        return self.read.issuer, self.read.issuer_key_id

    @property
    def lasting(self) -> bool:
        """Whether no newer one can take its place: a complete list repeats what stood in the last."""
        return False

    def concerns(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Tell whether it names the issuer of this certificate."""
        return self.read.issuer == issuer.subject == certificate.issuer

    def judge(self, certificate: Certificate, issuer: Certificate, at: datetime, terms: Terms) -> Statement:
        """Return what it says; raise `Unusable`."""
        return self.read.judge(certificate, issuer, at, terms)


Piece = Response | List


def recognize(data: bytes) -> Piece:
    """Read a piece of evidence of either kind; raise `Unusable` if it is neither."""
    try:
        return List(crl.read(data))
    except Unusable as error:
        if error.flaw is not Flaw.MALFORMED:
            raise
    return Response(ocsp.read_response(data))


Stamp = tuple[int, int, int]
"""Tells a file apart from what it was: time, size and inode."""


@dataclass(slots=True)
class _File:
    """What was read of a file, as it was when its `stamp` was taken."""

    stamp: Stamp
    piece: Piece | None


@dataclass(slots=True)
class Found:
    """What the evidence says of one certificate, and why some of it may not be relied upon."""

    statements: list[Statement] = field(default_factory=list)
    refused: list[Unusable] = field(default_factory=list)


class Cache:
    """Evidence by piece: from `sources`, files and folders that are read anew when they change, and what is added.

    A folder gives its files that end in .crl, .ocsp, .der or .pem. Raises ValueError naming a source that is not there,
    or a file among the sources that holds no evidence.
    """

    def __init__(self, sources: Sequence[Path] = ()) -> None:
        self._sources = tuple(sources)
        self._added: dict[bytes, Piece] = {}
        self._files: dict[Path, _File] = {}
        self._gone: set[Path] = set()
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._reader: threading.Thread | None = None
        for source in self._sources:
            _check(source)
        self.refresh()

    def add(self, data: bytes) -> Piece:
        """Keep an OCSP response or a revocation list; raise `Unusable` for what is neither. The oldest makes room."""
        piece = recognize(data)
        with self._lock:
            self._added.pop(data, None)
            self._added[data] = piece
            same = [key for key, each in self._added.items() if each.subject == piece.subject and not each.lasting]
            for key in same[:-MOST_OF_ONE]:
                del self._added[key]
            while len(self._added) > MOST_PIECES or sum(map(len, self._added)) > MOST_BYTES:
                del self._added[next(iter(self._added))]
        return piece

    def refresh(self) -> None:
        """Read what changed in the sources.

        What cannot be read any more is told once, and what it held before is kept: only a file that is gone from a
        folder that is there counts as taken away.
        """
        with self._reading:  # which may take a while: who asks meanwhile gets what was known before
            found = {source: _stamps(source) for source in self._sources}
            gone = {source for source, stamps in found.items() if stamps is None}
            for source in gone - self._gone:
                logger.warning("%s: is gone; what it said last is kept", source)
            self._gone = gone
            files = {path: file for path, file in self._files.items() if gone & {path, path.parent}}
            for path, stamp in (each for stamps in found.values() if stamps for each in stamps.items()):
                known = self._files.get(path)
                if known is None or known.stamp != stamp:
                    known = _File(stamp, _load(path) or (known.piece if known else None))
                files[path] = known
            with self._lock:
                self._files = files

    def follow(self) -> None:
        """From now on read what changes by itself, in a thread, as long as this cache is in use."""
        if self._sources and self._reader is None:
            ended = threading.Event()
            weakref.finalize(self, ended.set)
            work = threading.Thread(target=_follow, args=(weakref.ref(self), ended), name="evidence", daemon=True)
            work.start()
            self._reader = work

    def update(self) -> None:
        """Read what changed in the sources, unless a thread does; then it returns at once."""
        if self._reader is None or not self._reader.is_alive():
            self.refresh()

    def find(self, certificate: Certificate, issuer: Certificate, at: datetime, terms: Terms = ISO2) -> Found:
        """Return all that is said of a certificate at a time; `issuer` has to be known as its issuer."""
        found = Found()
        for piece in self._pieces():
            if piece.concerns(certificate, issuer):
                try:
                    found.statements.append(piece.judge(certificate, issuer, at, terms))
                except Unusable as error:
                    found.refused.append(error)
        return found

    def responses(self, certificate: Certificate, issuer: Certificate) -> list[bytes]:
        """Return the OCSP responses (DER) that say to be about a certificate, for who hands them on; none is judged."""
        pieces = (piece for piece in self._pieces() if isinstance(piece, Response))
        return [piece.read.parsed.public_bytes(Encoding.DER) for piece in pieces if piece.concerns(certificate, issuer)]

    def _pieces(self) -> list[Piece]:
        with self._lock:
            return [*self._added.values(), *(file.piece for file in self._files.values() if file.piece is not None)]


def _follow(cache: weakref.ref[Cache], ended: threading.Event) -> None:
    """Keep a cache up to date until nobody has it any more."""
    while not ended.wait(LOOK_S):
        followed = cache()
        if followed is None:
            return
        followed.refresh()
        del followed


def _stamps(source: Path) -> dict[Path, Stamp] | None:
    """Look at a file, or at all evidence in a folder; None where that cannot be looked at."""
    try:
        status = source.stat()
        return _in_folder(source) if stat.S_ISDIR(status.st_mode) else {source: _stamp(status)}
    except OSError:
        return None


def _in_folder(folder: Path) -> dict[Path, Stamp]:
    """Look at a folder in one go; a file that vanishes meanwhile is none of its."""
    stamps: dict[Path, Stamp] = {}
    with os.scandir(folder) as entries:
        fitting = [entry for entry in entries if _is_evidence(entry.name)]
    for entry in sorted(fitting, key=lambda entry: entry.name)[:MOST_FILES]:
        try:
            stamps[folder / entry.name] = _stamp(entry.stat())
        except OSError:
            continue
    return stamps


def _is_evidence(name: str) -> bool:
    return name.endswith(_SUFFIXES) and not name.startswith(".")


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _check(source: Path) -> None:
    if not source.exists():
        raise ValueError(f"{source}: no such file or folder of revocation lists or OCSP responses")
    if source.is_file():
        try:
            recognize(_bytes(source))
        except (Unusable, OSError) as error:
            raise ValueError(f"{source}: holds neither a revocation list nor an OCSP response ({error})") from error


def _load(path: Path) -> Piece | None:
    try:
        return recognize(_bytes(path))
    except (Unusable, OSError) as error:
        logger.warning("%s: not used as evidence of revocation: %s", path, error)
        return None


def _bytes(path: Path) -> bytes:
    """Read a file, no further than to the byte that makes it too long."""
    with path.open("rb") as file:
        return file.read(crl.MOST_BYTES + 1)
