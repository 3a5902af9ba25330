"""A port for both: what came first decides, and nothing of it is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.v2g.tls.chains import chain
from tests.v2g.tls.wire import tcp_pair
from v2g.errors import PeerGone, Silence, Undecodable
from v2g.tls import first_byte
from v2g.tls.context import client_context, server_context
from v2g.tls.stream import accept, connect
from v2g.trust import Role, Verdict

GOOD = chain()
MESSAGE = bytes.fromhex("01fe800100000004") + b"EXI!"


async def test_v2gtp_in_clear() -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(MESSAGE[:1])
        stream, plain = await first_byte.plain(station, 10)
        assert plain
        await vehicle.send(MESSAGE[1:])
        assert await stream.receive() == MESSAGE[:1]
        assert await stream.receive() == MESSAGE[1:]
        await stream.send(b"answer")
        assert await vehicle.receive() == b"answer"
        assert stream.facts == station.facts
        assert not stream.ended
        await stream.close()
        assert station.closed


async def test_tls() -> None:
    async with tcp_pair() as (vehicle, station):
        connecting = asyncio.create_task(
            connect(vehicle, client_context([GOOD.root]), lambda *_: Verdict(role=Role.SECC), timeout=10)
        )
        stream, plain = await first_byte.plain(station, 10)
        assert not plain
        theirs = await accept(stream, server_context(GOOD.identity), timeout=10)
        ours = await connecting
        await ours.send(MESSAGE)
        assert await theirs.receive() == MESSAGE


async def test_anything_else_is_left_to_tls() -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(b"GET / HTTP/1.1\r\n\r\n")
        stream, plain = await first_byte.plain(station, 10)
        assert not plain
        with pytest.raises(Undecodable, match="first byte 0x47"):
            await accept(stream, server_context(GOOD.identity), timeout=10)


async def test_silence_and_leave() -> None:
    async with tcp_pair() as (vehicle, station):
        with pytest.raises(Silence, match="first byte"):
            await first_byte.plain(station, 0.05)
        await vehicle.close()
        with pytest.raises(PeerGone, match="before it said anything"):
            await first_byte.plain(station, 10)
