"""Makes a tree of ours of what was found elsewhere: at once or not at all, and over no other tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from pki import manifest, store
from pki.ancestry import issuers, self_signed
from pki.certificate import Certificate
from pki.keys import pkcs8
from pki.layouts.folder import staging
from pki.layouts.found import Found
from pki.layouts.layout import LEAF_IDS
from pki.manifest import Listed
from pki.profiles import Branch, Edition
from pki.roles import role_of
from pki.store import Store
from pki.tree import PLAIN
from pki.validate import Policy, validate
from v2g.trust import Role

_KEPT = ("ca", "leaf", "trust")


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an import did: the places of the tree, whether all was there, where an old one went, and what to tell."""

    places: tuple[str, ...]
    unchanged: bool
    aside: Path | None
    notes: tuple[str, ...]


def adopt(found: Found, tree: Path, ids: Mapping[Role, str] | None = None, *, force: bool = False) -> Adopted:
    """Make a tree of certificates and keys, `ids` naming its leaves.

    A tree with the same content stays; one with another is refused, and set aside as <name>.old with `force`. Raise
    ValueError, or OSError; then nothing was changed.
    """
    names = {role: (ids or {}).get(role, name) for role, name in LEAF_IDS.items()}
    for name in names.values():
        if not PLAIN.fullmatch(name):
            raise ValueError(f"{name!r} names no leaf; use letters, digits, '.', '_' and '-' only")
    certificates = {_own(place, names): certificate for place, certificate in found.certificates.items()}
    if not certificates:
        raise ValueError("there is no certificate to import")
    above = issuers(certificates)
    with staging(tree, tree.parent) as stage:
        made = Store(stage)
        for place, certificate in certificates.items():
            _write(made, place, certificate, [certificates[link] for link in _below_root(place, above, certificates)])
        for place, key in found.keys.items():
            store.write(made.key(_own(place, names)), pkcs8(key), store.PRIVATE)
        _write_trust(made, certificates)
        _write_manifest(made, certificates, above)
        unchanged = _contents(tree) == _contents(stage)
        aside = None if unchanged else _put_in_place(stage, tree, force=force)
    keyed = {_own(place, names) for place in found.keys}
    notes = (*found.notes, *_doubts(certificates, above, keyed))
    return Adopted(tuple(certificates), unchanged, aside, notes)


def _own(place: str, names: Mapping[Role, str]) -> str:
    """Return the place in our tree of one in a layout."""
    kind, _, role = place.partition("/")
    return f"{place}/{names[Role(role)]}" if kind == "leaf" else place


def _below_root(place: str, above: Mapping[str, str | None], certificates: Mapping[str, Certificate]) -> Iterator[str]:
    """Yield a place and those above it, without the root."""
    at: str | None = place
    while at is not None and not (at.startswith("ca/") and self_signed(certificates[at])):
        yield at
        at = above[at]


def _write(tree: Store, place: str, certificate: Certificate, chain: Sequence[Certificate]) -> None:
    path = tree.certificate(place)
    store.write(path.with_suffix(".der"), certificate.der)
    store.write(path, _pem([certificate]))
    if place.startswith("leaf/"):
        store.write(tree.chain(place), _pem(chain))


def _write_trust(tree: Store, certificates: Mapping[str, Certificate]) -> None:
    roots: dict[str, list[Certificate]] = {}
    for place, certificate in certificates.items():
        if place.startswith("ca/") and self_signed(certificate):
            roots.setdefault(place.split("/")[1], []).append(certificate)
    for kind, anchors in roots.items():
        store.write(tree.trust(kind), _pem(anchors))


def _write_manifest(tree: Store, certificates: Mapping[str, Certificate], above: Mapping[str, str | None]) -> None:
    listed = {
        place: Listed(role_of(place, certificate), certificate.parsed, above[place] or place)
        for place, certificate in certificates.items()
    }
    manifest.write(tree, listed)


def _pem(certificates: Sequence[Certificate]) -> bytes:
    return b"".join(certificate.parsed.public_bytes(Encoding.PEM) for certificate in certificates)


def _contents(tree: Path) -> dict[str, bytes]:
    """Return the files that make a tree what it is, without what came to it later."""
    paths = (path for name in _KEPT for path in (tree / name).rglob("*") if path.is_file())
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in paths}


def _put_in_place(stage: Path, tree: Path, *, force: bool) -> Path | None:
    """Rename a finished tree to its name; return where the one went that had it."""
    there = tree.exists() and any(tree.iterdir())
    if there and not Store(tree).places():
        raise ValueError(f"{tree}: is there, and no tree; name a new folder with --out")
    if there and not force:
        raise ValueError(
            f"{tree}: holds another tree; name a new folder with --out, or set that one aside with --force"
        )
    stage.chmod(0o755)
    if not there:
        stage.rename(tree)
        return None
    aside = store.unused(tree)
    tree.rename(aside)
    try:
        stage.rename(tree)
    except OSError:
        aside.rename(tree)
        raise
    return aside


def _doubts(certificates: Mapping[str, Certificate], above: Mapping[str, str | None], keyed: set[str]) -> Iterator[str]:
    """Say what a station or a car would not trust, and what is not there."""
    roots = {place: one for place, one in certificates.items() if place.startswith("ca/") and self_signed(one)}
    private = tuple(one.der for place, one in roots.items() if place.split("/")[1] == Branch.PRIVATE)
    policy = Policy(editions=tuple(Edition), private=private)
    for place in certificates:
        if place.startswith("leaf/"):
            chain = [certificates[link].der for link in _below_root(place, above, certificates)]
            verdict = validate(chain, Role(place.split("/")[1]), [one.der for one in roots.values()], policy=policy)
            if not verdict:
                yield f"{place}: not trusted: {verdict.broken}: {verdict.detail}"
        elif place not in roots and above[place] is None:
            yield f"{place}: its issuer is not among them"
    keyless = [place for place in certificates if place not in keyed]
    if keyless:
        yield f"no keys for {', '.join(keyless)}: certificates alone"
