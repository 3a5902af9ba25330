"""Answers of any content the schema allows: the vehicle goes on or ends by a named error, and leaves the plug safe."""

from __future__ import annotations

from random import Random
from typing import Any, Literal

import msgspec
import pytest

from tests.endurance import count
from tests.evcc.bench_station import Answer, scripted
from tests.evcc.test_iso2 import STEPS, drive
from tests.random_messages import Messages
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.timing import Timing

DRIVES = count(60, 5_000)
TIMING = Timing(0.05, timeouts={f"{step}Req": 40.0 for steps in STEPS.values() for step in steps})
"""Budgets end soon, single messages have two seconds."""


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_answers_of_any_content(energy: Literal["AC", "DC"]) -> None:
    for seed in range(DRIVES):
        random = Random(f"{energy} {seed}")
        async with scripted(energy) as station:
            step = random.choice(STEPS[energy])
            usual, source = station.answers[step], Messages(schema("iso2").grammar, random)

            def strange(request: Any, turn: int, usual: Any = usual, source: Messages = source) -> Answer:
                sane = usual(request, turn)
                answer: iso2.BodyElement = source.message(type(sane))
                return msgspec.structs.replace(answer, ResponseCode=sane.ResponseCode)

            station.answers[step] = strange
            wanted = random.choice(["first", "cheapest"])
            await drive(station, energy, timing=TIMING, charge_s=0.01, schedule=wanted, departure_s=7_200)
