"""Handshakes take turns: between two steps, whatever else is ready runs."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from v2g.tls.turns import in_turn


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
    assert steps == sorted(set(steps)), "two steps in one round of the loop"


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
