"""`pki show`: prints what lies in the trees."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, told


@click.command()
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie, or one tree.")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of certificates per tree.")
@told
def show(out: Path, *, as_json: bool) -> None:
    """Print the certificates that are there, each below its issuer, with the days left."""
    from pki.overview import as_text, survey, trees

    surveys = {folder: survey(folder) for folder in trees(out)}
    if as_json:
        import msgspec

        listed = {folder.name: lines for folder, lines in surveys.items()}
        click.echo(json.dumps(msgspec.to_builtins(listed), indent=2))
        return
    for folder, lines in surveys.items():
        for line in as_text(folder, lines):
            click.echo(line)
