"""Sessions of all kinds, one after the other: none leaves a task, a socket, a connection or memory behind."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from pathlib import Path

import pytest

from tests.certificates import car1
from tests.endurance import count
from tests.secc import bench_din
from tests.secc.bench import Bench, bench
from tests.secc.bench_requests import DC, Step, cable_check, walk, with_contract
from tests.secc.test_cuts import WAYS

SESSIONS = count(50, 1_000)
SETTLED = count(20, 100)
GROWTH_BYTES = 2_000_000
ENOUGH_ORDERS = 5_000


async def whole(station: Bench, route: tuple[Step, ...], *, tls: bool) -> None:
    """A session to its end."""
    car = await station.car(tls=tls)
    await walk(car, station.charger, route)
    await car.close()


async def refused(station: Bench) -> None:
    """One that asks for what it may not."""
    car = await station.car_at(DC, "ServiceDiscovery")
    assert (await car.ask(cable_check())).ResponseCode == "FAILED_SequenceError"
    await car.close()


async def cut(station: Bench, way: str) -> None:
    """One that is cut while power is on."""
    car = await station.car_at(DC, "CurrentDemand")
    await WAYS[way].cut(car)
    await car.close()


async def one(station: Bench, number: int, contract: tuple[Step, ...]) -> None:
    """One of the kinds, in turn."""
    station.charger.change(plug="B")
    match number % 6:
        case 0:
            await whole(station, DC, tls=False)
        case 1:
            await whole(station, contract, tls=True)
        case 2:
            await whole(station, bench_din.DC, tls=False)
        case 3:
            await refused(station)
        case 4:
            await cut(station, "reset")
        case 5:
            await cut(station, "garbage")
    await station.until(lambda: not station.charger.running and not station.station._connections)
    station._cars.clear()


def held() -> tuple[int, int]:
    """How many file descriptors and tasks there are."""
    return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks())


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc, to count file descriptors")
async def test_nothing_is_left_of_a_session(certificates: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract = with_contract(DC, car1(certificates))
    async with bench("DC", certificates=certificates) as station:
        began, sizes, holds = time.monotonic(), [], []
        tracemalloc.start()
        try:
            for number in range(1, SESSIONS + 1):
                await one(station, number, contract)
                if len(station.charger.orders) > ENOUGH_ORDERS:
                    station.charger.orders.clear()  # it is the bench that remembers everything
                if number % SETTLED == 0:
                    station.charger.orders.clear()
                    station.charger.asked.clear()
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
                    holds.append(held())
                    if SESSIONS > SETTLED * 5:
                        with capsys.disabled():
                            print(f"\n{number} sessions, {time.monotonic() - began:.0f} s, {sizes[-1] / 1e6:.2f} MB")
        finally:
            tracemalloc.stop()
    assert max(sizes) - sizes[0] < GROWTH_BYTES, sizes
    assert holds == [holds[0]] * len(holds)
