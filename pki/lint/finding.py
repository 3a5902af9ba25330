"""What a rule found: where, how bad it is, in words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from pki.doctor.finding import Severity
from v2g.record import Record

__all__ = ["Finding", "Place", "Remark", "Severity"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What a rule has to say about one certificate, or one file; `field` is the part of it that is meant."""

    rule: str
    text: str
    field: str = ""


class Place(Record, omit_defaults=True):
    """Where something is: `certificate` counts from 1 in its file, 0 is the file itself.

    `line` is where it begins in a PEM file, `tier` its place in a path, `also` the other places of the same bytes.
    """

    file: str
    certificate: int = 0
    line: int | None = None
    tier: str = ""
    field: str = ""
    also: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = self.file if not self.certificate else f"{self.file}#{self.certificate}"
        detail = ", ".join(part for part in (self.tier, self.field) if part)
        return f"{where} ({detail})" if detail else where


class Finding(Record, omit_defaults=True):
    """One rule that one certificate or file breaks; `sha256` is the digest of that certificate."""

    rule: str
    severity: Severity
    place: Place
    requirements: tuple[str, ...]
    text: str
    remedy: str
    sha256: str = ""
