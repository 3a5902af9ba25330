"""What lies in the folder of a tree: every certificate below its issuer, with the days it has left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pki.certificate import Certificate, read, signed_by
from pki.credentials import load_chain
from pki.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """One certificate.

    `depth` counts the certificates above it, `days_left` is negative once it is
    expired, `serial` is decimal text, as it outgrows the numbers of JSON.
    """

    place: str
    depth: int
    common_name: str
    days_left: int
    not_after: datetime
    serial: str
    size: int


def trees(out: Path) -> list[Path]:
    """Return the folders below `out` that hold a tree, or `out` itself if it is one; raise ValueError for none."""
    candidates = [out, *sorted(path for path in out.glob("*") if path.is_dir())]
    found = [path for path in candidates if Store(path).places()]
    if not found:
        raise ValueError(f"{out}: holds no tree; `plugcharge pki init` makes one")
    return found


def survey(folder: Path, at: datetime | None = None) -> list[Line]:
    """Return the certificates of a tree, each after its issuer; raise ValueError naming an unreadable file."""
    tree = Store(folder)
    found = {place: read(load_chain(tree.certificate(place))[0]) for place in tree.places()}
    issuers = {place: _issuer(place, found) for place in found}
    return list(_below(None, found, issuers, 0, at or datetime.now(UTC)))


def _issuer(place: str, found: dict[str, Certificate]) -> str | None:
    """Return the place of the certificate that signed another one; None for roots and orphans."""
    signed = found[place].parsed
    return next((other for other, by in found.items() if other != place and signed_by(signed, by.parsed)), None)


def _below(
    issuer: str | None, found: dict[str, Certificate], issuers: dict[str, str | None], depth: int, at: datetime
) -> Iterator[Line]:
    for place, certificate in found.items():
        if issuers[place] == issuer:
            yield Line(
                place=place,
                depth=depth,
                common_name=certificate.common_name,
                days_left=(certificate.not_after - at).days,
                not_after=certificate.not_after,
                serial=str(certificate.serial),
                size=len(certificate.der),
            )
            yield from _below(place, found, issuers, depth + 1, at)


def as_text(folder: Path, lines: Sequence[Line]) -> Iterator[str]:
    """Yield a survey as lines for people."""
    yield f"{folder}"
    width = max(2 * line.depth + len(line.place) for line in lines)
    for line in lines:
        name = f"{'  ' * line.depth}{line.place}"
        left = f"{line.days_left:6} days left" if line.days_left >= 0 else "       EXPIRED  "
        yield f"  {name:<{width}}  {left}  {line.common_name}"
