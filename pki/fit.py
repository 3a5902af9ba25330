"""Does a certificate fit its row of the profile table? Every reason why not, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pki.certificate import Certificate, signed_by
from pki.profiles import Profile, Tier, Usage

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
# They narrow what an issuer may sign. V2G does not use them, and we would not obey them.
_NARROWING = frozenset(
    {
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
_ISSUING = frozenset({Usage.CERT_SIGN, Usage.CRL_SIGN})
_COUNTRY = re.compile("[A-Za-z]{2}")
_MAX_SERIAL_BITS = 159  # 20 octets with the sign bit clear (RFC 5280 4.1.2.2)


def misfits(certificate: Certificate, row: Profile) -> Iterator[str]:
    """Yield what keeps a certificate from fitting its row; nothing means it fits.

    No CN is quoted: it may name a contract, and these words reach events and logs.
    """
    yield from _suite(certificate, row)
    yield from _subject(certificate, row)
    yield from _constraints(certificate, row)
    yield from _usage(certificate, row)
    yield from _purposes(certificate, row)
    yield from _others(certificate)
    if row.tier is Tier.ROOT and not signed_by(certificate.parsed, certificate.parsed):
        yield "it is not self-signed"
    if len(certificate.der) > row.size:
        yield f"has {len(certificate.der)} bytes, more than {row.size} [V2G2-010]"


def _suite(certificate: Certificate, row: Profile) -> Iterator[str]:
    key, suite = certificate.key, row.suite
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, suite.curve):
        yield f"its key is not on {suite.curve.name}"
    if certificate.signature_algorithm != suite.algorithm:
        yield f"it is not signed with ECDSA and {suite.digest.name}"


def _subject(certificate: Certificate, row: Profile) -> Iterator[str]:
    names = certificate.common_names
    if len(names) != 1:
        yield f"its subject has {len(names)} CN instead of one"
    elif row.common_name.binding and not row.common_name.fits(names[0]):
        yield f"its CN is not {row.common_name.meaning}"
    if not all(_COUNTRY.fullmatch(country) for country in certificate.countries):
        yield "its C is no country code of two letters"
    found = certificate.components
    if found != (row.dc,) and (found or row.dc_demanded):
        yield f"its DC is {', '.join(found) or 'missing'} instead of {row.dc} [V2G2-925]"


def _constraints(certificate: Certificate, row: Profile) -> Iterator[str]:
    if certificate.ca is None:
        yield "it has no basic constraints"
        return
    if certificate.ca is not row.ca:
        yield f"its basic constraints say CA:{str(certificate.ca).upper()}"
    elif row.tier is not Tier.ROOT and certificate.path_length != row.path_length:
        yield f"its path length is {certificate.path_length} instead of {row.path_length}"
    if ExtensionOID.BASIC_CONSTRAINTS not in certificate.critical:
        yield "its basic constraints are not critical"


def _usage(certificate: Certificate, row: Profile) -> Iterator[str]:
    if certificate.usage is None:
        yield "it has no key usage"
        return
    missing = row.usage_demanded - certificate.usage
    if missing:
        yield f"its key usage lacks {', '.join(sorted(missing))}"
    if not row.ca and certificate.usage & _ISSUING:
        yield "its key usage lets a leaf issue"
    if ExtensionOID.KEY_USAGE not in certificate.critical:
        yield "its key usage is not critical"


def _purposes(certificate: Certificate, row: Profile) -> Iterator[str]:
    """A certificate with an extended key usage is good for what it lists and nothing else (RFC 5280 4.2.1.12)."""
    found = certificate.purposes
    if found is not None and not found & {row.purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}:
        listed = ", ".join(sorted(oid.dotted_string for oid in found)) or "nothing"
        yield f"its extended key usage is {listed}, which is not its role"


def _others(certificate: Certificate) -> Iterator[str]:
    foreign = (certificate.critical - _UNDERSTOOD) | (certificate.extensions & _NARROWING)
    if foreign:
        yield f"it has extensions we do not obey: {', '.join(sorted(oid.dotted_string for oid in foreign))}"
    if not 0 < certificate.serial.bit_length() <= _MAX_SERIAL_BITS or certificate.serial < 0:
        yield "its serial number is not a positive number of at most 20 octets"
