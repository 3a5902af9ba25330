"""What a station says before there is a session: on whose account, how often, and for how long."""

from __future__ import annotations

import asyncio
import socket

from tests.secc.bench import Bench, ac_bench
from v2g.sdp import SdpRequest, SdpResponse, Security


async def ask(station: Bench, times: int) -> int:
    """Ask by SDP and return how many answers came."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.bind(("::1", 0))
        loop = asyncio.get_running_loop()
        answers = 0
        for _ in range(times):
            await loop.sock_sendto(
                asking, SdpRequest(security=Security.NONE).encode(), ("::1", station.station.sdp_port)
            )
            async with asyncio.timeout(5):
                answers += SdpResponse.parse(await loop.sock_recv(asking, 100)).port == station.station.tcp_port
        return answers


def stages(station: Bench) -> list[str]:
    return [facts["session"].stage for facts in station.charger.said("session")]


async def test_a_discovery_is_told_once_and_ends_when_nobody_comes() -> None:
    async with ac_bench(scale=0.05) as station:
        assert await ask(station, 50) == 50
        assert stages(station) == ["discovered"]
        await station.until(lambda: stages(station) == ["discovered", "idle"])
        await ask(station, 1)
        assert stages(station) == ["discovered", "idle", "discovered"]


async def test_a_discovery_ends_with_the_connection() -> None:
    async with ac_bench(scale=0.01) as station:
        await ask(station, 1)
        car = await station.car()
        await station.until(lambda: "connected" in stages(station))
        await car.close()
        await station.ended("gone")
        assert stages(station) == ["discovered", "connected", "failed"]
        assert station.station._discovered is None
