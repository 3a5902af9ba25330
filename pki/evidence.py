"""What may be said about the revocation of a certificate, and why such a word is not to be used.

OCSP responses (`pki.ocsp`) and revocation lists (`pki.crl`) are read into the same `Statement`; either is refused with
an `Unusable`, whose `flaw` names the check that failed. A word that cannot be used says nothing, neither good nor bad.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.x509.oid import ExtensionOID, ObjectIdentifier

from pki.keys import PrivateKey, suite_of
from pki.profiles import ORDINARY
from v2g.errors import Untrusted

MALFORMED = (
    ValueError,
    TypeError,
    NotImplementedError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for DER that it cannot read."""

UNDERSTOOD = ORDINARY | {ExtensionOID.OCSP_NO_CHECK}
"""The extensions that may be critical in the certificate of one who signs OCSP responses."""


class Status(StrEnum):
    """What a statement says of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


class Source(StrEnum):
    """What kind of evidence a statement stands in."""

    OCSP = "ocsp"
    CRL = "crl"


class Flaw(StrEnum):
    """Why evidence is not used, in the order of the checks."""

    SIZE = "size"
    MALFORMED = "malformed"
    NO_ANSWER = "no-answer"
    DELTA = "delta"
    INDIRECT = "indirect"
    SCOPE = "scope"
    EXTENSION = "extension"
    OTHER_CERTIFICATE = "other-certificate"
    OTHER_ISSUER = "other-issuer"
    SIGNER = "signer"
    SIGNATURE = "signature"
    NOT_YET = "not-yet"
    STALE = "stale"
    TOO_OLD = "too-old"
    NONCE = "nonce"


class Unusable(Untrusted):
    """Evidence that must not be used; `flaw` names the check that it failed."""

    def __init__(self, source: Source, flaw: Flaw, detail: str) -> None:
        self.source = source
        self.flaw = flaw
        super().__init__(f"{source}, {flaw}", detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a certificate stands; `since` (aware) and `reason` belong to a revoked one."""

    status: Status
    since: datetime | None = None
    reason: x509.ReasonFlags | None = None

    @property
    def held(self) -> bool:
        """Whether it is revoked for the time being only: a later word may lift that."""
        return self.status is Status.REVOKED and self.reason is x509.ReasonFlags.certificate_hold

    @property
    def final(self) -> bool:
        """Whether it is revoked for good: no later word can change that."""
        return self.status is Status.REVOKED and not self.held


GOOD = Standing(status=Status.GOOD)
UNKNOWN = Standing(status=Status.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A word that may be relied upon: where it stands, from when it is, until when it is fresh.

    One that tells a revocation for good is relied upon afterwards, too.
    """

    standing: Standing
    source: Source
    this_update: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How old evidence may be.

    `slack` forgives clocks that differ, `longest_age` bounds the time since thisUpdate whatever the issuer says (one
    week in -20 [V2G20-1021]), and `open_ended` is how long a word without a nextUpdate is taken.
    """

    slack: timedelta = timedelta(minutes=5)
    longest_age: timedelta | None = None
    open_ended: timedelta = timedelta(days=1)


ISO2 = Terms()
ISO20 = Terms(longest_age=timedelta(days=7))


class Signer(Protocol):
    """A certificate with its key, which signs responses and lists."""

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate of the key."""

    @property
    def key(self) -> PrivateKey:
        """What it signs with."""


def usable_until(
    source: Source,
    this_update: datetime,
    next_update: datetime | None,
    at: datetime,
    terms: Terms,
    *,
    lasting: bool = False,
) -> datetime:
    """Return until when a word of these times is fresh; raise `Unusable` if it may not be used at all.

    A `lasting` one may be of any age: whoever keeps newer ones away must not have a certificate count as good again.
    """
    if this_update > at + terms.slack:
        raise Unusable(source, Flaw.NOT_YET, f"is of {_time(this_update)}, which is still to come")
    until = this_update + terms.open_ended if next_update is None else next_update
    if until < this_update:
        raise Unusable(source, Flaw.MALFORMED, "its nextUpdate lies before its thisUpdate")
    if lasting:
        return until
    if at > until + terms.slack:
        raise Unusable(source, Flaw.STALE, f"was to be renewed by {_time(until)}")
    if terms.longest_age is None:
        return until
    oldest = this_update + terms.longest_age
    if at > oldest + terms.slack:
        days = terms.longest_age / timedelta(days=1)
        raise Unusable(source, Flaw.TOO_OLD, f"is of {_time(this_update)}, more than {days:g} days ago [V2G20-1021]")
    return min(until, oldest)


def signs(key: object, algorithm: ObjectIdentifier, signature: bytes, signed: bytes) -> bool:
    """Tell whether a signature was made with the private half of a key, by the one algorithm that belongs to it."""
    try:
        suite = suite_of(key)
        if suite.algorithm != algorithm:
            return False
        if isinstance(key, ed448.Ed448PublicKey):
            key.verify(signature, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and suite.digest is not None:
            key.verify(signature, signed, ec.ECDSA(suite.digest()))
        else:
            return False
    except (InvalidSignature, *MALFORMED):
        return False
    return True


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
