"""Any message at any place, with any content the schema allows: the station answers or closes, and is safe after it."""

from __future__ import annotations

import asyncio
import struct
from random import Random

import pytest

from lab.standard.iso2 import ISO2
from tests.endurance import count
from tests.random_messages import Messages
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car, framed
from tests.secc.bench_requests import AC, DC, EVERY, stem
from v2g.messages import iso2
from v2g.protocols import schema

ROUTES = {"AC": AC, "DC": DC}
SESSIONS = count(100, 5_000)
BY_NAME = {stem(request): type(request) for request in EVERY}


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_messages_of_any_content(energy: str) -> None:
    """Above all: no fault of ours, whatever the numbers are."""
    async with bench(energy, scale=0.2) as station:
        for seed in range(SESSIONS):
            random = Random(f"{energy} {seed}")
            await _fresh(station)
            wait = random.choice([name for name, _ in ROUTES[energy][1:]])
            car = await station.car_at(ROUTES[energy], wait)
            await _pester(station, car, wait, random)
            await car.close()
            await station.until(lambda: bool(station.endings))
            assert station.endings[0]["kind"] != "internal", f"seed {seed}, {wait}: {station.endings}"
            station.assert_safe()


async def _fresh(station: Bench) -> None:
    station.charger.change(plug="B", faults=[])
    await station.until(lambda: not station.station.used)
    station.charger.orders.clear()


async def _pester(station: Bench, car: Car, wait: str, random: Random) -> None:
    """Send requests until the station has had enough."""
    source = Messages(schema("iso2").grammar, random)
    legal = set[str]().union(*ISO2.accepted(wait.removesuffix(" again"), ["plain"])) or {"SessionStop"}
    for _ in range(8):
        station.charger.change(plug=random.choice("BCCCCD"))
        name = random.choice([*sorted(legal) * 20, *BY_NAME])
        request: iso2.BodyElement = source.message(BY_NAME[name])
        car.send(car.encode(request))
        try:
            answer = await car.receive()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        assert answer.name == f"{name}Res"
        if not answer.code.startswith("OK"):
            return


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_damaged_messages(energy: str) -> None:
    """Bits flipped, bytes cut off or added, in the frame or in its payload."""
    async with bench(energy, scale=0.2) as station:
        for seed in range(SESSIONS):
            random = Random(f"{energy} {seed}")
            await _fresh(station)
            wait = random.choice([name for name, _ in ROUTES[energy][1:]])
            car = await station.car_at(ROUTES[energy], wait)
            request = random.choice(EVERY)
            car.send(_damaged(car.encode(request), random))
            car.writer.write_eof()
            async with asyncio.timeout(5):
                await car.reader.read()
            await car.close()
            await station.until(lambda: bool(station.endings))
            assert station.endings[0]["kind"] != "internal", f"seed {seed}, {wait}: {station.endings}"
            station.assert_safe()


def _damaged(frame: bytes, random: Random) -> bytes:
    data = bytearray(frame[8:])
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(data))
        match random.randrange(3):
            case 0:
                data[place] ^= 1 << random.randrange(8)
            case 1:
                del data[max(1, place) :]
            case _:
                data[place:place] = random.randbytes(random.randint(1, 40))
    if random.random() < 0.2:
        return struct.pack(">BBHI", 1, 0xFE, 0x8001, random.getrandbits(random.choice([8, 17, 32]))) + bytes(data)
    return framed(bytes(data))


def test_every_wait_is_in_the_table() -> None:
    """So that a new step of a route is not left out silently."""
    assert {name.removesuffix(" again") for name, _ in [*AC, *DC]} - {"SupportedAppProtocol"} <= set(ISO2.states)
