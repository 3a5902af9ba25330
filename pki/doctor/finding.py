"""What the doctor found: how bad it is, where, what, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from v2g.record import Record


class Severity(StrEnum):
    """How bad it is: an error ends sessions, a warning will or may, a note only explains."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Remark(Record):
    """One thing a check has to say; `place` is a file or folder."""

    severity: Severity
    place: str
    what: str
    remedy: str


class Finding(Remark):
    """A remark with the name of the check that made it."""

    check: str
