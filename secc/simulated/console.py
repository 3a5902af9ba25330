"""The console of the simulated charger: one command per line, for people and scripts that break things on purpose.

fault KIND                   break something; `mend KIND` takes the cause away
card accept|reject           show a card, to the request that waits or in advance
request DO                   ask the session to stop, pause, resume, renegotiate or emergency_stop
limit QUANTITY NUMBER        lower what the hardware can do now, for instance `limit max_current_a 10`;
                             `limit max_charge_w 0` is no energy at all
limit none                   back to the rating
plan WATTS SECOND:WATTS …    what the session may draw when; a second schedule after `/`, `plan none` for no plan
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import sys
from typing import Any, Literal

import msgspec

from secc import api
from secc.simulated.charger import SimulatedCharger, Wish

LINE_LIMIT = 1_024
NOTHING = "none"

_log = logging.getLogger(__name__)


async def attach() -> asyncio.StreamReader:
    """Read standard input. Raises ValueError where it is nothing to wait for."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        raise ValueError("console: standard input is neither a terminal nor a pipe; leave --console out")
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def listen(reader: asyncio.StreamReader, charger: SimulatedCharger) -> None:
    """Obey what is read until it ends."""
    while True:
        try:
            line = await reader.readline()
        except ValueError:
            _log.warning("a line of more than %d bytes was left out", LINE_LIMIT)
            continue
        if not line:
            return
        if words := line.decode(errors="replace").split():
            _attempt(charger, words)


def _attempt(charger: SimulatedCharger, words: list[str]) -> None:
    try:
        obey(charger, words)
    except ValueError as error:
        _log.warning("%s: %s", " ".join(words), error)


def obey(charger: SimulatedCharger, words: list[str]) -> None:
    """Carry out one command. Raises ValueError that says what may stand there."""
    match words:
        case ["fault", kind]:
            charger.fault(_one(kind, api.FaultKind))
        case ["mend", kind]:
            charger.mend(_one(kind, api.FaultKind))
        case ["card", word]:
            charger.show_card(accepted=_one(word, Literal["accept", "reject"]) == "accept")
        case ["request", do]:
            charger.request(_one(do, Wish), "asked for at the console")
        case ["limit", "none"]:
            charger.restrict(api.ChargerLimits())
        case ["limit", quantity, number]:
            charger.restrict(_limited(charger.hardware.limits, quantity, number))
        case ["plan", *schedules] if schedules:
            charger.plan(" ".join(schedules))
        case _:
            raise ValueError("there are fault, mend, card, request, limit and plan; docs/secc.md shows them")


def _one(word: str, choices: Any) -> Any:
    return msgspec.convert(word, choices)


def _limited(limits: api.ChargerLimits, quantity: str, number: str) -> api.ChargerLimits:
    stated = msgspec.to_builtins(limits) | {quantity: number}
    if quantity not in api.ChargerLimits.__struct_fields__:
        raise ValueError(f"no quantity {quantity!r}")
    return msgspec.convert(stated, api.ChargerLimits, strict=False)
