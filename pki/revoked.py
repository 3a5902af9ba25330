"""Which certificates of a tree are revoked: a list in its folder, which `pki revoke` writes and CRLs and OCSP follow.

A certificate is named by the place of its issuer and its serial number, so that it stays revoked when a renewal puts
another one in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki import crl, store
from pki.ancestry import issuer_among, self_signed
from pki.certificate import Certificate, read, signed_by
from pki.evidence import GOOD, Signer, Standing, Status
from pki.store import Store
from v2g.record import Record

NAME = "revoked.json"
REASONS = {reason.value: reason for reason in x509.ReasonFlags if reason is not x509.ReasonFlags.remove_from_crl}
"""Why a certificate may be revoked, by the names of RFC 5280; removal from a list is no reason."""
_ISSUERS = "ca/"
_REMEDY = "restore it from a copy: without it revoked certificates count as good"


class Revoked(Record, forbid_unknown_fields=True):
    """One certificate: its serial number, decimal; when and why it was revoked, and where it lay if it was known."""

    issuer: Annotated[str, msgspec.Meta(pattern="^ca/[^/]+/[^/]+$")]
    serial: Annotated[str, msgspec.Meta(pattern="^[0-9]{1,60}$")]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified
    place: str = ""

    @property
    def standing(self) -> Standing:
        """What an OCSP response says of it."""
        return Standing(status=Status.REVOKED, since=self.at, reason=self.reason)

    @property
    def listed(self) -> crl.Listed:
        """What a revocation list says of it."""
        return crl.Listed(serial=int(self.serial), at=self.at, reason=self.reason)


class RevokedList(Record, forbid_unknown_fields=True):
    """The revoked certificates of a tree, as they were revoked."""

    revoked: tuple[Revoked, ...] = ()

    def of(self, issuer: str) -> list[Revoked]:
        """Return those of one CA, by its place."""
        return [entry for entry in self.revoked if entry.issuer == issuer]

    def by(self, at: datetime) -> RevokedList:
        """Return the list without what is revoked later than a time only."""
        return RevokedList(revoked=tuple(entry for entry in self.revoked if entry.at <= at))

    def find(self, issuer: str, serial: int) -> Revoked | None:
        """Return the entry of a certificate; None if it is not revoked."""
        return next((entry for entry in self.of(issuer) if int(entry.serial) == serial), None)

    def standing(self, issuer: str, serial: int) -> Standing:
        """Return how a certificate stands, be there one of this number or not."""
        found = self.find(issuer, serial)
        return GOOD if found is None else found.standing

    def with_(self, entry: Revoked) -> RevokedList:
        """Return the list with one more; a hold may become final. Raises ValueError for what is revoked already."""
        before = self.find(entry.issuer, int(entry.serial))
        if before is not None and not before.standing.held:
            raise ValueError(f"{_named(entry)} is revoked since {before.at:%Y-%m-%d} already ({before.reason.value})")
        return RevokedList(revoked=(*(each for each in self.revoked if each != before), entry))

    def without(self, issuer: str, serial: int) -> RevokedList:
        """Return the list without one whose hold is lifted; raise ValueError where there is no hold to be lifted."""
        found = self.find(issuer, serial)
        if found is None:
            raise ValueError(f"certificate {serial} of {issuer} is not revoked")
        if not found.standing.held:
            raise ValueError(
                f"{_named(found)} is revoked for good ({found.reason.value}); "
                "only certificateHold can be undone; `plugcharge pki renew` makes another certificate"
            )
        return RevokedList(revoked=tuple(each for each in self.revoked if each != found))


def load(folder: Path) -> RevokedList:
    """Read the list of a tree, empty where there is none; raise ValueError naming the file if it is damaged."""
    path = folder / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=RevokedList)
    except FileNotFoundError:
        return RevokedList()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: no list of revoked certificates: {error}; {_REMEDY}") from error


def save(folder: Path, listed: RevokedList) -> None:
    """Write the list of a tree; readers see the old or the new one. The caller holds `Store.alone`."""
    store.write(folder / NAME, msgspec.json.format(msgspec.json.encode(listed)) + b"\n")


def revoke(tree: Store, place: str, at: datetime, reason: x509.ReasonFlags, serial: int | None = None) -> Revoked:
    """Put a certificate on the list of its tree; raises ValueError.

    It is the one that lies in `place`, or the one of number `serial` that the CA of this place issued.
    """
    issuer, number, known = _identify(tree, place, serial)
    entry = Revoked(issuer=issuer, serial=str(number), at=at, reason=reason, place=known)
    with tree.alone():
        save(tree.folder, load(tree.folder).with_(entry))
    return entry


def release(tree: Store, place: str, serial: int | None = None) -> None:
    """Lift the hold on a certificate, named as for `revoke`; raises ValueError."""
    issuer, number, _ = _identify(tree, place, serial)
    with tree.alone():
        save(tree.folder, load(tree.folder).without(issuer, number))


def _identify(tree: Store, place: str, serial: int | None) -> tuple[str, int, str]:
    """Return issuer, serial number and place of a certificate."""
    found = _certificate(tree, place)
    if serial is not None:
        if not place.startswith(_ISSUERS):
            raise ValueError(f"{place}: a serial number goes with the CA that issued it, such as ca/mo/sub2")
        return place, serial, ""
    return issuer_of(tree, place, found), found.serial, place


def issuer_of(tree: Store, place: str, certificate: Certificate) -> str:
    """Return the place of the CA that issued a certificate; raise ValueError for a root or where it is not there."""
    if self_signed(certificate):
        raise ValueError(f"{place}: is a root; who trusts it has to take it away, no list can revoke it")
    above = issuer_among(certificate, authorities(tree))
    if above is not None:
        return above
    raise ValueError(f"{place}: its issuer is not in {tree.folder}; revoke it where it was issued")


def among(tree: Store, chain: Iterable[Certificate], at: datetime) -> Iterator[tuple[Revoked, Certificate]]:
    """Yield those of a chain that the list of a tree names by a time, each with its entry; raises ValueError."""
    listed = load(tree.folder).by(at).revoked
    for certificate in chain if listed else ():
        for entry in listed:
            issuer = tree.certificate(entry.issuer)
            same = int(entry.serial) == certificate.serial and issuer.is_file()
            if same and signed_by(certificate.parsed, _certificate(tree, entry.issuer).parsed):
                yield entry, certificate


def authorities(tree: Store) -> Mapping[str, Certificate]:
    """Return the CAs of a tree by their places."""
    return {place: _certificate(tree, place) for place in tree.places() if place.startswith(_ISSUERS)}


def _certificate(tree: Store, place: str) -> Certificate:
    try:
        return read(tree.load_certificate(place).public_bytes(Encoding.DER))
    except FileNotFoundError:
        raise ValueError(f"{place}: no certificate lies there in {tree.folder}; `pki show` lists the places") from None
    except ValueError as error:
        raise ValueError(f"{tree.certificate(place)}: {error}") from error


def _named(entry: Revoked) -> str:
    return entry.place or f"certificate {entry.serial} of {entry.issuer}"


# --- the lists that follow from it ------------------------------------------------------------------------------------


def crl_path(folder: Path, issuer: str) -> Path:
    """Return where the list of a CA lies among others: that of "ca/mo/sub2" is mo-sub2.crl."""
    return folder / f"{issuer.removeprefix(_ISSUERS).replace('/', '-')}.crl"


def crl_of(signer: Signer, entries: Iterable[Revoked], at: datetime, lasts: timedelta) -> bytes:
    """Return the DER of a CA's list at a time. Its number counts milliseconds: whoever makes the next, it is higher."""
    return crl.build(
        signer,
        [entry.listed for entry in entries],
        number=int(at.timestamp() * 1000),
        this_update=at,
        next_update=at + lasts,
    )


def write_crls(
    tree: Store, places: Iterable[str], at: datetime, lasts: timedelta, folder: Path | None = None
) -> list[Path]:
    """Write the list of each CA into a folder, crl in that of the tree if None, and return the files.

    On it is what was revoked by then, as OCSP tells it. Raises ValueError naming a CA whose key is not there.
    """
    folder = tree.folder / "crl" if folder is None else folder
    listed = load(tree.folder).by(at)
    made: dict[Path, bytes] = {}
    for place in places:
        if not _certificate(tree, place).ca:
            raise ValueError(f"{place}: is no CA, and only those have lists; name one, such as ca/mo/sub2")
        try:
            signer = tree.load(place)
        except ValueError as error:
            raise ValueError(f"{tree.certificate(place)}: {error}; it is needed to sign its list") from error
        made[crl_path(folder, place)] = crl_of(signer, listed.of(place), at, lasts)
    # Nothing is written before everything could be made.
    for path, data in made.items():
        store.write(path, data)
    return list(made)
