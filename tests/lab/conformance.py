"""Runs the conformance cases against our own station and vehicle; `python -m tests.lab.conformance` writes the page.

Many run at a time, since they mostly wait. One that does not pass among others is run again by itself, so that what
counts is no busy machine.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from lab.cases.certificates import Certificates
from lab.cases.page import page
from lab.cases.registry import MODES, Mode, cases, catalogue, modes, pixit
from lab.cases.verdict import Verdict
from pki.store import Store
from tests.certificates import make_tree
from tests.lab.station_subject import station_subject
from tests.lab.vehicle_subject import vehicle_subject

AT_A_TIME = 6


async def run(name: str, mode: Mode, tree: Path) -> Verdict:
    """Set the system up for a case, and run it."""
    declared = pixit(name, mode, Certificates(Store(tree)))
    if catalogue()[name].station:
        async with station_subject(declared, tree) as station:
            return await cases()[name](station, declared)
    with tempfile.TemporaryDirectory() as wallet:
        async with vehicle_subject(declared, tree, Path(wallet)) as vehicle:
            return await cases()[name](vehicle, declared)


async def run_all(names: Iterable[str], tree: Path, *, most_modes: int = len(MODES)) -> dict[str, list[Verdict]]:
    """Run many cases, each in so many of its modes."""
    places = asyncio.Semaphore(AT_A_TIME)

    async def one(name: str, mode: Mode) -> Verdict:
        async with places:
            return await run(name, mode, tree)

    wanted = [(name, mode) for name in names for mode in modes(name)[:most_modes]]
    verdicts = await asyncio.gather(*(one(*each) for each in wanted))
    found: dict[str, list[Verdict]] = {}
    for (name, mode), verdict in zip(wanted, verdicts, strict=True):
        counts = verdict if verdict.outcome == "pass" else await run(name, mode, tree)
        found.setdefault(name, []).append(counts)
    return found


def told(verdicts: Sequence[Verdict]) -> str:
    """What went wrong, for people."""
    wrong = [each for each in verdicts if each.outcome != "pass"]
    return "\n".join(f"{each.outcome}: {each.reason}\n  " + "\n  ".join(each.evidence) for each in wrong)


def main() -> None:
    """Run all cases in all modes and write the page."""
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run_all(cases(), make_tree(Path(folder))))
    for name, verdicts in found.items():
        if text := told(verdicts):
            sys.stderr.write(f"{name}\n{text}\n")
    sys.stdout.write(page(found))


if __name__ == "__main__":
    main()
