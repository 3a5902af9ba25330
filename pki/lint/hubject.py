"""What Hubject's V2G PKI asks of the certificates it signs, beyond the profiles.

It asks this of requests for SECC leaves, and normalises EMAIDs; other commercial authorities ask for the like.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cryptography.x509.oid import NameOID, ObjectIdentifier

from pki.certificate import Certificate
from pki.lint.finding import Remark
from pki.profiles import Profile
from v2g.identifiers import BadIdentifier, secc_id
from v2g.trust import Role

_SECCID = range(39, 65)
"""How many characters the SECCID of a station of -20 has."""
_EMAID = re.compile("[A-Z]{2}[A-Z0-9]{12}")
_PCID = re.compile("[A-Za-z0-9]{17,18}")


def hubject(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    """Yield what Hubject would not sign, or would write in another way."""
    name = certificate.common_name
    match row.role:
        case Role.SECC:
            yield from _station(certificate, row)
        case Role.CONTRACT if not _EMAID.fullmatch(name):
            yield Remark("hubject-emaid", f"the CN has {len(name)} characters, or others than an EMAID", "subject.CN")
        case Role.OEM_PROVISIONING if not _PCID.fullmatch(name):
            yield Remark("hubject-pcid", "the CN is no PCID", "subject.CN")


def _station(certificate: Certificate, row: Profile) -> Iterator[Remark]:
    if certificate.components != ("CPO",):
        yield Remark("hubject-component", "the subject has no DC=CPO", "subject.DC")
    if not _filled(certificate, NameOID.ORGANIZATION_NAME):
        yield Remark("hubject-organization", "the subject has no O", "subject.O")
    if not _filled(certificate, NameOID.COUNTRY_NAME):
        yield Remark("hubject-country", "the subject has no C", "subject.C")
    if row.edition.second and not _seccid(certificate.common_name):
        yield Remark("hubject-seccid", "the CN is no SECCID of 39 to 64 characters", "subject.CN")


def _filled(certificate: Certificate, oid: ObjectIdentifier) -> bool:
    return any(part.value for part in certificate.parsed.subject.get_attributes_for_oid(oid))


def _seccid(text: str) -> bool:
    try:
        secc_id(text)
    except BadIdentifier:
        return False
    return len(text) in _SECCID
