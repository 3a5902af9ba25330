"""`pki verify`: checks a chain as a SECC or EVCC would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from pki.cli.told import PATH, told
from v2g.trust import Role

_ROLE = click.Choice([role.value for role in Role])


@click.command()
@click.argument("path", type=PATH)
@click.option("--role", type=_ROLE, help="What the leaf is presented as; taken from leaf/<role>/<id> if left out.")
@click.option("--trust", type=PATH, multiple=True, help="PEM files of trust anchors; without it those of the tree.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@told
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
