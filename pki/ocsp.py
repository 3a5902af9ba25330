"""OCSP (RFC 6960) about one certificate at a time: requests and responses made, read and judged.

Only what the signature of a response covers is believed. The rest, the status around it and the certificates beside
it, at most leads to a refusal or proposes who signed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pki.certificate import Certificate, read, signed_by
from pki.evidence import (
    ISO2,
    MALFORMED,
    UNDERSTOOD,
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

MOST_BYTES = 16_384
"""The longest response that is read: four certificates of -20 and what surrounds them take 8,000."""
_MOST_CERTIFICATES = 8
_STATUS = {
    Status.GOOD: ocsp.OCSPCertStatus.GOOD,
    Status.REVOKED: ocsp.OCSPCertStatus.REVOKED,
    Status.UNKNOWN: ocsp.OCSPCertStatus.UNKNOWN,
}
_PURPOSES = frozenset({ExtendedKeyUsageOID.OCSP_SIGNING})
_MEANING = {wire: status for status, wire in _STATUS.items()}


@dataclass(frozen=True, slots=True)
class CertId:
    """How OCSP names a certificate: hashes of its issuer's name and key, and its serial number."""

    algorithm: hashes.HashAlgorithm
    name_hash: bytes
    key_hash: bytes
    serial: int

    def fits(self, serial: int, issuer: x509.Certificate) -> bool:
        """Tell whether this is the certificate of `issuer` with this serial number."""
        other = cert_id(serial, issuer, self.algorithm)
        return (self.serial, self.name_hash, self.key_hash) == (other.serial, other.name_hash, other.key_hash)


def cert_id(serial: int, issuer: x509.Certificate, algorithm: hashes.HashAlgorithm) -> CertId:
    """Return the name of a certificate, by its serial number below `issuer`."""
    name = _hash(algorithm, issuer.subject.public_bytes())
    return CertId(algorithm, name, _hash(algorithm, _key_bits(issuer)), serial)


# --- asked ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """A request as a responder reads it; `nonce` is what the asker wants to find in the response."""

    about: CertId
    nonce: bytes | None


def ask(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    *,
    nonce: bytes | None = None,
    algorithm: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Return the DER of a request about a certificate; the hash is SHA-256 unless another is given."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, algorithm or hashes.SHA256())
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def read_request(der: bytes) -> Request:
    """Read a request about one certificate; raise ValueError for what is none, or asks about several."""
    try:
        request = ocsp.load_der_ocsp_request(der)
        about = CertId(request.hash_algorithm, request.issuer_name_hash, request.issuer_key_hash, request.serial_number)
        if any(extension.critical and extension.oid != x509.OCSPNonce.oid for extension in request.extensions):
            raise ValueError("it has a critical extension that is not understood (RFC 6960 4.4)")
        return Request(about, _nonce(request.extensions))
    except NotImplementedError as error:
        raise ValueError("an OCSP request about several certificates; ask about each of them alone") from error
    except MALFORMED as error:
        raise ValueError(f"no well-formed OCSP request: {error}") from error


# --- answered ---------------------------------------------------------------------------------------------------------


def respond(
    about: CertId,
    standing: Standing,
    signer: Signer,
    *,
    this_update: datetime,
    next_update: datetime | None,
    nonce: bytes | None = None,
    enclosed: Sequence[x509.Certificate] = (),
) -> bytes:
    """Return the DER of a signed response; times are aware.

    `enclosed` travels beside it: the certificate of a delegated signer, nothing where the CA signs itself. producedAt
    is the clock's time, whatever the others are. Raises ValueError for a key that is none of V2G certificates.
    """
    revoked = standing.status is Status.REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response_by_hash(
            about.name_hash,
            about.key_hash,
            about.serial,
            about.algorithm,
            _STATUS[standing.status],
            this_update,
            next_update,
            (standing.since or this_update) if revoked else None,
            standing.reason if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    )
    if enclosed:
        builder = builder.certificates(enclosed)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return suite_of(signer.key).sign(builder, signer.key).public_bytes(Encoding.DER)


def decline(status: ocsp.OCSPResponseStatus) -> bytes:
    """Return the DER of a response that answers nothing: tryLater, unauthorized and so on. Nobody signs those."""
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


# --- judged -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response about one certificate that was read completely, by nobody's authority yet.

    `proved` holds who was found to have signed it, by the issuer (DER) in question: one that is kept is judged often.
    """

    parsed: ocsp.OCSPResponse
    about: CertId
    standing: Standing
    this_update: datetime
    next_update: datetime | None
    nonce: bytes | None
    proved: dict[bytes, Certificate] = field(default_factory=dict, repr=False, compare=False)

    def judge(
        self,
        certificate: Certificate,
        issuer: Certificate,
        at: datetime,
        terms: Terms = ISO2,
        *,
        nonce: bytes | None = None,
    ) -> Statement:
        """Return what it says of a certificate at a time (aware); raise `Unusable` if it may not be relied upon.

        `issuer` has to be known as the issuer of `certificate`. A `nonce` that was asked for has to come back.
        """
        if not self.about.fits(certificate.serial, issuer.parsed):
            raise _unusable(Flaw.OTHER_CERTIFICATE, "is about another certificate")
        self._check_signer(issuer, at)
        times = self.this_update, self.next_update
        until = usable_until(Source.OCSP, *times, at, terms, lasting=self.standing.final)
        if nonce is not None and self.nonce != nonce:
            raise _unusable(Flaw.NONCE, "does not repeat the nonce of the request: it may be an old one")
        return Statement(standing=self.standing, source=Source.OCSP, this_update=self.this_update, until=until)

    def _check_signer(self, issuer: Certificate, at: datetime) -> None:
        """Refuse unless the issuer itself, or one whom it allowed to, signed the response."""
        if issuer.der not in self.proved:
            try:
                self.proved[issuer.der] = _signer(self.parsed, issuer)
            except MALFORMED as error:
                raise _unusable(Flaw.MALFORMED, str(error)) from error
        signer = self.proved[issuer.der]
        if signer.der != issuer.der and not signer.not_before <= at <= signer.not_after:
            raise _not_allowed("it is not valid at the time")


def judge(
    der: bytes,
    certificate: Certificate,
    issuer: Certificate,
    at: datetime,
    terms: Terms = ISO2,
    *,
    nonce: bytes | None = None,
) -> Statement:
    """Read and judge a response; raise `Unusable` if it may not be relied upon."""
    return read_response(der).judge(certificate, issuer, at, terms, nonce=nonce)


def read_response(der: bytes) -> Response:
    """Read a response about one certificate; nothing is proved. Raises `Unusable` for what is none, or is not plain."""
    if len(der) > MOST_BYTES:
        raise _unusable(Flaw.SIZE, f"has {len(der)} bytes, more than {MOST_BYTES}")
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise _unusable(Flaw.NO_ANSWER, f"the responder answers {response.response_status.name}")
        single = _only(response)
        _check_extensions(response)
        return Response(
            parsed=response,
            about=_cert_id(single),
            standing=_standing(single),
            this_update=single.this_update_utc,
            next_update=single.next_update_utc,
            nonce=_nonce(response.extensions),
        )
    except MALFORMED as error:
        raise _unusable(Flaw.MALFORMED, str(error)) from error


def _only(response: ocsp.OCSPResponse) -> ocsp.OCSPSingleResponse:
    singles = list(response.responses)
    if len(singles) != 1:
        raise _unusable(Flaw.SCOPE, f"is about {len(singles)} certificates instead of one")
    return singles[0]


def _check_extensions(response: ocsp.OCSPResponse) -> None:
    """Refuse what is critical: the nonce alone is understood, and of a single response nothing."""
    for extension in response.extensions:
        if extension.critical and extension.oid != x509.OCSPNonce.oid:
            raise _unusable(Flaw.EXTENSION, f"has a critical extension {extension.oid.dotted_string}")
    for extension in response.single_extensions:
        if extension.critical:
            raise _unusable(Flaw.EXTENSION, f"has a critical extension {extension.oid.dotted_string}")


def _signer(response: ocsp.OCSPResponse, issuer: Certificate) -> Certificate:
    """Return who signed a response, the issuer itself or one whom it allowed to; raise `Unusable` for another."""
    named = [each for each in _candidates(response, issuer) if _names(response, each)]
    if not named:
        raise _unusable(Flaw.SIGNER, "names a signer that is neither the issuer nor enclosed")
    algorithm, signed = response.signature_algorithm_oid, response.tbs_response_bytes
    signers = [each for each in named if signs(each.key, algorithm, response.signature, signed)]
    if not signers:
        raise _unusable(Flaw.SIGNATURE, "the signer it names did not sign it")
    if issuer in signers:
        return issuer
    _check_delegate(signers[0], issuer)
    return signers[0]


def _candidates(response: ocsp.OCSPResponse, issuer: Certificate) -> Iterator[Certificate]:
    yield issuer
    for enclosed in response.certificates[:_MOST_CERTIFICATES]:
        yield read(enclosed.public_bytes(Encoding.DER))


def _names(response: ocsp.OCSPResponse, signer: Certificate) -> bool:
    """Tell whether a response names a signer, by its name or the SHA-1 of its key."""
    if response.responder_name is not None:
        return response.responder_name.public_bytes() == signer.subject
    return response.responder_key_hash == x509.SubjectKeyIdentifier.from_public_key(signer.parsed.public_key()).digest


def _check_delegate(signer: Certificate, issuer: Certificate) -> None:
    """Refuse a signer that this very CA did not make a signer of responses (RFC 6960 4.2.2.2)."""
    flaws = {
        "the CA in question did not issue it": not signer.names(issuer) or not signed_by(signer.parsed, issuer.parsed),
        "its extended key usage is not OCSPSigning": signer.purposes != _PURPOSES,
        "it is a CA": signer.ca is True,
        "its key usage lacks the signature": signer.usage is None or Usage.SIGNATURE not in signer.usage,
        # Without it the signer's own revocation would have to be known first, from whom else than itself.
        "it lacks id-pkix-ocsp-nocheck": ExtensionOID.OCSP_NO_CHECK not in signer.extensions,
        "it has critical extensions we do not obey": bool(signer.critical - UNDERSTOOD),
    }
    for flaw, found in flaws.items():
        if found:
            raise _not_allowed(flaw)


def _standing(single: ocsp.OCSPSingleResponse) -> Standing:
    status = _MEANING[single.certificate_status]
    return Standing(status=status, since=single.revocation_time_utc, reason=single.revocation_reason)


def _cert_id(single: ocsp.OCSPSingleResponse) -> CertId:
    return CertId(single.hash_algorithm, single.issuer_name_hash, single.issuer_key_hash, single.serial_number)


def _nonce(extensions: x509.Extensions) -> bytes | None:
    try:
        return extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    except x509.ExtensionNotFound:
        return None


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the bits of a certificate's public key without the algorithm around them; raises ValueError."""
    key = certificate.public_key()
    if suite_of(key).curve is None:
        return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _hash(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _not_allowed(why: str) -> Unusable:
    return _unusable(Flaw.SIGNER, f"its signer is not allowed: {why}")


def _unusable(flaw: Flaw, detail: str) -> Unusable:
    return Unusable(Source.OCSP, flaw, detail)
