"""The `pki` commands: make the test PKI, show it, check a chain, export it for other stacks."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import ParamSpec

import click

from v2g.trust import Role

DEFAULT_OUT = Path("certs/out")
P = ParamSpec("P")
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PATH = click.Path(path_type=Path)
_ROLE = click.Choice([role.value for role in Role])


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
@click.option("--config", type=_PATH, help="The pki.toml to follow; without it the built-in one, a -2 tree.")
@click.option("--out", type=_FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie.")
@click.option("--print-config", is_flag=True, help="Print the built-in pki.toml, with every key, and make nothing.")
@_told
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


@pki.command()
@click.option("--out", type=_FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie, or one tree.")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of certificates per tree.")
@_told
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


@pki.command()
@click.argument("path", type=_PATH)
@click.option("--role", type=_ROLE, help="What the leaf is presented as; taken from leaf/<role>/<id> if left out.")
@click.option("--trust", type=_PATH, multiple=True, help="PEM files of trust anchors; without it those of the tree.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@_told
def verify(path: Path, role: str | None, trust: tuple[Path, ...], at: datetime | None) -> None:
    """Check a chain, a PEM file or the folder of a leaf, as a SECC or EVCC would."""
    from pki.credentials import load_anchors, load_chain, load_credential
    from pki.validate import validate

    folder = path.resolve() if path.is_dir() else path.resolve().parent
    chain = load_credential(path / "chain.pem", path / "key.pem").chain if path.is_dir() else load_chain(path)
    role = role or folder.parent.name
    trust = trust or tuple(sorted(folder.parent.parent.parent.glob("trust/*.pem")))
    if role not in list(Role):
        raise click.UsageError("say in which role with --role")
    if not trust:
        raise click.UsageError("name trust anchors with --trust")
    anchors = [anchor for file in trust for anchor in load_anchors(file)]
    verdict = validate(chain, Role(role), anchors, at.replace(tzinfo=UTC) if at else None)
    if not verdict:
        raise ValueError(f"{path}: not trusted as {role}: {verdict.broken}: {verdict.detail}")
    click.echo(f"{path}: trusted as {role}: {verdict.subject} under {verdict.anchor}, until {verdict.expires:%Y-%m-%d}")


@pki.command()
@click.option("--layout", type=click.Choice(["josev"]), required=True, help="Whose folder to write.")
@click.option("--from", "source", type=_FOLDER, default=DEFAULT_OUT / "iso2", show_default=True, help="The tree.")
@click.option("--leaf", "leaves", multiple=True, metavar="ROLE=ID", help="Which leaf, where there are several.")
@click.argument("destination", type=_FOLDER)
@_told
def export(layout: str, source: Path, leaves: tuple[str, ...], destination: Path) -> None:
    """Write a tree as another stack wants it; for josev, DESTINATION is its PKI_PATH."""
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
