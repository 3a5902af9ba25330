"""A plain TCP stream, above all at its end."""

from __future__ import annotations

import asyncio

import pytest

from tests.v2g.tls.wire import tcp_pair
from v2g import stream
from v2g.errors import PeerGone
from v2g.stream import Stream


async def test_bytes_each_way_and_an_end() -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(b"request")
        assert await station.receive() == b"request"
        await station.close()
        await station.close()
        assert await vehicle.receive() == b""
        assert not vehicle.facts.secure
        assert vehicle.facts.peer.startswith("[127.0.0.1]:")


async def test_a_reset_reads_as_an_end_and_refuses_to_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FAREWELL", 0.01)
    async with tcp_pair() as (vehicle, station):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(vehicle.send(bytes(50_000_000)), 0.1)
        await vehicle.close()
        while await station.receive():
            pass
        with pytest.raises(PeerGone):
            await send_for_ever(station)


async def send_for_ever(station: Stream) -> None:
    while True:
        await station.send(b"response")


async def test_a_peer_that_does_not_read_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "FAREWELL", 0.05)
    async with tcp_pair() as (vehicle, station), asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(vehicle.send(bytes(50_000_000)), 0.1)
        await vehicle.close()
        await vehicle.close()
        arrived = 0
        while data := await station.receive():
            arrived += len(data)
        assert arrived < 50_000_000  # what was still waiting to leave is given up, and with it the memory it takes
