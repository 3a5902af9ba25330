"""Which role a certificate plays: by the place it has in a tree or, for a foreign one, by what it says."""

from __future__ import annotations

from cryptography.x509.oid import ExtendedKeyUsageOID

from pki.ancestry import self_signed
from pki.certificate import Certificate
from pki.profiles import Branch, Edition, Profile, Tier, profile
from v2g.identifiers import BadIdentifier, emaid
from v2g.trust import Role

# The DC of a leaf names its branch [V2G2-925]; that of a CA under a V2G root need not.
_LEAVES = {"CPO": Role.SECC, "CPS": Role.CPS, "OEM": Role.OEM_PROVISIONING, "MO": Role.CONTRACT}
_ROOTS = {"V2G": Branch.V2G, "MO": Branch.MO, "OEM": Branch.OEM}


def role_of(place: str, certificate: Certificate) -> str:
    """Return the name of the profile that a certificate should fit, by where it lies: "secc", "cpo-sub2"."""
    kind, _, rest = place.partition("/")
    group, _, name = rest.partition("/")
    if kind == "leaf":
        return group
    if name in list(Tier):
        return f"{group}-{name}"
    if self_signed(certificate):
        return f"{group}-{Tier.ROOT}"
    if group == Branch.V2G:
        return f"{group}-{Tier.CROSS}"
    return f"{group}-{Tier.SUB1 if certificate.path_length else Tier.SUB2}"


def row_of(role: str, certificate: Certificate) -> Profile | None:
    """Return the profile of a role, of the first edition that signs with such a key; None if there is none."""
    for edition in Edition:
        try:
            row = profile(role, edition)
        except ValueError:
            continue
        if row.suite.fits(certificate.key):
            return row
    return None


def guessed_role(certificate: Certificate, *, root: bool) -> str:
    """Return the role a foreign certificate claims by its DC or its CN; "" where neither tells."""
    component = certificate.components[0].upper() if certificate.components else ""
    if root:
        return f"{_ROOTS[component]}-{Tier.ROOT}" if component in _ROOTS else ""
    if certificate.ca or ExtendedKeyUsageOID.OCSP_SIGNING in (certificate.purposes or ()):
        return ""
    if component in _LEAVES:
        return _LEAVES[component]
    try:
        emaid(certificate.common_name)
    except BadIdentifier:
        return ""
    return Role.CONTRACT if not component else ""
