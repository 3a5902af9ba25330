"""The OCSP responder of one tree (RFC 6960): any request gets a response, a signed one where it is about our CAs."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509 import ocsp
from cryptography.x509.ocsp import OCSPResponseStatus

from pki.evidence import UNKNOWN, Standing, Status
from pki.issue import Issued
from pki.ocsp import Request, decline, read_request, respond
from pki.serve.ledger import Ledger
from pki.serve.misbehaviour import Service, faults
from pki.serve.realm import Authority, Realm
from pki.serve.reply import Reply
from pki.serve.signers import Signers

MEDIA = "application/ocsp-response"
LONGEST = 4_096
"""Bytes of a request: one certificate's takes 120, and a signed one brings a chain along."""
NONCE_BYTES = range(1, 33)
"""RFC 8954 2.1."""
LIFETIME = timedelta(days=1)
"""From thisUpdate to nextUpdate: a week is the most that -20 allows [V2G20-1021]."""
_SERIAL_BITS = 1_024
"""Of the serial numbers that are told apart; RFC 5280 4.1.2.2 allows 160, and none below zero."""
_WEEK = timedelta(days=7)
# Lab switches change an answer from one moment to the next: no cache may keep it.
_HEADERS = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class _Draft:
    """A response to be, as far as misbehaviours change it."""

    request: Request
    standing: Standing
    signer: Issued
    this_update: datetime
    next_update: datetime
    nonce: bytes | None


class Responder:
    """Answers requests about the certificates of one tree."""

    def __init__(self, realm: Realm, ledger: Ledger) -> None:
        self._realm = realm
        self._ledger = ledger
        self._signers = Signers(realm)

    def get(self, path: str, at: datetime) -> Reply:
        """Answer a request in the path of a URL (RFC 6960 A.1)."""
        try:
            der = base64.b64decode(path.replace(" ", "+"), validate=True)
        except (binascii.Error, ValueError):
            return _declined(OCSPResponseStatus.MALFORMED_REQUEST)
        return self.post(der, at)

    def post(self, der: bytes, at: datetime) -> Reply:
        """Answer a request at a time (aware)."""
        try:
            request = read_request(der)
        except ValueError:
            return _declined(OCSPResponseStatus.MALFORMED_REQUEST)
        if request.about.serial < 0 or request.about.serial.bit_length() > _SERIAL_BITS:
            return _declined(OCSPResponseStatus.MALFORMED_REQUEST)
        if request.nonce is not None and len(request.nonce) not in NONCE_BYTES:
            return _declined(OCSPResponseStatus.MALFORMED_REQUEST)
        authority = self._realm.named(request.about)
        signer = self._signers.proper(authority, at) if authority else None
        if authority is None or signer is None:
            return _declined(OCSPResponseStatus.UNAUTHORIZED)
        return self._answer(request, authority, signer, at)

    def _answer(self, request: Request, authority: Authority, signer: Issued, at: datetime) -> Reply:
        key = (authority.id, request.about.serial)
        about = (str(key[1]), self._ledger.names.get(key, ""))
        on = faults(self._ledger.switches, Service.OCSP, about) if self._ledger.switches else frozenset()
        if "try-later" in on:
            return _declined(OCSPResponseStatus.TRY_LATER, on)
        moment = at.replace(microsecond=0)
        standing = self._ledger.standing(key, at.timestamp())
        draft = _Draft(request, standing, signer, moment, moment + LIFETIME, request.nonce)
        for name in on & _CHANGES.keys():
            draft = _CHANGES[name](draft)
        draft = self._signed_wrongly(draft, authority, on)
        der = _write(draft, authority)
        body = _turned(der) if "bad-signature" in on else der
        return Reply(body=body, media=MEDIA, headers=_HEADERS, outcome=draft.standing.status.value, faults=on)

    def _signed_wrongly(self, draft: _Draft, authority: Authority, on: frozenset[str]) -> _Draft:
        if "wrong-signer" in on:
            return replace(draft, signer=self._signers.stranger(authority, draft.signer))
        if "signer-without-eku" in on:
            return replace(draft, signer=self._signers.without_purpose(authority, draft.signer))
        return draft


def _write(draft: _Draft, authority: Authority) -> bytes:
    delegated = draft.signer is not authority.issued
    return respond(
        draft.request.about,
        draft.standing,
        draft.signer,
        this_update=draft.this_update,
        next_update=draft.next_update,
        nonce=draft.nonce,
        enclosed=(draft.signer.certificate,) if delegated else (),
    )


def _declined(status: OCSPResponseStatus, on: frozenset[str] = frozenset()) -> Reply:
    body, outcome = _DECLINED[status]
    return Reply(body=body, media=MEDIA, headers=_HEADERS, outcome=outcome, faults=on)


_DECLINED = {
    status: (decline(status), status.name.lower().replace("_", "-"))
    for status in (OCSPResponseStatus.MALFORMED_REQUEST, OCSPResponseStatus.TRY_LATER, OCSPResponseStatus.UNAUTHORIZED)
}


# --- misbehaviours ----------------------------------------------------------------------------------------------------


def _revoked(draft: _Draft) -> _Draft:
    since = draft.this_update - timedelta(days=1)
    reason = x509.ReasonFlags.key_compromise
    return replace(draft, standing=Standing(status=Status.REVOKED, since=since, reason=reason))


def _other_certificate(draft: _Draft) -> _Draft:
    about = replace(draft.request.about, serial=draft.request.about.serial + 1)
    return replace(draft, request=replace(draft.request, about=about))


_CHANGES: dict[str, Callable[[_Draft], _Draft]] = {
    "revoked": _revoked,
    "unknown": lambda draft: replace(draft, standing=UNKNOWN),
    "expired": lambda draft: replace(
        draft, this_update=draft.this_update - 2 * _WEEK, next_update=draft.this_update - _WEEK
    ),
    "future": lambda draft: replace(
        draft, this_update=draft.this_update + _WEEK, next_update=draft.this_update + 2 * _WEEK
    ),
    "wrong-cert-id": _other_certificate,
    "no-nonce": lambda draft: replace(draft, nonce=None),
    "wrong-nonce": lambda draft: replace(draft, nonce=secrets.token_bytes(16)),
}


def _turned(der: bytes) -> bytes:
    """Return a response with the last bit of its signature turned."""
    signature = ocsp.load_der_ocsp_response(der).signature
    last = der.index(signature) + len(signature) - 1
    return der[:last] + bytes([der[last] ^ 1]) + der[last + 1 :]
