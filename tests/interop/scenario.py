"""One session between two programs, inside a namespace of its own.

Run by the tests through `namespace.inside`; prints what the programs said, and ends with status 0 only if every
program reached its good end.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from tests.interop import josev, namespace, ours
from tests.interop.josev import Session
from tests.interop.process import Failed, Process, Program

READY_S = 30.0
SESSION_S = 60.0
LAST_WORDS_S = 10.0


# Who can play which part: each makes its programs, in the order of their start.
STATIONS = {"josev": josev.station, "ours": ours.station}
VEHICLES = {"josev": josev.vehicle, "ours": ours.vehicle}


async def play(station: Sequence[Program], vehicle: Sequence[Program]) -> None:
    """Start everything, wait for the vehicle's good end, then for the station's. Raises `Failed`."""
    async with contextlib.AsyncExitStack() as stack:
        serving = [await _start(stack, program) for program in station]
        charging = [await _start(stack, program) for program in vehicle]
        for process in charging:
            await _well(process, SESSION_S)
        for process in serving:
            await _well(process, LAST_WORDS_S)


async def _start(stack: contextlib.AsyncExitStack, program: Program) -> Process:
    process = await stack.enter_async_context(Process(program))
    if program.ready:
        await process.says(program.ready, READY_S)
    return process


async def _well(process: Process, within: float) -> None:
    for words in process.program.done:
        await process.says(words, within)
    if process.program.ends:
        status = await process.ended(within)
        process.require(status == 0, f"ended with status {status}")


@click.command()
@click.option("--station", type=click.Choice(list(STATIONS)), required=True)
@click.option("--vehicle", type=click.Choice(list(VEHICLES)), required=True)
@click.option("--protocol", type=click.Choice(["iso2", "din"]), required=True)
@click.option("--energy", type=click.Choice(["ac", "dc"]), required=True)
@click.option("--payment", type=click.Choice(["contract", "install", "external"]), required=True)
@click.option("--plan", default="")
@click.option("--wants", type=click.Choice(["", "receipts", "renegotiation"]), default="")
@click.option("--pki", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--folder", type=click.Path(path_type=Path), required=True)
def main(station: str, vehicle: str, pki: Path, folder: Path, **session: Any) -> None:
    """Lay the cable and play one session."""
    wanted = Session(**session)
    namespace.lay_cable()
    try:
        asyncio.run(play(STATIONS[station](folder, pki, wanted), VEHICLES[vehicle](folder, pki, wanted)))
    except Failed as failure:
        sys.exit(str(failure))


if __name__ == "__main__":
    main()
