"""What all tests share: how many examples hypothesis draws, and the brokers that MQTT is tested against.

Each broker takes a free port of the loopback interface.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from plugcharge.broker import start_broker
from secc.mqtt import Broker
from tests.endurance import count

START_S = 20.0
HOST = "127.0.0.1"
MOSQUITTO = shutil.which("mosquitto", path=os.environ.get("PATH", "") + os.pathsep + "/usr/sbin")

# A deadline per example would only measure how busy the machine is.
settings.register_profile("plugcharge", deadline=None, max_examples=count(100, 5_000))
settings.load_profile("plugcharge")


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


async def start_mosquitto(directory: Path, port: int = 0) -> tuple[asyncio.subprocess.Process, int]:
    """Start Mosquitto and wait until it says that it runs."""
    assert MOSQUITTO is not None
    port = port or free_port()
    file = directory / "mosquitto.conf"
    file.write_text(f"listener {port} {HOST}\nallow_anonymous true\nset_tcp_nodelay true\nconnection_messages false\n")
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


@pytest.fixture(params=["amqtt", "mosquitto-3.1.1", "mosquitto-5"])
async def broker(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RunningBroker]:
    """A real broker of each kind, fresh for every test."""
    kind: str = request.param
    if kind != "amqtt" and MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt-get install mosquitto)")
    running = RunningBroker(kind, tmp_path)
    await running.start()
    yield running
    await running.stop()
