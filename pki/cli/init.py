"""`pki init`: makes the trees that pki.toml declares."""

from __future__ import annotations

from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, PATH, told


@click.command()
@click.option("--config", type=PATH, help="The pki.toml to follow; without it the built-in one, a -2 tree.")
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie.")
@click.option("--print-config", is_flag=True, help="Print the built-in pki.toml, with every key, and make nothing.")
@told
def init(config: Path | None, out: Path, *, print_config: bool) -> None:
    """Make the trees that pki.toml declares; what is there and still good stays as it is."""
    from pki.tree import built_in, read

    if print_config:
        click.echo(built_in().read_text(encoding="utf-8"), nl=False)
        return
    from pki.renewal import bring_up_to_date
    from pki.store import Store

    for name, tree in read(config).items():
        outcomes = bring_up_to_date(tree, Store(out / name))
        for outcome in outcomes:
            if outcome.reason:
                click.echo(f"  {outcome.entry.place}  ({outcome.reason})")
        made = sum(1 for outcome in outcomes if outcome.reason)
        click.echo(f"{out / name}: {made} made, {len(outcomes) - made} kept")
    click.echo("Test certificates: never trust them outside a laboratory.")
