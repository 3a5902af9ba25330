"""Which certificates of a tree may stay, which are made anew and why; brings the files of a tree up to date.

Nothing is remembered but the certificates themselves: one stays if it fits its declaration, its issuer and the clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from pki import manifest, revoked, store
from pki.certificate import Certificate, read, signed_by
from pki.fit import misfits
from pki.issue import KEYED, Issued, declared, end_of_validity, issue, key_seed, subject
from pki.manifest import Listed
from pki.profiles import Tier
from pki.revoked import RevokedList
from pki.store import KeyWithheld, Put, Store
from pki.tree import Entry, Tree

_ABOVE = ExtensionOID.AUTHORITY_KEY_IDENTIFIER
Progress = Callable[[Sequence[Entry]], Iterable[Entry]]
"""Goes through entries one by one and shows how far it got."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry; `reason` says why it was made anew and is empty if it stayed."""

    entry: Entry
    reason: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A good certificate of a CA whose key is kept elsewhere: it stays and issues nothing; `remedy` says what to do."""

    certificate: x509.Certificate
    remedy: str

    @property
    def pem(self) -> bytes:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The certificate as DER."""
        return self.certificate.public_bytes(Encoding.DER)


Made = Mapping[str, Issued | Kept]
"""What there is of a tree so far, by place."""


@dataclass(frozen=True, slots=True)
class Making:
    """How a run makes certificates: the clock, how early before their end, and the seed of a tree of fixtures."""

    now: datetime
    notice: timedelta
    seed: bytes | None = None
    capped: bool = True
    """Whether nothing is made anew before the last third of its life, however long the notice."""
    wanted: Collection[str] = ()
    """Places that are made anew however good they are."""
    ended: RevokedList = field(default_factory=RevokedList)

    def issue(self, entry: Entry, made: Made, reason: str) -> Issued:
        """Make the certificate of an entry; a cross certificate is for the key of its twin.

        Raises ValueError naming a CA whose key would be needed and is kept elsewhere.
        """
        issuer = _signing(entry.issuer, made, entry, reason)
        twin = _signing(entry.twin, made, entry, reason)
        return issue(entry, issuer, self.now, seed=self.seed, key=twin.key if twin else None)


def _signing(needed: Entry | None, made: Made, entry: Entry, reason: str) -> Issued | None:
    """Return what an entry needs the key of; raise ValueError where its owner has it."""
    if needed is None:
        return None
    found = made[needed.place]
    if isinstance(found, Issued):
        return found
    raise ValueError(f"{entry.place} has to be made ({reason}), but {found.remedy}")


def bring_up_to_date(
    tree: Tree,
    folder: Store,
    at: datetime | None = None,
    *,
    within: timedelta | None = None,
    seed: bytes | None = None,
    anew: Collection[str] = (),
    progress: Progress = iter,
) -> list[Outcome]:
    """Make what is missing in the folder of a tree or may not stay; raise OSError, or ValueError naming the entry.

    `within` renews what ends so soon, however young, instead of what the tree declares. With a `seed` the same
    declaration at the same time gives the same bytes: for fixtures alone. Places in `anew` are made however good they
    are, and so is what was revoked for good, but not with a seed, whose keys are what they are. `progress` is handed
    what to go through.
    """
    notice = timedelta(days=tree.renew_within_days) if within is None else within
    entries = tree.entries()
    _check_declared(anew, entries)
    with folder.alone():
        folder.sweep()
        now = at or datetime.now(UTC)
        ended = revoked.load(folder.folder).by(now) if seed is None else RevokedList()
        making = Making(now, notice, seed, capped=within is None, wanted=frozenset(anew), ended=ended)
        made: dict[str, Issued | Kept] = {}
        outcomes = []
        for entry in progress(entries):
            issued, reason = _keep_or_issue(entry, made, folder, making)
            made[entry.place] = issued
            outcomes.append(Outcome(entry, reason))
        # Nothing is written before everything could be made, and nothing in its place before all is on the disk.
        for outcome in outcomes:
            if outcome.reason:
                folder.set_aside(outcome.entry.place)
        with store.together() as put:
            for entry in progress(entries):
                _write(entry, made, folder, put)
            _write_crossed(entries, made, folder, put)
            _write_trust(entries, made, folder, put)
            if any(entry.many for entry in entries):
                os.sync()
        _write_manifest(entries, made, folder)
    return outcomes


def _check_declared(places: Iterable[str], entries: Iterable[Entry]) -> None:
    """Refuse a place that is not declared."""
    declared_places = {entry.place for entry in entries}
    for place in places:
        if place not in declared_places:
            near = get_close_matches(place, declared_places, n=1)
            hint = f"did you mean {near[0]}?" if near else "`plugcharge pki show` lists the places"
            raise ValueError(f"{place}: is not declared in this tree; {hint}")


def _keep_or_issue(entry: Entry, made: Made, folder: Store, making: Making) -> tuple[Issued | Kept, str]:
    """Return what lies in the folder with "", or a new certificate with the reason for it."""
    if not folder.certificate(entry.place).exists():
        return making.issue(entry, made, "new"), "new"
    try:
        facts = read(folder.load_certificate(entry.place).public_bytes(Encoding.DER))
    except ValueError as error:
        reason = f"damaged: {error}"
        return making.issue(entry, made, reason), reason
    _check_seed(entry, facts, folder, making.seed)
    try:
        reason = _outdated(entry, facts, made, making)
        found = _load(entry, facts, made, folder, outdated=bool(reason))
    except ValueError as error:
        reason = f"damaged: {error}"
        return making.issue(entry, made, reason), reason
    return (making.issue(entry, made, reason), reason) if reason else (found, "")


def _load(entry: Entry, facts: Certificate, made: Made, folder: Store, *, outdated: bool) -> Issued | Kept:
    """Read what lies in a place; a cross certificate has the key of its twin. Raises ValueError."""
    if entry.twin is not None:
        twin = made[entry.twin.place]
        if twin.certificate.public_key() != facts.key:
            raise ValueError("the root it certifies was renewed")
        return Issued(facts.parsed, twin.key) if isinstance(twin, Issued) else Kept(facts.parsed, twin.remedy)
    try:
        issued = folder.load(entry.place)
    except KeyWithheld as error:
        # Making a CA anew would end all that hangs below it, and its owner may have the key.
        if entry.profile.ca and not outdated:
            return Kept(facts.parsed, _withheld(entry, folder, error))
        raise
    if entry.profile.alternative is not None and issued.second is None:
        raise ValueError("its second key is missing")
    return issued


def _withheld(entry: Entry, folder: Store, error: KeyWithheld) -> str:
    """Say what to do about a CA that is good but for its key, and has to issue."""
    certificate = folder.certificate(entry.place)
    return (
        f"{certificate} is good, but {error}; put {folder.key(entry.place)} back, unencrypted, "
        "or move the certificate away to have it and all below it made anew"
    )


def _check_seed(entry: Entry, found: Certificate, folder: Store, seed: bytes | None) -> None:
    """Refuse what is not of a seed: who asks for fixtures gets them, and nobody's keys are replaced by known ones."""
    if seed is None or entry.twin is not None:
        return
    if entry.profile.suite.generate(key_seed(seed, entry)).public_key() != found.key:
        raise ValueError(
            f"{folder.certificate(entry.place)}: its key is not of this seed; give an empty folder, or no seed"
        )


def _outdated(entry: Entry, found: Certificate, made: Made, making: Making) -> str:
    """Say why a certificate may not stay, or "" if it may."""
    above = made[entry.issuer.place].certificate if entry.issuer else None
    if not signed_by(found.parsed, above or found.parsed):
        return "its issuer was renewed"
    if found.parsed.subject != subject(entry):
        return "its name changed"
    misfit = next(misfits(found, entry.profile), None)
    changed = _changed(entry, found)
    if misfit or changed:
        return str(misfit or changed)
    if entry.place in making.wanted:
        return "as asked"
    ended = making.ended.find(entry.issuer.place, found.serial) if entry.issuer else None
    if ended and not ended.standing.held:
        return f"it was revoked ({ended.reason.value})"
    return _aged(entry, found, above, making)


def _aged(entry: Entry, found: Certificate, above: x509.Certificate | None, making: Making) -> str:
    """Say what is wrong with the time of a certificate, or "" if nothing is."""
    start, end = found.not_before, found.not_after
    if end != end_of_validity(entry.days, start, above):
        return "its validity changed"
    # A short-lived certificate is not renewed every time, only in the last third of its life.
    notice = min(making.notice, (end - start) / 3) if making.capped else making.notice
    if making.now >= end - notice:
        return f"it ends on {end:%Y-%m-%d}"
    return "it is not yet valid" if making.now < start else ""


def _changed(entry: Entry, found: Certificate) -> str:
    """Say which extension is not what would be issued now, or "" if all are."""
    there = {extension.oid: (extension.value, extension.critical) for extension in found.parsed.extensions}
    wanted = {value.oid: (value, critical) for value, critical in declared(entry)}
    if there.get(ExtensionOID.KEY_USAGE) != wanted[ExtensionOID.KEY_USAGE]:
        return "its key usage changed"
    keyed = KEYED | {entry.profile.alternative} if entry.profile.alternative else KEYED
    same = all(there.get(oid) == issued for oid, issued in wanted.items())
    if not same or set(there) - set(wanted) != keyed - ({_ABOVE} if entry.issuer is None else set()):
        return "its extensions changed"
    return "" if len(found.key_id or b"") == entry.profile.key_id else "its key identifier changed"


def _write(entry: Entry, made: Made, folder: Store, put: Put) -> None:
    """Write the files of an entry: the key before the certificate that needs it."""
    issued, durable = made[entry.place], not entry.many
    if isinstance(issued, Issued) and entry.twin is None:
        put(folder.key(entry.place), issued.key_pem, store.PRIVATE, durable=durable)
    if isinstance(issued, Issued) and issued.second is not None:
        put(folder.second_key(entry.place), issued.second_pem, store.PRIVATE, durable=durable)
    path = folder.certificate(entry.place)
    put(path.with_suffix(".der"), issued.der, durable=durable)
    put(path, issued.pem, durable=durable)
    if not entry.profile.ca:
        above = b"".join(made[link.place].pem for link in below_root(entry))
        put(folder.chain(entry.place), above, durable=durable)


def _write_crossed(entries: Sequence[Entry], made: Made, folder: Store, put: Put) -> None:
    """Write a second chain for leaves below a root that another one certified: with the cross certificate."""
    crossed: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.twin is not None:
            crossed.setdefault(entry.twin.place, []).append(entry)
    for entry in entries if crossed else ():
        if not entry.profile.ca:
            links = list(below_root(entry))
            for cross in crossed.get(_root_place(entry), ()):
                chain_of = b"".join(made[link.place].pem for link in (*links, cross))
                put(folder.chain(entry.place).with_name(f"chain-{cross.name}.pem"), chain_of)


def _root_place(entry: Entry) -> str:
    while entry.issuer is not None:
        entry = entry.issuer
    return entry.place


def below_root(entry: Entry) -> Iterable[Entry]:
    """Yield an entry and its issuers up to, but without, the root."""
    while entry.issuer is not None:
        yield entry
        entry = entry.issuer


def _write_trust(entries: Sequence[Entry], made: Made, folder: Store, put: Put) -> None:
    roots = [entry for entry in entries if entry.profile.tier is Tier.ROOT]
    for kind in sorted({entry.profile.branch for entry in roots}):
        anchors = [made[entry.place].pem for entry in roots if entry.profile.branch == kind]
        put(folder.trust(kind), b"".join(anchors))


def _write_manifest(entries: Sequence[Entry], made: Made, folder: Store) -> None:
    issuers = {entry.place: entry.issuer.place if entry.issuer else entry.place for entry in entries}
    listed = {
        entry.place: Listed(entry.profile.role, made[entry.place].certificate, issuers[entry.place])
        for entry in entries
    }
    manifest.write(folder, listed)
