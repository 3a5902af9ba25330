"""`pki report`: what lies in the trees as one page for people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, told

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("source", type=FOLDER, default=DEFAULT_OUT)
@click.option("--out", type=_FILE, default=Path("pki.html"), show_default=True, help="The page to write.")
@click.option("--svg", "drawing", type=_FILE, help="Write the picture of the tree here, too.")
@click.option("--title", default="V2G certificates", show_default=True, help="What stands above it all.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@click.option("--all", "every", is_flag=True, help="Show every leaf, however many there are.")
@told
def report(source: Path, out: Path, drawing: Path | None, title: str, at: datetime | None, *, every: bool) -> None:
    """Write the trees in SOURCE (certs/out, or one tree) as one HTML page that needs nothing else."""
    from pki.overview import trees
    from pki.report.page import page, survey, svg
    from pki.store import write

    now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    surveys = [survey(folder, number, now, every=every) for number, folder in enumerate(trees(source), start=1)]
    write(out, page(surveys, title, now).encode())
    if drawing:
        write(drawing, svg(surveys).encode())
    for written in (out, drawing):
        if written:
            click.echo(f"{written}: {sum(len(each.lines) for each in surveys):,} certificates")
