"""What all `pki` commands share: how failure is told, what their options read."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import click

DEFAULT_OUT = Path("certs/out")
FOLDER = click.Path(file_okay=False, path_type=Path)
PATH = click.Path(path_type=Path)
P = ParamSpec("P")


def told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command cannot do into one line on stderr and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error

    return run
