"""The `pki` commands: make the test PKI, show it, check a chain, export it for other stacks."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import click

DEFAULT_OUT = Path("certs/out")
P = ParamSpec("P")
_Folder = click.Path(file_okay=False, path_type=Path)


def _told(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command cannot do into one line on stderr and exit status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error

    return run


@click.group()
def pki() -> None:
    """The test PKI: make, check and export certificates."""


@pki.command()
@click.option("--config", type=click.Path(path_type=Path), help="The pki.toml to follow; built in: one -2 tree.")
@click.option("--out", type=_Folder, default=DEFAULT_OUT, show_default=True, help="Where the trees lie.")
@_told
def init(config: Path | None, out: Path) -> None:
    """Make the trees that pki.toml declares; what is there and still good stays as it is."""
    from pki.renewal import bring_up_to_date
    from pki.store import Store
    from pki.tree import read

    for name, tree in read(config).items():
        outcomes = bring_up_to_date(tree, Store(out / name))
        for outcome in outcomes:
            if outcome.reason:
                click.echo(f"  {outcome.entry.place}  ({outcome.reason})")
        made = sum(1 for outcome in outcomes if outcome.reason)
        click.echo(f"{out / name}: {made} made, {len(outcomes) - made} kept")
    click.echo("Test certificates: never trust them outside a laboratory.")
