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

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from pki import store
from pki.certificate import describe
from pki.fit import misfits
from pki.issue import Issued, end_of_validity, issue, subject
from pki.profiles import Tier
from pki.store import Store
from pki.tree import Entry, Tree


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry; `reason` says why it was made anew and is empty if it stayed."""

    entry: Entry
    reason: str


def bring_up_to_date(tree: Tree, folder: store.Store, at: datetime | None = None) -> list[Outcome]:
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
        for entry in entries:
            _write(entry, made, folder)
        _write_trust(entries, made, folder)
        _write_manifest(entries, made, folder)
    return outcomes


def _keep_or_issue(
    entry: Entry, issuer: Issued | None, folder: Store, within_days: int, now: datetime
) -> tuple[Issued, str]:
    """Return what lies in the folder with "", or a new certificate with the reason for it."""
    if not folder.certificate(entry).exists():
        return issue(entry, issuer, now), "new"
    try:
        found = _load(entry, folder)
    except ValueError as error:
        return issue(entry, issuer, now), f"damaged: {error}"
    reason = _outdated(entry, found, issuer, within_days, now)
    return (issue(entry, issuer, now), reason) if reason else (found, "")


def _load(entry: Entry, folder: Store) -> Issued:
    """Read certificate and key of an entry; raise ValueError if they are damaged or do not belong together."""
    certificate = x509.load_pem_x509_certificate(folder.certificate(entry).read_bytes())
    try:
        key = load_pem_private_key(folder.key(entry).read_bytes(), None)
    except FileNotFoundError:
        raise ValueError("its key is missing") from None
    except TypeError:
        raise ValueError("its key is encrypted") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise ValueError("its key is another one's")
    return Issued(certificate, key)


def _outdated(entry: Entry, found: Issued, issuer: Issued | None, within_days: int, now: datetime) -> str:
    """Say why a certificate may not stay, or "" if it may."""
    certificate = found.certificate
    if not _issued_by(certificate, (issuer or found).certificate):
        return "its issuer was renewed"
    if certificate.subject != subject(entry):
        return "its name changed"
    facts = describe(certificate)
    misfit = next(misfits(facts, entry.profile), None)
    if misfit or facts.usage != entry.profile.usage:
        return misfit or "its key usage changed"
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if end != end_of_validity(entry.days, start, issuer.certificate if issuer else None):
        return "its validity changed"
    # A short-lived certificate is not renewed every time, only in the last third of its life.
    notice = min(timedelta(days=within_days), (end - start) / 3)
    if now >= end - notice:
        return f"it ends on {end:%Y-%m-%d}"
    return "it is not yet valid" if now < start else ""


def _issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _write(entry: Entry, made: dict[str, Issued], folder: Store) -> None:
    """Write the files of an entry: the key before the certificate that needs it."""
    issued = made[entry.place]
    store.write(folder.key(entry), issued.key_pem, store.PRIVATE)
    path = folder.certificate(entry)
    store.write(path.with_suffix(".der"), issued.der)
    store.write(path, issued.pem)
    if not entry.profile.ca:
        store.write(folder.chain(entry), b"".join(made[link.place].pem for link in below_root(entry)))


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
