"""The bus against real brokers: what passes, what is refused, and what a lost broker does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from secc import api
from secc.mqtt import Allowance, Broker, Bus
from tests.brokers import HOST, PATIENCE_S, Peer, RunningBroker, eventually, peer_of
from v2g.record import Record


@dataclass
class Log:
    """What a bus told its owner."""

    heard: list[tuple[str, Record, bool]] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    connections: list[bool] = field(default_factory=list)


def make_bus(
    broker: Broker, log: Log, *, writer: str = "secc", reads: Sequence[api.Topic[Record]] | None = None
) -> Bus:
    status = api.SeccStatus(boot="b", seq=0, time="t", state="offline")
    will: tuple[api.Topic[Record], Record] = (api.SECC_STATUS, status)
    return Bus(
        broker,
        "bay-1",
        writer=writer,
        reads=api.written_by("charger") if reads is None else reads,
        will=will,
        handle=lambda topic, payload, retained: log.heard.append((topic.name, payload, retained)),
        rejected=lambda topic, reason: log.rejected.append((topic, reason)),
        connected=lambda: log.connections.append(True),
        disconnected=lambda: log.connections.append(False),
    )


@contextlib.asynccontextmanager
async def running(bus: Bus) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(bus.run())
    yield task
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE_S)
    with contextlib.suppress(asyncio.CancelledError):
        task.result()


def status(seq: int = 1, state: str = "online") -> dict[str, Any]:
    return {"boot": "c", "seq": seq, "time": "t", "state": state}


async def test_what_is_declared_passes(broker: RunningBroker, peer: Peer) -> None:
    log = Log()
    async with running(make_bus(broker.settings, log)):
        await eventually(lambda: log.connections == [True])
        await peer.say("charger/status", status(), retain=True)
        await peer.say("charger/heartbeat", {"boot": "c", "counter": 4, "of tomorrow": True}, qos=0)
        await eventually(lambda: len(log.heard) == 2)
    assert log.heard[0] == (
        "charger/status",
        api.ChargerStatus(boot="c", seq=1, time="t", state="online"),
        False,
    )
    assert log.heard[1][1] == api.Beat(boot="c", counter=4)
    assert log.rejected == []


async def test_quality_and_retention_are_the_topics_own(broker: RunningBroker, peer: Peer) -> None:
    log = Log()
    bus = make_bus(broker.settings, log)
    bus.publish(api.SECC_STATUS, api.SeccStatus(boot="b", seq=1, time="t", state="online"))
    async with running(bus):
        await eventually(lambda: bus.up)
        bus.publish(api.SECC_HEARTBEAT, api.Beat(boot="b", counter=1))
        bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="late"))
        await asyncio.sleep(0)
        await peer.listen("secc/event")
        bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="heard"))
        await peer.hears("secc/event", kind="heard")
        await peer.listen("secc/#")
        await peer.hears("secc/status", state="online")
        bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="last"))
        await peer.hears("secc/event", kind="last")
    kept = {name for name, _, retained in peer.heard if retained}
    assert kept == {"secc/status"}
    assert peer.on("secc/heartbeat") == []


VICTIM = """
import asyncio, sys
from secc import api
from secc.mqtt import Broker, Bus

async def main():
    status = api.SeccStatus(boot="b", seq=0, time="t", state="offline")
    bus = Bus(Broker(port=int(sys.argv[1]), version=sys.argv[2]), "bay-1", writer="secc", reads=[],
              will=(api.SECC_STATUS, status), handle=print, rejected=print, connected=print, disconnected=print)
    bus.publish(api.SECC_STATUS, api.SeccStatus(boot="b", seq=1, time="t", state="online"))
    await bus.run()

asyncio.run(main())
"""


async def test_the_will_speaks_when_we_vanish(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("secc/status")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", VICTIM, str(broker.port), broker.settings.version), stdout=asyncio.subprocess.DEVNULL
    )
    await peer.hears("secc/status", state="online")
    process.kill()
    await process.wait()
    await peer.hears("secc/status", state="offline", boot="b")


async def test_the_last_words_are_sent_when_cancelled(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("secc/event")
    bus = make_bus(broker.settings, Log())
    async with running(bus):
        await eventually(lambda: bus.up)
        for number in range(20):
            bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind=str(number)))
    await peer.hears("secc/event", kind="19")
    assert [event["kind"] for event in peer.on("secc/event")] == [str(number) for number in range(20)]


async def test_it_can_be_cancelled_at_any_moment(broker: RunningBroker) -> None:
    """While it connects, subscribes, sends, waits for an answer: it always ends, and leaves nothing running."""
    for milliseconds in range(25):
        bus = make_bus(broker.settings, Log())
        async with running(bus):
            for _ in range(5):
                bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="x"))
            await asyncio.sleep(milliseconds / 1_000)
        assert not bus.up
    assert asyncio.all_tasks() == {asyncio.current_task()}


BAD = {
    "no JSON": (b"{", "truncated"),
    "no UTF-8": (b'{"boot": "\xff"}', "utf-8"),
    "empty": (b"", "truncated"),
    "wrong type": (b'{"boot": "c", "counter": "4"}', "Expected `int`"),
    "missing": (b'{"boot": "c"}', "counter"),
    "out of range": (b'{"boot": "c", "counter": -1}', ">= 0"),
    "not a number": (b'{"boot": "c", "counter": 1, "uptime_s": NaN}', "malformed"),
    "infinite": (b'{"boot": "c", "counter": 1, "uptime_s": 1e999}', "out of range"),
    "too large": (b" " * 65_537, "65537 bytes"),
    "too deep": (b'{"x": ' + b"[" * 30_000, "deep"),
}


async def test_bad_payloads_are_told_and_change_nothing(broker: RunningBroker, peer: Peer) -> None:
    log = Log()
    async with running(make_bus(broker.settings, log)) as task:
        await eventually(lambda: log.connections == [True])
        for data, _ in BAD.values():
            await peer.say("charger/heartbeat", data)
        await eventually(lambda: len(log.rejected) == len(BAD))
        await peer.say("charger/heartbeat", {"boot": "c", "counter": 1})
        await eventually(lambda: len(log.heard) == 1)
        assert not task.done()
    assert [topic for topic, _ in log.rejected] == ["charger/heartbeat"] * len(BAD)
    assert all(expected in said for (_, said), (_, expected) in zip(log.rejected, BAD.values(), strict=True)), (
        log.rejected
    )
    assert log.connections == [True]


async def test_a_level_needs_its_boot(broker: RunningBroker, peer: Peer) -> None:
    log = Log()
    async with running(make_bus(broker.settings, log)):
        await eventually(lambda: log.connections == [True])
        await peer.say("charger/status", {"seq": 1, "time": "t", "state": "online"})
        await eventually(lambda: len(log.rejected) == 1)
    assert "boot" in log.rejected[0][1]


async def test_retained_is_for_states_only(broker: RunningBroker, peer: Peer) -> None:
    """A request that somebody left behind with the retain flag is refused, the same request said now is not."""
    request = {"id": "r1", "do": "stop"}
    await peer.say("charger/request", request, retain=True)
    await peer.say("charger/status", status(), retain=True)
    log = Log()
    async with running(make_bus(broker.settings, log)):
        await eventually(lambda: len(log.heard) + len(log.rejected) == 2)
        assert log.rejected[0][0] == "charger/request"
        assert "retained" in log.rejected[0][1]
        assert [(name, retained) for name, _, retained in log.heard] == [("charger/status", True)]
        await peer.say("charger/request", request)
        await eventually(lambda: log.heard[-1][0] == "charger/request")


async def test_only_the_topics_read_are_subscribed(broker: RunningBroker, peer: Peer) -> None:
    log = Log()
    async with running(make_bus(broker.settings, log, reads=[api.CHARGER_REQUEST])):
        await eventually(lambda: log.connections == [True])
        await peer.say("charger/status", status())
        await peer.say("secc/permit", {})
        await peer.say("charger/request", {"id": "r", "do": "stop"})
        await eventually(lambda: len(log.heard) == 1)
    assert log.heard[0][0] == "charger/request"
    assert log.rejected == []


async def test_a_lost_broker_is_tried_again_and_told_once(
    broker: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log()
    bus = make_bus(broker.settings, log)
    with caplog.at_level(logging.WARNING, "secc.mqtt"):
        async with running(bus):
            await eventually(lambda: log.connections == [True])
            bus.publish(api.SECC_STATUS, api.SeccStatus(boot="b", seq=1, time="t", state="online"))
            await broker.stop()
            await eventually(lambda: log.connections == [True, False])
            bus.publish(api.SECC_HEARTBEAT, api.Beat(boot="b", counter=1))
            bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="meanwhile"))
            await asyncio.sleep(0.5)
            await broker.start()
            async with peer_of(broker.settings, "bay-1") as peer:
                await peer.listen("secc/#")
                await eventually(lambda: log.connections == [True, False, True])
                await peer.hears("secc/status", state="online", seq=1)
    lost = [record for record in caplog.records if "no broker" in record.message]
    assert len(lost) == 1


async def test_a_broker_that_is_not_there_yet_is_found_later(broker: RunningBroker) -> None:
    await broker.stop()
    log = Log()
    async with running(make_bus(broker.settings, log)):
        await asyncio.sleep(0.2)
        assert log.connections == []
        await broker.start()
        await eventually(lambda: log.connections == [True])


async def test_deadlines_travel_as_message_expiry(broker: RunningBroker) -> None:
    """The broker itself drops a command that its reader was too late for (MQTT 5)."""
    if broker.kind != "mosquitto-5":
        pytest.skip("message expiry exists in MQTT 5 only")
    bus = make_bus(broker.settings, Log())
    expiries: list[int | None] = []
    async with aiomqtt.Client(HOST, broker.port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe("plugcharge/v1/bay-1/secc/#", qos=1)
        async with running(bus):
            await eventually(lambda: bus.up)
            bus.publish(
                api.SECC_COMMAND, api.Command(id="1", boot="b", session="s", do="start_cable_check", deadline_s=37.2)
            )
            bus.publish(api.SECC_EVENT, api.Event(boot="b", time="t", kind="x"))
            async with asyncio.timeout(PATIENCE_S):
                async for message in client.messages:
                    expiries.append(getattr(message.properties, "MessageExpiryInterval", None))
                    if len(expiries) == 2:
                        break
    assert expiries == [38, None]


async def test_what_breaks_its_own_declaration_is_not_sent(broker: RunningBroker, peer: Peer) -> None:
    await peer.listen("secc/#")
    log = Log()
    bus = make_bus(broker.settings, log)
    async with running(bus):
        await eventually(lambda: bus.up)
        bus.publish(api.SECC_TARGET, api.Target(boot="b", phase="charge", voltage_v=float("nan"), current_a=1.0))
        bus.publish(api.SECC_TARGET, api.Target(boot="b", phase="charge", voltage_v=400.0, current_a=1e6))
        bus.publish(api.SECC_TARGET, api.Target(boot="b", phase="charge", voltage_v=400.0, current_a=1.0))
        await peer.hears("secc/target", current_a=1.0)
    assert len(peer.on("secc/target")) == 1
    assert [topic for topic, _ in log.rejected] == ["secc/target", "secc/target"]


async def test_a_branch_has_one_writer() -> None:
    bus = make_bus(Broker(), Log(), writer="charger")
    with pytest.raises(ValueError, match="belongs to secc"):
        bus.publish(api.SECC_HEARTBEAT, api.Beat(boot="b", counter=1))


async def test_settings_that_cannot_work_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="bay/1"):
        Bus(
            Broker(),
            "bay/1",
            writer="secc",
            reads=(),
            will=(api.SECC_STATUS, api.SeccStatus(boot="b", seq=0, time="t", state="offline")),
            handle=lambda *_: None,
            rejected=lambda *_: None,
            connected=lambda: None,
            disconnected=lambda: None,
        )
    missing = str(tmp_path / "ca.pem")
    with pytest.raises(ValueError, match=r"ca\.pem"):
        make_bus(Broker(ca=missing), Log())
    with pytest.raises(ValueError, match="need ca"):
        make_bus(Broker(certificate=missing), Log())


def test_rejections_are_bounded() -> None:
    allowance = Allowance(10)
    assert sum(allowance.take() for _ in range(1_000)) <= 12


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@st.composite
def near_misses(draw: st.DrawFn, topic: api.Topic[Record]) -> bytes:
    """Objects with the right member names and anything in them."""
    names = [member.encode_name for member in msgspec.structs.fields(topic.payload)]
    members = draw(st.dictionaries(st.sampled_from(names), JSON, max_size=len(names)))
    return json.dumps(members).encode()


@st.composite
def damaged(draw: st.DrawFn, topic: api.Topic[Record]) -> bytes:
    """The same with a few bytes of it exchanged."""
    data = bytearray(draw(near_misses(topic)))
    for place, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=4)):
        data[place] = value
    return bytes(data)


@given(data=st.data())
def test_garbage_ends_in_a_rejection_or_a_payload(data: st.DataObject) -> None:
    topic = data.draw(st.sampled_from(api.TOPICS))
    raw = data.draw(st.binary(max_size=200) | near_misses(topic) | damaged(topic))
    log = Log()
    bus = make_bus(Broker(), log, reads=api.TOPICS)
    bus._receive(f"{api.PREFIX}/bay-1/{topic.name}", raw, retained=data.draw(st.booleans()))
    assert len(log.heard) + len(log.rejected) == 1
    for _, payload, _ in log.heard:
        numbers = [value for value in msgspec.structs.asdict(payload).values() if isinstance(value, float)]
        assert all(math.isfinite(number) for number in numbers)
