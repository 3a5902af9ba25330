"""Everything at every wait of every session of the station, against the tables of `lab.standard`.

The waits are those of the running code: one that the table does not know is an error, and so is a line of code that
waits where no session here has been. Usually everything is sent once to each place of the code in each state; with
PLUGCHARGE_ENDURANCE=1 at every wait of every session.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from lab.standard.sequence import Served
from tests.endurance import ENDURANCE
from tests.lab.injections import Injection, injections
from tests.lab.judgement import Wrong, differs, judge
from tests.lab.stations import Session, Stop, stops
from tests.lab.waits import Waits, places, waits
from tests.lab.ways import OPENED, TITLES, sessions
from v2g.messages.iso2 import ServiceDetailReq

FOREIGN_SHARE = 1 if ENDURANCE else 6
"""Of the other standard's messages, which are nothing in this one, every wait usually gets one in so many."""
UNREACHED: dict[str, str] = {}
"""States of the tables that no session here comes to, and why; each must be taken out once one does."""
DEVIATIONS: dict[tuple[str, str, str], str] = {}
"""What the station answers otherwise than the table says (standard, state, what was sent), and why; likewise."""


@pytest.fixture
def noted() -> Iterator[Waits]:
    with waits() as noted:
        yield noted


async def walked(session: Session, certificates: Path, noted: Waits) -> list[Stop]:
    async with session.station(certificates) as station:
        return await stops(session, station, noted)


@pytest.mark.parametrize("title", TITLES)
async def test_the_station_waits_for_what_the_table_says(title: str, certificates: Path, noted: Waits) -> None:
    session = sessions(certificates)[TITLES.index(title)]
    found = [differs(stop.wait, *stop.accepted, stop.state) for stop in await walked(session, certificates, noted)]
    assert [each for each in found if each] == []


@pytest.mark.parametrize("title", TITLES)
async def test_everything_at_every_wait(title: str, certificates: Path, noted: Waits) -> None:
    *before, session = sessions(certificates)[: TITLES.index(title) + 1]
    known = set() if ENDURANCE else {stop.key for each in before for stop in await walked(each, certificates, noted)}
    everything = injections(session.standard.key, certificates)
    own = [each for each in everything if not each.foreign]
    foreign = [each for each in everything if each.foreign]
    wrong: list[Wrong] = []
    seen: set[str] = set()
    async with session.station(certificates) as station:
        for stop in await stops(session, station, noted):
            if stop.key in known:
                continue
            known.add(stop.key)
            seen.add(stop.state)
            others = foreign[len(known) % FOREIGN_SHARE :: FOREIGN_SHARE]
            verdicts = [await judge(stop, each, station, noted) for each in (*own, *others)]
            wrong += [verdict for verdict in verdicts if verdict is not None]
    deviations = {
        (key, state, sent) for key, state, sent in DEVIATIONS if key == session.standard.key and state in seen
    }
    surprises = [str(each) for each in wrong if each.key not in deviations]
    assert not surprises, "\n".join(surprises)
    assert deviations == {each.key for each in wrong}, "take out of DEVIATIONS what deviates no more"


@pytest.mark.parametrize("title", TITLES)
async def test_nothing_but_the_handshake_comes_before_the_session(title: str, certificates: Path, noted: Waits) -> None:
    session = sessions(certificates)[TITLES.index(title)]
    async with session.station(certificates) as station:
        for injection in injections(session.standard.key, certificates):
            if injection.title == "SupportedAppProtocol":
                continue
            guest = await session.begin(station)
            guest.car.send(injection.data(guest.car))
            if injection.skipped(guest.car):
                await guest.go(1)
            else:
                assert await guest.car.gone(), injection.title
            await guest.car.close()
            await station.until(lambda: not station.station.used)


async def test_an_answer_out_of_line_is_found(certificates: Path, noted: Waits) -> None:
    """With a line taken out of the table, and with one too many, the same station is wrong."""
    session = sessions(certificates)[0]
    without = tuple(row for row in ISO2.station if row.request != "ServiceDetail")
    doubled = (*ISO2.station, Served("ServiceDiscovery", "ServiceDetail", "ServiceOrPayment", "made up"))
    found = []
    for rows in (ISO2.station, without, doubled):
        altered = replace(session, standard=replace(ISO2, station=rows), steps=OPENED)
        async with session.station(certificates) as station:
            guest = await altered.begin(station)
            noted.noted.clear()
            await guest.go(1 if rows is doubled else 2)
            wait = await guest.awaited(noted)
            found.append(differs(wait, *guest.follower.accepted(), guest.follower.state) is None)
            stop = Stop(altered, 1 if rows is doubled else 2, "", wait, (frozenset(), frozenset()), guest.follower)
            await guest.car.close()
            await station.until(lambda: not station.station.used)
            detail = Injection("ServiceDetail", ServiceDetailReq(ServiceID=1))
            found.append(await judge(stop, detail, station, noted) is None)
    assert found == [True, True, False, False, False, False]


async def test_every_wait_and_every_state_is_reached(certificates: Path, noted: Waits) -> None:
    found = [stop for session in sessions(certificates) for stop in await walked(session, certificates, noted)]
    assert places("secc") - {stop.wait.place for stop in found} == set(), "no session here comes to these waits"
    states = {(standard.key, state) for standard in (ISO2, DIN) for state in standard.states}
    unreached = states - {(stop.session.standard.key, stop.state) for stop in found}
    assert {state for _, state in unreached} == set(UNREACHED)
