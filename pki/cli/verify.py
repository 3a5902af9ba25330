"""`pki verify`: checks a chain as a SECC or EVCC would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import PATH, told
from v2g.trust import Role

if TYPE_CHECKING:
    from pki.revocation import Revocation

_ROLE = click.Choice([role.value for role in Role])
_MODE = click.Choice(["off", "soft", "hard"])


@click.command()
@click.argument("path", type=PATH)
@click.option("--role", type=_ROLE, help="What the leaf is presented as; taken from leaf/<role>/<id> if left out.")
@click.option("--trust", type=PATH, multiple=True, help="PEM files of trust anchors; without it those of the tree.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@click.option("--crl", type=PATH, multiple=True, help="Revocation lists, or folders of them.")
@click.option("--ocsp", type=PATH, multiple=True, help="OCSP responses, or folders of them.")
@click.option(
    "--revocation",
    type=_MODE,
    help="What has to be known: nothing, no revocation, or that all is good; hard with evidence.",
)
@told
def verify(
    path: Path,
    role: str | None,
    trust: tuple[Path, ...],
    at: datetime | None,
    crl: tuple[Path, ...],
    ocsp: tuple[Path, ...],
    revocation: str | None,
) -> None:
    """Check a chain, a PEM file or the folder of a leaf, as a SECC or EVCC would.

    Where nothing is said of revocation, the list of the tree that it lies in counts.
    """
    from pki.credentials import load_anchors, load_chain, load_credential
    from pki.profiles import Branch, Edition
    from pki.validate import Policy, validate

    folder = path.resolve() if path.is_dir() else path.resolve().parent
    if path.is_dir() and (path / "key.pem").exists():
        chain = load_credential(path / "chain.pem", path / "key.pem").chain
    else:
        chain = load_chain(path / "chain.pem" if path.is_dir() else path)
    role = role or folder.parent.name
    trust = trust or tuple(sorted(folder.parent.parent.parent.glob("trust/*.pem")))
    if role not in list(Role):
        raise click.UsageError("say in which role with --role")
    if not trust:
        raise click.UsageError("name trust anchors with --trust")
    anchors = [anchor for file in trust for anchor in load_anchors(file)]
    private = [anchor for file in trust if file.stem == Branch.PRIVATE for anchor in load_anchors(file)]
    asked = _revocation((*crl, *ocsp), revocation, private)
    policy = Policy(editions=tuple(Edition), private=tuple(private), revocation=asked)
    verdict = validate(chain, Role(role), anchors, at.replace(tzinfo=UTC) if at else None, policy)
    if not verdict:
        raise ValueError(f"{path}: not trusted as {role}: {verdict.broken}: {verdict.detail}")
    if policy.revocation is None and revocation is None:
        _check_listed(path, folder, chain, at)
    click.echo(f"{path}: trusted as {role}: {verdict.subject} under {verdict.anchor}, until {verdict.expires:%Y-%m-%d}")


def _check_listed(path: Path, leaf: Path, chain: list[bytes], at: datetime | None) -> None:
    """Refuse a chain of a tree of ours whose list of the revoked names one of it."""
    from pki import revoked
    from pki.certificate import read
    from pki.store import Store

    tree = next((above for above in leaf.parents if (above / revoked.NAME).is_file()), None)
    if tree is None:
        return
    now = at.replace(tzinfo=UTC) if at else datetime.now(UTC)
    for entry, certificate in revoked.among(Store(tree), map(read, chain), now):
        raise ValueError(
            f"{path}: revoked since {entry.at:%Y-%m-%d} ({entry.reason.value}): {certificate.common_name}, says "
            f"{tree / revoked.NAME}; `plugcharge pki renew` makes another"
        )


def _revocation(sources: tuple[Path, ...], mode: str | None, private: list[bytes]) -> Revocation | None:
    """Read the evidence; None where nobody asks."""
    from pki.cache import Cache
    from pki.revocation import Mode, Revocation

    if mode is None and not sources:
        return None
    return Revocation(Mode(mode or Mode.HARD), Cache(sources), private=private)
