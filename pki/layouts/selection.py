"""Which certificates of a tree go where in a layout: its leaves as chosen, and with each the CAs that issued it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding

from pki.ancestry import issuers, self_signed
from pki.certificate import Certificate, read
from pki.keys import suite_of
from pki.layouts.forms import Held
from pki.layouts.layout import Layout, leaf_place
from pki.profiles import Edition, Tier, profile
from pki.store import KeyWithheld, Store
from v2g.trust import Role

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a tree is exported: by place of the layout the place of the tree, and what lies there."""

    own: Mapping[str, str]
    held: Mapping[str, Held]
    notes: Sequence[str]


def select(tree: Store, table: Layout, leaves: Mapping[Role, str], *, keys: bool, first: bool) -> Selection:
    """Choose what goes into a layout; `first` takes the first leaf where none of several is named.

    Raise ValueError naming what is missing, damaged, ambiguous, or nothing the reader of the layout could use.
    """
    found = tree.places()
    if not found:
        raise ValueError(f"{tree.folder}: holds no tree; `plugcharge pki init` makes one")
    for role in leaves.keys() - set(table.roles):
        raise ValueError(f"{table.name} has no place for a {role} certificate; leave out --leaf {role}=…")
    chosen = {role: _leaf(tree, found, role, leaves.get(role), first=first) for role in table.roles}
    picked = {role: place for role, place in chosen.items() if place is not None}
    own = {place: place for place in found if place in table.places}
    climbs = _climbs(tree, found, picked)
    own |= _placed(climbs)
    own = {place: own[place] for place in table.places if own.get(place)}
    missing = [place for place in table.demanded if place not in own]
    for role, climb in climbs.items():
        _check_climb(tree, table, role, climb, missing)
    if missing:
        raise ValueError(
            f"{tree.folder}: {', '.join(missing)} missing; {table.reason}; declare what is missing in pki.toml and run "
            "`plugcharge pki init` again"
        )
    held = {place: _load(tree, place_of, keys=keys) for place, place_of in own.items()}
    _check_suites(tree, table, held)
    return Selection(own, held, tuple(_notes(tree, table, found, own, held, keys=keys)))


def _leaf(tree: Store, places: Sequence[str], role: Role, wanted: str | None, *, first: bool) -> str | None:
    """Return the place of the leaf of a role, None if there is none and none is wanted."""
    found = [place for place in places if place.startswith(f"leaf/{role}/")]
    if wanted is not None:
        if f"leaf/{role}/{wanted}" in found:
            return f"leaf/{role}/{wanted}"
        raise ValueError(
            f"{tree.folder}: has no {role} certificate {wanted}; "
            "declare it as a leaf in pki.toml and run `plugcharge pki init` again"
        )
    if len(found) > 1 and not first:
        ids = _listed([place.rpartition("/")[2] for place in found])
        raise ValueError(f"{tree.folder}: has several {role} certificates ({ids}); choose one with --leaf {role}=ID")
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class _Climb:
    """The places above a leaf: its Sub-CAs, the lowest first, and its root, None where that is not here."""

    leaf: str
    subs: Sequence[str]
    root: str | None


def _climbs(tree: Store, found: Sequence[str], picked: Mapping[Role, str]) -> dict[Role, _Climb]:
    """Follow each leaf to its root: a tree may have several branches of a kind, and several roots."""
    authorities = [place for place in found if place.startswith("ca/")]
    certificates = {place: _certificate(tree, place) for place in (*authorities, *picked.values())}
    above = issuers(certificates)
    climbs = {}
    for role, leaf in picked.items():
        path = list(_upwards(above[leaf], above))
        rooted = bool(path) and self_signed(certificates[path[-1]])
        climbs[role] = _Climb(leaf, path[:-1] if rooted else path, path[-1] if rooted else None)
    return climbs


def _branch(role: Role) -> str:
    # Every role has its branch in -20.
    return profile(role, Edition.ISO20).branch


def _placed(climbs: Mapping[Role, _Climb]) -> dict[str, str]:
    """Return for each leaf its place in the layout, and for its CAs theirs; "" for a Sub-CA it has not.

    Where leaves hang below different V2G roots, the one of the first role counts.
    """
    own: dict[str, str] = {}
    for role, climb in climbs.items():
        branch, subs = _branch(role), [*climb.subs, "", ""]
        own |= {leaf_place(role): climb.leaf, f"ca/{branch}/{Tier.SUB2}": subs[0], f"ca/{branch}/{Tier.SUB1}": subs[1]}
        if climb.root is not None:
            own.setdefault(f"{climb.root.rpartition('/')[0]}/{Tier.ROOT}", climb.root)
    return own


def _check_climb(tree: Store, table: Layout, role: Role, climb: _Climb, missing: Sequence[str]) -> None:
    """Raise ValueError where the Sub-CAs that a layout lacks are not those of the tree but of the leaf chosen."""
    lacking = [place for place in missing if place.startswith(f"ca/{_branch(role)}/")]
    if not lacking or climb.root is None:
        return
    above = " and ".join([*climb.subs, climb.root])
    raise ValueError(
        f"{tree.folder}: {climb.leaf} hangs below {above}, without a {_tiers(lacking)} between; {table.reason}; choose "
        f"another with --leaf {role}=ID, or another layout"
    )


def _tiers(places: Sequence[str]) -> str:
    return " and ".join(place.rpartition("/")[2].capitalize() for place in places)


def _upwards(place: str | None, above: Mapping[str, str | None]) -> Iterator[str]:
    while place is not None:
        yield place
        place = above[place]


def _certificate(tree: Store, place: str) -> Certificate:
    try:
        return read(tree.load_certificate(place).public_bytes(Encoding.DER))
    except ValueError as error:
        raise ValueError(f"{tree.certificate(place)}: {error}; `plugcharge pki init` repairs it") from error


def _load(tree: Store, place: str, *, keys: bool) -> Held:
    """Read a place; the key of a CA may be kept elsewhere, that of a leaf has to be there."""
    certificate = _certificate(tree, place)
    try:
        return Held(certificate, tree.load(place).key if keys else None)
    except KeyWithheld as error:
        if place.startswith("ca/"):
            return Held(certificate)
        remedy = f"put it to {tree.key(place)}, unencrypted, or export certificates alone with --without-keys"
        raise ValueError(f"{tree.certificate(place)}: {error}; {remedy}") from error
    except ValueError as error:
        raise ValueError(f"{tree.certificate(place)}: {error}; `plugcharge pki init` repairs it") from error


def _check_suites(tree: Store, table: Layout, held: Mapping[str, Held]) -> None:
    for place, one in held.items() if table.suites else ():
        suite = suite_of(one.certificate.key)
        if suite.name not in table.suites:
            known = " and ".join(table.suites)
            raise ValueError(
                f"{tree.folder}: {place} has a key on {suite.name}, and {table.name} reads {known} alone; "
                "export another tree"
            )


def _notes(
    tree: Store,
    table: Layout,
    found: Sequence[str],
    own: Mapping[str, str],
    held: Mapping[str, Held],
    *,
    keys: bool,
) -> Iterator[str]:
    """Say what of the tree is left out: all but leaves that another one was chosen before."""
    roles = {leaf_place(role) for role in table.roles}
    others = [place for place in found if place not in own.values() and place.rpartition("/")[0] not in roles]
    # Leaves by their folder: a tree may have any number of them, such as one OCSP signer for each CA.
    nowhere = list(dict.fromkeys(place if place.startswith("ca/") else place.rpartition("/")[0] for place in others))
    if nowhere:
        yield f"no place in {table.name} for {_listed(nowhere)}"
    keyless = [own[place] for place, one in held.items() if keys and one.key is None]
    if keyless:
        yield f"no key in {tree.folder} for {_listed(keyless)}: exported without"
    second = [place for place in own.values() if keys and tree.second_key(place).exists()]
    if second:
        yield f"no place in {table.name} for the second key of {_listed(second)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
