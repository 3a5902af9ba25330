"""Does a certificate fit its row of the profile table? Every reason why not, by its rule and in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from pki.ancestry import self_signed
from pki.certificate import Certificate
from pki.profiles import ANY_NAME, ORDINARY, Component, Profile, Tier, Usage
from pki.shown import shown


class Check(StrEnum):
    """The rules of a profile, by the names findings carry."""

    VERSION = "version"
    KEY = "key"
    ALGORITHM = "algorithm"
    COMMON_NAME = "common-name"
    COUNTRY = "country"
    COMPONENT = "component"
    NAMES = "names"
    CONSTRAINTS = "constraints"
    PATH_LENGTH = "path-length"
    CONSTRAINTS_CRITICAL = "constraints-critical"
    USAGE = "usage"
    USAGE_CRITICAL = "usage-critical"
    PURPOSE = "purpose"
    EXTENSIONS = "extensions"
    ACCESS = "access"
    SERIAL = "serial"
    SELF_SIGNED = "self-signed"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class Misfit:
    """One rule a certificate breaks; `text` says how, as a sentence about "it"."""

    check: Check
    text: str

    def __str__(self) -> str:
        return self.text


_UNDERSTOOD = ORDINARY | {ExtensionOID.SUBJECT_INFORMATION_ACCESS}
# They narrow what an issuer may sign. V2G does not use them, and we would not obey them.
_NARROWING = frozenset(
    {
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)
_ACCESS = frozenset({ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS})
_ISSUING = frozenset({Usage.CERT_SIGN, Usage.CRL_SIGN})
_COUNTRY = re.compile("[A-Za-z]{2}")
_MAX_SERIAL_BITS = 159  # 20 octets with the sign bit clear (RFC 5280 4.1.2.2)


def misfits(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    """Yield what keeps a certificate from fitting its row; nothing means it fits.

    No CN is quoted: it may name a contract, and these words reach events and logs.
    """
    yield from _suite(certificate, row)
    yield from _subject(certificate, row)
    yield from _constraints(certificate, row)
    yield from _usage(certificate, row)
    yield from _purposes(certificate, row)
    yield from _others(certificate, row)
    # A root that is sent along is no cross certificate, which may have one name on both ends, but not one key.
    if row.tier in (Tier.ROOT, Tier.CROSS) and self_signed(certificate) is not (row.tier is Tier.ROOT):
        yield Misfit(Check.SELF_SIGNED, f"it is {'not ' if row.tier is Tier.ROOT else ''}self-signed")
    if len(certificate.der) > row.size:
        yield too_large(certificate.der, row)


def too_large(der: bytes, row: Profile) -> Misfit:
    """Say that a certificate has more bytes than its row allows."""
    source = "" if row.edition.second else " [V2G2-010]"
    return Misfit(Check.SIZE, f"has {len(der)} bytes, more than {row.size}{source}")


def _suite(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    if certificate.parsed.version is not x509.Version.v3:
        yield Misfit(Check.VERSION, "it is not of version 3 of X.509 [V2G2-884]")
    suite = row.suite
    if not suite.fits(certificate.key):
        yield Misfit(Check.KEY, f"its key is not on {suite.curve.name if suite.curve else suite.name}")
    elif not certificate.plain_key:
        yield Misfit(Check.KEY, "its key is not written with the name of its curve and as an uncompressed point")
    if certificate.signature_algorithm != suite.algorithm:
        wanted = f"ECDSA and {suite.digest.name}" if suite.digest else suite.name
        yield Misfit(Check.ALGORITHM, f"it is not signed with {wanted}")


def _subject(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    names = certificate.common_names
    if len(names) != 1:
        yield Misfit(Check.COMMON_NAME, f"its subject has {len(names)} CN instead of one")
    elif not (wanted_name := row.common_name if row.common_name.binding else ANY_NAME).fits(names[0]):
        yield Misfit(Check.COMMON_NAME, f"its CN is not {wanted_name.meaning}")
    if not all(_COUNTRY.fullmatch(country) for country in certificate.countries):
        yield Misfit(Check.COUNTRY, "its C is no country code of two letters")
    found = certificate.components
    if found != (row.dc,) and (found or row.component is Component.ALWAYS):
        wanted = row.dc or "none"
        told = shown(", ".join(found)) or "missing"
        yield Misfit(Check.COMPONENT, f"its DC is {told} instead of {wanted} [V2G2-925]")
    yield from _names(certificate, row)


def _names(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    if row.names_allowed is None:
        return
    found = [part.oid for part in certificate.parsed.subject]
    for oid in dict.fromkeys(found):
        if oid not in row.names_allowed:
            yield Misfit(Check.NAMES, f"its subject has a part its profile does not know, {oid.dotted_string}")
    if NameOID.ORGANIZATION_NAME not in found:
        yield Misfit(Check.NAMES, "its subject has no O [V2G20-2589] [V2G20-2598]")


def _constraints(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    if certificate.ca is None:
        yield Misfit(Check.CONSTRAINTS, "it has no basic constraints")
        return
    if certificate.ca is not row.ca:
        yield Misfit(Check.CONSTRAINTS, f"its basic constraints say CA:{str(certificate.ca).upper()}")
    elif row.tier not in (Tier.ROOT, Tier.CROSS) and certificate.path_length != row.path_length:
        yield Misfit(Check.PATH_LENGTH, f"its path length is {certificate.path_length} instead of {row.path_length}")
    if ExtensionOID.BASIC_CONSTRAINTS not in certificate.critical:
        yield Misfit(Check.CONSTRAINTS_CRITICAL, "its basic constraints are not critical")


def _usage(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    if certificate.usage is None:
        yield Misfit(Check.USAGE, "it has no key usage")
        return
    missing = row.usage_demanded - certificate.usage
    if missing:
        yield Misfit(Check.USAGE, f"its key usage lacks {', '.join(sorted(missing))}")
    forbidden = certificate.usage & row.usage_forbidden - _ISSUING
    if forbidden:
        yield Misfit(Check.USAGE, f"its key usage has {', '.join(sorted(forbidden))}, which its profile forbids")
    if not row.ca and certificate.usage & _ISSUING:
        yield Misfit(Check.USAGE, "its key usage lets a leaf issue")
    if ExtensionOID.KEY_USAGE not in certificate.critical:
        yield Misfit(Check.USAGE_CRITICAL, "its key usage is not critical")


def _purposes(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    """A certificate with an extended key usage is good for what it lists and nothing else (RFC 5280 4.2.1.12)."""
    found = certificate.purposes
    if found is None:
        if row.purpose_demanded:
            yield Misfit(Check.PURPOSE, "it has no extended key usage, which its profile demands")
        return
    listed = ", ".join(sorted(oid.dotted_string for oid in found)) or "nothing"
    if row.purpose is None:
        yield Misfit(Check.PURPOSE, f"its extended key usage is {listed}; its profile has none")
    elif not found & _good_for(row, row.purpose):
        yield Misfit(Check.PURPOSE, f"its extended key usage is {listed}, which is not its role")


def _good_for(row: Profile, purpose: ObjectIdentifier) -> set[ObjectIdentifier]:
    # Whoever answers for others has to be named for that: "anything" is not enough (RFC 6960 4.2.2.2).
    if row.purpose_demanded:
        return {purpose}
    return {purpose, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, *row.purposes_tolerated}


def _others(certificate: Certificate, row: Profile) -> Iterator[Misfit]:
    foreign = (certificate.critical - _UNDERSTOOD) | (certificate.extensions & _NARROWING)
    if foreign:
        yield Misfit(Check.EXTENSIONS, f"it has extensions we do not obey: {_dotted(foreign)}")
    if row.extensions_allowed is not None and certificate.extensions - row.extensions_allowed - foreign:
        unknown = _dotted(certificate.extensions - row.extensions_allowed - foreign)
        yield Misfit(Check.EXTENSIONS, f"it has extensions that no profile lists: {unknown} [V2G20-2686]")
    if row.extensions_allowed is not None and certificate.unique_ids:
        yield Misfit(Check.EXTENSIONS, "it has unique identifiers, which no profile lists [V2G20-2686]")
    if row.access_demanded and not certificate.extensions & _ACCESS:
        yield Misfit(Check.ACCESS, "it names neither an OCSP responder nor a CRL [V2G20-2590]")
    if not 0 < certificate.serial.bit_length() <= _MAX_SERIAL_BITS or certificate.serial < 0:
        yield Misfit(Check.SERIAL, "its serial number is not a positive number of at most 20 octets")


def _dotted(oids: frozenset[ObjectIdentifier]) -> str:
    return ", ".join(sorted(oid.dotted_string for oid in oids))
