"""`pki export`: writes a tree as another stack wants it."""

from __future__ import annotations

from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, TREE, told
from pki.layouts import LayoutName
from v2g.trust import Role

_LAYOUT = click.Choice([name.value for name in LayoutName])


@click.command()
@click.option("--layout", type=_LAYOUT, required=True, help="Whose folder to write.")
@click.option("--tree", "--from", "source", type=TREE, default=DEFAULT_OUT / "iso2", show_default=True, help="Which.")
@click.option("--leaf", "leaves", multiple=True, metavar="ROLE=ID", help="Which leaf, where there are several.")
@click.option("--password", help="Of keys, in place of the layout's own; an empty one leaves them unencrypted.")
@click.option("--without-keys", is_flag=True, help="Certificates alone, for others to trust.")
@click.option("--force", is_flag=True, help="Replace files that are not from an export of ours.")
@click.argument("destination", type=FOLDER)
@told
def export(
    layout: str,
    source: Path,
    leaves: tuple[str, ...],
    password: str | None,
    destination: Path,
    *,
    without_keys: bool,
    force: bool,
) -> None:
    """Write a tree as another stack wants it.

    DESTINATION is the PKI_PATH of Josev, or etc/everest/certs of EVerest. What an export wrote, the next one brings up
    to date; other files there are left alone.
    """
    from pki.layouts.export import export as write
    from pki.store import Store

    done = write(
        Store(source),
        layout,
        destination,
        leaves=chosen(leaves),
        password=None if password is None else password.encode(),
        keys=not without_keys,
        force=force,
    )
    for note in done.notes:
        click.echo(f"  {note}")
    click.echo(f"{done.folder}: {len(done.written)} files written for {layout}, {done.kept} kept")


def chosen(leaves: tuple[str, ...]) -> dict[Role, str]:
    """Read ROLE=ID options."""
    found = {}
    for text in leaves:
        role, equals, name = text.partition("=")
        if not (equals and name) or role not in list(Role):
            raise click.BadParameter(f"{text!r}; write ROLE=ID, ROLE one of {', '.join(Role)}", param_hint="--leaf")
        found[Role(role)] = name
    return found
