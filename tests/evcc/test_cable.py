"""The plug over MQTT: what the vehicle says when the other end of the cable is missing."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from evcc import cable, client, config
from evcc.cable import MqttCable
from tests.brokers import HOST, PATIENCE_S, Peer, RunningBroker, eventually, peer_of
from tests.evcc.bench_station import scripted
from tests.evcc.test_client import settings
from v2g.cable import CHARGER_TOPIC, VEHICLE_TOPIC
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


async def test_a_busy_broker_is_waited_for(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await asyncio.sleep(0.5)
        way = await asyncio.open_connection(HOST, broker.port)
        way[1].write(b"\x10")
        await asyncio.gather(relay(reader, way[1]), relay(way[0], writer))
        await asyncio.gather(way[1].wait_closed(), writer.wait_closed(), return_exceptions=True)
        ended.set()

    async with peer_of(broker.settings, "bay-1") as charger:
        await charger.say("cable/charger", {"pwm": True}, retain=True)
        monkeypatch.setattr(cable, "PLUG_WAIT_S", 0.3)
        async with await asyncio.start_server(late, HOST, 0) as server:
            plug = MqttCable(config.Cable(host=HOST, port=server.sockets[0].getsockname()[1], evse="bay-1"), Journal())
            await plug.plug()
            await plug.unplug()
            await asyncio.wait_for(ended.wait(), PATIENCE_S)


async def test_a_broker_that_never_answers(broker: RunningBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # returns once the car has hung up
        writer.close()
        await writer.wait_closed()
        ended.set()

    monkeypatch.setattr(cable, "PLUG_WAIT_S", 0.1)
    monkeypatch.setattr(cable, "CONNECT_S", 0.3)
    async with await asyncio.start_server(silent, HOST, 0) as server:
        plug = MqttCable(config.Cable(host=HOST, port=server.sockets[0].getsockname()[1]), Journal())
        with pytest.raises(OSError, match=r"no broker at .*timed out; start it"):
            await plug.plug()
        await asyncio.wait_for(ended.wait(), PATIENCE_S)


async def relay(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(4096):
        sink.write(data)
    sink.close()


# --- pauses ---------------------------------------------------------------------------------------------------------


def pilots(witness: Peer) -> list[tuple[bool, str]]:
    """What was said of plug and pilot, without repetitions."""
    said = [
        (payload["plugged"], payload.get("pilot", "A")) for name, payload, _ in witness.heard if name == VEHICLE_TOPIC
    ]
    return [each for place, each in enumerate(said) if place == 0 or said[place - 1] != each]


@asynccontextmanager
async def plugged(broker: RunningBroker) -> AsyncIterator[tuple[MqttCable, Peer]]:
    """A cable that is plugged in, and a charger that hears it, its oscillator on."""
    async with peer_of(broker.settings, "bay-1") as charger:
        await charger.listen(VEHICLE_TOPIC)
        hearing = asyncio.create_task(charger.collect())
        await charger.say(CHARGER_TOPIC, {"pwm": True}, retain=True)
        plug = MqttCable(config.Cable(host=HOST, port=broker.port, evse="bay-1"), Journal())
        await plug.plug()
        try:
            yield plug, charger
        finally:
            await plug.leave()
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)


async def test_a_sleeping_charger_is_woken(broker: RunningBroker) -> None:
    """B, C for a moment, and B again; the wait ends when the oscillator is on."""
    async with plugged(broker) as (plug, charger):
        await eventually(lambda: pilots(charger)[-1:] == [(True, "B")], "plugged in")
        await charger.say(CHARGER_TOPIC, {"pwm": False}, retain=True)
        await eventually(lambda: not plug._signal.is_set(), "the oscillator is off")
        waking = asyncio.create_task(plug.wake())
        await eventually(lambda: pilots(charger)[-2:] == [(True, "C"), (True, "B")], "the toggle")
        assert not waking.done()
        await charger.say(CHARGER_TOPIC, {"pwm": True}, retain=True)
        await asyncio.wait_for(waking, PATIENCE_S)


async def test_a_charger_calls_by_its_oscillator(broker: RunningBroker) -> None:
    async with plugged(broker) as (plug, charger):
        calling = asyncio.create_task(plug.called())
        await charger.say(CHARGER_TOPIC, {"pwm": True}, retain=True)  # it was on all the time
        await charger.say(CHARGER_TOPIC, {"pwm": False}, retain=True)
        await eventually(lambda: not plug._signal.is_set(), "the oscillator is off")
        assert not calling.done()
        await charger.say(CHARGER_TOPIC, {"pwm": True}, retain=True)
        await asyncio.wait_for(calling, PATIENCE_S)


async def test_the_plug_stays_in_when_the_process_leaves(broker: RunningBroker) -> None:
    async with plugged(broker) as (plug, charger):
        await plug.leave()
        await eventually(lambda: pilots(charger) == [(True, "B")], "plugged in")
        again = MqttCable(config.Cable(host=HOST, port=broker.port, evse="bay-1"), Journal())
        await again.plug()
        await again.unplug()
        await eventually(lambda: pilots(charger)[-1] == (False, "A"), "unplugged")
    assert pilots(charger) == [(True, "B"), (False, "A")]


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["E", "F"])
async def test_a_pilot_fault_ends_the_session_without_a_word(broker: RunningBroker, state: str) -> None:
    """The connection is closed, whatever the station would answer, and the plug is safe."""
    async with peer_of(broker.settings, "bay-1") as charger, scripted("AC") as station:
        await charger.listen(VEHICLE_TOPIC)
        hearing = asyncio.create_task(charger.collect())
        await charger.say(CHARGER_TOPIC, {"pwm": True}, retain=True)
        planned = settings(
            station, plan={"charge_s": 60.0}, cable=config.Cable(host=HOST, port=broker.port, evse="bay-1")
        )
        charging = asyncio.create_task(client.charge(planned))
        await eventually(lambda: "ChargingStatus" in station.names, "the charge loop")
        await charger.say(CHARGER_TOPIC, {"pwm": False, "fault": state}, retain=True)
        result = await asyncio.wait_for(charging, PATIENCE_S)
        await asyncio.wait_for(station.left.wait(), PATIENCE_S)
        last = await charger.hears(VEHICLE_TOPIC, plugged=False)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert (result.ok, result.ended_by) == (False, "station")
    assert result.reason == f"PilotFault: the charger's pilot signals {state}"
    assert station.names[-1] == "ChargingStatus"
    assert [each.ended for each in result.sessions] == ["failed"]
    assert last.get("contactor", "open") == "open"


# --- voltage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("told", "flows"), [({"voltage_v": 0.0}, False), ({"voltage_v": 230.0}, True), ({}, True)])
async def test_energy_is_counted_where_it_can_flow(
    broker: RunningBroker, told: dict[str, float], *, flows: bool
) -> None:
    """A charger that tells no voltage, as one with a real pilot may, leaves the car to believe the station."""
    async with peer_of(broker.settings, "bay-1") as charger, scripted("AC") as station:
        await charger.listen(VEHICLE_TOPIC)
        hearing = asyncio.create_task(charger.collect())
        await charger.say(CHARGER_TOPIC, {"pwm": True} | told, retain=True)
        planned = settings(station, cable=config.Cable(host=HOST, port=broker.port, evse="bay-1"))
        result = await asyncio.wait_for(client.charge(planned), PATIENCE_S)
        await charger.hears(VEHICLE_TOPIC, plugged=False)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
    assert "ChargingStatus" in station.names
    assert (result.energy_wh > 0) is flows
    drawn = [payload.get("current_a", 0.0) for name, payload, _ in charger.heard if name == VEHICLE_TOPIC]
    assert flows or max(drawn) == 0.0


async def test_the_car_counts_and_draws_no_longer_once_the_voltage_is_gone(broker: RunningBroker) -> None:
    async with peer_of(broker.settings, "bay-1") as charger, scripted("AC") as station:
        await charger.listen(VEHICLE_TOPIC)
        hearing = asyncio.create_task(charger.collect())
        await charger.say(CHARGER_TOPIC, {"pwm": True, "voltage_v": 230.0}, retain=True)
        planned = settings(
            station, plan={"charge_s": 60.0}, cable=config.Cable(host=HOST, port=broker.port, evse="bay-1")
        )
        interrupt = asyncio.Event()
        charging = asyncio.create_task(client.charge(planned, interrupt=interrupt))
        await charger.hears(VEHICLE_TOPIC, current_a=16.0)
        await charger.say(CHARGER_TOPIC, {"pwm": True, "voltage_v": 0.0}, retain=True)
        await eventually(lambda: charger.last(VEHICLE_TOPIC).get("current_a", 0.0) == 0.0, "no current")
        assert not charging.done()
        interrupt.set()
        await asyncio.wait_for(charging, PATIENCE_S)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
