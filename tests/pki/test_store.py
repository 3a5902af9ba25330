from __future__ import annotations

import fcntl
import logging
import os
import queue
import threading
from pathlib import Path

import pytest

from pki import store


def test_a_reader_sees_the_old_or_the_new_bytes(tmp_path: Path) -> None:
    """The old file stays whole for whoever has it open."""
    path = tmp_path / "file"
    store.write(path, b"old")
    with path.open("rb") as reader:
        store.write(path, b"new bytes")
        assert reader.read() == b"old"
    assert path.read_bytes() == b"new bytes"


def test_equal_bytes_are_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    store.write(path, b"same")
    inode = path.stat().st_ino
    store.write(path, b"same")
    assert path.stat().st_ino == inode


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    store.write(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        store.write(path, b"new")
    assert caught.value.filename == str(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_belong_together_are_all_new_or_all_old(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    store.write(first, b"old")

    def fail() -> None:
        with store.together() as put:
            put(first, b"new", store.PRIVATE)
            put(second, b"new")
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        fail()
    assert first.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [first]
    with store.together() as put:
        put(first, b"new", store.PRIVATE)
        assert first.read_bytes() == b"old"
    assert first.read_bytes() == b"new"
    assert first.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [first]


def test_a_private_file_makes_a_private_folder(tmp_path: Path) -> None:
    store.write(tmp_path / "a" / "private" / "key", b"secret", store.PRIVATE)
    assert (tmp_path / "a" / "private").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "private" / "key").stat().st_mode & 0o777 == 0o600


def test_places_are_found_again(pristine: Path) -> None:
    tree = store.Store(pristine)
    places = tree.places()
    assert len(places) == 26
    for place in places:
        assert tree.certificate(place).is_file()
        assert tree.key(place).is_file()


def test_an_empty_folder_has_no_places(tmp_path: Path) -> None:
    assert store.Store(tmp_path / "none").places() == []


def test_a_reader_waits_for_a_writer_and_leaves_nothing_behind(tmp_path: Path) -> None:
    tree = store.Store(tmp_path / "none")
    with tree.still():
        assert not tree.folder.exists()
    with tree.alone():
        pass
    with tree.still(), tree.still(), (tree.folder / ".lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_who_waits_for_another_run_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: queue.Queue[str] = queue.Queue()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.put(record.getMessage())

    monkeypatch.setattr(store, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(store.logger, "handlers", [Ear()])
    tree = store.Store(tmp_path)

    def wait() -> None:
        with tree.alone():
            pass

    waiting = threading.Thread(target=wait)
    with tree.alone():
        waiting.start()
        assert told.get(timeout=10) == f"{tmp_path}: another run is at work there; waiting"
    waiting.join(10)
    assert not waiting.is_alive()
