"""The embedded broker as a process: it starts on a free port, says what is wrong, and does not outlive its parent."""

from __future__ import annotations

import asyncio
import sys

import aiomqtt
import pytest

from plugcharge.broker import HOST, start_broker


async def test_it_carries_messages_and_ends_when_told() -> None:
    process, port = await start_broker()
    async with aiomqtt.Client(HOST, port) as client:
        await client.publish("a/b", b"kept", qos=1, retain=True)
        await client.subscribe("a/#", qos=1)
        async with asyncio.timeout(10):
            message = await anext(aiter(client.messages))
    assert (str(message.topic), message.payload, message.retain) == ("a/b", b"kept", True)
    process.terminate()
    await process.communicate()
    assert process.returncode == 0


async def test_it_ends_when_its_parent_is_gone() -> None:
    process, _ = await start_broker()
    assert process.stdin is not None
    process.stdin.close()
    async with asyncio.timeout(10):
        assert await process.wait() == 0
    await process.communicate()


async def test_a_port_in_use_is_one_line() -> None:
    first, port = await start_broker()
    second = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "plugcharge.broker", "--port", str(port)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, said = await second.communicate()
    assert (second.returncode, out) == (1, b"")
    (line,) = said.decode().splitlines()
    assert line == f"Error: cannot listen on {HOST}:{port}: Address already in use; choose another port"
    with pytest.raises(RuntimeError, match=str(port)):
        await start_broker(port)
    first.terminate()
    await first.communicate()
