"""A charge loop at one outlet while 100 vehicles at once shake hands at the other outlets of the same process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import statistics
import sys
import tempfile
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt

from plugcharge import scene
from plugcharge.broker import start_broker

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 100
OTHERS = 4
"""Outlets that the vehicles come to: none has more of them on the way in than its doorway bears."""
READY_S = 30.0
LOOP_S = 0.01
BOUND_MS = 25.0

OTHER = """
[[evse]]
id = "other{number}"
interface = "lo"
sdp_port = {sdp_port}
tls_port = {tls_port}
"""
SECOND = """
[[tls.identity]]
chain = "certs/iso20/leaf/secc/evse1/chain.pem"
key = "certs/iso20/leaf/secc/evse1/key.pem"
root = "certs/iso20/trust/v2g.pem"
"""

PATIENT = """
[timeouts]
CurrentDemandReq = 5.0
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """The session that charges meanwhile."""

    charge_s: float
    energy: str = "dc"
    payment: str = "contract"
    protocol: str = "iso2"
    install: bool = False


async def measure(folder: Path, vehicle: ssl.SSLContext | None, charge_s: float) -> dict[str, Any]:
    """Charge beside vehicles that shake hands over and over; `folder` has the certificates in `certs`.

    Without `vehicle` nobody else comes. Times are those the charging car waited for answers, in milliseconds.
    """
    async with AsyncExitStack() as stack:
        here = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="siege-", dir=folder)))
        (here / "certs").symlink_to(folder / "certs")
        broker, port = await start_broker()
        stack.push_async_callback(_end, broker)
        files = scene.write(here, Choice(charge_s), broker_port=port, sdp_port=free_port(socket.SOCK_DGRAM))
        plan = files.evcc.read_text(encoding="utf-8").replace("[plan]\n", f"[plan]\nloop_s = {LOOP_S}\n")
        files.evcc.write_text(plan + PATIENT, encoding="utf-8")
        ports = _add_others(files)
        simulators = [files.simulator, *(_simulator(files.simulator, number) for number in range(OTHERS))]
        for each in simulators:
            await _start(stack, "secc", "simulate", "--config", each)
        await _start(stack, "secc", "run", "--quiet", "--config", files.secc)
        names = [scene.EVSE, *(f"other{number}" for number in range(OTHERS))]
        await _heard(port, {f"plugcharge/v1/{each}/secc/status" for each in names}, "state", {"online"})
        await _heard(port, {f"plugcharge/v1/{each}/charger/state" for each in names}, "plug", set("ABCD"))
        car = await _start(stack, "evcc", "run", "--config", files.evcc, "--json", files.result)
        await _heard(port, {f"plugcharge/v1/{scene.EVSE}/charger/state"}, "contactor", {"closed"})
        tries, shaken = (0, 0) if vehicle is None else await _besiege(car, ports, vehicle)
        await car.wait()
        result = json.loads(files.result.read_text(encoding="utf-8"))
    if not result["ok"]:
        raise RuntimeError(f"the session failed: {result['reason']}")
    loop = sorted(result["loop_ms"])
    return {
        "tries": tries,
        "handshakes": shaken,
        "answers": len(loop),
        "median_ms": statistics.median(loop),
        "p99_ms": loop[int(len(loop) * 0.99)],
        "longest_ms": loop[-1],
    }


def told(name: str, figures: dict[str, Any]) -> str:
    """One line about a measurement, for people."""
    kept = "" if figures["longest_ms"] < BOUND_MS else f", over {BOUND_MS:g} ms"
    return (
        f"charge loop beside {name:22}median {figures['median_ms']:6.2f} ms, 99 % {figures['p99_ms']:6.2f} ms, "
        f"longest {figures['longest_ms']:6.2f} ms{kept} "
        f"({figures['answers']} answers, {figures['handshakes']} of {figures['tries']} handshakes got through)"
    )


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody has."""
    with socket.socket(socket.AF_INET6, kind) as probe:
        probe.bind(("::1", 0))
        return int(probe.getsockname()[1])


def _add_others(files: scene.Files) -> list[int]:
    """Give the station more outlets and an identity of -20; returns the TLS ports of the outlets."""
    ports = [free_port(socket.SOCK_STREAM) for _ in range(OTHERS)]
    text = files.secc.read_text(encoding="utf-8")
    outlets = "".join(
        OTHER.format(number=number, sdp_port=free_port(socket.SOCK_DGRAM), tls_port=port)
        for number, port in enumerate(ports)
    )
    text = text.replace("[trust]\n", f'{SECOND}\n[trust]\nvehicle = ["certs/iso20/trust/oem.pem"]\n')
    files.secc.write_text(text + outlets, encoding="utf-8")
    return ports


def _simulator(first: Path, number: int) -> Path:
    """Write the configuration of another outlet's controller."""
    text = first.read_text(encoding="utf-8").replace(f'"{scene.EVSE}"', f'"other{number}"')
    file = first.with_name(f"simulator{number}.toml")
    file.write_text(text.replace("record.jsonl", f"record{number}.jsonl"), encoding="utf-8")
    return file


async def _start(stack: AsyncExitStack, package: str, *words: str | Path) -> Process:
    """Start one of our commands; it ends with the stack."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", package, *map(str, words)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    stack.push_async_callback(_end, process)
    return process


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _heard(port: int, topics: set[str], member: str, values: set[str]) -> None:
    """Wait until each of these topics has had one of the values."""
    missing = set(topics)
    async with asyncio.timeout(READY_S), aiomqtt.Client("127.0.0.1", port) as client:
        for topic in topics:
            await client.subscribe(topic)
        async for message in client.messages:
            payload = json.loads(bytes(message.payload or b"{}"))
            if payload.get(member) in values:
                missing.discard(str(message.topic))
            if not missing:
                return
    raise RuntimeError("the broker closed too early")


async def _besiege(car: Process, ports: list[int], vehicle: ssl.SSLContext) -> tuple[int, int]:
    """Let so many shake hands at once, again and again until the car is done; returns how many, and how many could."""
    charged, tries, shaken = asyncio.create_task(car.wait()), 0, 0
    while not charged.done():
        together = asyncio.Barrier(AT_ONCE)
        wave = (_vehicle(ports[number % len(ports)], vehicle, together) for number in range(AT_ONCE))
        shaken += sum(await asyncio.gather(*wave))
        tries += AT_ONCE
    return tries, shaken


async def _vehicle(port: int, context: ssl.SSLContext, together: asyncio.Barrier) -> bool:
    """Say hello when all others do, and go once hands are shaken; whether they were, or another one was first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing)
    with contextlib.suppress(ssl.SSLWantReadError):
        connection.do_handshake()
    reader, writer = await asyncio.open_connection("::1", port)
    await together.wait()
    shaken = False
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        shaken = await _shake(reader, writer, connection, incoming, outgoing)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return shaken


async def _shake(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    connection: ssl.SSLObject,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
) -> bool:
    while True:
        writer.write(outgoing.read())
        data = await reader.read(65_536)
        if not data:
            return False
        incoming.write(data)
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            continue
        writer.write(outgoing.read())
        await writer.drain()
        await reader.read(1)  # the session tickets of -20, or the end: the station has got so far
        return True
