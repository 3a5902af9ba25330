"""What lies in the folder of a tree: every certificate below its issuer, with what its owner has to know of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pki import revoked
from pki.ancestry import descent, issuers
from pki.certificate import Certificate
from pki.credentials import load_certificates
from pki.profiles import Tier
from pki.roles import role_of, row_of
from pki.store import Store

NOTICE = timedelta(days=14)
_HEAD = 512  # bytes of a key file: enough to tell whether it is encrypted


class Flag(StrEnum):
    """What is to be noticed about a certificate, the worst first."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    TOO_LARGE = "too large"
    NO_ISSUER = "issuer not here"
    KEY_MISSING = "key missing"
    KEY_ENCRYPTED = "key encrypted"
    ENDS_SOON = "ends soon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One certificate.

    `depth` counts the certificates above it, `issuer` is the place of the next; `days_left` is negative once it is
    expired, `life_left` the share of its validity still to come (0 to 1); `serial` is decimal text, as it outgrows the
    numbers of JSON; `size` and `limit` are bytes of DER, `limit` None where no edition knows such a certificate.
    """

    place: str
    role: str
    depth: int
    issuer: str | None
    common_name: str
    days_left: int
    life_left: float
    not_before: datetime
    not_after: datetime
    serial: str
    size: int
    limit: int | None
    flags: tuple[Flag, ...]


def trees(out: Path) -> list[Path]:
    """Return the folders below `out` that hold a tree, or `out` itself if it is one; raise ValueError for none."""
    candidates = [out, *sorted(path for path in out.glob("*") if path.is_dir())]
    found = [path for path in candidates if Store(path).places()]
    if not found:
        raise ValueError(f"{out}: holds no tree; `plugcharge pki init` makes one")
    return found


def gather(folder: Path) -> dict[str, Certificate]:
    """Return the certificates of a tree by place; raise ValueError naming an unreadable file."""
    found, damaged = gather_readable(folder)
    if damaged:
        raise ValueError(next(iter(damaged.values())))
    return found


def gather_readable(folder: Path) -> tuple[dict[str, Certificate], dict[str, str]]:
    """Return the certificates of a tree by place, and of those that cannot be read what is wrong."""
    tree = Store(folder)
    found, damaged = {}, {}
    with uncollected():
        for place in tree.places():
            try:
                found[place] = load_certificates(tree.certificate(place))[0]
            except ValueError as error:
                damaged[place] = str(error)
    return found, damaged


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the collector of cycles away: none arise here, and to look for them takes as long as to read."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def survey(folder: Path, at: datetime | None = None) -> list[Line]:
    """Return the certificates of a tree, each after its issuer; raise ValueError naming an unreadable file."""
    return describe(folder, gather(folder), at)


def describe(folder: Path, found: Mapping[str, Certificate], at: datetime | None = None) -> list[Line]:
    """Return a line for each certificate of a tree, each after its issuer; raise ValueError for a damaged list."""
    surveyor = _Surveyor(folder, found, at or datetime.now(UTC))
    return [surveyor.line(place, depth) for place, depth in descent(surveyor.above)]


class _Surveyor:
    """One tree at one time: who is above whom, and what was revoked."""

    def __init__(self, folder: Path, found: Mapping[str, Certificate], at: datetime) -> None:
        self.tree = Store(folder)
        self.found = found
        self.at = at
        self.above = issuers(found)
        self.ended = {(entry.issuer, int(entry.serial)) for entry in revoked.load(folder).revoked}

    def line(self, place: str, depth: int) -> Line:
        certificate = self.found[place]
        role = role_of(place, certificate)
        row = row_of(role, certificate)
        limit = row.size if row else None
        return Line(
            place=place,
            role=role,
            depth=depth,
            issuer=self.above[place],
            common_name=certificate.common_name,
            days_left=(certificate.not_after - self.at).days,
            life_left=life_left(certificate, self.at),
            not_before=certificate.not_before,
            not_after=certificate.not_after,
            serial=str(certificate.serial),
            size=len(certificate.der),
            limit=limit,
            flags=tuple(self._flags(place, role, certificate, limit)),
        )

    def _flags(self, place: str, role: str, certificate: Certificate, limit: int | None) -> list[Flag]:
        issuer = self.above[place]
        held = {
            Flag.REVOKED: (issuer, certificate.serial) in self.ended,
            Flag.EXPIRED: self.at > certificate.not_after,
            Flag.NOT_YET_VALID: self.at < certificate.not_before,
            Flag.TOO_LARGE: limit is not None and len(certificate.der) > limit,
            Flag.NO_ISSUER: issuer is None and certificate.subject != certificate.issuer,
            Flag.ENDS_SOON: ends_soon(certificate, self.at),
        }
        # A cross certificate is about the key of a root, which lies with the root.
        withheld = None if role.endswith(Tier.CROSS) else _withheld(self.tree.key(place))
        return [flag for flag in Flag if held.get(flag) or flag is withheld]


def life_left(certificate: Certificate, at: datetime) -> float:
    """Return the share of a certificate's validity still to come, from 1 (not begun) to 0 (over)."""
    whole = certificate.not_after - certificate.not_before
    return min(1.0, max(0.0, (certificate.not_after - at) / whole)) if whole else 0.0


def ends_soon(certificate: Certificate, at: datetime, notice: timedelta = NOTICE) -> bool:
    """Tell whether a valid certificate is due: in its last 14 days, or its last third if that is shorter."""
    due = certificate.not_after - min(notice, (certificate.not_after - certificate.not_before) / 3)
    return due <= at <= certificate.not_after


def _withheld(key: Path) -> Flag | None:
    """Return what keeps a private key from being used without more; its bytes are not parsed."""
    try:
        with key.open("rb") as file:
            return Flag.KEY_ENCRYPTED if b"ENCRYPTED" in file.read(_HEAD) else None
    except FileNotFoundError:
        return Flag.KEY_MISSING
    except OSError:
        return None
