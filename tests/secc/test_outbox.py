"""The outgoing queue: what survives a loss, and what must not."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from secc.outbox import EVENTS_KEPT, LIMIT, Outbox, Packet


def packet(
    topic: str, data: str = "", *, qos: int = 1, retained: bool = False, deadline: float | None = None
) -> Packet:
    return Packet(topic=topic, data=data.encode(), qos=qos, retained=retained, deadline_s=deadline)


async def drain(outbox: Outbox) -> list[tuple[str, str]]:
    said = []
    while outbox:
        taken = await outbox.take()
        said.append((taken.topic, taken.data.decode()))
    return said


async def test_everything_leaves_in_order_while_connected() -> None:
    outbox = Outbox()
    outbox.open()
    for number in range(3):
        outbox.put(packet("permit", f"{number}", retained=True))
        outbox.put(packet("target", f"{number}", qos=0))
    assert [data for _, data in await drain(outbox)] == ["0", "0", "1", "1", "2", "2"]


async def test_a_new_connection_begins_with_the_newest_of_each_level() -> None:
    outbox = Outbox()
    outbox.open()
    outbox.put(packet("permit", "closed", retained=True))
    outbox.put(packet("limits", "full", retained=True))
    await drain(outbox)
    outbox.close()
    outbox.put(packet("event", "lost"))
    outbox.put(packet("permit", "open", retained=True))
    outbox.open()
    assert await drain(outbox) == [("permit", "open"), ("limits", "full"), ("event", "lost")]


async def test_orders_with_a_deadline_and_periodic_values_do_not_outlive_a_connection() -> None:
    outbox = Outbox()
    outbox.open()
    for late in (packet("command", deadline=5), packet("heartbeat", qos=0)):
        outbox.put(late)
    outbox.close()
    for late in (packet("command", deadline=5), packet("target", qos=0)):
        outbox.put(late)
    outbox.open()
    assert await drain(outbox) == []


async def test_take_waits_for_the_first_packet() -> None:
    outbox = Outbox()
    outbox.open()
    taking = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    assert not taking.done()
    outbox.put(packet("event"))
    assert (await taking).topic == "event"


@given(connected=st.booleans(), kinds=st.lists(st.sampled_from("pet"), min_size=1, max_size=40))
def test_it_is_bounded_whatever_is_said(connected: bool, kinds: list[str]) -> None:
    outbox = Outbox()
    if connected:
        outbox.open()
    made = {
        "p": packet("permit", retained=True),
        "e": packet("event"),
        "t": packet("target", qos=0),
    }
    for _ in range(LIMIT):
        for kind in kinds:
            outbox.put(made[kind])
    assert len(outbox) <= LIMIT
    outbox.close()
    outbox.open()
    assert len(outbox) <= EVENTS_KEPT + ("p" in kinds)
