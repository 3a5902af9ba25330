"""Every case by its id, the ids that are for others, and in which modes a case is to be run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lab.cases import station_table, vehicle_table
from lab.cases.case import Case
from lab.cases.certificates import Certificates
from lab.cases.pixit import Energy, Payment, Pixit

CATALOGUE = Path(__file__).with_name("catalogue.tsv")
CLOSING = 1 / 10
"""How much faster sessions are closed after their end in every run."""
OF_CONTRACTS = frozenset({"tariffs", "receipts"})
"""What a station has for contracts alone: the other modes of such a case are not run."""

NOT_APPLICABLE: dict[str, str] = {}
"""The ids that have no case here, each with its reason."""


@dataclass(frozen=True, slots=True)
class Mode:
    """What is charged in a run, and how it is paid."""

    energy: Energy
    payment: Payment

    def __str__(self) -> str:
        return f"{self.energy}-{self.payment}"


MODES = tuple(Mode(energy, payment) for energy in ("AC", "DC") for payment in ("EIM", "PnC"))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the catalogue: an id, the modes it is for, and the requirements it stands for."""

    id: str
    modes: tuple[Mode, ...]
    requirements: tuple[str, ...]

    @property
    def station(self) -> bool:
        """Whether it is a case of a station; the others are of vehicles."""
        return "_SECC_" in self.id


@cache
def catalogue() -> dict[str, Row]:
    """All ids of ISO 15118-2, in their order."""
    lines = CATALOGUE.read_text(encoding="utf-8").splitlines()[1:]
    return {row.id: row for row in map(_row, lines)}


def _row(line: str) -> Row:
    name, modes, requirements = line.split("\t")
    wanted = [each.rpartition("-")[0] for each in modes.split(",")]
    return Row(
        id=name,
        modes=tuple(mode for mode in MODES if str(mode) in wanted),
        requirements=tuple(dict.fromkeys(requirements.split(","))) if requirements else (),
    )


@cache
def cases() -> dict[str, Case[Any]]:
    """The case of every id that has one; raises ValueError for an id that has two."""
    found: dict[str, Case[Any]] = {}
    every: Iterator[tuple[str, Case[Any]]]
    for every in (station_table.cases(), vehicle_table.cases()):
        for name, case in every:
            if name in found:
                raise ValueError(f"{name}: there are two cases of this id")
            found[name] = case
    return found


def modes(name: str) -> tuple[Mode, ...]:
    """In which modes a case is to be run; the first one differs from id to id."""
    case, row = cases()[name], catalogue()[name]
    fit = [mode for mode in row.modes if mode.payment == "PnC" or not case.features & OF_CONTRACTS]
    first = int(name[-3:]) % len(fit)
    return (*fit[first:], *fit[:first])


def pixit(name: str, mode: Mode, certificates: Certificates) -> Pixit:
    """What a system has to be, and is told, for a case in a mode."""
    case = cases()[name]
    return Pixit(
        energy=mode.energy,
        payment=mode.payment,
        features=case.features,
        certificates=certificates,
        hurry={"close": CLOSING, **case.hurry},
    )
