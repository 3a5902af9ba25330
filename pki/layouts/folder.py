"""Files put into a folder together: all of them or none, and none over a file that somebody else put there.

What we put there is remembered in a file of the folder, by digest: what still has its digest is ours to replace.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from pki import store

RECORD = ".plugcharge-export.json"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a file is to hold; `same` tells of other bytes whether they say the same."""

    data: bytes
    secret: bool
    same: Callable[[bytes], bool]

    @property
    def mode(self) -> int:
        """The permissions it has to have."""
        return store.PRIVATE if self.secret else store.PUBLIC


def publish(folder: Path, planned: Mapping[str, Planned], *, force: bool) -> tuple[list[str], int]:
    """Bring the files of a folder up to date; return those written and the number of those left as they were.

    Raise ValueError naming files that others put in their places (`force` replaces them), or OSError; then the folder
    is as it was. Other files stay.
    """
    recorded = _recorded(folder)
    fresh = {path: file for path, file in planned.items() if not _is_current(folder / path, file)}
    if not force:
        _refuse_foreign(folder, fresh, recorded)
    stale = [path for path in recorded if path not in planned and _is_ours(folder / path, recorded[path])]
    digests = {path: recorded[path] for path in planned if path in recorded and path not in fresh}
    digests |= {path: _digest(file.data) for path, file in fresh.items()}
    if not (fresh or stale):
        return [], len(planned)
    with staging(folder, folder if folder.exists() else folder.parent) as stage:
        for path, file in sorted(fresh.items(), key=lambda item: item[1].secret):
            store.write(stage / path, file.data, file.mode)
        text = json.dumps({"files": digests}, indent=2)
        store.write(stage / RECORD, f"{text}\n".encode(), store.PRIVATE)
        if folder.exists():
            _exchange(stage, folder, [*fresh, RECORD], stale)
        else:
            stage.chmod(0o755)
            stage.rename(folder)
    return sorted(fresh), len(planned) - len(fresh)


@contextmanager
def staging(folder: Path, above: Path) -> Iterator[Path]:
    """Give a new folder below `above` to fill with what will be in `folder`; what is left of it is removed.

    An OSError, such as of a full disk, names `folder` instead of it.
    """
    try:
        above.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=above))
        try:
            yield stage
        finally:
            shutil.rmtree(stage, ignore_errors=True)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def _exchange(stage: Path, folder: Path, fresh: Iterable[str], stale: Iterable[str]) -> None:
    """Move files into place and remove stale ones; on an error put back what was there."""
    fresh, stale = list(fresh), list(stale)
    before = stage / ".before"
    for path in [*fresh, *stale]:
        if (folder / path).exists():
            store.make_folder((before / path).parent, private=True)
            shutil.copy2(folder / path, before / path)
        if path not in stale:
            store.make_folder((folder / path).parent)
    try:
        for path in fresh:
            (stage / path).replace(folder / path)
        for path in stale:
            (folder / path).unlink()
    except BaseException:
        _put_back(before, folder, [*fresh, *stale])
        raise


def _put_back(before: Path, folder: Path, paths: Iterable[str]) -> None:
    for path in paths:
        if (before / path).exists():
            (before / path).replace(folder / path)
        else:
            (folder / path).unlink(missing_ok=True)


def _is_current(path: Path, file: Planned) -> bool:
    return path.is_file() and path.stat().st_mode & 0o777 == file.mode and file.same(path.read_bytes())


def _refuse_foreign(folder: Path, fresh: Mapping[str, Planned], recorded: Mapping[str, str]) -> None:
    """Raise ValueError where a file would be lost that says something else and is not ours."""
    found = [path for path in fresh if (folder / path).exists()]
    foreign = [
        path
        for path in found
        if not _is_ours(folder / path, recorded.get(path)) and not _says(folder / path, fresh[path])
    ]
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise ValueError(
            f"{folder / foreign[0]}{more}: not from an export of ours; name another folder, or replace with --force"
        )


def _says(path: Path, file: Planned) -> bool:
    return path.is_file() and file.same(path.read_bytes())


def _is_ours(path: Path, digest: str | None) -> bool:
    return path.is_file() and _digest(path.read_bytes()) == digest


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Record(msgspec.Struct):
    files: dict[str, str]


def _recorded(folder: Path) -> dict[str, str]:
    """Return the digests of what we put there; nothing where there is no record, or none of ours."""
    try:
        found = msgspec.json.decode((folder / RECORD).read_bytes(), type=_Record).files
    except (FileNotFoundError, NotADirectoryError, msgspec.MsgspecError):
        return {}
    # A record that somebody made up must not have us remove files elsewhere.
    return {path: digest for path, digest in found.items() if not _leads_out(PurePosixPath(path))}


def _leads_out(path: PurePosixPath) -> bool:
    return path.is_absolute() or ".." in path.parts
