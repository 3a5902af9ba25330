"""What all `pki` commands share: how failure is told, what their options read."""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any, ParamSpec

import click

from pki.shown import printable

DEFAULT_OUT = Path("certs/out")
FOLDER = click.Path(file_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)
P = ParamSpec("P")
INTERRUPTED = 130
"""The exit status of a command that Ctrl-C ended: 128 and the number of SIGINT, as shells tell it."""
_BROKEN_PIPE = 141
"""The exit status of a command whose reader went away: 128 and the number of SIGPIPE, as shells tell it."""
_ROOM = "make room on the disk and run it again"
_ALLOW = "have its owner allow it, or name another place"
_REMEDIES = MappingProxyType(
    {
        errno.ENOSPC: _ROOM,
        errno.EDQUOT: _ROOM,
        errno.EACCES: _ALLOW,
        errno.EPERM: _ALLOW,
        errno.EROFS: "name a place that can be written",
        errno.ENOTDIR: "a file stands where a folder is wanted: move it away, or name another place",
        errno.EEXIST: "a file stands where a folder is wanted: move it away, or name another place",
        errno.EISDIR: "a folder stands where a file is wanted: move it away, or name another place",
        errno.EADDRINUSE: "choose another port, or end what listens there",
    }
)


class TreeFolder(click.Path):
    """The folder of a tree; who gives its name alone is told the difference."""

    def __init__(self) -> None:
        """Read a folder that may be missing still."""
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path; a bare name that is no folder is refused."""
        path = Path(value)
        if len(path.parts) == 1 and path.name and not path.exists():
            self.fail(f"{value}: no such folder; --tree takes a folder here, such as {DEFAULT_OUT / path}", param, ctx)
        return super().convert(value, param, ctx)


TREE = TreeFolder()


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command cannot do into one line on stderr and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            click.echo("\ninterrupted", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            _hang_up()
        except OSError as error:
            raise click.ClickException(printable(why(error))) from error
        except ValueError as error:
            raise click.ClickException(printable(str(error))) from error

    return run


def why(error: OSError) -> str:
    """Say what the system refused: the file, what is wrong with it, what to do."""
    if error.strerror is None:
        return str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes | os.PathLike) else ""
    remedy = _REMEDIES.get(error.errno or 0)
    return f"{where}{error.strerror}" + (f"; {remedy}" if remedy else "")


def mention_own(config: Path | None) -> None:
    """Say on stderr that a pki.toml lies here and is not followed: what it declares must not be missed."""
    own = Path("pki.toml")
    if config is None and own.is_file():
        click.echo(f"{own} lies here and is not followed; --config {own} follows it", err=True)


def _hang_up() -> None:
    """End as a command whose reader went away, without a word."""
    # What is still buffered would fail once more when the interpreter ends.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(_BROKEN_PIPE)
