"""The harness itself: a program that stays silent, dies or leaves children is noticed. Needs no peer."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path

import pytest

from tests.interop.process import Failed, Process, Program


def program(folder: Path, source: str) -> Program:
    return Program(name="child", command=[sys.executable, "-u", "-c", source], folder=folder)


async def test_says_finds_a_line(tmp_path: Path) -> None:
    async with Process(program(tmp_path, "print('one'); print('two words')")) as child:
        assert await child.says("two", 10) == "two words"
        assert await child.ended(10) == 0
    assert (tmp_path / "child.log").read_text() == "one\ntwo words\n"


async def test_an_early_end_fails_at_once_with_the_last_lines(tmp_path: Path) -> None:
    async with Process(program(tmp_path, "raise SystemExit('no such interface')")) as child:
        with pytest.raises(Failed, match=r"ended without saying 'ready'(.|\n)*no such interface"):
            await child.says("ready", 30)
        assert await child.ended(10) == 1


async def test_silence_fails_in_time(tmp_path: Path) -> None:
    async with Process(program(tmp_path, "import signal; signal.pause()")) as child:
        with pytest.raises(Failed, match=r"did not say 'ready' within 0\.2 s"):
            await child.says("ready", 0.2)
        with pytest.raises(Failed, match=r"did not end within 0\.2 s"):
            await child.ended(0.2)


async def test_grandchildren_end_with_the_block(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']).pid)"
    )
    async with Process(program(tmp_path, source)) as child:
        grandchild = os.pidfd_open(int(await child.says("", 10)))
        assert not ended(grandchild, within=0)
    assert ended(grandchild, within=10)
    os.close(grandchild)


def ended(pidfd: int, within: float) -> bool:
    """Whether a process ends within so many seconds."""
    return select.select([pidfd], [], [], within)[0] == [pidfd]
