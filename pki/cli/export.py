"""`pki export`: writes a tree as another stack wants it."""

from __future__ import annotations

from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, told
from v2g.trust import Role


@click.command()
@click.option("--layout", type=click.Choice(["josev"]), required=True, help="Whose folder to write.")
@click.option("--from", "source", type=FOLDER, default=DEFAULT_OUT / "iso2", show_default=True, help="The tree.")
@click.option("--leaf", "leaves", multiple=True, metavar="ROLE=ID", help="Which leaf, where there are several.")
@click.argument("destination", type=FOLDER)
@told
def export(layout: str, source: Path, leaves: tuple[str, ...], destination: Path) -> None:
    """Write a tree as another stack wants it; for josev, DESTINATION is its PKIPATH."""
    from pki.export import PASSWORD, export_josev

    export_josev(source, destination, _chosen(leaves))
    click.echo(f"{destination}: written for {layout}; keys are encrypted with {PASSWORD.decode()}")


def _chosen(leaves: tuple[str, ...]) -> dict[Role, str]:
    """Read ROLE=ID options."""
    chosen = {}
    for text in leaves:
        role, equals, name = text.partition("=")
        if not equals or role not in list(Role):
            raise click.BadParameter(f"{text!r}; write ROLE=ID, ROLE one of {', '.join(Role)}", param_hint="--leaf")
        chosen[Role(role)] = name
    return chosen
