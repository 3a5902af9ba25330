"""The plug over MQTT: what the vehicle says when the other end of the cable is missing."""

from __future__ import annotations

import logging
import time

import pytest

from evcc import cable, config
from evcc.cable import MqttCable
from tests.brokers import HOST, RunningBroker, peer_of
from v2g.journal import Journal

TOPIC = "plugcharge/v1/bay-1/cable/charger"

pytestmark = pytest.mark.parametrize("broker", ["amqtt"], indirect=True)


async def complaints(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch, wait_s: float) -> list[str]:
    """Plug in and out; returns what the journal says about the pilot."""
    monkeypatch.setattr(cable, "PLUG_WAIT_S", wait_s)
    journal = Journal()
    plug = MqttCable(config.Cable(host=HOST, port=broker.port, evse="bay-1"), journal)
    try:
        await plug.plug()
    finally:
        await plug.unplug()
    return [entry.facts["reason"] for entry in journal.entries if entry.kind == "no_pilot"]


async def test_nobody_at_the_other_end(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (reason,) = await complaints(broker, monkeypatch, 0.5)
    assert reason == f"nothing was heard on {TOPIC} for 0.5 s: is a charger there, with this prefix and evse?"
    (warning,) = [each for each in caplog.records if each.levelno == logging.WARNING and each.name == "evcc.cable"]
    assert reason in warning.getMessage()


async def test_a_charger_that_keeps_its_pilot_off(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer_of(broker.settings, "bay-1") as charger:
        await charger.say("cable/charger", {"pwm": False}, retain=True)
        (reason,) = await complaints(broker, monkeypatch, 0.5)
    assert reason == f"{TOPIC} says that the pilot is off, 0.5 s after the car was plugged in."


async def test_garbage_is_nobody(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer_of(broker.settings, "bay-1") as charger:
        await charger.say("cable/charger", b"garbage", retain=True)
        (reason,) = await complaints(broker, monkeypatch, 0.5)
    assert reason.startswith("nothing was heard")


async def test_a_pilot_signal_is_enough(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    async with peer_of(broker.settings, "bay-1") as charger:
        await charger.say("cable/charger", {"pwm": True}, retain=True)
        began = time.monotonic()
        assert await complaints(broker, monkeypatch, 20.0) == []
        assert time.monotonic() - began < 10
