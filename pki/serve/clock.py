"""The time the servers live in: that of the machine, moved by an offset, or the one a request names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

HEADER = "X-Plugcharge-Time"
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9990, 1, 1, tzinfo=UTC)
"""Beyond it, the validity of what is made now could not be written."""


def now(offset_s: float) -> datetime:
    """Return the time of a server whose clock is off by so many seconds."""
    return shifted(datetime.now(UTC), offset_s)


def shifted(moment: datetime, offset_s: float) -> datetime:
    """Move a time; raise ValueError for years that no certificate can tell."""
    try:
        return _bounded(moment + timedelta(seconds=offset_s))
    except OverflowError as error:
        raise ValueError(f"an offset of {offset_s} seconds leads out of the calendar") from error


def told(text: str) -> datetime:
    """Read a time such as 2030-01-31T12:00:00Z; raise ValueError unless it is one with its zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no time; write it as 2030-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no time zone; write it as 2030-01-31T12:00:00Z")
    try:
        return _bounded(moment.astimezone(UTC))
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} leads out of the calendar") from error


def _bounded(moment: datetime) -> datetime:
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError(f"{moment:%Y-%m-%d}: a clock shows {_EARLIEST.year} to {_LATEST.year}")
    return moment
