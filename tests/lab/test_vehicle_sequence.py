"""Every answer at every wait of every session of the vehicle, against the tables of `lab.standard`.

At each request the station answers once with every variation of the right response and with everything else; what the
vehicle does next is compared. Whatever it does, its plug must be safe in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.standard.sequence import END, MISTAKE, name
from tests.endurance import ENDURANCE
from tests.lab.journeys import JOURNEYS, journeys
from tests.lab.prompts import Prompt, prompts
from tests.lab.vehicles import Answered, Prompter, answered, drive
from tests.lab.waits import Waits, places, waits
from v2g.timing import Timing

UNASKED: dict[str, str] = {}
"""Functions of the vehicle that no journey here comes to, and why; each must be taken out once one does."""
DEVIATIONS: dict[tuple[str, str, str], str] = {}
"""What the vehicle does otherwise than the table says (standard, request, answer), and why; each must still happen."""
SILENCE = Timing(scale=0.2, timeouts={"CurrentDemandReq": 2.0})


@pytest.fixture
def noted() -> Iterator[Waits]:
    with waits() as noted:
        yield noted


async def prompted(wait: Answered, prompt: Prompt) -> str | None:
    """What is wrong with the vehicle's next step; None where it is the table's."""
    station = Prompter(wait.journey, wait.index, prompt.data)
    await drive(wait.journey, station)
    if station.next in prompt.should | prompt.may:
        return None
    wanted = " or ".join(sorted(prompt.should | prompt.may))
    return f"after {name(wait.request)}, answered {prompt.title}: must be {wanted}, was {station.next}"


@pytest.mark.parametrize("title", JOURNEYS)
async def test_a_journey_is_in_the_table(title: str, certificates: Path, noted: Waits) -> None:
    found = await answered(journeys(certificates)[JOURNEYS.index(title)], noted)
    for wait, following in zip(found, [*found[1:], None], strict=True):
        should, may = wait.next(wait.response)
        assert (END if following is None else name(following.request)) in should | may, name(wait.request)


@pytest.mark.parametrize("title", JOURNEYS)
async def test_every_answer_at_every_wait(title: str, certificates: Path, noted: Waits) -> None:
    *before, journey = journeys(certificates)[: JOURNEYS.index(title) + 1]
    known = set() if ENDURANCE else {wait.key for each in before for wait in await answered(each, noted)}
    wrong: dict[tuple[str, str, str], str] = {}
    asked = set()
    for wait in await answered(journey, noted):
        if wait.key in known:
            continue
        known.add(wait.key)
        asked.add(name(wait.request))
        for prompt in prompts(wait):
            if (verdict := await prompted(wait, prompt)) is not None:
                wrong[journey.standard.key, name(wait.request), prompt.title] = verdict
    deviations = {key for key in DEVIATIONS if key[0] == journey.standard.key and key[1] in asked}
    surprises = [verdict for key, verdict in wrong.items() if key not in deviations]
    assert not surprises, "\n".join(surprises)
    assert deviations == wrong.keys(), "take out of DEVIATIONS what deviates no more"


@pytest.mark.parametrize("title", JOURNEYS)
async def test_silence_at_every_wait(title: str, certificates: Path, noted: Waits) -> None:
    """[V2G2-436] and the like: the message timeout ends the session without another word."""
    found = await answered(journeys(certificates)[JOURNEYS.index(title)], noted)
    stations = [Prompter(wait.journey, wait.index, b"") for wait in found]
    await asyncio.gather(
        *(drive(wait.journey, station, timing=SILENCE) for wait, station in zip(found, stations, strict=True))
    )
    assert {station.next for station in stations} == MISTAKE[0]


async def test_every_wait_is_reached(certificates: Path, noted: Waits) -> None:
    reached = {wait.wait.place for journey in journeys(certificates) for wait in await answered(journey, noted)}
    assert {f"{place.file} {place.function}" for place in places("evcc") - reached} == set(UNASKED)
