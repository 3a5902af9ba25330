"""Who signs OCSP responses: the signer a CA appointed, and for laboratories two who may not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from pki.certificate import signed_by
from pki.issue import Issued, issue
from pki.keys import PrivateKey, suite_of
from pki.serve.realm import Authority, Realm

_MOST = 256
"""Signers made for other days than today that are kept."""


class Signers:
    """The OCSP signers of one tree; what its folder lacks is made, and kept in memory alone."""

    def __init__(self, realm: Realm) -> None:
        """Read the signers that lie in the folder."""
        self._entries = realm.signer_entries()
        self._lying = {place: found for place in self._entries if (found := self._load(realm, place)) is not None}
        self._made: dict[tuple[str, str], Issued] = {}

    def proper(self, authority: Authority, at: datetime) -> Issued | None:
        """Return the signer of a CA at a time, the CA itself where it may appoint none; None without any key."""
        lying = self._lying.get(authority.entry.place)
        if lying is not None and _valid(lying.certificate, at):
            return lying
        if authority.issued is None or not _valid(authority.certificate.parsed, at):
            return lying or authority.issued
        entry = self._entries.get(authority.entry.place)
        if entry is None:
            return authority.issued
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        ca = authority.issued
        return self._keep(
            authority, day.isoformat(), lambda: issue(entry, ca, max(day, ca.certificate.not_valid_before_utc))
        )

    def stranger(self, authority: Authority, signer: Issued) -> Issued:
        """Return a signer like the proper one, but certified by a key that is not the CA's."""
        suite = suite_of(authority.certificate.key)
        return self._keep(
            authority,
            f"stranger beside {signer.certificate.serial_number}",
            lambda: _like(signer.certificate, suite_of(signer.key).generate(), suite.generate()),
        )

    def without_purpose(self, authority: Authority, signer: Issued) -> Issued:
        """Return a signer that the CA certified, but not for signing responses; the proper one without the CA's key."""
        ca = authority.issued
        if ca is None:
            return signer
        key = suite_of(signer.key).generate()
        without = frozenset({ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.OCSP_NO_CHECK})
        name = f"without purpose beside {signer.certificate.serial_number}"
        return self._keep(authority, name, lambda: _like(signer.certificate, key, ca.key, without))

    def _keep(self, authority: Authority, name: str, make: Callable[[], Issued]) -> Issued:
        kept = self._made.get((authority.id, name))
        if kept is None:
            if len(self._made) >= _MOST:
                self._made.clear()
            kept = self._made[authority.id, name] = make()
        return kept

    def _load(self, realm: Realm, place: str) -> Issued | None:
        """Return the signer in the folder that a CA of today appointed, or None."""
        where = self._entries[place].place
        try:
            found = realm.store.load(where)
        except (ValueError, OSError):
            return None
        authority = realm.authorities.get(place)
        return found if authority and signed_by(found.certificate, authority.certificate.parsed) else None


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _like(
    model: x509.Certificate, key: PrivateKey, ca: PrivateKey, without: Collection[ObjectIdentifier] = ()
) -> Issued:
    """Return a certificate of another key with the names, dates and extensions of a model, signed by `ca`."""
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(model.subject)
        .issuer_name(model.issuer)
        .public_key(key.public_key())
        .not_valid_before(model.not_valid_before_utc)
        .not_valid_after(model.not_valid_after_utc)
    )
    for extension in model.extensions:
        value: x509.ExtensionType = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            value = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        if extension.oid not in without:
            builder = builder.add_extension(value, critical=extension.critical)
    return Issued(suite_of(ca).sign(builder, ca), key)
