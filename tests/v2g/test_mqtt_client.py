"""Connections that come to nothing, and those that are lost: what is left of them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.brokers import eventually
from v2g.mqtt_client import Client

ACCEPTED = bytes.fromhex("20020000")
REFUSED = bytes.fromhex("20020005")
TRIES = 5

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc, to count file descriptors")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def broker(answer: bytes, *, closes: bool = False) -> AsyncIterator[int]:
    """A broker that gives one answer; yields its port. At its end no connection of the peer may be left."""
    served: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        served.add(task)
        await reader.read(100)
        writer.write(answer)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reader.read(), 0.05 if closes else None)
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        if served:
            _, pending = await asyncio.wait(served, timeout=2)
            assert not pending, "the client left its connection open"


@asynccontextmanager
async def unreported() -> AsyncIterator[list[str]]:
    """What the loop complains of; a future nobody looked at is found when it is collected."""
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
    yield complaints
    await asyncio.sleep(0)
    gc.collect()
    loop.set_exception_handler(None)


@pytest.mark.parametrize(("answer", "closes"), [(b"", False), (REFUSED, False), (REFUSED, True), (b"", True)])
async def test_a_connection_that_comes_to_nothing(answer: bytes, closes: bool) -> None:
    async with unreported() as complaints, broker(answer, closes=closes) as port:
        before = descriptors()
        for _ in range(TRIES):
            with pytest.raises(aiomqtt.MqttError):
                async with Client("127.0.0.1", port, timeout=0.1):
                    pytest.fail("connected to nobody")
        await eventually(lambda: descriptors() <= before, "as many descriptors as before")
    assert complaints == []


async def test_a_connection_that_is_given_up() -> None:
    async with unreported() as complaints, broker(b"") as port:
        connecting = asyncio.ensure_future(Client("127.0.0.1", port, timeout=5.0).__aenter__())
        await asyncio.wait({connecting}, timeout=0.1)
        connecting.cancel()
        await asyncio.wait({connecting})
    assert complaints == []


async def test_a_broker_that_is_lost() -> None:
    """While nobody asks for messages, nor publishes."""
    async with unreported() as complaints, broker(ACCEPTED, closes=True) as port:
        client = Client("127.0.0.1", port, timeout=1.0)
        await client.__aenter__()
        await eventually(client._disconnected.done, "the loss to be noticed")
        del client
    assert complaints == []
