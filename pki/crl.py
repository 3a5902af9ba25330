"""Revocation lists (RFC 5280 5): one for all certificates of one CA, made, read and judged.

Taken are complete lists of the issuer itself. One that narrows itself (delta, indirect, an issuing distribution point)
is refused: it would seem to clear what it does not speak of.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import CRLEntryExtensionOID

from pki.certificate import Certificate
from pki.evidence import (
    GOOD,
    ISO2,
    MALFORMED,
    Flaw,
    Signer,
    Source,
    Standing,
    Statement,
    Status,
    Terms,
    Unusable,
    signs,
    usable_until,
)
from pki.keys import suite_of
from pki.profiles import Usage

MOST_BYTES = 1_048_576
"""The longest list that is read: some 25,000 entries."""
_ARMOR = b"-----BEGIN X509 CRL-----"


# --- made -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One entry of a list; `at` is aware. No reason is told where it is unspecified (RFC 5280 5.3.1)."""

    serial: int
    at: datetime
    reason: x509.ReasonFlags = x509.ReasonFlags.unspecified


def build(
    issuer: Signer,
    revoked: Iterable[Listed],
    *,
    number: int,
    this_update: datetime,
    next_update: datetime,
    deterministic: bool = False,
) -> bytes:
    """Return the DER of a CA's list; `number` has to rise from one list to the next (RFC 5280 5.2.3)."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(this_update)
        .next_update(next_update)
        .add_extension(_identifier(issuer), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for entry in revoked:
        builder = builder.add_revoked_certificate(_entry(entry))
    suite = suite_of(issuer.key)
    return suite.sign(builder, issuer.key, deterministic=deterministic).public_bytes(Encoding.DER)


def _identifier(issuer: Signer) -> x509.AuthorityKeyIdentifier:
    try:
        own = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _entry(listed: Listed) -> x509.RevokedCertificate:
    entry = x509.RevokedCertificateBuilder().serial_number(listed.serial).revocation_date(listed.at)
    if listed.reason is not x509.ReasonFlags.unspecified:
        entry = entry.add_extension(x509.CRLReason(listed.reason), critical=False)
    return entry.build()


# --- read and judged --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list that was read completely, by nobody's authority yet; `issuer` is DER, `entries` are by serial number.

    `proved` holds the certificates (DER) whose key its signature was checked with: a long list takes a while.
    """

    parsed: x509.CertificateRevocationList
    issuer: bytes
    issuer_key_id: bytes | None
    number: int | None
    this_update: datetime
    next_update: datetime | None
    entries: Mapping[int, Standing]
    size: int
    proved: set[bytes] = field(default_factory=set, repr=False, compare=False)

    def judge(self, certificate: Certificate, issuer: Certificate, at: datetime, terms: Terms = ISO2) -> Statement:
        """Return what the list says of a certificate at a time (aware); raise `Unusable` if it may not be relied upon.

        `issuer` has to be known as the issuer of `certificate`.
        """
        self.check_issuer(issuer)
        standing = self.entries.get(certificate.serial, GOOD)
        times = self.this_update, self.next_update
        until = usable_until(Source.CRL, *times, at, terms, lasting=standing.final)
        return Statement(standing=standing, source=Source.CRL, this_update=self.this_update, until=until)

    def check_issuer(self, issuer: Certificate) -> None:
        """Raise `Unusable` unless this CA made and signed the list."""
        other_key = None not in (self.issuer_key_id, issuer.key_id) and self.issuer_key_id != issuer.key_id
        if self.issuer != issuer.subject or other_key:
            raise _unusable(Flaw.OTHER_ISSUER, "is the list of another CA")
        if issuer.usage is None or Usage.CRL_SIGN not in issuer.usage:
            raise _unusable(Flaw.SIGNER, "its issuer may not sign lists: its key usage lacks cRLSign")
        if issuer.der not in self.proved:
            if not self._signed_by(issuer):
                raise _unusable(Flaw.SIGNATURE, "its issuer did not sign it")
            self.proved.add(issuer.der)

    def _signed_by(self, issuer: Certificate) -> bool:
        parsed = self.parsed
        return signs(issuer.key, parsed.signature_algorithm_oid, parsed.signature, parsed.tbs_certlist_bytes)


def read(data: bytes) -> RevocationList:
    """Read a list, DER or PEM, completely; raise `Unusable` for what is none or is not for everybody."""
    if len(data) > MOST_BYTES:
        raise _unusable(Flaw.SIZE, f"has {len(data)} bytes, more than {MOST_BYTES}")
    try:
        parse = x509.load_pem_x509_crl if _ARMOR in data else x509.load_der_x509_crl
        return _describe(parse(data), len(data))
    except MALFORMED as error:
        raise _unusable(Flaw.MALFORMED, str(error)) from error


def _describe(parsed: x509.CertificateRevocationList, size: int) -> RevocationList:
    _check_extensions(parsed.extensions)
    return RevocationList(
        parsed=parsed,
        issuer=parsed.issuer.public_bytes(),
        issuer_key_id=_issuer_key_id(parsed.extensions),
        number=_number(parsed.extensions),
        this_update=parsed.last_update_utc,
        next_update=parsed.next_update_utc,
        entries={entry.serial_number: _standing(entry) for entry in parsed},
        size=size,
    )


def _check_extensions(extensions: x509.Extensions) -> None:
    for extension in extensions:
        match extension.value:
            case x509.DeltaCRLIndicator():
                raise _unusable(Flaw.DELTA, "lists changes only; name the complete list")
            case x509.IssuingDistributionPoint(indirect_crl=True):
                raise _unusable(Flaw.INDIRECT, "lists certificates of other CAs")
            case x509.IssuingDistributionPoint():
                raise _unusable(Flaw.SCOPE, "is for some certificates of its CA only; name the complete list")
            case _ if extension.critical:
                raise _unusable(Flaw.EXTENSION, f"has a critical extension {extension.oid.dotted_string}")


def _standing(entry: x509.RevokedCertificate) -> Standing:
    reason = None
    for extension in entry.extensions:
        if extension.oid == CRLEntryExtensionOID.CERTIFICATE_ISSUER:
            raise _unusable(Flaw.INDIRECT, "lists certificates of other CAs")
        if isinstance(extension.value, x509.CRLReason):
            reason = extension.value.reason
        elif extension.critical:
            raise _unusable(Flaw.EXTENSION, f"an entry has a critical extension {extension.oid.dotted_string}")
    return Standing(status=Status.REVOKED, since=entry.revocation_date_utc, reason=reason)


def _issuer_key_id(extensions: x509.Extensions) -> bytes | None:
    try:
        return extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return None


def _number(extensions: x509.Extensions) -> int | None:
    try:
        return extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return None


def _unusable(flaw: Flaw, detail: str) -> Unusable:
    return Unusable(Source.CRL, flaw, detail)
