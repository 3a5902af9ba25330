"""All files or none, and nobody else's."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pki import store
from pki.layouts.export import export
from pki.layouts.folder import RECORD, Planned, publish
from pki.store import Store


def planned(**files: bytes) -> dict[str, Planned]:
    """Files by name, `a__b` for a/b; a secret one starts with "secret"."""
    return {
        name.replace("__", "/"): Planned(data, secret=name.startswith("secret"), same=data.__eq__)
        for name, data in files.items()
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_record(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if name != RECORD}


def test_what_is_no_more_planned_is_removed_but_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    publish(folder, planned(a=b"1", b__c=b"2", secret=b"3"), force=False)
    (folder / "theirs").write_bytes(b"theirs")
    written, kept = publish(folder, planned(a=b"1"), force=False)
    assert (written, kept) == ([], 1)
    assert without_record(folder) == {"a": b"1", "theirs": b"theirs"}
    assert set(json.loads((folder / RECORD).read_bytes())["files"]) == {"a"}


def test_what_others_changed_is_not_replaced_or_removed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    publish(folder, planned(a=b"1", b=b"2"), force=False)
    (folder / "a").write_bytes(b"theirs")
    before = contents(folder)
    with pytest.raises(ValueError, match=r"out/a: not from an export of ours; name another folder, or replace"):
        publish(folder, planned(a=b"3", b=b"4"), force=False)
    assert contents(folder) == before
    publish(folder, planned(b=b"4"), force=False)
    assert without_record(folder) == {"a": b"theirs", "b": b"4"}
    publish(folder, planned(a=b"3", b=b"4"), force=True)
    assert without_record(folder) == {"a": b"3", "b": b"4"}


def test_a_file_of_others_that_says_the_same_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "secret").write_bytes(b"1")
    (folder / "secret").chmod(0o644)
    publish(folder, planned(secret=b"1"), force=False)
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b'{"files": 3}', b"\xff"])
def test_a_damaged_record_makes_every_file_foreign(tmp_path: Path, record: bytes) -> None:
    folder = tmp_path / "out"
    publish(folder, planned(a=b"1"), force=False)
    (folder / RECORD).write_bytes(record)
    with pytest.raises(ValueError, match="not from an export of ours"):
        publish(folder, planned(a=b"2"), force=False)


def test_a_record_made_up_by_others_reaches_nothing_outside(tmp_path: Path) -> None:
    folder, outside = tmp_path / "out", tmp_path / "outside"
    publish(folder, planned(a=b"1"), force=False)
    outside.write_bytes(b"1")
    digest = json.loads((folder / RECORD).read_bytes())["files"]["a"]
    made_up = {"files": {"../outside": digest, str(outside): digest, "a": digest}}
    (folder / RECORD).write_text(json.dumps(made_up), encoding="utf-8")
    publish(folder, planned(b=b"2"), force=False)
    assert outside.read_bytes() == b"1"
    assert without_record(folder) == {"b": b"2"}


def failing(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, at: int) -> None:
    """Have the call number `at` of a function fail as on a full disk."""
    whole: Callable[..., object] = getattr(owner, name)
    calls = iter(range(1_000_000))

    def call(*arguments: object, **named: object) -> object:
        if next(calls) == at:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(*arguments, **named)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("at", [0, 1, 2, 3])
@pytest.mark.parametrize("function", ["write", "replace"])
def test_what_fails_halfway_leaves_all_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str, at: int
) -> None:
    folder = tmp_path / "out"
    publish(folder, planned(a=b"1", b=b"1", gone=b"1"), force=False)
    before = contents(folder)
    owner = store if function == "write" else Path
    # store.write replaces a file, too: count what comes after the three new files and the record.
    failing(monkeypatch, owner, function, at if function == "write" else at + 4)
    with pytest.raises(OSError, match="No space left"):
        publish(folder, planned(a=b"2", b=b"2", c=b"2"), force=False)
    monkeypatch.undo()
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_fails_at_first_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, store, "write", 2)
    with pytest.raises(OSError, match="No space left"):
        publish(tmp_path / "out", planned(a=b"2", b=b"2", c=b"2"), force=False)
    assert not list(tmp_path.iterdir())


FULL = """
set -e
mount -t tmpfs -o size={size}k none {disk}
{python} -m pki export --layout josev --tree {tree} {disk}/josev || true
find {disk} -type f | wc -l
"""


@pytest.mark.parametrize(("size", "files"), [(60, 0), (2000, 58)])
def test_a_full_disk_leaves_nothing(pristine: Path, tmp_path: Path, size: int, files: int) -> None:
    """A real one, small, in a mount namespace of its own."""
    (tmp_path / "disk").mkdir()
    script = FULL.format(size=size, disk=tmp_path / "disk", python=sys.executable, tree=pristine)
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(f"no mount namespaces here: {done.stderr.strip()}")
    assert int(done.stdout.splitlines()[-1]) == files, done.stdout + done.stderr
    assert (f"{tmp_path}/disk/josev/iso15118_2: No space left on device; make room" in done.stderr) is (files == 0)


def test_an_export_into_a_folder_of_others_keeps_theirs(pristine: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "iso15118_2/certs/v2gRootCACert.pem"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    with pytest.raises(ValueError, match=r"v2gRootCACert\.pem: not from an export of ours"):
        export(Store(pristine), "josev", tmp_path)
    assert contents(tmp_path) == {"iso15118_2/certs/v2gRootCACert.pem": b"theirs"}
    export(Store(pristine), "josev", tmp_path, force=True)
    assert theirs.read_bytes() == (pristine / "ca/v2g/root.pem").read_bytes()
