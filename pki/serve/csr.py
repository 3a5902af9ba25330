"""Certificate signing requests, judged by the profile of the leaf that they ask for."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from pki.evidence import MALFORMED
from pki.keys import PublicKey, kind_of
from pki.profiles import Profile

LONGEST = 16_384
"""Bytes of a request in base64; one with a key of P-521 takes 500."""
_COUNTRY = re.compile("[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for; `names` is its whole subject, in no order. O and C are "" where it names none."""

    key: PublicKey
    names: frozenset[tuple[ObjectIdentifier, str]]
    common_name: str
    organization: str
    country: str


def read(der: bytes, row: Profile) -> Wanted:
    """Read a request for a leaf of a profile; raise ValueError saying what does not fit and what would."""
    try:
        request = x509.load_der_x509_csr(der)
        key = _key(request, row)
        values = _names(request.subject, row)
    except MALFORMED as error:
        raise ValueError(f"no usable certificate request: {error}") from error
    return Wanted(
        key=key,
        names=frozenset(values.items()),
        common_name=values[NameOID.COMMON_NAME],
        organization=values.get(NameOID.ORGANIZATION_NAME, ""),
        country=values.get(NameOID.COUNTRY_NAME, ""),
    )


def names(subject: x509.Name) -> frozenset[tuple[ObjectIdentifier, str]]:
    """Return the parts of a name, in no order."""
    return frozenset((part.oid, str(part.value)) for part in subject)


def _key(request: x509.CertificateSigningRequest, row: Profile) -> PublicKey:
    """Return the key of a request; only one that fits is put to the proof, which a huge one would make slow."""
    key = request.public_key()
    if not isinstance(key, PublicKey) or not row.suite.fits(key):
        raise ValueError(f"a key of kind {kind_of(key)}; a {row.role} of {row.edition} has {row.suite.name}")
    if not request.is_signature_valid:
        raise ValueError("its signature does not prove that the asker has the key")
    return key


def _names(subject: x509.Name, row: Profile) -> dict[ObjectIdentifier, str]:
    """Return the parts of a subject, each allowed, once, and fit."""
    counts = Counter(part.oid for part in subject)
    for part in subject:
        if part.oid not in row.names or counts[part.oid] > 1:
            raise ValueError(
                f"its subject may have {_listed(row)}, each once, and no {part.rfc4514_attribute_name} more"
            )
    values = {part.oid: str(part.value) for part in subject}
    common_name = values.get(NameOID.COMMON_NAME, "")
    if not row.common_name.fits(common_name):
        raise ValueError(f"its CN {common_name[:64]!a} is not {row.common_name.meaning}")
    component = values.get(NameOID.DOMAIN_COMPONENT, row.dc)
    if component != row.dc:
        raise ValueError(f"its DC {component[:64]!a} is not {row.dc}; leave it out or correct it")
    organization = values.get(NameOID.ORGANIZATION_NAME, "")
    if not organization.isprintable():
        raise ValueError(f"its O {organization[:64]!a} has characters that do not print")
    country = values.get(NameOID.COUNTRY_NAME)
    if country is not None and not _COUNTRY.fullmatch(country):
        raise ValueError(f"its C {country[:64]!a} is not two capital letters")
    return values


def _listed(row: Profile) -> str:
    texts = {
        NameOID.COMMON_NAME: "CN",
        NameOID.ORGANIZATION_NAME: "O",
        NameOID.COUNTRY_NAME: "C",
        NameOID.DOMAIN_COMPONENT: "DC",
    }
    return ", ".join(texts[oid] for oid in row.names)
