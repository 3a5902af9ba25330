"""`pki init` and `pki renew`: make the trees that pki.toml declares, and make anew what ages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import DEFAULT_OUT, FOLDER, INTERRUPTED, PATH, mention_own, told

if TYPE_CHECKING:
    from pki.renewal import Outcome
    from pki.tree import Entry, Tree

FIXTURES = datetime(2026, 1, 1, tzinfo=UTC)
"""When the certificates of a seed were made, unless told: a fixture of today would be another one tomorrow."""
_MANY = 200
_PERIOD = re.compile(r"(\d{1,5})([dhw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_WARNING = "Test certificates: never trust them outside a laboratory."


def _period(ctx: click.Context, param: click.Parameter, value: str) -> timedelta:
    """Read a time such as 14d, 36h or 8w."""
    found = _PERIOD.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r}; write a number and d, h or w, such as 14d", ctx, param)
    return int(found[1]) * _UNITS[found[2]]


def _common(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that both commands have."""
    for option in (
        click.option(
            "--tree", "names", multiple=True, metavar="NAME", help="Only this tree of pki.toml; may be repeated."
        ),
        click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie."),
        click.option("--config", type=PATH, help="The pki.toml to follow; without it the built-in one."),
    ):
        command = option(command)
    return command


@click.command()
@_common
@click.option("--print-config", is_flag=True, help="Print the built-in pki.toml, with every key, and make nothing.")
@click.option("--seed", help="FOR FIXTURES: keys and all that follow from this text, byte by byte the same every time.")
@click.option("--at", type=click.DateTime(), help="The time to make them at, UTC; now, or 2026-01-01 with --seed.")
@told
def init(
    config: Path | None,
    out: Path,
    names: tuple[str, ...],
    *,
    print_config: bool,
    seed: str | None,
    at: datetime | None,
) -> None:
    """Make the trees that pki.toml declares; what is there and still good stays as it is."""
    from pki.tree import built_in

    if print_config:
        click.echo(built_in().read_text(encoding="utf-8"), nl=False)
        return
    if seed is not None:
        click.echo("--seed: whoever knows the seed knows every key. FOR TESTS ONLY.", err=True)
    now = at.replace(tzinfo=UTC) if at else FIXTURES if seed is not None else None
    mention_own(config)
    for name, tree in _chosen(config, names).items():
        _make(name, tree, out, now, seed=None if seed is None else f"{seed}/{name}".encode())
    click.echo(_WARNING)


@click.command()
@_common
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option("--within", callback=_period, default="14d", show_default=True, help="What ends so soon is made anew.")
@click.option("--at", type=click.DateTime(), help="The time to judge by and to make them at, UTC; now if left out.")
@told
def renew(
    config: Path | None,
    out: Path,
    names: tuple[str, ...],
    places: tuple[str, ...],
    within: timedelta,
    at: datetime | None,
) -> None:
    """Make anew what ends soon or was revoked, with everything below it, and what is missing; the rest stays as it is.

    What lies in a PLACE, such as leaf/contract/car1 or ca/mo/sub2, gets a new key and certificate however good it is,
    in the tree that --tree names, or given as a path: certs/out/iso2/leaf/contract/car1.
    """
    mention_own(config)
    trees = _chosen(config, names)
    wanted = _wanted(places, trees, out)
    for name in wanted or trees:
        now = at.replace(tzinfo=UTC) if at else None
        _make(name, trees[name], out, now, within=within, anew=wanted.get(name, ()))
    click.echo(_WARNING)


def _chosen(config: Path | None, names: Sequence[str]) -> dict[str, Tree]:
    from pki.tree import read

    trees = read(config)
    unknown = [name for name in names if name not in trees]
    if unknown:
        raise ValueError(
            f"{config or 'the built-in pki.toml'}: declares no tree {', '.join(unknown)}, only {', '.join(trees)}; "
            "--tree takes such a name here, --out the folder they lie in"
        )
    return {name: trees[name] for name in names or trees}


def _wanted(places: Iterable[str], trees: Mapping[str, Tree], out: Path) -> dict[str, list[str]]:
    """Return the places that are asked for, by tree; raise ValueError for one that is not told where."""
    from pki.cli.place import located

    found = defaultdict(list)
    nowhere = Path()
    for text in places:
        folder, place = located(text, None, nowhere)
        if folder is not nowhere:
            names = [name for name in trees if (out / name).resolve() == folder.resolve()]
            if not names:
                raise ValueError(f"{text}: lies in none of the trees {', '.join(trees)} of {out}; --out names another")
        else:
            names = [name for name, tree in trees.items() if any(entry.place == place for entry in tree.entries())]
        if len(names) > 1:
            raise ValueError(f"{text}: lies in {', '.join(names)}; say which with --tree, or give its path")
        found[names[0] if names else next(iter(trees))].append(place)
    return found


def _make(
    name: str,
    tree: Tree,
    out: Path,
    now: datetime | None,
    *,
    within: timedelta | None = None,
    seed: bytes | None = None,
    anew: Collection[str] = (),
) -> None:
    from pki.renewal import bring_up_to_date
    from pki.store import Store

    folder = Store(out / name)
    try:
        outcomes = bring_up_to_date(tree, folder, now, within=within, seed=seed, anew=anew, progress=_progress(name))
    except KeyboardInterrupt:
        there = len(folder.places())
        click.echo(f"\n{out / name}: interrupted; {there} certificates are there, the next run goes on", err=True)
        raise SystemExit(INTERRUPTED) from None
    for line in _news(outcomes):
        click.echo(line)
    made = sum(1 for outcome in outcomes if outcome.reason)
    click.echo(f"{out / name}: {made} made, {len(outcomes) - made} kept")
    _export(tree, out / name)
    _break(tree, out / name, now)


def _export(tree: Tree, folder: Path) -> None:
    """Write the layouts of other stacks that the tree declares, with the first leaf of each role."""
    from pki.store import Store

    if tree.export:
        from pki.layouts.export import export

        for layout in tree.export:
            exported = export(Store(folder), layout, folder / "export" / layout, first=True)
            click.echo(f"  export/{layout}: {len(exported.written)} files written, {exported.kept} kept")


def _break(tree: Tree, folder: Path, now: datetime | None) -> None:
    """Make the variants that the tree declares; those of the last days stay, unless a CA above them was renewed."""
    if tree.variants:
        from pki.faults import catalogue
        from pki.faults.folder import FOLDER as BROKEN
        from pki.faults.folder import write
        from pki.store import Store

        count = len(catalogue.find(tree.variants, tree.edition))
        made = len(write(Store(folder), tree.variants, tree.edition, now, renew=False))
        click.echo(f"  {BROKEN}: {made} variants made, {count - made} kept")


def _news(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a line per certificate that was made, but one alone for those declared with a count."""
    numbered: dict[tuple[str, str], int] = {}
    for outcome in outcomes:
        if outcome.reason and outcome.entry.many:
            kind = outcome.entry.profile.role, outcome.reason
            numbered[kind] = numbered.get(kind, 0) + 1
        elif outcome.reason:
            yield f"  {outcome.entry.place}  ({outcome.reason})"
    for (role, reason), count in numbered.items():
        yield f"  {count} x leaf/{role}  ({reason})"


def _progress(name: str) -> Callable[[Sequence[Entry]], Iterable[Entry]]:
    """Show a bar while many entries are gone through."""
    labels = iter((f"{name}: keys and certificates", f"{name}: files"))

    def through(entries: Sequence[Entry]) -> Iterator[Entry]:
        label = next(labels, name)
        if len(entries) < _MANY:
            yield from entries
            return
        with click.progressbar(entries, label=label, show_pos=True) as bar:
            yield from bar

    return through
