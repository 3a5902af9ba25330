"""`pki show`: prints what lies in the trees."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, told

if TYPE_CHECKING:
    from pki.overview import Line


@click.command()
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie, or one tree.")
@click.option("--all", "every", is_flag=True, help="Print every leaf, however many there are.")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of certificates per tree.")
@told
def show(out: Path, *, every: bool, as_json: bool) -> None:
    """Print the certificates that are there, each below its issuer, with the days left and what is wrong.

    Exit status 1 tells of certificates that cannot be read; the others are shown.
    """
    from pki.overview import describe, gather_readable, trees
    from pki.shown import printable

    gathered = {folder: gather_readable(folder) for folder in trees(out)}
    surveys = {folder: describe(folder, found) for folder, (found, _) in gathered.items()}
    _tell(surveys, every=every, as_json=as_json)
    damaged = [problem for _, problems in gathered.values() for problem in problems.values()]
    for problem in damaged:
        click.echo(printable(f"DAMAGED: {problem}"), err=True)
    if damaged:
        click.get_current_context().exit(1)


def _tell(surveys: Mapping[Path, list[Line]], *, every: bool, as_json: bool) -> None:
    if as_json:
        import msgspec

        listed = {folder.name: lines for folder, lines in surveys.items()}
        click.echo(json.dumps(msgspec.to_builtins(listed), indent=2))
        return
    _print(_lines(surveys, every=every))


def _lines(surveys: Mapping[Path, list[Line]], *, every: bool) -> Iterable[tuple[str, Line | None]]:
    from pki.outline import ASCII, Glyphs, aligned

    glyphs = Glyphs() if _draws() else ASCII
    for folder, lines in surveys.items():
        yield from aligned(folder, lines, every=every, glyphs=glyphs)


def _draws() -> bool:
    """Tell whether the output can take more than ASCII."""
    try:
        "█├…".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def _print(lines: Iterable[tuple[str, Line | None]]) -> None:
    """Write lines, in colour where a terminal and `rich` are there; the words are the same."""
    if sys.stdout.isatty() and find_spec("rich"):
        _print_in_colour(lines)
        return
    for text, _ in lines:
        click.echo(text)


def _print_in_colour(lines: Iterable[tuple[str, Line | None]]) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    for text, line in lines:
        console.print(Text(text, style=_style(line)), soft_wrap=True)


def _style(line: Line | None) -> str:
    """Return how `rich` should show a certificate: red for what is wrong, yellow for what soon will be."""
    from pki.outline import bad

    if line is None:
        return "dim"
    if bad(line):
        return "red"
    return "yellow" if line.flags else "default"
