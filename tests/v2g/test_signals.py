"""What signals do to our processes."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from v2g.signals import hangups, until_signal


async def test_every_hangup_is_noticed_and_none_ends_us() -> None:
    with hangups() as hangup:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.wait_for(hangup.wait(), 5)
            hangup.clear()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_work_is_cut_short_and_takes_leave(number: signal.Signals) -> None:
    took_leave = []

    async def work() -> str:
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(5)
        finally:
            took_leave.append(number)
        return "done"

    try:
        assert await until_signal(work()) is None
    finally:
        asyncio.get_running_loop().remove_signal_handler(number)
    assert took_leave == [number]
