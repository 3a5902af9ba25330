"""Which subcommands `plugcharge` has, and where they live.

A subcommand's package is loaded when it is run, not before: `plugcharge --help` answers without cryptography or MQTT.
"""

from __future__ import annotations

import importlib
from typing import NamedTuple

import click

import v2g


class Mount(NamedTuple):
    """Where the command is declared, the line `--help` shows without loading it, the extra it needs."""

    module: str
    attribute: str
    summary: str
    extra: str = ""


MOUNTS = {
    "demo": Mount(
        "plugcharge.demo", "demo", "Charge a car on this machine: broker, controller, SECC and EVCC.", "demo"
    ),
    "secc": Mount("secc.commands", "secc", "The charging station: run a SECC, simulate its charger controller."),
    "evcc": Mount("evcc.commands", "evcc", "The vehicle: run the EV emulator."),
    "pki": Mount("pki.commands", "pki", "The test PKI: make, check and export certificates."),
    "decode": Mount("v2g.commands", "decode", "Show messages given as bytes: as a tree, JSON, XML, or bit by bit."),
    "encode": Mount("v2g.commands", "encode", "Write messages given as JSON or XML as bytes."),
}


class Mounted(click.Group):
    """A group whose subcommands are those of `MOUNTS`, each imported on its first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands in the order of `MOUNTS`."""
        del ctx
        return list(MOUNTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; None for a name that is not mounted. Raises `ClickException` for a missing extra."""
        del ctx
        mount = MOUNTS.get(cmd_name)
        return None if mount is None else _load(mount)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summaries of `MOUNTS`: the commands themselves stay unloaded."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, MOUNTS[name].summary) for name in self.list_commands(ctx)])


def _load(mount: Mount) -> click.Command:
    try:
        module = importlib.import_module(mount.module)
    except ModuleNotFoundError as error:
        if not mount.extra:
            raise
        raise click.ClickException(f"{error}: pip install 'plugcharge[{mount.extra}]'") from error
    command: click.Command = getattr(module, mount.attribute)
    return command


@click.command(cls=Mounted, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(v2g.__version__, prog_name="plugcharge")
def main() -> None:
    """ISO 15118 Plug & Charge: a SECC, an EVCC emulator and a test PKI."""
