"""Mutated ClientHellos, and connections that hang or break, against the process of a SECC: cars charge meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import psutil
import pytest

from pki import credentials
from tests.e2e.bay import PATIENCE_S, Bay
from tests.endurance import count
from tests.v2g.tls.shaking import Asked
from v2g.tls.context import client_context

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE_S = 1.0
HANDSHAKE_S = 10.0
GROWTH_BYTES = 20_000_000
HELLOS = count(1_000, 100_000)
CONNECTS = count(100, 10_000)
TOGETHER = 20
ROUNDS = 10
SEED = 20_118


def hello(certificates: Path) -> bytes:
    """The ClientHello of a car of ours."""
    anchors = credentials.load_anchors(str(certificates / "trust" / "v2g.pem"))
    session = client_context(anchors).session(Asked())
    assert not session.handshake()
    return session.take()


def mutated(good: bytes, chance: random.Random) -> bytes:
    """Flip, cut, double, lengthen, or lie about a length; the record's own length stays right half of the time."""
    data = bytearray(good)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[place] ^= 1 << chance.randrange(8)
            case 1:
                data[place] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))
            case 2:
                del data[place : place + chance.randint(1, 8)]
            case 3:
                data[place:place] = chance.randbytes(chance.randint(1, 8))
            case _:
                data += data[place : place + 16]
        data = data or bytearray(b"\x16")
    if chance.random() < 0.5 and len(data) > 5:
        data[:3] = good[:3]
        data[3:5] = (len(data) - 5).to_bytes(2)
    return bytes(data)


async def knock(port: int, data: bytes) -> None:
    """Say something, hear a little of the answer, and go."""
    reader, writer = await asyncio.open_connection("::1", port)
    with contextlib.suppress(ConnectionError):
        writer.write(data)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.02):
                await reader.read(64)
    await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


Attack = Callable[[int, asyncio.Event], Awaitable[None]]


async def half_open(port: int, over: asyncio.Event) -> None:
    """Connect and say nothing, or hardly anything."""
    _, writer = await asyncio.open_connection("::1", port)
    writer.write(b"\x16\x03\x01"[: random.randrange(4)])
    await over.wait()
    await close(writer)


async def trickling(port: int, over: asyncio.Event) -> None:
    """One byte a second, all of which might become a hello."""
    _, writer = await asyncio.open_connection("::1", port)
    with contextlib.suppress(ConnectionError):
        for byte in b"\x16\x03\x01\x01\x00\x01" + bytes(200):
            writer.write(bytes([byte]))
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await over.wait()
                    break
    await close(writer)


async def rubbish(port: int, _over: asyncio.Event) -> None:
    """Noise, and gone."""
    await knock(port, random.randbytes(200))


async def greeted(port: int, certificates: Path) -> float:
    """Shake hands as a good car, again where the one before is not quite gone; returns the seconds it took."""
    context = ssl.create_default_context(cafile=str(certificates / "trust" / "v2g.pem"))
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    began = time.monotonic()
    writer = None
    async with asyncio.timeout(PATIENCE_S):
        while writer is None:
            with contextlib.suppress(ConnectionError):
                _, writer = await asyncio.open_connection("::1", port, ssl=context)
    took = time.monotonic() - began
    await close(writer)
    return took


def port_of(bay: Bay) -> int:
    """The TLS port, as the station tells it in its log."""
    found = re.search(r"TLS (\d+)", "\n".join(bay.process("secc").lines))
    assert found is not None
    return int(found[1])


def resident(bay: Bay) -> int:
    return int(psutil.Process(bay.process("secc").pid).memory_info().rss)


async def besieged(bay: Bay, certificates: Path, attacks: Sequence[Attack], times: int) -> None:
    """Attack so often, several at a time, and let good cars come meanwhile and afterwards."""
    port, gate, took = port_of(bay), asyncio.Semaphore(TOGETHER), list[float]()

    async def one(attack: Attack, over: asyncio.Event) -> None:
        async with gate:
            await attack(port, over)

    for _ in range(ROUNDS):
        over = asyncio.Event()
        assaults = [asyncio.create_task(one(attacks[each % len(attacks)], over)) for each in range(times // ROUNDS)]
        took.append(await greeted(port, certificates))
        over.set()
        await asyncio.gather(*assaults)
    assert max(took) < AT_ONCE_S, took
    assert await greeted(port, certificates) < AT_ONCE_S


def assert_sound(bay: Bay, before: int) -> None:
    """Check memory, and that no fault of ours came to light."""
    assert resident(bay) - before < GROWTH_BYTES
    assert not any("fault of ours" in line for line in bay.process("secc").lines)


async def test_mutated_hellos(ac: Bay, certificates: Path) -> None:
    await ac.charges()  # so that all is loaded that ever will be
    good, chance, before = hello(certificates), random.Random(SEED), resident(ac)
    await besieged(ac, certificates, [lambda port, _: knock(port, mutated(good, chance))], HELLOS)
    assert_sound(ac, before)
    await ac.charges()


async def test_connections_that_hang_and_break(ac: Bay, certificates: Path) -> None:
    before = resident(ac)
    await besieged(ac, certificates, [half_open, trickling, rubbish], CONNECTS)
    assert_sound(ac, before)
    await ac.charges()


async def test_a_handshake_that_never_ends_is_ended(ac: Bay) -> None:
    """Nor do bytes that come now and then earn it more time."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("::1", port_of(ac))
    over = asyncio.Event()
    other = asyncio.create_task(trickling(port_of(ac), over))
    async with asyncio.timeout(HANDSHAKE_S + PATIENCE_S):
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        assert HANDSHAKE_S - 1 < time.monotonic() - began < HANDSHAKE_S + 5
        await other
    assert not over.is_set()
    await close(writer)
    await ac.charges()
