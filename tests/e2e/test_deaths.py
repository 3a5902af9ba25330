"""kill -9 of each process while a car charges: open within 3 s, nothing resumes by itself, the next car charges."""

from __future__ import annotations

import time

from tests.e2e.bay import Bay

OPEN_S = 3.0


async def test_the_secc_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    mark, died = bay.mark, await bay.kill("secc")
    assert await bay.opened(died) < OPEN_S
    await bay.peer.hears("secc/status", state="offline")
    await bay.start("secc")
    await bay.peer.hears("secc/status", state="online")
    await bay.safe()
    assert not (await bay.left())["ok"]
    assert not bay.resumed(mark, died)
    await bay.charges()


async def test_the_controller_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    mark, died = bay.mark, await bay.kill("simulator")
    await bay.peer.hears("secc/limits", authorised=False, max_charge_w=0, max_current_a=0)
    await bay.peer.hears("secc/permit", contactor="open", power="off")
    assert bay.peer.when(mark, "secc/permit", contactor="open") - died < OPEN_S
    await bay.start("simulator")
    await bay.ready()
    assert not (await bay.left())["ok"]
    assert bay.peer.events(mark, "controller_silent")
    await bay.safe()
    assert not bay.resumed(mark, died)
    await bay.charges()


async def test_the_car_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    mark, died = bay.mark, await bay.kill("car")
    assert await bay.opened(died) < OPEN_S
    await bay.safe()
    assert not bay.resumed(mark, died)
    await bay.charges()


async def test_the_broker_dies(bay: Bay) -> None:
    await bay.plug_and_charge()
    died = time.time()
    await bay.broker.stop()
    assert await bay.opened(died) < OPEN_S
    await bay.broker.start()
    await bay.listen()
    await bay.ready()
    assert not (await bay.left())["ok"]
    await bay.safe()
    assert not bay.resumed(0, died)
    await bay.charges()
