"""`pki crl`: writes the revocation list of every CA of a tree."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pki.cli.place import together
from pki.cli.told import DEFAULT_OUT, FOLDER, TREE, told


@click.command()
@click.argument("places", nargs=-1)
@click.option("--tree", type=TREE, help=f"Its folder; that of a path, or {DEFAULT_OUT}/iso2, if left out.")
@click.option("--out", type=FOLDER, help="Where the lists go; <tree>/crl if left out.")
@click.option(
    "--days", type=click.FloatRange(0, 3650, min_open=True), default=7.0, show_default=True, help="How long they last."
)
@click.option("--at", type=click.DateTime(), help="The time they are made at, UTC; now if left out.")
@told
def crl(places: tuple[str, ...], tree: Path | None, out: Path | None, days: float, at: datetime | None) -> None:
    """Write <branch>-<name>.crl for every CA of a tree, or for those in PLACES: ca/mo/sub2, or paths to them."""
    from pki import revoked
    from pki.store import Store

    folder, named = together(places, tree, DEFAULT_OUT / "iso2")
    store = Store(folder)
    chosen = named or tuple(revoked.authorities(store))
    if not chosen:
        raise ValueError(f"{folder}: holds no CA; `plugcharge pki init` makes a tree")
    moment = at.replace(tzinfo=UTC) if at else datetime.now(UTC).replace(microsecond=0)
    listed = revoked.load(folder).by(moment)
    with store.alone():
        paths = revoked.write_crls(store, chosen, moment, timedelta(days=days), out)
    for place, path in zip(chosen, paths, strict=True):
        click.echo(f"{path}: {len(listed.of(place))} revoked, until {moment + timedelta(days=days):%Y-%m-%d}")
