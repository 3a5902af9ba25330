"""Command groups whose subcommands are loaded when they run: `--help` answers without what only one of them needs."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import click


class Mount(NamedTuple):
    """Where the command is declared, the line `--help` shows without loading it, the extra it needs."""

    module: str
    attribute: str
    summary: str
    extra: str = ""


class Mounted(click.Group):
    """A group whose subcommands are those of `mounts`, in their order, each imported on its first use."""

    def __init__(self, *args: Any, mounts: Mapping[str, Mount], **kwargs: Any) -> None:
        self._mounts = mounts
        super().__init__(*args, **kwargs)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands in the order of the mounts."""
        del ctx
        return list(self._mounts)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; None for a name that is not mounted. Raises `ClickException` for a missing extra."""
        del ctx
        mount = self._mounts.get(cmd_name)
        return None if mount is None else _load(mount)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries of the mounts: the commands themselves stay unloaded."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._mounts[name].summary) for name in self.list_commands(ctx)])


def _load(mount: Mount) -> click.Command:
    try:
        module = importlib.import_module(mount.module)
    except ModuleNotFoundError as error:
        if not mount.extra:
            raise
        raise click.ClickException(f"{error}: pip install 'plugcharge[{mount.extra}]'") from error
    command: click.Command = getattr(module, mount.attribute)
    return command
