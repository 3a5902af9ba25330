"""`pki break`: makes certificates that are wrong in one point, and says what has to follow."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, TREE, told

if TYPE_CHECKING:
    from pki.faults.catalogue import Variant
    from pki.faults.folder import Expectation
    from pki.profiles import Edition
    from pki.store import Store

_EDITIONS = click.Choice(["iso2", "iso20", "iso20-ed448"])


@click.command("break")
@click.argument("variants", nargs=-1)
@click.option("--tree", "--from", "tree", type=TREE, default=DEFAULT_OUT / "iso2", show_default=True,
              help="The folder of the tree whose keys sign them.")  # fmt: skip
@click.option("--out", type=FOLDER, help="Where their folders go; <tree>/broken if left out.")
@click.option("--all", "every", is_flag=True, help="Make every variant that the tree has certificates for.")
@click.option("--list", "listed", is_flag=True, help="Print what there is, one per line, and make nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines: what is expected of each, as expect.json has it.")
@click.option("--edition", type=_EDITIONS, help="Whose variants; taken from the keys of the tree if left out.")
@told
def break_(
    variants: tuple[str, ...],
    tree: Path,
    out: Path | None,
    edition: str | None,
    *,
    every: bool,
    listed: bool,
    as_json: bool,
) -> None:
    """Make VARIANTS, by name or by what ISO 15118-4 calls them: each a folder with chain, key, anchors and expect.json.

    A variant is as the tree issues it but for one fault. What it shall bring about, a response code or a TLS alert,
    stands in expect.json. Test certificates: never trust them outside a laboratory.
    """
    from pki.faults import folder
    from pki.profiles import Edition
    from pki.store import Store

    if not (variants or every or listed):
        raise click.UsageError("name variants, or say --all or --list")
    source, chosen = Store(tree), Edition(edition) if edition else None
    if listed:
        _say(_known(source, chosen, variants), as_json=as_json, out=None)
        return
    where = out or tree / folder.FOLDER
    if every:
        keyless: dict[str, int] = Counter()

        def skip(_variant: Variant, error: Exception) -> None:
            keyless[str(error)] += 1

        made = folder.write_all(source, chosen, out=where, progress=_progress, skipped=skip)
        for reason, count in keyless.items():
            click.echo(f"skipped {count}: {reason}", err=True)
        if not as_json:
            click.echo(f"{where}: {len(made)} variants; {folder.EXPECT} in each says what has to follow")
            return
    else:
        made = folder.write(source, variants, chosen, out=where)
    _say(made, as_json=as_json, out=where)


def _known(tree: Store, edition: Edition | None, names: tuple[str, ...]) -> list[Expectation]:
    """What is expected of the named variants, or all, of an edition; of a tree that is not there, those of -2."""
    from pki.faults import catalogue, folder
    from pki.faults.path import edition_of
    from pki.profiles import Edition

    if edition is None:
        edition = edition_of(tree) if tree.folder.is_dir() else Edition.ISO2
    found = catalogue.find(names, edition) if names else catalogue.variants(edition).values()
    return [folder.expectation(variant) for variant in found]


def _progress(variants: Sequence[Variant]) -> Iterator[Variant]:
    """Go through variants with a bar on stderr; it stays away where nobody watches."""
    with click.progressbar(variants, label="making", show_pos=True, file=sys.stderr) as bar:
        yield from bar


def _say(told: list[Expectation], *, as_json: bool, out: Path | None) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
        return
    for each in told:
        line = each.variant
        if out is not None:
            line = f"{out / each.variant}: {each.reason}; expected: {_outcome(each)}"
        click.echo(line)


def _outcome(told: Expectation) -> str:
    """What has to follow, in a few words."""
    expected = told.expected
    if told.accepted:
        return expected.code or "accepted"
    return expected.code or expected.tls_alert or f"{expected.rule} by the {expected.by}"
