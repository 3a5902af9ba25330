"""The extensions of a certificate, each in a few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from pki.certificate import Certificate


@dataclass(frozen=True, slots=True)
class Summary:
    """One extension: its name or identifier, whether it is critical, what it says."""

    name: str
    critical: bool
    says: str


def extensions(certificate: Certificate) -> Iterator[Summary]:
    """Yield the extensions of a certificate in their order."""
    for extension in certificate.parsed.extensions:
        known = _KNOWN.get(type(extension.value))
        if known is None:
            yield Summary(_unknown_name(extension.oid), extension.critical, "present")
        else:
            name, says = known
            yield Summary(name, extension.critical, says(extension.value))


def _unknown_name(oid: x509.ObjectIdentifier) -> str:
    return f"Extension {oid.dotted_string}"


def _constraints(value: x509.BasicConstraints) -> str:
    if not value.ca:
        return "no CA"
    return "CA" if value.path_length is None else f"CA, path length {value.path_length}"


def _usage(value: x509.KeyUsage) -> str:
    # The last two mean nothing without keyAgreement, and asking for them raises.
    bits = _BITS if value.key_agreement else _BITS[:-2]
    return ", ".join(name for bit, name in bits if getattr(value, bit)) or "nothing"


def _purposes(value: x509.ExtendedKeyUsage) -> str:
    return ", ".join(_PURPOSES.get(oid.dotted_string, oid.dotted_string) for oid in value) or "nothing"


def _authority_key(value: x509.AuthorityKeyIdentifier) -> str:
    return value.key_identifier.hex().upper() if value.key_identifier else "without key identifier"


def _access(value: x509.AuthorityInformationAccess) -> str:
    return ", ".join(
        f"{_ACCESS.get(each.access_method.dotted_string, 'other')} {_name(each.access_location)}" for each in value
    )


def _points(value: x509.CRLDistributionPoints) -> str:
    return ", ".join(_name(name) for point in value for name in point.full_name or ()) or "present"


def _alternatives(value: x509.SubjectAlternativeName) -> str:
    return ", ".join(_name(name) for name in value)


def _policies(value: x509.CertificatePolicies) -> str:
    return ", ".join(policy.policy_identifier.dotted_string for policy in value)


def _name(name: x509.GeneralName) -> str:
    value = name.value
    if isinstance(value, x509.Name):
        return value.rfc4514_string()
    return value.hex() if isinstance(value, bytes) else str(value)


_BITS = (
    ("digital_signature", "digitalSignature"),
    ("content_commitment", "nonRepudiation"),
    ("key_encipherment", "keyEncipherment"),
    ("data_encipherment", "dataEncipherment"),
    ("key_agreement", "keyAgreement"),
    ("key_cert_sign", "keyCertSign"),
    ("crl_sign", "cRLSign"),
    ("encipher_only", "encipherOnly"),
    ("decipher_only", "decipherOnly"),
)
_PURPOSES = {
    "1.3.6.1.5.5.7.3.1": "TLS server",
    "1.3.6.1.5.5.7.3.2": "TLS client",
    "1.3.6.1.5.5.7.3.9": "OCSP signing",
    "2.5.29.37.0": "any",
}
_ACCESS = {"1.3.6.1.5.5.7.48.1": "OCSP", "1.3.6.1.5.5.7.48.2": "issuer at"}
_KNOWN: dict[type[x509.ExtensionType], tuple[str, Callable[[Any], str]]] = {
    x509.BasicConstraints: ("Basic constraints", _constraints),
    x509.KeyUsage: ("Key usage", _usage),
    x509.ExtendedKeyUsage: ("Extended key usage", _purposes),
    x509.SubjectKeyIdentifier: ("Subject key", lambda value: value.digest.hex().upper()),
    x509.AuthorityKeyIdentifier: ("Issuer's key", _authority_key),
    x509.AuthorityInformationAccess: ("Status and issuer", _access),
    x509.CRLDistributionPoints: ("Revocation list", _points),
    x509.SubjectAlternativeName: ("Alternative names", _alternatives),
    x509.CertificatePolicies: ("Policies", _policies),
    x509.OCSPNoCheck: ("OCSP no check", lambda _: "its own status is not asked for"),
}
