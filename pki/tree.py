"""The trees of a PKI as pki.toml declares them, and the certificates they consist of, issuers first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from pki.layouts import LayoutName
from pki.options import Options
from pki.profiles import Branch, Edition, Profile, Tier, profile, profiles
from v2g import identifiers, toml
from v2g.record import Record
from v2g.trust import Role

Days = Annotated[int, msgspec.Meta(ge=1, le=36_525)]
Text = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
RootKind = Literal["v2g", "mo", "oem", "private"]
BranchName = Literal["cpo", "mo", "oem", "cps", "vehicle"]
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
"""Names that are folders of a tree, too."""
_CA = "{ca}"
_REMEDY = "`plugcharge pki init --print-config` shows every key"
_COUNTRY = re.compile(r"[A-Z]{2}")
_ADDRESS = re.compile(r"http://[\x21-\x7e]{1,248}")
_BRACED = re.compile(r"\{[^{}]*\}|[{}]")
_PLACEHOLDER = re.compile(r"\{(n|check)(?::(0?[1-9]\d?))?\}")


class Urls(Record, forbid_unknown_fields=True):
    """Where certificates say their status is told; "" leaves the extension out, {ca} stands for the issuing CA."""

    ocsp: str = ""
    crl: str = ""

    def of(self, ca: str) -> tuple[str, str]:
        """Return both for the certificates of a CA, "<branch>-<name>"."""
        return self.ocsp.replace(_CA, ca), self.crl.replace(_CA, ca)


NO_URLS = Urls()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One certificate of a tree; `days` is its declared validity, `issuer` None for a root.

    `twin` is the entry whose key and name a cross certificate certifies once more. One of `many` was declared with
    a count.
    """

    profile: Profile
    name: str
    common_name: str
    organization: str
    country: str
    days: int
    issuer: Entry | None = None
    twin: Entry | None = None
    urls: Urls = NO_URLS
    many: bool = False

    @property
    def place(self) -> str:
        """Where it lies in the folder of its tree: "ca/mo/sub1", "leaf/contract/car1"."""
        if self.profile.ca:
            return f"ca/{self.profile.branch}/{self.name}"
        return f"leaf/{self.profile.role}/{self.name}"

    @property
    def label(self) -> str:
        """The name of a CA in URLs and file names: "mo-sub1"."""
        return f"{self.profile.branch}-{self.name}"


class Root(Record, forbid_unknown_fields=True):
    """A trust anchor; `name` tells several of one kind apart, which may share a CN [V2G2-878]."""

    kind: RootKind
    cn: Text
    name: str = "root"
    organization: Text | None = None
    days: Days | None = None


class Cross(Record, forbid_unknown_fields=True):
    """A root certified once more, by a V2G root; both as "<kind>" or "<kind>/<name>" [V2G20-1003]."""

    root: str
    by: str
    days: Days | None = None


class SubCas(Record, forbid_unknown_fields=True):
    """The Sub-CAs of a branch: Sub1 and Sub2, or Sub2 alone, below a root, "<kind>" (the first) or "<kind>/<name>".

    `label` tells several branches of one name apart, and is written before the names of their CAs.
    """

    name: BranchName
    under: str
    label: str = ""
    subs: Literal[1, 2] = 2
    organization: Text | None = None
    sub1_days: Days | None = None
    sub2_days: Days | None = None


class Leaf(Record, forbid_unknown_fields=True):
    """A certificate somebody uses; `id` names its folder. Its CN may be given by the name of what it stands for.

    With a `count`, `{n}` in id and CN is the number of each, `{n:06}` filled with zeros; `{check}` is the check
    character of the EMAID before it. `below` is the label of its branch, or "private" for a private operator's SECC.
    """

    role: Role
    id: str
    cn: Text | None = None
    emaid: Text | None = None
    pcid: Text | None = None
    evccid: Text | None = None
    seccid: Text | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None = None
    below: str = ""
    organization: Text | None = None
    days: Days | None = None


_NAMED = {"emaid": Role.CONTRACT, "pcid": Role.OEM_PROVISIONING, "evccid": Role.VEHICLE, "seccid": Role.SECC}


class Tree(Record, forbid_unknown_fields=True):
    """One tree: its anchors, the Sub-CAs below them, its leaves; what is broken on purpose, and exported."""

    edition: Edition = Edition.ISO2
    organization: Text
    country: str
    renew_within_days: Annotated[int, msgspec.Meta(ge=0)] = 14
    ocsp_signers: bool = False
    options: Options = Options()
    urls: Urls = Urls()
    root: tuple[Root, ...]
    cross: tuple[Cross, ...] = ()
    branch: tuple[SubCas, ...] = ()
    leaf: tuple[Leaf, ...] = ()
    variants: tuple[str, ...] = ()
    export: tuple[LayoutName, ...] = ()

    def entries(self) -> list[Entry]:
        """Return every certificate of the tree, issuers before what they issue; raise ValueError naming the key."""
        roots = [self._root(place, root) for place, root in enumerate(self.root)]
        cross = [self._cross(place, cross, roots) for place, cross in enumerate(self.cross)]
        subs = [list(self._subs(place, sub, roots)) for place, sub in enumerate(self.branch)]
        authorities = [*roots, *(sub for chain in subs for sub in chain)]
        leaves = [entry for place, leaf in enumerate(self.leaf) for entry in self._leaves(place, leaf, authorities)]
        signers = [self._signer(ca) for ca in authorities] if self.ocsp_signers else []
        entries = [*authorities, *cross, *leaves, *(signer for signer in signers if signer)]
        _check_places(entries)
        return entries

    def _root(self, place: int, root: Root) -> Entry:
        row = self._row(f"root[{place}].kind", f"{root.kind}-root")
        return self._entry(f"root[{place}].cn", row, root.name, root.cn, root.days, None, root.organization)

    def _cross(self, place: int, cross: Cross, roots: list[Entry]) -> Entry:
        twin = _root_of(f"cross[{place}].root", cross.root, roots)
        by = _root_of(f"cross[{place}].by", cross.by, roots)
        row = self._row(f"cross[{place}].root", f"{twin.profile.branch}-{Tier.CROSS}")
        if by.profile.role not in row.issuers or by is twin:
            raise ValueError(f"cross[{place}].by: another V2G root certifies a root; name one, such as v2g/second")
        days = row.days if cross.days is None else cross.days
        return replace(twin, profile=row, name=f"{twin.name}-by-{by.name}", days=days, issuer=by, twin=twin)

    def _subs(self, place: int, sub: SubCas, roots: list[Entry]) -> Iterator[Entry]:
        issuer = _root_of(f"branch[{place}].under", sub.under, roots)
        tiers = {Tier.SUB1: sub.sub1_days, Tier.SUB2: sub.sub2_days}
        for tier, days in list(tiers.items())[-sub.subs :]:
            row = self._row(f"branch[{place}].name", f"{sub.name}-{tier}")
            if issuer.profile.role not in row.issuers:
                allowed = ", ".join(role for role in row.issuers if role.endswith(Tier.ROOT))
                raise ValueError(f"branch[{place}].under: a {sub.name} branch hangs under {allowed}")
            name, cn = _labelled(sub.label, tier), f"{sub.name.upper()} Sub-CA {tier[-1]}"
            cn = f"{cn} {sub.label}" if sub.label else cn
            issuer = self._entry(f"branch[{place}]", row, name, cn, days, issuer, sub.organization)
            yield issuer

    def _leaves(self, place: int, leaf: Leaf, authorities: list[Entry]) -> Iterator[Entry]:
        key, pattern = _common_name(f"leaf[{place}]", leaf)
        row = self._row(f"leaf[{place}].role", leaf.role)
        issuer = _issuer_of(f"leaf[{place}]", leaf, row, authorities)
        for number in range(1, (leaf.count or 1) + 1):
            name, cn = leaf.id, pattern
            if leaf.count is not None:
                name, cn = _numbered(f"leaf[{place}].id", leaf.id, number), _numbered(key, pattern, number)
            entry = self._entry(key, row, name, cn, leaf.days, issuer, leaf.organization)
            yield replace(entry, many=leaf.count is not None)

    def _signer(self, ca: Entry) -> Entry | None:
        """The signer of the OCSP responses of a CA; None for a private operator's."""
        row = profiles(self.edition, self.options).get(f"{ca.profile.branch}-{Tier.OCSP}")
        cn = f"OCSP {ca.label}"
        return self._entry("ocsp_signers", row, ca.name, cn, None, ca, ca.organization) if row else None

    def _row(self, key: str, role: str) -> Profile:
        try:
            return profile(role, self.edition, self.options)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error

    def _entry(
        self,
        key: str,
        row: Profile,
        name: str,
        cn: str,
        days: int | None,
        issuer: Entry | None,
        organization: str | None,
    ) -> Entry:
        entry = Entry(
            profile=row,
            name=name,
            common_name=cn,
            organization=organization or self.organization,
            country=self.country,
            days=row.days if days is None else days,
            issuer=issuer,
            urls=self.urls,
        )
        if not row.common_name.fits(cn):
            raise ValueError(f"{key}: {cn!r} is not {row.common_name.meaning}")
        _check_length(key, entry)
        return entry


def _root_of(key: str, text: str, roots: list[Entry]) -> Entry:
    """Find a root by its kind, the first one, or by kind and name."""
    kind, _, name = text.partition("/")
    found = next((root for root in roots if root.profile.branch == kind and name in ("", root.name)), None)
    if found is None:
        raise ValueError(f"{key}: no root of kind {text!r} is declared; add one")
    return found


def _issuer_of(key: str, leaf: Leaf, row: Profile, authorities: list[Entry]) -> Entry:
    """Find the CA that issues a leaf: the one directly above it in the branch of its label."""
    if leaf.below == Branch.PRIVATE:
        wanted = [ca for ca in authorities if ca.profile.branch is Branch.PRIVATE]
    else:
        wanted = [
            ca for ca in authorities if ca.profile.tier is not Tier.ROOT and ca.name == _labelled(leaf.below, Tier.SUB2)
        ]
    issuer = next((ca for ca in wanted if ca.profile.role in row.issuers), None)
    if issuer is None and leaf.below == Branch.PRIVATE:
        raise ValueError(f"{key}.below: a private operator's root signs SECC leaves alone, and has to be declared")
    if issuer is None and leaf.below:
        raise ValueError(f"{key}.below: no branch {row.branch.value!r} with the label {leaf.below!r}; add a [[branch]]")
    if issuer is None:
        raise ValueError(f"{key}.role: a {leaf.role} needs a branch {row.branch.value!r}; add a [[branch]]")
    return issuer


def _labelled(label: str, tier: str) -> str:
    return f"{label}-{tier}" if label else tier


def _common_name(key: str, leaf: Leaf) -> tuple[str, str]:
    """Return the key that says the CN, and the CN: `cn`, or the name of what it is for this role."""
    given = {name: value for name in ("cn", *_NAMED) if (value := getattr(leaf, name)) is not None}
    allowed = ["cn", *(name for name, role in _NAMED.items() if role is leaf.role)]
    for name in given:
        if name not in allowed:
            raise ValueError(f"{key}.{name}: a {leaf.role} has none; use {' or '.join(allowed)}")
    if len(given) != 1:
        raise ValueError(f"{key}: give one of {', '.join(allowed)}")
    name, text = next(iter(given.items()))
    return f"{key}.{name}", text


def _numbered(key: str, pattern: str, number: int) -> str:
    """Fill the placeholders of a name that stands for many; raise ValueError for one without `{n}`."""
    if "{n" not in pattern:
        raise ValueError(f"{key}: {pattern!r} would be the same for all; write {{n}} where their number goes")

    def fill(found: re.Match[str]) -> str:
        if found[1] == "n":
            return format(number, found[2] or "")
        return identifiers.check_character(_PLACEHOLDER.sub(fill, pattern[: found.start()]))

    try:
        return _PLACEHOLDER.sub(fill, pattern)
    except identifiers.BadIdentifier as error:
        raise ValueError(f"{key}: {{check}} follows the 14 characters of an EMAID: {error}") from error


def _check_length(key: str, entry: Entry) -> None:
    """Refuse names so long that certificates outgrow their size, naming the longest."""
    parts = {"CN": entry.common_name, "O": entry.organization}
    if entry.issuer is not None:
        parts |= {"CN of the issuer": entry.issuer.common_name, "O of the issuer": entry.issuer.organization}
    total = sum(len(text.encode()) for text in parts.values())
    if total > entry.profile.names_bytes:
        longest = max(parts, key=lambda part: len(parts[part].encode()))
        raise ValueError(
            f"{key}: CN and O of subject and issuer have {total} bytes, more than {entry.profile.names_bytes}; "
            f"shorten the {longest}, {parts[longest]!r}"
        )


def _check_places(entries: Iterable[Entry]) -> None:
    """Refuse names that are no plain file names, and two entries for one place."""
    for entry in entries:
        if not PLAIN.fullmatch(entry.name):
            raise ValueError(f"name or id {entry.name!r}: use letters, digits, '.', '_' and '-' only")
    for place, count in Counter(entry.place for entry in entries).items():
        if count > 1:
            raise ValueError(f"{place} is declared {count} times; give each its own name or id")


def _check_texts(tree: Tree) -> None:
    """Refuse a country that is no code, and addresses that nobody could ask."""
    if not _COUNTRY.fullmatch(tree.country):
        raise ValueError(f"country: {tree.country!r} is no country code; write two capital letters, such as DE")
    for key, address in (("ocsp", tree.urls.ocsp), ("crl", tree.urls.crl)):
        if address and not _ADDRESS.fullmatch(address):
            raise ValueError(f"urls.{key}: {address!r} is no address; write http://... without spaces, up to 255 bytes")
        for braced in _BRACED.findall(address):
            if braced != _CA:
                raise ValueError(f"urls.{key}: {braced!r} stands for nothing; only {_CA} does, for the issuing CA")


def _check_variants(tree: Tree) -> None:
    """Refuse a variant that there is not in the edition of a tree."""
    if tree.variants:
        from pki.faults import catalogue

        for place, name in enumerate(tree.variants):
            try:
                catalogue.find((name,), tree.edition)
            except ValueError as error:
                raise ValueError(f"variants[{place}]: {error}") from error


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
    if not PLAIN.fullmatch(name):
        raise ValueError(f"{source}: tree name {name!r}: use letters, digits, '.', '_' and '-' only")
    tree = toml.convert(table, Tree, source, under=name, remedy=_REMEDY)
    try:
        _check_texts(tree)
        tree.entries()
        _check_variants(tree)
    except ValueError as error:
        raise ValueError(f"{source}: {name}.{error}") from error
    return tree
