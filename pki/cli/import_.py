"""`pki import`: makes a tree of what lies in the folder of another stack, or in a file of certificates."""

from __future__ import annotations

from pathlib import Path

import click

from pki.cli.export import chosen
from pki.cli.told import DEFAULT_OUT, FOLDER, PATH, told
from pki.layouts import LayoutName
from v2g.trust import Role

_ROLE = click.Choice([role.value for role in Role])
_LAYOUT = click.Choice([name.value for name in LayoutName])


@click.command("import")
@click.option("--layout", type=_LAYOUT, required=True, help="Whose folder it is; for a file, flat.")
@click.option("--out", type=FOLDER, help="The tree to make; certs/out/<layout> if left out.")
@click.option("--password", help="Of keys, where no password file has it.")
@click.option("--leaf", "leaves", multiple=True, metavar="ROLE=ID", help="What a leaf shall be called.")
@click.option("--role", type=_ROLE, help="What the leaf in a file is for, if its DC does not say.")
@click.option("--key", type=PATH, help="Where the key of the leaf in a file lies.")
@click.option("--force", is_flag=True, help="Set another tree that lies there aside.")
@click.argument("source", type=PATH)
@told
def import_(
    layout: str,
    source: Path,
    out: Path | None,
    password: str | None,
    leaves: tuple[str, ...],
    role: str | None,
    key: Path | None,
    *,
    force: bool,
) -> None:
    """Make a tree of what lies in the folder of another stack.

    With --layout flat, SOURCE may be a file: a PEM bundle, PKCS#7 as EST servers answer, PKCS#12. What a station or a
    car would not trust is told, and imported nevertheless.
    """
    from pki import layouts
    from pki.layouts.adopt import adopt
    from pki.layouts.bundle import read_bundle
    from pki.layouts.reader import read_folder

    secret = None if password is None else password.encode()
    packed = layout == "flat" and not source.is_dir()
    if (role or key) and not packed:
        raise click.UsageError("--role and --key are for a file, with --layout flat")
    if packed:
        found = read_bundle(source, secret, role=Role(role) if role else None, key=key)
    else:
        found = read_folder(layouts.named(layout), source, secret)
    tree = out or DEFAULT_OUT / layout
    done = adopt(found, tree, chosen(leaves), force=force)
    for note in done.notes:
        click.echo(f"  {note}")
    if done.aside:
        click.echo(f"  the tree that was there is now {done.aside}")
    click.echo(f"{tree}: {len(done.places)} certificates {'there already' if done.unchanged else 'imported'}")
