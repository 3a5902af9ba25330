"""The example of a charger controller before a scripted SECC: whatever opens by itself stays open in that session."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.brokers import PATIENCE_S, Peer, RunningBroker, background, eventually, peer_of
from tests.interop.process import Process, Program

ROOT = Path(__file__).parents[2]
ZERO = {"authorised": False, "direction": "none", "max_charge_w": 0, "max_discharge_w": 0, "max_current_a": 0}
SOME = {"authorised": True, "direction": "charge", "max_charge_w": 11_040, "max_discharge_w": 0, "max_current_a": 16}
COUNTER = itertools.count(1)


class Secc:
    """Says what a SECC of one `boot` says."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.boot = "s1"
        self.beating = True

    async def beat(self) -> None:
        while True:
            if self.beating:
                await self.beat_once()
            await asyncio.sleep(0.1)

    async def beat_once(self) -> None:
        await self.peer.say("secc/heartbeat", {"boot": self.boot, "counter": next(COUNTER)}, qos=0)

    async def level(self, topic: str, **members: object) -> None:
        header = {"boot": self.boot, "seq": next(COUNTER), "time": ""}
        await self.peer.say(f"secc/{topic}", header | members, retain=True)

    async def permit(self, session: str, contactor: str = "closed", **limits: object) -> None:
        await self.level("limits", session=session, **(SOME | limits))
        power = "on" if contactor == "closed" else "off"
        await self.level("permit", session=session, lock="unlocked", contactor=contactor, power=power)

    async def pilot(self, state: str) -> None:
        await self.peer.say("cable/vehicle", {"plugged": True, "pilot": state}, retain=True)

    async def sees(self, contactor: str) -> None:
        await self.peer.hears("charger/state", contactor=contactor)

    async def sees_it_open_and_stay_so(self) -> None:
        """Wait until it has opened, and then for half a second by its own measurements."""
        await self.sees("open")
        samples = len(self.peer.on("charger/measurement"))
        await eventually(lambda: len(self.peer.on("charger/measurement")) > samples + 5, "measurements")
        assert {each["voltage_v"] for each in self.peer.on("charger/measurement")[samples:]} == {0}
        assert self.peer.last("charger/state")["contactor"] == "open"


def example(broker: RunningBroker, folder: Path) -> Process:
    command = [sys.executable, "-m", "examples.controller", "--evse", "bay-1", "--port", str(broker.port)]
    return Process(Program(name="example", command=command, folder=folder, environment={"PYTHONPATH": str(ROOT)}))


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[RunningBroker]:
    broker = RunningBroker("amqtt", tmp_path)
    await broker.start()
    yield broker
    await broker.stop()


@pytest.fixture
def process(broker: RunningBroker, tmp_path: Path) -> Process:
    """The example, started by `secc`."""
    return example(broker, tmp_path)


@pytest.fixture
async def secc(broker: RunningBroker, process: Process) -> AsyncIterator[Secc]:
    """A SECC that lives, with the example on a broker of their own, and a vehicle in C."""
    async with peer_of(broker.settings, "bay-1") as peer:
        await peer.listen("charger/#")
        secc = Secc(peer)
        await secc.level("status", state="online")
        await secc.permit("before")
        async with background(secc.beat()), process:
            await peer.hears("charger/status", state="online")
            await secc.pilot("C")
            await peer.hears("charger/state", plug="C")  # so it has subscribed; nothing is permitted before it knows us
            await secc.beat_once()
            yield secc


async def test_it_closes_for_permit_and_limits_of_one_session(secc: Secc) -> None:
    await secc.sees_it_open_and_stay_so()  # what was permitted before it came is retained, and alive
    await secc.permit("one", max_charge_w=0, max_current_a=0)
    await secc.sees_it_open_and_stay_so()
    await secc.permit("one")
    await secc.sees("closed")
    await secc.peer.hears("charger/ack", result="done")
    await secc.permit("one", "open")
    await secc.sees("open")
    await secc.permit("two")
    await secc.sees("closed")
    await secc.level("limits", session="two", **ZERO)
    await secc.sees_it_open_and_stay_so()
    await secc.permit("three", valid_for_s=0.3)
    await secc.sees("closed")
    await secc.sees_it_open_and_stay_so()


@pytest.mark.parametrize("loss", ["silence", "offline", "pilot", "boot"])
async def test_what_opened_by_itself_waits_for_another_session(secc: Secc, loss: str) -> None:
    await secc.permit("one")
    await secc.sees("closed")
    if loss == "silence":
        secc.beating = False
        await secc.sees("open")
        secc.beating = True
    elif loss == "offline":
        await secc.level("status", state="offline")
        await secc.sees("open")
        await secc.level("status", state="online")
    elif loss == "pilot":
        await secc.pilot("B")
        await secc.sees("open")
        await secc.pilot("C")
    else:
        secc.boot = "s2"
        await secc.sees("open")
        await secc.level("status", state="online")
    await secc.sees_it_open_and_stay_so()
    await secc.permit("two")
    await secc.sees("closed")


async def test_a_card_is_for_external_identification_alone(secc: Secc) -> None:
    for kind in ("contract", "external"):
        request = {"id": kind, "session": "one", "kind": kind, "deadline_s": 9}
        await secc.peer.say("secc/authorization/request", request)
    await secc.peer.hears("charger/authorization", id="external", accepted=True)
    assert len(secc.peer.on("charger/authorization")) == 1


MALFORMED = [
    b"",
    b"{",
    b"\xff",
    b"[]",
    b"7",
    b"{}",
    b"[" * 100_000,
    b'{"boot": 1}',
    b'{"plugged": true, "pilot": null}',
]
HEARD = ["status", "heartbeat", "limits", "permit", "command", "authorization/request"]


async def test_what_cannot_be_read_changes_nothing_and_is_complained_about(secc: Secc, process: Process) -> None:
    await secc.permit("one")
    await secc.sees("closed")
    for topic in [*(f"secc/{each}" for each in HEARD), "cable/vehicle"]:
        for payload in MALFORMED:
            await secc.peer.say(topic, payload)
        await process.says(f"ignored a message on {topic}: ", PATIENCE_S)
    samples = len(secc.peer.on("charger/measurement"))
    await eventually(lambda: len(secc.peer.on("charger/measurement")) > samples + 5, "measurements")
    assert len([line for line in process.lines if line.startswith("ignored")]) == 7 * len(MALFORMED)
    assert secc.peer.last("charger/state")["contactor"] == "closed"
    await secc.permit("one", "open")
    await secc.sees("open")


@pytest.mark.parametrize("member", ["boot", "authorised", "max_current_a"])
async def test_limits_with_a_member_missing_are_none(secc: Secc, process: Process, member: str) -> None:
    limits = {"boot": "s1", "seq": 0, "time": "", "session": "one", **SOME}
    await secc.peer.say("secc/limits", {name: value for name, value in limits.items() if name != member})
    line = await process.says("ignored a message on secc/limits", PATIENCE_S)
    assert line.endswith(f"missing or of another type: {member}")
    await secc.level("permit", session="one", lock="unlocked", contactor="closed", power="on")
    await secc.peer.hears("charger/ack", result="rejected")
    await secc.permit("two")
    await secc.sees("closed")
