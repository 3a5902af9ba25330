"""What all tests share: how many examples hypothesis draws, and the brokers that MQTT is tested against."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.brokers import MOSQUITTO, Peer, RunningBroker, peer_of
from tests.endurance import count

# A deadline per example would only measure how busy the machine is.
settings.register_profile("plugcharge", deadline=None, max_examples=count(100, 5_000))
settings.load_profile("plugcharge")


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


@pytest.fixture
async def peer(broker: RunningBroker) -> AsyncIterator[Peer]:
    """A plain MQTT client next to EVSE `bay-1`."""
    async with peer_of(broker.settings, "bay-1") as connected:
        yield connected
