"""The ways a session goes when nothing is wrong."""

from __future__ import annotations

import pytest

from tests.secc.bench import bench
from tests.secc.bench_requests import AC, DC, walk

ROUTES = {"AC": AC, "DC": DC}


@pytest.mark.parametrize("energy", ["AC", "DC"])
async def test_a_whole_session_with_renegotiation(energy: str) -> None:
    async with bench(energy) as station:
        car = await station.car()
        await walk(car, station.charger, ROUTES[energy])
        assert await car.gone()
        await station.ended("session_ended")
        await station.serves_next()
