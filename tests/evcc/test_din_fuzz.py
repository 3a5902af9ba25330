"""Answers in DIN 70121 of any content the schema allows: the vehicle goes on or ends by a named error, all safe."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from tests.endurance import count
from tests.evcc.bench_din import scripted
from tests.evcc.bench_station import Answer
from tests.evcc.test_din import STEPS, drive
from tests.random_messages import Messages
from v2g.messages import din
from v2g.protocols import schema
from v2g.timing import Timing

DRIVES = count(100, 5_000)
TIMING = Timing(0.05, timeouts={f"{step}Req": 40.0 for step in STEPS})
"""Budgets end soon, single messages have two seconds."""


async def test_answers_of_any_content() -> None:
    for seed in range(DRIVES):
        random = Random(f"din {seed}")
        async with scripted() as station:
            step = random.choice(STEPS)
            usual, source = station.answers[step], Messages(schema("din").grammar, random)

            def strange(request: Any, turn: int, usual: Any = usual, source: Messages = source) -> Answer:
                sane = usual(request, turn)
                answer: din.BodyElement = source.message(type(sane))
                return msgspec.structs.replace(answer, ResponseCode=sane.ResponseCode)

            station.answers[step] = strange
            await drive(station, timing=TIMING, charge_s=0.01)
