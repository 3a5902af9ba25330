"""Who is only on the way in keeps nobody out, and touches nothing once somebody is here."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from secc.doorway import MOST_COMING, TAKEN
from tests.secc.bench import Bench, ac_bench
from tests.secc.bench_requests import AC, walk

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def strangers(bench: Bench, count: int, say: bytes = b"\x16\x03") -> AsyncIterator[list[Ends]]:
    """Connections to the TLS port that never finish their first record."""
    ends = [await asyncio.open_connection("::1", bench.station.tls_port) for _ in range(count)]
    try:
        for _, writer in ends:
            writer.write(say)
        yield ends
    finally:
        for _, writer in ends:
            writer.close()


async def closed(reader: asyncio.StreamReader) -> None:
    """Wait until the station has closed a connection, politely or not."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionResetError):
            assert await reader.read() == b""


def refusals(bench: Bench) -> list[str]:
    return [each["reason"] for each in bench.charger.said("event") if each["kind"] == "connection_refused"]


async def test_half_open_connections_keep_nobody_out(certificates: Path) -> None:
    async with ac_bench(certificates=certificates) as bench, strangers(bench, 8) as others:
        began = time.monotonic()
        car = await bench.car(tls=True)
        await car.negotiate()
        assert time.monotonic() - began < 1.0
        for reader, _ in others:  # whoever is through has the outlet
            await closed(reader)
        await bench.until(lambda: len(refusals(bench)) == len(others))
        assert set(refusals(bench)) == {TAKEN}
        assert bench.endings == []
        assert bench.station.used


async def test_they_touch_nothing_when_they_are_turned_away(certificates: Path) -> None:
    async with ac_bench(certificates=certificates) as bench, strangers(bench, 3):
        car = await bench.car(tls=True)
        await walk(car, bench.charger, AC, "ChargingStatus")
        assert bench.charger.levels["contactor"] == "closed"
        assert bench.endings == []


async def test_the_oldest_goes_when_there_are_too_many(certificates: Path) -> None:
    async with ac_bench(certificates=certificates) as bench, strangers(bench, MOST_COMING + 1) as others:
        await closed(others[0][0])
        await bench.until(lambda: bool(bench.endings))
        assert not any(reader.at_eof() for reader, _ in others[1:])
        assert [each["kind"] for each in bench.endings] == ["gone"]
        assert f"{MOST_COMING} others came after it" in str(bench.endings)
