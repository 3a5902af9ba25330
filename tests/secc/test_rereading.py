"""When files are read anew, and what happens to those that cannot be used."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from secc import rereading
from secc.rereading import reread
from tests.brokers import eventually
from v2g.signals import hangups

LOOK_S = 0.02


class Reader:
    """Follows two files that are of use while they say the same."""

    def __init__(self, folder: Path) -> None:
        self.files = [folder / "chain", folder / "key"]
        self.say("old")
        self.reads = 0
        self.used: list[str] = []
        self.told: list[tuple[str, str]] = []
        self.threads: set[int] = set()
        self.fault: Exception | None = None

    def say(self, text: str) -> None:
        for file in self.files:
            file.write_text(text)

    def load(self) -> str:
        self.reads += 1
        self.threads.add(threading.get_ident())
        if self.fault is not None:
            raise self.fault
        chain, key = (file.read_text() for file in self.files)
        if chain != key:
            raise ValueError(f"{self.files[1]}: not the key of the chain")
        return chain

    def tell(self, kind: str, reason: str) -> None:
        self.told.append((kind, reason))

    async def until(self, holds: Callable[[], bool]) -> None:
        await eventually(holds, "the next step")


@asynccontextmanager
async def running(reader: Reader) -> AsyncIterator[Reader]:
    since = rereading.state(reader.files)
    with hangups() as hangup:
        work = reread(reader.files, since, hangup, reader.load, reader.used.append, reader.tell)
        task = asyncio.create_task(work)
        try:
            yield reader
        finally:
            assert not task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


@pytest.fixture
async def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Reader]:
    monkeypatch.setattr(rereading, "LOOK_S", LOOK_S)
    async with running(Reader(tmp_path)) as reader:
        looks = count_looks(monkeypatch)
        await reader.until(lambda: looks() > 1)
        yield reader


def count_looks(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often the files were looked at."""
    looks = []
    look = rereading.state

    def counted(files: list[Path]) -> rereading.State:
        looks.append(1)
        return look(files)

    monkeypatch.setattr(rereading, "state", counted)
    return lambda: len(looks)


async def test_files_that_changed_are_read_once_and_elsewhere(reader: Reader) -> None:
    """In a thread: a charge loop does not wait for a disk or for what is checked."""
    reader.say("new")
    await reader.until(lambda: bool(reader.used))
    assert (reader.used, reader.reads) == (["new"], 1)
    assert reader.told == [("certificates_renewed", "read anew; new connections use them")]
    assert threading.get_ident() not in reader.threads


async def test_files_that_did_not_change_are_not_read(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_looks(monkeypatch)
    await reader.until(lambda: looks() > 5)
    assert reader.reads == 0


async def test_a_change_counts_when_it_came_to_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a renewal that takes longer than a look, nothing but its end is read."""
    monkeypatch.setattr(rereading, "LOOK_S", LOOK_S)
    reader, look, looks = Reader(tmp_path), rereading.state, []

    def renewing(files: list[Path]) -> rereading.State:
        """Before each of some looks, one file more has been written."""
        looks.append(1)
        if 1 < len(looks) < 6:
            files[0].write_text("new" * len(looks))
        elif len(looks) == 6:
            reader.say("new")
        return look(files)

    monkeypatch.setattr(rereading, "state", renewing)
    async with running(reader):
        await reader.until(lambda: bool(reader.used))
        assert (reader.used, reader.reads) == (["new"], 1)
        assert len(looks) > 6


async def test_what_cannot_be_used_changes_nothing_and_is_told_once(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader.files[0].write_text("new")
    await reader.until(lambda: bool(reader.told))
    looks = count_looks(monkeypatch)
    await reader.until(lambda: looks() > 3)
    assert (reader.used, reader.reads) == ([], 1)
    reason = f"{reader.files[1]}: not the key of the chain"
    assert reader.told == [("certificates_refused", f"the old ones stay in force: {reason}")]
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("ERROR", f"the old certificates stay in force: {reason}")
    ]
    reader.files[1].write_text("new")
    await reader.until(lambda: bool(reader.used))
    assert reader.used == ["new"]


async def test_a_file_that_is_gone_and_comes_back(reader: Reader) -> None:
    reader.files[0].unlink()
    await reader.until(lambda: bool(reader.told))
    assert reader.told[0][0] == "certificates_refused"
    reader.say("new")
    await reader.until(lambda: bool(reader.used))


async def test_a_fault_of_ours_does_not_end_it(reader: Reader, caplog: pytest.LogCaptureFixture) -> None:
    reader.fault = RuntimeError("broken")
    reader.say("new")
    await reader.until(lambda: bool(reader.told))
    assert reader.told == [("certificates_refused", "the old ones stay in force: internal error, RuntimeError")]
    assert caplog.records[0].exc_info is not None
    reader.fault = None
    reader.say("newer")
    await reader.until(lambda: bool(reader.used))


async def test_a_hangup_reads_at_once_what_did_not_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = count_looks(monkeypatch)
    monkeypatch.setattr(rereading, "LOOK_S", 1_000.0)
    async with running(Reader(tmp_path)) as reader:
        os.kill(os.getpid(), signal.SIGHUP)
        await reader.until(lambda: bool(reader.used))
        assert (reader.used, looks()) == (["old"], 2)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
