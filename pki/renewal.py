"""Which certificates of a tree may stay, which are made anew and why; brings the files of a tree up to date.

Nothing is remembered but the certificates themselves: one stays if it fits its declaration, its issuer and the clock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from cryptography.hazmat.primitives.serialization import Encoding

from pki import store
from pki.certificate import Certificate, read, signed_by
from pki.fit import misfits
from pki.issue import Issued, end_of_validity, issue, subject
from pki.profiles import Tier
from pki.store import KeyWithheld, Store
from pki.tree import Entry, Tree


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry; `reason` says why it was made anew and is empty if it stayed."""

    entry: Entry
    reason: str


def bring_up_to_date(tree: Tree, folder: Store, at: datetime | None = None) -> list[Outcome]:
    """Make what is missing in the folder of a tree or may not stay; raise OSError, or ValueError naming the entry."""
    now = at or datetime.now(UTC)
    entries = tree.entries()
    with folder.alone():
        made: dict[str, Issued] = {}
        outcomes = []
        for entry in entries:
            issuer = made[entry.issuer.place] if entry.issuer else None
            issued, reason = _keep_or_issue(entry, issuer, folder, tree.renew_within_days, now)
            made[entry.place] = issued
            outcomes.append(Outcome(entry, reason))
        # Nothing is written before everything could be made.
        for outcome in outcomes:
            if outcome.reason:
                folder.set_aside(outcome.entry.place)
        for entry in entries:
            _write(entry, made, folder)
        _write_trust(entries, made, folder)
        _write_manifest(entries, made, folder)
    return outcomes


def _keep_or_issue(
    entry: Entry, issuer: Issued | None, folder: Store, within_days: int, now: datetime
) -> tuple[Issued, str]:
    """Return what lies in the folder with "", or a new certificate with the reason for it."""
    if not folder.certificate(entry.place).exists():
        return issue(entry, issuer, now), "new"
    try:
        facts = read(folder.load_certificate(entry.place).public_bytes(Encoding.DER))
    except ValueError as error:
        return issue(entry, issuer, now), f"damaged: {error}"
    reason = _outdated(entry, facts, issuer, within_days, now)
    try:
        found = folder.load(entry.place)
    except KeyWithheld as error:
        if entry.profile.ca and not reason:
            raise ValueError(_withheld(entry, folder, error)) from error
        return issue(entry, issuer, now), f"damaged: {error}"
    except ValueError as error:
        return issue(entry, issuer, now), f"damaged: {error}"
    return (issue(entry, issuer, now), reason) if reason else (found, "")


def _withheld(entry: Entry, folder: Store, error: KeyWithheld) -> str:
    """Say what to do about a CA that is good but for its key: making it anew would end all that hangs below it."""
    certificate = folder.certificate(entry.place)
    return (
        f"{certificate} is good, but {error}; put {folder.key(entry.place)} back, unencrypted, "
        "or move the certificate away to have it and all below it made anew"
    )


def _outdated(entry: Entry, found: Certificate, issuer: Issued | None, within_days: int, now: datetime) -> str:
    """Say why a certificate may not stay, or "" if it may."""
    above = issuer.certificate if issuer else None
    if not signed_by(found.parsed, above or found.parsed):
        return "its issuer was renewed"
    if found.parsed.subject != subject(entry):
        return "its name changed"
    misfit = next(misfits(found, entry.profile), None)
    if misfit or found.usage != entry.profile.usage:
        return misfit or "its key usage changed"
    start, end = found.not_before, found.not_after
    if end != end_of_validity(entry.days, start, above):
        return "its validity changed"
    # A short-lived certificate is not renewed every time, only in the last third of its life.
    notice = min(timedelta(days=within_days), (end - start) / 3)
    if now >= end - notice:
        return f"it ends on {end:%Y-%m-%d}"
    return "it is not yet valid" if now < start else ""


def _write(entry: Entry, made: dict[str, Issued], folder: Store) -> None:
    """Write the files of an entry: the key before the certificate that needs it."""
    issued = made[entry.place]
    store.write(folder.key(entry.place), issued.key_pem, store.PRIVATE)
    path = folder.certificate(entry.place)
    store.write(path.with_suffix(".der"), issued.der)
    store.write(path, issued.pem)
    if not entry.profile.ca:
        store.write(folder.chain(entry.place), b"".join(made[link.place].pem for link in below_root(entry)))


def below_root(entry: Entry) -> Iterable[Entry]:
    """Yield an entry and its issuers up to, but without, the root."""
    while entry.issuer is not None:
        yield entry
        entry = entry.issuer


def _write_trust(entries: Sequence[Entry], made: dict[str, Issued], folder: Store) -> None:
    roots = [entry for entry in entries if entry.profile.tier is Tier.ROOT]
    for kind in sorted({entry.profile.branch for entry in roots}):
        anchors = [made[entry.place].pem for entry in roots if entry.profile.branch == kind]
        store.write(folder.trust(kind), b"".join(anchors))


def _write_manifest(entries: Sequence[Entry], made: dict[str, Issued], folder: Store) -> None:
    """List every certificate for machines, and the digest of every file that is no secret."""
    listed = {
        entry.place: {
            "role": entry.profile.role,
            "subject": made[entry.place].certificate.subject.rfc4514_string(),
            "issuer": entry.issuer.place if entry.issuer else entry.place,
            "serial": str(made[entry.place].certificate.serial_number),
            "not_before": made[entry.place].certificate.not_valid_before_utc.isoformat(),
            "not_after": made[entry.place].certificate.not_valid_after_utc.isoformat(),
        }
        for entry in entries
    }
    paths = sorted(chain(folder.folder.rglob("*.pem"), folder.folder.rglob("*.der")))
    files = {
        str(path.relative_to(folder.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.name != "key.pem"
    }
    text = json.dumps({"certificates": listed, "files": files}, indent=2)
    store.write(folder.manifest, f"{text}\n".encode())
