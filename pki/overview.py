"""What lies in the folder of a tree: every certificate below its issuer, with what its owner has to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pki.ancestry import descent, issuers, self_signed
from pki.certificate import Certificate
from pki.credentials import load_certificates
from pki.profiles import Edition, Profile, Tier, profile
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
    tree = Store(folder)
    return {place: load_certificates(tree.certificate(place))[0] for place in tree.places()}


def survey(folder: Path, at: datetime | None = None) -> list[Line]:
    """Return the certificates of a tree, each after its issuer; raise ValueError naming an unreadable file."""
    return describe(folder, gather(folder), at)


def describe(folder: Path, found: Mapping[str, Certificate], at: datetime | None = None) -> list[Line]:
    """Return a line for each certificate of a tree, each after its issuer."""
    now = at or datetime.now(UTC)
    above = issuers(found)
    tree = Store(folder)
    return [_line(place, depth, above[place], found[place], tree, now) for place, depth in descent(above)]


def _line(place: str, depth: int, issuer: str | None, certificate: Certificate, tree: Store, at: datetime) -> Line:
    role = role_of(place, certificate)
    row = row_of(role, certificate)
    limit = row.size if row else None
    orphan = issuer is None and certificate.subject != certificate.issuer
    return Line(
        place=place,
        role=role,
        depth=depth,
        issuer=issuer,
        common_name=certificate.common_name,
        days_left=(certificate.not_after - at).days,
        life_left=life_left(certificate, at),
        not_before=certificate.not_before,
        not_after=certificate.not_after,
        serial=str(certificate.serial),
        size=len(certificate.der),
        limit=limit,
        flags=tuple(_flags(certificate, at, tree.key(place), limit=limit, orphan=orphan)),
    )


def role_of(place: str, certificate: Certificate) -> str:
    """Return the name of the profile that a certificate should fit, by where it lies: "secc", "cpo-sub2"."""
    kind, _, rest = place.partition("/")
    group, _, name = rest.partition("/")
    if kind == "leaf":
        return group
    if name in list(Tier):
        return f"{group}-{name}"
    if self_signed(certificate):
        return f"{group}-{Tier.ROOT}"
    return f"{group}-{Tier.SUB1 if certificate.path_length else Tier.SUB2}"


def row_of(role: str, certificate: Certificate) -> Profile | None:
    """Return the profile of a role, of the first edition that signs with such a key; None if there is none."""
    for edition in Edition:
        try:
            row = profile(role, edition)
        except ValueError:
            continue
        if row.suite.fits(certificate.key):
            return row
    return None


def life_left(certificate: Certificate, at: datetime) -> float:
    """Return the share of a certificate's validity still to come, from 1 (not begun) to 0 (over)."""
    whole = certificate.not_after - certificate.not_before
    return min(1.0, max(0.0, (certificate.not_after - at) / whole)) if whole else 0.0


def ends_soon(certificate: Certificate, at: datetime, notice: timedelta = NOTICE) -> bool:
    """Tell whether a valid certificate is due: in its last 14 days, or its last third if that is shorter."""
    due = certificate.not_after - min(notice, (certificate.not_after - certificate.not_before) / 3)
    return due <= at <= certificate.not_after


def _flags(certificate: Certificate, at: datetime, key: Path, *, limit: int | None, orphan: bool) -> list[Flag]:
    held = {
        Flag.EXPIRED: at > certificate.not_after,
        Flag.NOT_YET_VALID: at < certificate.not_before,
        Flag.TOO_LARGE: limit is not None and len(certificate.der) > limit,
        Flag.NO_ISSUER: orphan,
        Flag.ENDS_SOON: ends_soon(certificate, at),
    }
    withheld = _withheld(key)
    return [flag for flag in Flag if held.get(flag) or flag is withheld]


def _withheld(key: Path) -> Flag | None:
    """Return what keeps a private key from being used without more; its bytes are not parsed."""
    try:
        with key.open("rb") as file:
            return Flag.KEY_ENCRYPTED if b"ENCRYPTED" in file.read(_HEAD) else None
    except FileNotFoundError:
        return Flag.KEY_MISSING
    except OSError:
        return None
