"""Brokers and plain clients for the tests; each broker is a process of its own on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import aiomqtt

from plugcharge.broker import start_broker
from secc.mqtt import Broker

START_S = 20.0
PATIENCE_S = 10.0
HOST = "127.0.0.1"
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")


class RunningBroker:
    """A broker process that can be stopped and started again on the same port."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self._directory = directory
        self._process: asyncio.subprocess.Process | None = None
        self.port = 0

    @property
    def settings(self) -> Broker:
        """How to reach it, in the MQTT version under test."""
        return Broker(host=HOST, port=self.port, version="5" if self.kind == "mosquitto-5" else "3.1.1")

    async def start(self) -> None:
        if self.kind == "amqtt":
            self._process, self.port = await start_broker(self.port)
        else:
            self._process, self.port = await start_mosquitto(self._directory, self.port)

    async def stop(self) -> None:
        """End the process as a crash would: no goodbye to its clients."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()
            self._process = None


async def start_mosquitto(directory: Path, port: int = 0, *settings: str) -> tuple[asyncio.subprocess.Process, int]:
    """Start Mosquitto, with further lines of its configuration, and wait until it says that it runs."""
    assert MOSQUITTO is not None
    port = port or free_port()
    file = directory / "mosquitto.conf"
    usual = (f"listener {port} {HOST}", "set_tcp_nodelay true", "connection_messages false")
    file.write_text("\n".join([*usual, *(settings or ("allow_anonymous true",)), ""]))
    process = await asyncio.create_subprocess_exec(MOSQUITTO, "-c", str(file), stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    said = b""
    async with asyncio.timeout(START_S):
        while not said.endswith(b"running\n"):
            line = await process.stderr.readline()
            assert line, f"mosquitto ended: {said.decode()}"
            said += line
    return process, port


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


class Peer:
    """A plain MQTT client of one EVSE's tree, written without our own bus: it says and hears bytes."""

    def __init__(self, client: aiomqtt.Client, root: str) -> None:
        self._client = client
        self._root = root
        self.heard: list[tuple[str, dict[str, Any], bool]] = []

    async def say(self, topic: str, payload: object, *, retain: bool = False, qos: int = 1) -> None:
        """Publish JSON, or bytes as they are."""
        data = payload if isinstance(payload, bytes) else json.dumps(payload)
        await self._client.publish(self._root + topic, data, qos=qos, retain=retain)

    async def listen(self, *topics: str) -> None:
        for topic in topics:
            await self._client.subscribe(self._root + topic, qos=1)

    async def collect(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            name = str(message.topic).removeprefix(self._root)
            self.heard.append((name, json.loads(message.payload), message.retain))

    def on(self, topic: str) -> list[dict[str, Any]]:
        """All payloads heard on a topic, oldest first."""
        return [payload for name, payload, _ in self.heard if name == topic]

    def last(self, topic: str) -> dict[str, Any]:
        return (self.on(topic) or [{}])[-1]

    async def hears(self, topic: str, /, **members: object) -> dict[str, Any]:
        """Wait until the newest payload on a topic has these members."""

        def newest() -> bool:
            said = self.on(topic)
            return bool(said) and all(said[-1].get(name) == value for name, value in members.items())

        await eventually(newest, f"{topic} with {members}; last is {self.last(topic)}")
        return self.last(topic)


async def eventually(holds: Callable[[], bool], what: str = "", within_s: float = PATIENCE_S) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if holds():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"not within {within_s} s: {what}")


@contextlib.asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something meanwhile. It is cancelled more than once: `asyncio.wait_for` may lose a cancellation (3.11)."""
    task = asyncio.create_task(work)
    yield
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)
    with contextlib.suppress(asyncio.CancelledError, aiomqtt.MqttError):
        task.result()


@contextlib.asynccontextmanager
async def peer_of(broker: Broker, evse: str) -> AsyncIterator[Peer]:
    """Connect a plain client that hears everything it subscribes to."""
    version = aiomqtt.ProtocolVersion.V5 if broker.version == "5" else aiomqtt.ProtocolVersion.V311
    async with aiomqtt.Client(broker.host, broker.port, protocol=version) as client:
        peer = Peer(client, f"{broker.prefix}/{evse}/")
        async with background(peer.collect()):
            yield peer
