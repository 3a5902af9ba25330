"""Bad, stale and foreign payloads: each is told once, none moves power, and the session goes on."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from secc import api
from tests.brokers import eventually
from tests.e2e.bay import PATIENCE_S, Bay
from v2g.sdp import SdpRequest, SdpResponse, Security

pytestmark = pytest.mark.asyncio(loop_scope="module")

READ_BY_THE_SECC = [topic.name for topic in (*api.written_by("charger"), *api.written_by("backend"))]
BAD: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"boot": "\xff"}',
    "no object": b"[1, 2]",
    "a word": b'"open"',
    "nothing stated": b"{}",
    "wrong types": json.dumps({"boot": 5, "seq": "x", "id": [], "time": 0}).encode(),
    "out of range": json.dumps({"boot": "b" * 65, "seq": -1, "counter": -1, "sample": -1, "id": ""}).encode(),
    "nested deeply": b"[" * 20_000,
    "too large": b'{"boot": "' + b"x" * 70_000 + b'"}',
}
# Ten rejections are told at once: so each bay hears all kinds of payloads, and both together hear them on all topics.
TOPICS = {"ac": READ_BY_THE_SECC[: len(BAD)], "dc": READ_BY_THE_SECC[-len(BAD) :]}
FLOOD = 300
GHOST: dict[str, Any] = {"boot": "ghost", "seq": 999_999, "time": "2026-01-01T00:00:00Z"}


def rejected(bay: Bay, mark: int) -> list[str]:
    return [event["topic"] for event in bay.peer.events(mark, "rejected")]


async def test_bad_payloads_are_told_once_and_change_nothing(shared: Bay) -> None:
    topics = TOPICS[shared.energy]
    await shared.plug_and_charge()
    mark = shared.mark
    for topic, payload in zip(topics, BAD.values(), strict=True):
        await shared.peer.say(topic, payload)
    await eventually(lambda: len(rejected(shared, mark)) >= len(topics), f"{topics}: {rejected(shared, mark)}")
    assert sorted(rejected(shared, mark)) == sorted(topics)
    await shared.charging()
    mark = shared.mark
    for _ in range(FLOOD):
        await shared.peer.say("charger/request", b"{", qos=0)
    await shared.charging()
    assert len(rejected(shared, mark)) <= 5
    await shared.console("request stop")
    assert (await shared.left())["ok"]
    await shared.safe()


async def test_a_retained_request_is_no_request(ac: Bay) -> None:
    """What waits at the broker was said to somebody else: it is refused when a SECC comes and finds it."""
    stop = {"id": "old", "do": "emergency_stop"}
    await ac.terminate("secc")
    await ac.peer.say("charger/request", stop, retain=True)
    await ac.peer.say("backend/authorization/response", {"id": "advance", "status": "accepted"}, retain=True)
    mark = ac.mark
    await ac.start("secc")
    await ac.ready()
    both = {"charger/request", "backend/authorization/response"}  # amqtt hands retained messages out twice
    await eventually(lambda: set(rejected(ac, mark)) == both, "both refused")
    assert all("retained" in event["reason"] for event in ac.peer.events(mark, "rejected"))
    for topic in both:
        await ac.peer.say(topic, b"", retain=True)
    await ac.charges()


async def test_orders_of_another_process_raise_nothing(ac: Bay) -> None:
    """A ghost's permit, limits and target, retained and loud, while no session runs and while one does."""
    permit = GHOST | {"session": "ghost", "lock": "locked", "contactor": "closed", "power": "on"}
    limits = GHOST | {
        "session": "ghost",
        "authorised": True,
        "direction": "charge",
        "max_charge_w": 1e6,
        "max_discharge_w": 0.0,
        "max_current_a": 5_000.0,
    }
    target = {"boot": "ghost", "session": "ghost", "phase": "charge", "voltage_v": 900.0, "current_a": 5_000.0}
    await ac.terminate("simulator")
    mark = ac.mark
    await ac.peer.say("secc/limits", limits, retain=True)
    await ac.peer.say("secc/permit", permit, retain=True)
    await ac.start("simulator")
    await ac.ready()
    await ac.peer.say("secc/target", target)
    await ac.heard(mark, "charger/ack", seq=GHOST["seq"], result="rejected")
    assert all(state["contactor"] == "open" for state in ac.peer.since(mark, "charger/state"))
    await ac.plug_and_charge(charge_s=3.0)
    mark = ac.mark
    await ac.peer.say("secc/limits", limits, retain=True)
    await ac.peer.say("secc/permit", permit, retain=True)
    await ac.peer.say("secc/target", target)
    await ac.heard(mark, "charger/ack", seq=GHOST["seq"], result="rejected")
    full_a = 16.0
    result = await ac.left()
    assert result["ok"], result["reason"]
    assert max(each["current_a"] for each in ac.peer.since(mark, "charger/measurement")) <= full_a + 0.1
    await ac.safe()


async def test_a_ghost_may_always_open(ac: Bay) -> None:
    await ac.plug_and_charge()
    zero = {"authorised": False, "direction": "none", "max_charge_w": 0, "max_discharge_w": 0, "max_current_a": 0}
    await ac.peer.say("secc/limits", GHOST | zero, retain=True)
    await ac.peer.hears("charger/state", contactor="open")
    await ac.console("request stop")
    await ac.left()
    await ac.safe()


async def discovered(bay: Bay) -> bool:
    """Ask by SDP as a car does, three times."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.bind(("::1", 0))
        loop = asyncio.get_running_loop()
        for _ in range(3):
            await loop.sock_sendto(asking, SdpRequest(security=Security.TLS).encode(), ("::1", bay.sdp_port))
            try:
                async with asyncio.timeout(0.25):
                    return bool(SdpResponse.parse(await loop.sock_recv(asking, 100)).port)
            except TimeoutError:
                continue
    return False


async def test_sdp_is_silent_without_a_living_controller(ac: Bay) -> None:
    """The dead one's setup is still retained at the broker; so is its last will."""
    await ac.peer.say("cable/vehicle", {"plugged": True, "pilot": "B"}, retain=True)
    await ac.peer.hears("charger/state", plug="B")
    assert await discovered(ac)
    await ac.kill("simulator")
    await ac.peer.hears("charger/status", state="offline")
    assert (await ac.retained("charger/setup"))["charger/setup"]["evse_id"]
    assert not await discovered(ac)
    await ac.peer.say("charger/status", GHOST | {"state": "online"}, retain=True)
    assert not await discovered(ac)
    mark = ac.mark
    await ac.start("simulator")
    await ac.heard(mark, "charger/state", plug="B")
    async with asyncio.timeout(PATIENCE_S):
        while not await discovered(ac):
            pass
    await ac.peer.say("cable/vehicle", {"plugged": False}, retain=True)
    await ac.charges()
