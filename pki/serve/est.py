"""Enrolment over EST (RFC 7030) below one tree: a signing request in, a certificate out, kept before it is handed out.

EST asks for TLS; this server speaks plain HTTP on the loopback interface, behind basic or bearer secrets (3.2.3). A
renewal proves nothing by TLS either: whoever may enrol may renew, if the name is that of a certificate still good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki.certificate import read
from pki.evidence import Status
from pki.issue import certify
from pki.profiles import Profile
from pki.serve import csr, wire
from pki.serve.csr import Wanted
from pki.serve.ledger import Ledger
from pki.serve.login import CHALLENGE, Door
from pki.serve.misbehaviour import Service, faults
from pki.serve.realm import Authority, Realm
from pki.serve.reply import Reply, refused
from pki.serve.state import State
from v2g.trust import Role

REQUEST = "application/pkcs10"
CERTIFICATES = "application/pkcs7-mime; smime-type=certs-only"
ATTRIBUTES = "application/csrattrs"
RETRY_S = 5
_BASE64 = {"Content-Transfer-Encoding": "base64", "Cache-Control": "no-store"}


class Enrolment:
    """Enrols leaves of one role; its calls may block and are made in threads."""

    def __init__(self, realm: Realm, role: Role, state: State, ledger: Ledger, door: Door) -> None:
        """Raises ValueError where no CA of the tree can sign such leaves."""
        self._realm = realm
        self._role = role
        self._state = state
        self._ledger = ledger
        self._door = door
        self._issuer: Authority = realm.issuer(role)

    @property
    def _row(self) -> Profile:
        return self._realm.template(self._role, "").profile

    def cacerts(self) -> Reply:
        """Return the CAs above the leaves, root last (4.1)."""
        above = self._realm.above(self._issuer, root=True)
        return _certificates([each.certificate.der for each in above], self._on())

    def attributes(self) -> Reply:
        """Tell what kind of key a request should have (4.5)."""
        body = wire.armored(wire.attributes(self._row.suite))
        return Reply(body=body, media=ATTRIBUTES, headers=_BASE64, faults=self._on())

    def enrol(self, login: str, media: str, body: bytes, at: datetime, *, again: bool, chain: bool) -> Reply:
        """Answer simpleenroll and, `again`, simplereenroll; the certificate comes alone, or with its `chain`.

        Raises `Unavailable` where it could not be kept.
        """
        if self._door.opens(login) is None:
            return _unauthorized(self._on())
        if media.partition(";")[0].strip().lower() != REQUEST:
            return refused(415, f"send {REQUEST}, in base64", outcome="wrong-media")
        try:
            wanted = csr.read(wire.plain(body), self._row)
        except ValueError as error:
            return refused(400, str(error), outcome="bad-request")
        on = self._on(wanted.common_name)
        if "unauthorized" in on:
            return _unauthorized(on)
        if "pending" in on:
            return refused(202, "ask again later", outcome="pending", headers={"Retry-After": str(RETRY_S)}, faults=on)
        if again and not self._renewable(wanted, at):
            return refused(403, "no certificate with this very subject is valid: enrol anew", outcome="unknown")
        return self._issue(wanted, at, on, chain=chain)

    def _issue(self, wanted: Wanted, at: datetime, on: frozenset[str], *, chain: bool) -> Reply:
        issued, authority = self._issuer.issued, self._issuer.certificate
        if issued is None or not authority.not_before <= at <= authority.not_after:
            return refused(503, f"the CA {self._issuer.label} is not valid at this time", outcome="no-ca")
        row = self._row
        entry = self._realm.template(self._role, wanted.common_name)
        entry = replace(
            entry, organization=wanted.organization or entry.organization, country=wanted.country or entry.country
        )
        key = row.suite.generate().public_key() if "wrong-key" in on else wanted.key
        try:
            certificate = certify(entry, key, issued, at)
        except ValueError as error:
            return refused(400, str(error), outcome="bad-request")
        der = certificate.public_bytes(Encoding.DER)
        self._state.record([self._realm.hold(read(der), self._issuer, self._role)])
        certificates = [der]
        if chain or "wrong-order" in on:
            certificates += [each.certificate.der for each in self._realm.above(self._issuer)]
        return _certificates(certificates, on)

    def _renewable(self, wanted: Wanted, at: datetime) -> bool:
        """Tell whether a certificate of this name is valid and not revoked (4.2.2)."""
        moment = at.timestamp()
        for held in self._state.certificates(self._realm.name, self._role, wanted.common_name):
            alike = csr.names(x509.load_der_x509_certificate(held.der).subject) == wanted.names
            good = self._ledger.standing((held.issuer, held.serial), moment).status is not Status.REVOKED
            if alike and good and held.not_before <= moment <= held.not_after:
                return True
        return False

    def _on(self, *about: str) -> frozenset[str]:
        return faults(self._ledger.switches, Service.EST, about)


def _certificates(certificates: Sequence[bytes], on: frozenset[str]) -> Reply:
    ordered = "wrong-order" in on
    body = wire.armored(wire.certs_only(certificates[::-1] if ordered else certificates, ordered=ordered))
    return Reply(body=body, media=CERTIFICATES, headers=_BASE64, faults=on)


def _unauthorized(on: frozenset[str]) -> Reply:
    text = "name a secret of this server: Basic NAME:SECRET or Bearer NAME.SECRET"
    return refused(401, text, outcome="unauthorized", headers=CHALLENGE, faults=on)
