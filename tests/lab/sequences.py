"""The page `docs/sequences.md`, drawn from sessions that run: `python -m tests.lab.sequences > docs/sequences.md`."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from lab.ladder import Exchange, diagram
from tests.certificates import make_tree
from tests.lab.journeys import journeys
from tests.lab.stations import Session, stops
from tests.lab.vehicles import Journey, answered
from tests.lab.waits import Place, Waits, waits
from tests.lab.ways import sessions

HEAD = """\
# Sequences

Every session as the code holds it, once from each side. A note names the function that waits for the next message
(at the station) or for the answer (in the vehicle); `or` says what else the station would have taken there. After
SessionSetup a station takes SessionStopReq everywhere. The tables that both sides are held to stand in `lab/standard`.

Drawn from running sessions by `python -m tests.lab.sequences > docs/sequences.md`; a test compares."""


async def page(certificates: Path) -> str:
    """Run all sessions and draw them."""
    with waits() as noted:
        parts = [HEAD]
        parts += ["## The station", *[part async for part in _stations(certificates, noted)]]
        parts += ["## The vehicle", *[part async for part in _vehicles(certificates, noted)]]
    return "\n\n".join(parts) + "\n"


async def _stations(certificates: Path, noted: Waits) -> AsyncIterator[str]:
    for session in sessions(certificates):
        yield _section(session, [each async for each in _held(session, certificates, noted)], "station")


async def _held(session: Session, certificates: Path, noted: Waits) -> AsyncIterator[Exchange]:
    async with session.station(certificates) as station:
        for stop in await stops(session, station, noted):
            came = type(stop.request).__name__
            others = tuple(each for each in stop.wait.messages if each != came)
            yield Exchange(_named(stop.wait.place), stop.request, stop.response, others)


async def _vehicles(certificates: Path, noted: Waits) -> AsyncIterator[str]:
    for journey in journeys(certificates):
        exchanges = [
            Exchange(_named(wait.wait.place), wait.request, wait.response) for wait in await answered(journey, noted)
        ]
        yield _section(journey, exchanges, "vehicle")


def _named(place: Place) -> str:
    return f"{place.function}, {place.file}"


def _section(held: Session | Journey, exchanges: list[Exchange], watched: str) -> str:
    """One heading and its diagram."""
    title = held.title.replace("iso2", "ISO 15118-2:").replace("din", "DIN 70121:")
    return f"### {title}\n\n```mermaid\n{diagram(exchanges, watched)}\n```"


async def _main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(await page(make_tree(Path(folder))), end="")


if __name__ == "__main__":
    asyncio.run(_main())
