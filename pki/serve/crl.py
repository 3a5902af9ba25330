"""The revocation lists of one tree, made when they are asked for and kept for a minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography import x509

from pki.crl import Listed, build
from pki.evidence import Signer
from pki.issue import Issued
from pki.keys import suite_of
from pki.serve.ledger import Ledger
from pki.serve.misbehaviour import Service, faults
from pki.serve.realm import Authority, Realm
from pki.serve.reply import Reply, refused

MEDIA = "application/pkix-crl"
LIFETIME = timedelta(days=1)
_WEEK = timedelta(days=7)
_MOST = 64
"""Lists that are kept."""


class Lists:
    """Distributes the lists of the CAs of one tree."""

    def __init__(self, realm: Realm, ledger: Ledger) -> None:
        self._realm = realm
        self._ledger = ledger
        self._kept: dict[tuple[object, ...], bytes] = {}

    def get(self, label: str, at: datetime) -> Reply:
        """Return the list of a CA, "cpo-sub2", at a time (aware)."""
        authority = self._realm.labelled(label)
        if authority is None:
            known = ", ".join(each.label for each in self._realm.authorities.values())
            return refused(404, f"no CA {label[:64]!a}; there are {known}", outcome="unknown-ca")
        if authority.issued is None:
            return refused(404, f"the key of {label} is not at hand: its CA signs no list here", outcome="no-key")
        on = faults(self._ledger.switches, Service.CRL, (label,))
        body = self._list(authority, authority.issued, at, on)
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{label}.crl"'}
        return Reply(body=body, media=MEDIA, headers=headers, faults=on)

    def _list(self, authority: Authority, ca: Issued, at: datetime, on: frozenset[str]) -> bytes:
        minute = int(at.timestamp()) // 60
        key = (authority.id, minute, self._ledger.changes, on)
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= _MOST:
                self._kept.clear()
            kept = self._kept[key] = self._make(authority, ca, at, on)
        return kept

    def _make(self, authority: Authority, ca: Issued, at: datetime, on: frozenset[str]) -> bytes:
        begin = (at - 2 * _WEEK if "expired" in on else at).replace(microsecond=0)
        end = begin + (_WEEK if "expired" in on else LIFETIME)
        revoked = [
            Listed(serial=serial, at=standing.since or at, reason=standing.reason or x509.ReasonFlags.unspecified)
            for serial, standing in self._ledger.revocations(authority.id, at.timestamp())
        ]
        signer: Signer = _stranger(ca) if "wrong-issuer" in on else ca
        number = int(at.timestamp() * 1000)  # rises with the clock, also within a second
        der = build(signer, revoked, number=number, this_update=begin, next_update=end)
        return _blank(der) if "unsigned" in on else der


def _stranger(ca: Issued) -> Issued:
    """Return a CA of another name and key."""
    key = suite_of(ca.key).generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Another CA")])
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .not_valid_before(ca.certificate.not_valid_before_utc)
        .not_valid_after(ca.certificate.not_valid_after_utc)
    )
    return Issued(suite_of(key).sign(builder, key), key)


def _blank(der: bytes) -> bytes:
    """Return a list with zeros for a signature: DER has no list without one."""
    length = len(x509.load_der_x509_crl(der).signature)
    return der[:-length] + bytes(length)
