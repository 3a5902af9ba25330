"""Writes what lies in a tree as a layout wants it: everything at once or nothing, and over nobody else's files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pki import layouts
from pki.keys import P256
from pki.layouts.folder import Planned, publish
from pki.layouts.forms import Held, encode, encryption_with, says
from pki.layouts.layout import Form, Layout
from pki.layouts.selection import select
from pki.layouts.staples import with_responses
from pki.store import Store
from v2g.trust import Role


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did: the folder, the files it wrote, how many it found as they should be, and what it left out."""

    folder: Path
    written: tuple[str, ...]
    kept: int
    notes: tuple[str, ...]


def export(
    tree: Store,
    layout: str,
    destination: Path,
    *,
    leaves: Mapping[Role, str] | None = None,
    first: bool = False,
    password: bytes | None = None,
    keys: bool = True,
    force: bool = False,
) -> Exported:
    """Write a tree below `destination` as the layout of that name: "josev", "everest" or "flat".

    `leaves` picks an id where the tree has several leaves of a role, `first` the first of those not named; `password`
    None is the layout's own, an empty one leaves keys unencrypted; without `keys` certificates alone are written, for
    others to trust. Files of an earlier export are brought up to date, and removed where there is nothing to write any
    more. Raise ValueError naming what is missing, or what else lies there (`force` replaces it), or OSError: then
    nothing was changed.
    """
    table = layouts.named(layout)
    secret = table.password if password is None else password
    encryption_with(secret)
    with tree.still():
        selection = select(tree, table, leaves or {}, keys=keys, first=first)
        held = with_responses(tree, selection.held) if any(table.of(Form.STAPLE)) else selection.held
    first_generation = all(P256.fits(one.certificate.key) for one in held.values())
    folder = destination / table.folders[0 if first_generation else 1]
    planned = dict(_planned(table, held, secret))
    written, kept = publish(folder, planned, force=force)
    return Exported(folder, tuple(written), kept, tuple(selection.notes))


def _planned(table: Layout, held: Mapping[str, Held], password: bytes) -> Iterator[tuple[str, Planned]]:
    """Yield the files there is something to write for: a chain is as long as the tree has it."""
    for file in table.files:
        found = [held[place] for place in file.places if place in held]
        if file.places[0] in held and found[0].serves(file.form):
            data = encode(file, found, password)
            yield file.path, Planned(data, secret=file.form.secret, same=partial(says, file, found, password))
