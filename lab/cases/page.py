"""The conformance page: one row per id of ISO 15118-2, with what became of its case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from lab.cases.registry import NOT_APPLICABLE, cases, catalogue
from lab.cases.verdict import Verdict

HEAD = """\
# Conformance of ISO 15118-2 by name

Made by `python -m tests.lab.conformance > docs/conformance.md`, which runs every case; a test compares the two.

The ids are those of the public conformance cases for ISO 15118-2 that need no SLAC hardware, the requirements are the
ones they stand for. What a case does is our own reading of both: `lab/cases/station_table.py` and `vehicle_table.py`
say which pattern it is and with which parameters. Each runs against the real station (`secc`) or the real vehicle
(`evcc`) over a socket. Control pilot, contactor, meter and data link are simulated, timers are told to run faster, the
long runs (`Reliability`) are short. A case passes when it does in each of its modes; receipts and tariffs are for
contracts, so their cases run with one alone.

"""
COLUMNS = ("id", "pattern", "requirements", "verdict")


def verdict(found: Sequence[Verdict]) -> str:
    """The one word for all runs of a case."""
    return "pass" if found and all(each.outcome == "pass" for each in found) else "fail"


def rows(found: Mapping[str, Sequence[Verdict]]) -> list[tuple[str, str, str, str]]:
    """The rows of the page, in the order of the catalogue."""
    told = []
    for name, row in catalogue().items():
        case = cases().get(name)
        pattern = "" if case is None else case.pattern.replace("_", " ")
        outcome = f"n/a: {NOT_APPLICABLE[name]}" if case is None else verdict(found[name])
        told.append((name, pattern, ", ".join(row.requirements), outcome))
    return told


def page(found: Mapping[str, Sequence[Verdict]]) -> str:
    """The whole page."""
    table = rows(found)
    counted = Counter(row[-1].partition(":")[0] for row in table)
    summary = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items(), reverse=True))
    lines = ["| " + " | ".join(row) + " |" for row in (COLUMNS, ("---",) * len(COLUMNS), *table)]
    return f"{HEAD}{len(table)} ids: {summary}.\n\n" + "\n".join(lines) + "\n"


def read(text: str) -> dict[str, tuple[str, ...]]:
    """The rows of a page that was written, by id."""
    cells = [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in text.splitlines() if line[:1] == "|"
    ]
    return {row[0]: row for row in cells[2:]}
