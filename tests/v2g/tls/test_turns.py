"""Handshakes take turns: between two steps, whatever else is ready runs."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from itertools import pairwise

import pytest

from tests.v2g.tls.shaking import BOTH, CAR, SECOND, STATION, Asked
from v2g.stream import Facts
from v2g.tls.context import client_context
from v2g.tls.stream import accept
from v2g.tls.turns import ROUNDS, in_turn

AT_ONCE = 100
BOUND_S = 0.05
"""Of CPU, so that a busy machine does no harm; twice what a charge loop may be held up, 1/5 of what 100 steps take."""


class Crowd:
    """A connection whose hello is there at once, and nothing after it."""

    def __init__(self, hello: bytes, answered: asyncio.Semaphore) -> None:
        self.facts = Facts(peer="one of many")
        self.ended = False
        self._hello = hello
        self._answered = answered

    async def receive(self) -> bytes:
        hello, self._hello = self._hello, b""
        if not hello:
            await asyncio.Event().wait()
        return hello

    async def send(self, _data: bytes) -> None:
        self._answered.release()

    async def close(self) -> None:
        self.ended = True


async def test_others_run_between_two_steps() -> None:
    rounds, steps = 0, list[int]()

    async def count() -> None:
        nonlocal rounds
        while len(steps) < 20:
            rounds += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await asyncio.gather(*(in_turn(lambda: steps.append(rounds)) for _ in range(20)))
    await counting
    assert all(later - sooner >= ROUNDS for sooner, later in pairwise(steps)), steps


async def test_first_come_first_served() -> None:
    order = list[int]()
    await asyncio.gather(*(in_turn(partial(order.append, place)) for place in range(10)))
    assert order == list(range(10))


async def test_errors_and_those_who_give_up_pass_the_turn_on() -> None:
    def fail() -> None:
        raise ValueError("a step that fails")

    waiting = [asyncio.create_task(in_turn(each)) for each in (fail, lambda: None, lambda: None, lambda: None)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    failed, gone, *done = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(failed, ValueError)
    assert isinstance(gone, asyncio.CancelledError)
    assert done == [None, None]
    with pytest.raises(ValueError, match="a step that fails"):
        await in_turn(fail)


def test_loops_have_turns_of_their_own() -> None:
    for _ in range(2):
        assert asyncio.run(in_turn(lambda: 1)) == 1


async def test_a_crowd_does_not_hold_up_what_runs_beside_it() -> None:
    session = client_context([SECOND.root], identity=CAR.identity, generations=BOTH).session(Asked())
    assert not session.handshake()
    hello, answered, longest = session.take(), asyncio.Semaphore(0), 0.0

    async def run() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, before = max(longest, now - before), now

    beside = asyncio.create_task(run())
    crowd = [asyncio.create_task(accept(Crowd(hello, answered), STATION, timeout=60.0)) for _ in range(AT_ONCE)]
    for _ in range(AT_ONCE):
        await answered.acquire()
    for task in (beside, *crowd):
        task.cancel()
    await asyncio.gather(beside, *crowd, return_exceptions=True)
    assert longest < BOUND_S
