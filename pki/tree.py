"""The trees of a PKI as pki.toml declares them, and the certificates they consist of, issuers first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pki.profiles import Edition, Profile, Tier, profile
from v2g import toml
from v2g.record import Record
from v2g.trust import Role

Days = Annotated[int, msgspec.Meta(ge=1, le=36_525)]
Text = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
RootKind = Literal["v2g", "mo", "oem"]
BranchName = Literal["cpo", "mo", "oem", "cps"]
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REMEDY = "`plugcharge pki init --print-config` shows every key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One certificate of a tree; `days` is its declared validity, `issuer` None for a root."""

    profile: Profile
    name: str
    common_name: str
    organization: str
    country: str
    days: int
    issuer: Entry | None = None

    @property
    def place(self) -> str:
        """Where it lies in the folder of its tree: "ca/mo/sub1", "leaf/contract/car1"."""
        if self.profile.ca:
            return f"ca/{self.profile.branch}/{self.name}"
        return f"leaf/{self.profile.role}/{self.name}"


class Root(Record, forbid_unknown_fields=True):
    """A trust anchor; `name` tells several of one kind apart [V2G2-878]."""

    kind: RootKind
    cn: Text
    name: str = "root"
    days: Days | None = None


class SubCas(Record, forbid_unknown_fields=True):
    """The Sub-CAs of a branch, below the first root of the kind `under`: Sub1 and Sub2, or Sub2 alone."""

    name: BranchName
    under: RootKind
    subs: Literal[1, 2] = 2
    sub1_days: Days | None = None
    sub2_days: Days | None = None


class Leaf(Record, forbid_unknown_fields=True):
    """A certificate somebody uses; `id` names its folder."""

    role: Role
    id: str
    cn: Text
    days: Days | None = None


class Tree(Record, forbid_unknown_fields=True):
    """One tree: its anchors, the Sub-CAs below them, its leaves."""

    edition: Edition = Edition.ISO2
    organization: Text
    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    renew_within_days: Annotated[int, msgspec.Meta(ge=0)] = 14
    root: tuple[Root, ...]
    branch: tuple[SubCas, ...] = ()
    leaf: tuple[Leaf, ...] = ()

    def entries(self) -> list[Entry]:
        """Return every certificate of the tree, issuers before what they issue; raise ValueError naming the key."""
        roots = [self._root(place, root) for place, root in enumerate(self.root)]
        anchors = {entry.profile.branch.value: entry for entry in reversed(roots)}
        subs = [list(self._subs(place, sub, anchors)) for place, sub in enumerate(self.branch)]
        signers = {chain[-1].profile.role: chain[-1] for chain in subs}
        leaves = [self._leaf(place, leaf, signers) for place, leaf in enumerate(self.leaf)]
        entries = [*roots, *(sub for chain in subs for sub in chain), *leaves]
        _check_places(entries)
        return entries

    def _root(self, place: int, root: Root) -> Entry:
        row = profile(f"{root.kind}-root", self.edition)
        _check_name(f"root[{place}].cn", root.cn, row)
        return self._entry(row, root.name, root.cn, root.days, None)

    def _subs(self, place: int, sub: SubCas, roots: dict[str, Entry]) -> Iterator[Entry]:
        issuer = roots.get(sub.under)
        if issuer is None:
            raise ValueError(f"branch[{place}].under: no root of kind {sub.under!r} is declared; add one")
        tiers = {Tier.SUB1: sub.sub1_days, Tier.SUB2: sub.sub2_days}
        for tier, days in list(tiers.items())[-sub.subs :]:
            row = profile(f"{sub.name}-{tier}", self.edition)
            if issuer.profile.role not in row.issuers:
                allowed = ", ".join(role for role in row.issuers if role.endswith(Tier.ROOT))
                raise ValueError(f"branch[{place}].under: a {sub.name} branch hangs under {allowed}")
            issuer = self._entry(row, tier, f"{sub.name.upper()} Sub-CA {tier[-1]}", days, issuer)
            yield issuer

    def _leaf(self, place: int, leaf: Leaf, signers: dict[str, Entry]) -> Entry:
        row = profile(leaf.role, self.edition)
        _check_name(f"leaf[{place}].cn", leaf.cn, row)
        issuer = next((signers[role] for role in row.issuers if role in signers), None)
        if issuer is None:
            raise ValueError(f"leaf[{place}].role: a {leaf.role} needs a branch {row.branch.value!r}; add a [[branch]]")
        return self._entry(row, leaf.id, leaf.cn, leaf.days, issuer)

    def _entry(self, row: Profile, name: str, cn: str, days: int | None, issuer: Entry | None) -> Entry:
        return Entry(
            profile=row,
            name=name,
            common_name=cn,
            organization=self.organization,
            country=self.country,
            days=row.days if days is None else days,
            issuer=issuer,
        )


def _check_name(key: str, cn: str, row: Profile) -> None:
    if not row.common_name.fits(cn):
        raise ValueError(f"{key}: {cn!r} is not {row.common_name.meaning}")


def _check_places(entries: Iterable[Entry]) -> None:
    """Refuse names that are no plain file names, and two entries for one place."""
    for entry in entries:
        if not _PLAIN.fullmatch(entry.name):
            raise ValueError(f"name or id {entry.name!r}: use letters, digits, '.', '_' and '-' only")
    for place, count in Counter(entry.place for entry in entries).items():
        if count > 1:
            raise ValueError(f"{place} is declared {count} times; give each its own name or id")


def built_in() -> Traversable:
    """Return the pki.toml of the package, which is followed where no other is named."""
    return resources.files("pki") / "default.toml"


def read(path: Path | None = None) -> dict[str, Tree]:
    """Read a pki.toml, the one of the package if None; raise ValueError naming file, key and remedy."""
    source = path or built_in()
    tables = toml.read(source, absent="leave --config out to use the built-in tree")
    if not tables:
        raise ValueError(f"{source}: declares no tree; {_REMEDY}")
    return {name: _tree(str(source), name, table) for name, table in tables.items()}


def _tree(source: str, name: str, table: Any) -> Tree:
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"{source}: tree name {name!r}: use letters, digits, '.', '_' and '-' only")
    tree = toml.convert(table, Tree, source, under=name, remedy=_REMEDY)
    try:
        tree.entries()
    except ValueError as error:
        raise ValueError(f"{source}: {name}.{error}") from error
    return tree
