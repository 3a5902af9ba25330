"""What every certificate of the PKI has to look like: one row per role, read by issuer, validator and linter alike.

The rows follow ISO 15118-2 Annex F as far as free sources tell it. Where sources disagree, `usage` and `dc` are what
we issue and the `_demanded` columns are what every source agrees on, which is what we ask of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from v2g.identifiers import BadIdentifier, emaid, pcid
from v2g.trust import Role


class Edition(StrEnum):
    """The standard a profile belongs to; it fixes curve, digest and size."""

    ISO2 = "iso2"


class Branch(StrEnum):
    """The line of business a certificate belongs to."""

    V2G = "v2g"
    CPO = "cpo"
    MO = "mo"
    OEM = "oem"
    CPS = "cps"


class Tier(StrEnum):
    """The place of a certificate in its path; a single Sub-CA is a SUB2."""

    ROOT = "root"
    SUB1 = "sub1"
    SUB2 = "sub2"
    LEAF = "leaf"


class Usage(StrEnum):
    """The key usage bits, by the names `cryptography` gives them."""

    SIGNATURE = "digital_signature"
    NON_REPUDIATION = "content_commitment"
    KEY_ENCIPHERMENT = "key_encipherment"
    DATA_ENCIPHERMENT = "data_encipherment"
    KEY_AGREEMENT = "key_agreement"
    CERT_SIGN = "key_cert_sign"
    CRL_SIGN = "crl_sign"
    ENCIPHER_ONLY = "encipher_only"
    DECIPHER_ONLY = "decipher_only"


@dataclass(frozen=True, slots=True)
class CommonName:
    """What a CN stands for, and the function that reads it and raises `BadIdentifier` for another shape.

    `binding` means that a foreign certificate is refused for a CN of another shape, too.
    """

    meaning: str
    read: Callable[[str], str] | None = None
    binding: bool = True

    def fits(self, text: str) -> bool:
        """Tell whether a CN has the shape of this identifier."""
        if self.read is None:
            return 1 <= len(text.encode()) <= _LONGEST
        try:
            self.read(text)
        except BadIdentifier:
            return False
        return True


_LONGEST = 64  # ub-common-name of RFC 5280
_ANY = CommonName("a name of 1 to 64 bytes")
_STATION = CommonName("a SECCID, CPID or EVSEID of 1 to 64 bytes")
_EMAID = CommonName("an EMAID of 14 or 15 letters and digits [V2G2-108]", emaid)
# Not binding: the provisioning certificates of Josev's own PKI carry a name here.
_PCID = CommonName("a PCID of 17 or 18 letters and digits [V2G2-933]", pcid, binding=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One row: what a certificate of a role looks like.

    `path_length` None means that the extension sets no limit, `days` is the default validity, `issuers` the roles
    that may sign it (empty: itself) and `size` the most bytes its DER may have.
    """

    role: str
    branch: Branch
    tier: Tier
    common_name: CommonName
    dc: str
    dc_demanded: bool
    path_length: int | None
    usage: frozenset[Usage]
    usage_demanded: frozenset[Usage]
    days: int
    issuers: tuple[str, ...] = ()
    edition: Edition = Edition.ISO2
    size: int = 800  # [V2G2-010]

    @property
    def ca(self) -> bool:
        """Tell whether certificates of this role sign others."""
        return self.tier is not Tier.LEAF


_CA_USAGE = frozenset({Usage.CERT_SIGN, Usage.CRL_SIGN})
_SIGN = frozenset({Usage.SIGNATURE})
_SIGN_AGREE = _SIGN | {Usage.KEY_AGREEMENT}  # whose key does ECDH needs keyAgreement [V2G2-822]
_CONTRACT_USAGE = _SIGN_AGREE | {Usage.NON_REPUDIATION, Usage.KEY_ENCIPHERMENT}
_FORTY_YEARS = 14_610  # [V2G2-011]


def _root(branch: Branch, dc: str, *, dc_demanded: bool = False, days: int = _FORTY_YEARS) -> Profile:
    return _authority(branch, Tier.ROOT, dc, None, days, dc_demanded=dc_demanded)


def _sub1(branch: Branch, dc: str, days: int, *issuers: str) -> Profile:
    return _authority(branch, Tier.SUB1, dc, 1, days, *issuers)


def _sub2(branch: Branch, dc: str, days: int, *issuers: str) -> Profile:
    return _authority(branch, Tier.SUB2, dc, 0, days, *issuers)


def _authority(
    branch: Branch,
    tier: Tier,
    dc: str,
    path_length: int | None,
    days: int,
    *issuers: str,
    dc_demanded: bool = False,
) -> Profile:
    return Profile(
        role=f"{branch}-{tier}",
        branch=branch,
        tier=tier,
        common_name=_ANY,
        dc=dc,
        dc_demanded=dc_demanded,
        path_length=path_length,
        usage=_CA_USAGE,
        usage_demanded=_CA_USAGE,
        days=days,
        issuers=issuers,
    )


def _leaf(
    role: Role,
    branch: Branch,
    common_name: CommonName,
    dc: str,
    days: int,
    *,
    dc_demanded: bool,
    usage: frozenset[Usage],
    usage_demanded: frozenset[Usage],
) -> Profile:
    return Profile(
        role=role,
        branch=branch,
        tier=Tier.LEAF,
        common_name=common_name,
        dc=dc,
        dc_demanded=dc_demanded,
        path_length=None,
        usage=usage,
        usage_demanded=usage_demanded,
        days=days,
        issuers=(f"{branch}-{Tier.SUB2}",),  # a root never issues a leaf [V2G2-867]
    )


PROFILES: tuple[Profile, ...] = (
    _root(Branch.V2G, "V2G", dc_demanded=True),
    _sub1(Branch.CPO, "V2G", 1460, "v2g-root"),
    _sub2(Branch.CPO, "V2G", 365, "cpo-sub1", "v2g-root"),
    _leaf(
        Role.SECC,
        Branch.CPO,
        _STATION,
        "CPO",
        60,
        dc_demanded=True,
        usage=_SIGN_AGREE,
        usage_demanded=_SIGN,
    ),
    _root(Branch.MO, "MO", days=3650),
    _sub1(Branch.MO, "MO", 1460, "mo-root", "v2g-root"),
    _sub2(Branch.MO, "MO", 1460, "mo-sub1", "mo-root", "v2g-root"),
    _leaf(
        Role.CONTRACT,
        Branch.MO,
        _EMAID,
        "MO",
        730,
        dc_demanded=False,
        usage=_CONTRACT_USAGE,
        usage_demanded=_SIGN | {Usage.NON_REPUDIATION},
    ),
    _root(Branch.OEM, "OEM", days=3650),
    _sub1(Branch.OEM, "OEM", 1460, "oem-root", "v2g-root"),
    _sub2(Branch.OEM, "OEM", 1460, "oem-sub1", "oem-root", "v2g-root"),
    _leaf(
        Role.OEM_PROVISIONING,
        Branch.OEM,
        _PCID,
        "OEM",
        1460,
        dc_demanded=False,
        usage=_SIGN_AGREE,
        usage_demanded=_SIGN_AGREE,
    ),
    _sub1(Branch.CPS, "CPS", 1460, "v2g-root"),
    _sub2(Branch.CPS, "CPS", 730, "cps-sub1", "v2g-root"),
    _leaf(
        Role.CPS,
        Branch.CPS,
        _ANY,
        "CPS",
        90,
        dc_demanded=True,
        usage=_SIGN,
        usage_demanded=_SIGN,
    ),
)


@cache
def _index() -> dict[tuple[Edition, str], Profile]:
    return {(row.edition, row.role): row for row in PROFILES}


def profile(role: str, edition: Edition = Edition.ISO2) -> Profile:
    """Return the row of a role (a `Role`, or "<branch>-<tier>" for a CA); raise ValueError if there is none."""
    row = _index().get((edition, role))
    if row is None:
        known = ", ".join(name for of, name in _index() if of is edition)
        raise ValueError(f"there is no certificate role {role!r} in {edition}; known: {known}")
    return row


def path(role: Role, length: int, edition: Edition = Edition.ISO2) -> tuple[Profile, ...]:
    """Return the rows of a chain of `length` certificates, leaf first, or () if no chain of that length is allowed."""
    leaf = profile(role, edition)
    tiers = {2: (Tier.SUB2,), 3: (Tier.SUB2, Tier.SUB1)}.get(length)  # at most three below the root [V2G2-009]
    if tiers is None:
        return ()
    return (leaf, *(profile(f"{leaf.branch}-{tier}", edition) for tier in tiers))


def roots(row: Profile) -> tuple[Profile, ...]:
    """Return the root rows that may issue certificates of a row directly [V2G2-925]."""
    issuers = (profile(role, row.edition) for role in row.issuers)
    return tuple(issuer for issuer in issuers if issuer.tier is Tier.ROOT)
