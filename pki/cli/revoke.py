"""`pki revoke`: puts a certificate on the list of the revoked, or takes a hold back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pki.cli.place import located
from pki.cli.told import DEFAULT_OUT, TREE, told

REASONS = (
    "unspecified",
    "keyCompromise",
    "cACompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
    "certificateHold",
    "privilegeWithdrawn",
    "aACompromise",
)


@click.command()
@click.argument("place")
@click.option("--tree", type=TREE, help=f"Its folder; that of a path, or {DEFAULT_OUT}/iso2, if left out.")
@click.option("--reason", type=click.Choice(REASONS), default="unspecified", show_default=True, help="Why.")
@click.option("--at", type=click.DateTime(), help="Since when, UTC, no later than now; now if left out.")
@click.option("--serial", type=click.IntRange(min=0), help="Its serial number, PLACE being the CA that issued it.")
@click.option("--undo", is_flag=True, help="Take back a certificateHold; nothing else can be.")
@told
def revoke(place: str, tree: Path | None, reason: str, at: datetime | None, serial: int | None, *, undo: bool) -> None:
    """Revoke the certificate in PLACE, such as leaf/contract/car1 or ca/mo/sub2, or a path to it.

    It takes effect with the next list (`pki crl`), and at once in `pki serve`.
    """
    from pki import revoked
    from pki.store import Store

    folder, place = located(place, tree, DEFAULT_OUT / "iso2")
    store = Store(folder)
    if undo:
        revoked.release(store, place, serial)
        click.echo(f"{folder}: the hold on {place} is lifted; `pki crl` writes the lists anew")
        return
    now = datetime.now(UTC)
    since = (at.replace(tzinfo=UTC) if at else now).replace(microsecond=0)
    if since > now:
        raise ValueError(f"--at {since:%Y-%m-%d %H:%M} is still to come: nobody would be told so before; leave it out")
    entry = revoked.revoke(store, place, since, revoked.REASONS[reason], serial)
    named = entry.place or f"certificate {entry.serial} of {entry.issuer}"
    click.echo(f"{folder}: {named} is revoked since {since:%Y-%m-%d %H:%M} UTC ({reason}); `pki crl` writes the lists")
    if not entry.standing.held:
        click.echo("  `pki init` and `pki renew` make another in its place, with what hangs below")
