"""Checks of the calendar: certificates and lists that are over, not begun or nearly over, and the clock itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448

from pki.certificate import Certificate
from pki.doctor.case import Case, name_of
from pki.doctor.finding import Remark, Severity
from pki.overview import ends_soon

RELEASED = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that is right shows an earlier time: this program did not exist then."""
_SLACK = timedelta(days=1)
_RENEW = "`plugcharge pki init` renews a tree of ours; ask the issuer of another's"


def clock(case: Case) -> Iterator[Remark]:
    """A clock that is behind makes good certificates look as if they were not valid yet."""
    starts = [certificate.not_before for _, certificate in case.certificates()]
    early = [start for start in starts if start > case.at + _SLACK]
    if case.at < RELEASED:
        reason = "before this program was made"
    elif early and len(early) * 2 >= len(starts):
        reason = f"before most certificates here begin; the newest does on {max(early):%Y-%m-%d}"
    else:
        return
    yield Remark(
        severity=Severity.ERROR,
        place="system clock",
        what=f"it says {case.at:%Y-%m-%d %H:%M} UTC, {reason}",
        remedy="set the clock (timedatectl, chrony); a station without a network needs one that runs on",
    )


def validity(case: Case) -> Iterator[Remark]:
    """Tell what is expired, not valid yet, or will end soon."""
    for path, certificate in case.certificates():
        severity, what, remedy = _judged(certificate, case.at)
        if what:
            yield Remark(
                severity=severity,
                place=case.place(path),
                what=f"{name_of(certificate)} {what}",
                remedy=remedy,
            )


def _judged(certificate: Certificate, at: datetime) -> tuple[Severity, str, str]:
    if at > certificate.not_after:
        days = (at - certificate.not_after).days
        return (
            Severity.ERROR,
            f"expired on {certificate.not_after:%Y-%m-%d}, {days:,} {'day' if days == 1 else 'days'} ago",
            _RENEW,
        )
    if at < certificate.not_before:
        begins = f"{certificate.not_before:%Y-%m-%d %H:%M}"
        return Severity.ERROR, f"is not valid before {begins} UTC", "wait until then, or set the clock if it is behind"
    if ends_soon(certificate, at):
        return Severity.WARNING, f"ends on {certificate.not_after:%Y-%m-%d %H:%M} UTC", _RENEW
    return Severity.NOTE, "", ""


def lists(case: Case) -> Iterator[Remark]:
    """A revocation list past its next update says nothing any more; one of an unknown issuer never did."""
    issuers = [certificate for certificate in case.evidence.known.values() if certificate.ca]
    for file in case.evidence.lists:
        crl = file.revocations
        until = crl.next_update_utc
        if until is not None and until < case.at:
            yield Remark(
                severity=Severity.ERROR,
                place=case.place(file.path),
                what=f"the revocation list was good until {until:%Y-%m-%d %H:%M} UTC",
                remedy="`plugcharge pki crl` makes a new one; of another's CA, fetch it again",
            )
        named = [issuer for issuer in issuers if issuer.subject == crl.issuer.public_bytes()]
        if issuers and not any(_signed(crl, issuer) for issuer in named):
            yield Remark(
                severity=Severity.WARNING,
                place=case.place(file.path),
                what="no CA here signed this revocation list",
                remedy="take list and CA certificate from the same tree",
            )


def _signed(crl: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    key = issuer.key
    if not isinstance(key, ec.EllipticCurvePublicKey | ed448.Ed448PublicKey):
        return False
    try:
        return crl.is_signature_valid(key)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False
