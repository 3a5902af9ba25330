"""The simulator against real brokers, with a SECC played by a plain MQTT client that writes its own JSON."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from secc.simulator import Simulator, SimulatorConfig
from tests.brokers import Peer, RunningBroker, eventually

CURRENT_A = 16.0


class Station:
    """A SECC as somebody else might write it: dictionaries, and a heart that can stop."""

    def __init__(self, peer: Peer, boot: str = "s1", session: str | None = "A") -> None:
        self.peer = peer
        self.boot = boot
        self.session = session
        self.seq = self.beats = 0
        self.beating = True

    def header(self) -> dict[str, Any]:
        self.seq += 1
        return {"boot": self.boot, "seq": self.seq, "time": "2026-01-01T00:00:00Z", "session": self.session}

    async def beat(self) -> None:
        self.beats += 1
        await self.peer.say("secc/heartbeat", {"boot": self.boot, "counter": self.beats}, qos=0)

    async def live(self) -> None:
        while True:
            if self.beating:
                await self.beat()
            await asyncio.sleep(0.3)

    async def exist(self) -> None:
        await self.peer.say("secc/status", self.header() | {"state": "online"}, retain=True)

    async def appear(self) -> None:
        """Come up next to a charger that is there."""
        await self.peer.hears("charger/status", state="online")
        await self.exist()
        await self.beat()

    async def permit(self, lock: str, contactor: str, power: str) -> dict[str, Any]:
        """Order levels and wait for the answer."""
        order = self.header() | {"lock": lock, "contactor": contactor, "power": power}
        await self.peer.say("secc/permit", order, retain=True)
        return await self.peer.hears("charger/ack", seq=order["seq"])

    async def limits(self, current_a: float = CURRENT_A) -> None:
        facts = {
            "authorised": current_a > 0,
            "direction": "charge" if current_a else "none",
            "max_charge_w": current_a * 690,
            "max_discharge_w": 0,
            "max_current_a": current_a,
        }
        await self.peer.say("secc/limits", self.header() | facts, retain=True)

    async def plug(self, pilot: str, current_a: float = 0) -> None:
        car = {"plugged": pilot != "A", "pilot": pilot, "current_a": current_a}
        await self.peer.say("cable/vehicle", car, retain=True)

    async def charge(self) -> None:
        """Charge in AC."""
        await self.appear()
        await self.plug("C")
        await self.peer.hears("charger/state", plug="C")
        assert (await self.permit("locked", "open", "off"))["result"] == "accepted"
        await self.limits()
        assert (await self.permit("locked", "closed", "on"))["result"] == "accepted"
        await self.peer.hears("charger/state", contactor="closed")
        await self.plug("C", CURRENT_A)
        await self.peer.hears("charger/measurement", current_a=CURRENT_A)


@contextlib.asynccontextmanager
async def simulating(broker: RunningBroker, **options: Any) -> AsyncIterator[Simulator]:
    config = msgspec.convert({"broker": broker.settings, "evse": "bay-1", **options}, SimulatorConfig)
    simulator = Simulator(config)
    task = asyncio.create_task(simulator.run())
    yield simulator
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def stationed(peer: Peer, **facts: Any) -> AsyncIterator[Station]:
    station = Station(peer, **facts)
    beating = asyncio.create_task(station.live())
    yield station
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)


def closed(peer: Peer) -> bool:
    """Whether any state ever told of a closed contactor."""
    return any(state["contactor"] == "closed" for state in peer.on("charger/state"))


async def test_a_charge_from_plug_to_meter_and_record(broker: RunningBroker, peer: Peer, tmp_path: Path) -> None:
    await peer.listen("charger/#", "cable/charger")
    record = tmp_path / "record.jsonl"
    async with stationed(peer) as station:
        async with simulating(broker, record=str(record)):
            await peer.hears("charger/status", state="online")
            await peer.hears("charger/setup", evse_id="DE*PCG*E0001", max_current_a=32.0, max_power_w=22_080.0)
            await station.charge()
            await peer.hears("charger/measurement", power_w=11_040.0)
            await peer.hears("cable/charger", pwm=True, voltage_v=230.0)
            await eventually(lambda: peer.last("charger/meter")["energy_import_wh"] > 2)
            await station.limits(0)
            await peer.hears("charger/state", contactor="open")
        await peer.hears("charger/status", state="offline")
    lines = [msgspec.json.decode(line) for line in record.read_text(encoding="utf-8").splitlines()]
    assert [line["limits"]["authorised"] for line in lines if "limits" in line] == [True, False]


async def test_lost_heartbeats_open_within_three_seconds(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    async with simulating(broker), stationed(peer) as station:
        await station.charge()
        station.beating = False
        began = time.monotonic()
        await peer.hears("charger/state", contactor="open")
        assert 1.0 < time.monotonic() - began < 3.0
        assert [fault["kind"] for fault in peer.last("charger/state")["faults"]] == ["secc_silent"]
        station.beating = True
        await station.beat()
        assert (await station.permit("locked", "closed", "on"))["reason"] == "the session is over"
        station.session = "B"
        await station.permit("locked", "open", "off")
        await station.limits()
        assert (await station.permit("locked", "closed", "on"))["result"] == "accepted"
        await peer.hears("charger/state", contactor="closed", faults=[])


async def test_a_lost_broker_opens_and_its_return_closes_nothing(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    async with simulating(broker) as simulator, stationed(peer) as station:
        await station.charge()
        contactor = simulator.charger.hardware.contactor
        station.beating = False
        await broker.stop()
        await eventually(lambda: not contactor.conducts, within_s=3.0)
        await broker.start()
        await asyncio.sleep(0)
        assert not contactor.conducts


async def test_a_retained_permit_of_a_dead_secc_has_no_effect(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    dead = Station(peer, boot="dead")
    await dead.exist()
    await dead.limits()
    order = dead.header() | {"lock": "locked", "contactor": "closed", "power": "on"}
    await peer.say("secc/permit", order, retain=True)
    await dead.plug("C")
    async with simulating(broker):
        answer = await peer.hears("charger/ack", seq=order["seq"])
        assert answer["result"] == "rejected"
        async with stationed(peer, boot="dead") as ghost:  # its heart beats again, the session stays over
            ghost.seq = dead.seq
            await ghost.beat()
            assert (await ghost.permit("locked", "closed", "on"))["reason"] == "the session is over"
            await eventually(lambda: len(peer.on("charger/measurement")) > 5)
    assert not closed(peer)


async def test_an_emergency_is_told_within_50_ms(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    async with simulating(broker) as simulator, stationed(peer) as station:
        await station.charge()
        simulator.charger.fault("emergency")
        fault = {"kind": "emergency", "severity": "emergency", "latched": True}
        told = await peer.hears("charger/state", contactor="open")
        assert told["faults"] == [fault]
        await station.permit("locked", "open", "off")
        assert (await station.permit("locked", "closed", "on"))["result"] == "rejected"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"session": "other"}, "another session"),
        ({"boot": "former"}, "another SECC process is in charge"),
        ({"deadline_s": 0}, "its deadline has passed"),
        ({}, "no authorised limits"),
    ],
)
async def test_a_refused_command_is_answered_once_and_for_all(
    broker: RunningBroker, peer: Peer, change: dict[str, Any], reason: str
) -> None:
    await peer.listen("charger/#")
    async with simulating(broker, energy="dc"), stationed(peer) as station:
        await station.appear()
        await station.plug("C")
        await station.permit("locked", "open", "off")
        command = {"id": "c1", "boot": "s1", "session": "A", "do": "start_cable_check", "deadline_s": 30}
        await peer.say("secc/command", command | {"test_voltage_v": 500} | change)
        answer = await peer.hears("charger/ack", id="c1")
        assert (answer["result"], answer["reason"]) == ("rejected", reason)
        await station.limits()
        await peer.say("secc/command", command | {"test_voltage_v": 500})
        await eventually(lambda: len([ack for ack in peer.on("charger/ack") if ack.get("id") == "c1"]) == 2)
        assert peer.last("charger/ack") == answer
        assert peer.last("charger/state")["cable_check"] == "idle"


async def test_rubbish_changes_nothing(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    async with simulating(broker), stationed(peer) as station:
        await station.charge()
        for rubbish in (b"", b"{", b"\xff\xfe", b"[]", b'{"boot":"s1"}', b'{"boot":"s1","seq":-1,"contactor":"ajar"}'):
            for topic in ("permit", "limits", "status", "target", "command", "session"):
                await peer.say(f"secc/{topic}", rubbish)
        await station.permit("locked", "closed", "on")
        assert peer.last("charger/state")["contactor"] == "closed"


async def test_the_card_answers_a_request(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("charger/#")
    async with simulating(broker, card="reject"), stationed(peer) as station:
        await station.appear()
        await peer.hears("charger/status", state="online")
        request = {"id": "q1", "session": "A", "kind": "external", "deadline_s": 55}
        await peer.say("secc/authorization/request", request)
        assert (await peer.hears("charger/authorization", id="q1"))["accepted"] is False


async def test_a_record_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    config = SimulatorConfig(record=str(tmp_path / "missing" / "record"))
    with pytest.raises(ValueError, match=r"record: cannot write .*missing.*; name another file"):
        await Simulator(config).run()
