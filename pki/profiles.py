"""What every certificate of the PKI has to look like: one row per role, read by issuer and validator alike.

The rows follow ISO 15118-2 Annex F as far as free sources tell it. Where sources disagree, `usage` and `dc` are what
we issue and the `_demanded` columns are what every source agrees on, which is what we ask of others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier, SignatureAlgorithmOID

from v2g.identifiers import BadIdentifier, emaid, pcid
from v2g.trust import Role


class Edition(StrEnum):
    """The standard a profile belongs to."""

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


@dataclass(frozen=True, slots=True)
class Suite:
    """The key and the signature of a certificate."""

    curve: type[ec.EllipticCurve]
    digest: type[hashes.SHA256 | hashes.SHA512]
    algorithm: ObjectIdentifier


_P256 = Suite(ec.SECP256R1, hashes.SHA256, SignatureAlgorithmOID.ECDSA_WITH_SHA256)  # [V2G2-006] [V2G2-007]
_LONGEST = 64  # ub-common-name of RFC 5280
_ANY = CommonName("a name of 1 to 64 bytes")
_STATION = CommonName("a SECCID, CPID or EVSEID of 1 to 64 bytes")
_EMAID = CommonName("an EMAID of 14 or 15 letters and digits [V2G2-108]", emaid)
# Not binding: the provisioning certificates of Josev's own PKI carry a name here.
_PCID = CommonName("a PCID of 17 or 18 letters and digits [V2G2-933]", pcid, binding=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """One row: what a certificate of a role looks like.

    `dc_demanded` means that the DC may not be left out even where the root has the same. `path_length` None means that
    the extension sets no limit, `days` is the default validity, `issuers` are the roles that may sign it (none: itself)
    and `size` is the most bytes its DER may have. An extended key usage, which we never issue, has to hold `purpose`.
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
    suite: Suite = _P256
    size: int = 800  # [V2G2-010]
    purpose: ObjectIdentifier = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE

    @property
    def ca(self) -> bool:
        """Tell whether certificates of this role sign others."""
        return self.tier is not Tier.LEAF


_ISSUE = frozenset({Usage.CERT_SIGN, Usage.CRL_SIGN})
_SIGN = frozenset({Usage.SIGNATURE})
_BIND = _SIGN | {Usage.NON_REPUDIATION}
_AGREE = _SIGN | {Usage.KEY_AGREEMENT}  # a key that does ECDH needs keyAgreement [V2G2-822]
_ALL = _BIND | _AGREE | {Usage.KEY_ENCIPHERMENT}

# A root is valid for 40 years [V2G2-011] and never issues a leaf [V2G2-867].
# fmt: off
PROFILES: tuple[Profile, ...] = (
    #       role         branch      tier       CN        DC     must   path  usage   must     days  issuers
    Profile("v2g-root",  Branch.V2G, Tier.ROOT, _ANY,     "V2G", True,  None, _ISSUE, _ISSUE, 14_610),
    Profile("cpo-sub1",  Branch.CPO, Tier.SUB1, _ANY,     "V2G", False, 1,    _ISSUE, _ISSUE, 1460, ("v2g-root",)),
    Profile("cpo-sub2",  Branch.CPO, Tier.SUB2, _ANY,     "V2G", False, 0,    _ISSUE, _ISSUE, 365,
            ("cpo-sub1", "v2g-root")),
    Profile(Role.SECC,   Branch.CPO, Tier.LEAF, _STATION, "CPO", True,  None, _AGREE, _SIGN,  60,   ("cpo-sub2",),
            purpose=ExtendedKeyUsageOID.SERVER_AUTH),

    Profile("mo-root",   Branch.MO,  Tier.ROOT, _ANY,     "MO",  False, None, _ISSUE, _ISSUE, 3650),
    Profile("mo-sub1",   Branch.MO,  Tier.SUB1, _ANY,     "MO",  False, 1,    _ISSUE, _ISSUE, 1460,
            ("mo-root", "v2g-root")),
    Profile("mo-sub2",   Branch.MO,  Tier.SUB2, _ANY,     "MO",  False, 0,    _ISSUE, _ISSUE, 1460,
            ("mo-sub1", "mo-root", "v2g-root")),
    Profile(Role.CONTRACT, Branch.MO, Tier.LEAF, _EMAID,  "MO",  False, None, _ALL,   _BIND,  730,  ("mo-sub2",),
            purpose=ExtendedKeyUsageOID.CLIENT_AUTH),

    Profile("oem-root",  Branch.OEM, Tier.ROOT, _ANY,     "OEM", False, None, _ISSUE, _ISSUE, 3650),
    Profile("oem-sub1",  Branch.OEM, Tier.SUB1, _ANY,     "OEM", False, 1,    _ISSUE, _ISSUE, 1460,
            ("oem-root", "v2g-root")),
    Profile("oem-sub2",  Branch.OEM, Tier.SUB2, _ANY,     "OEM", False, 0,    _ISSUE, _ISSUE, 1460,
            ("oem-sub1", "oem-root", "v2g-root")),
    Profile(Role.OEM_PROVISIONING, Branch.OEM, Tier.LEAF, _PCID, "OEM", False, None, _AGREE, _AGREE, 1460,
            ("oem-sub2",), purpose=ExtendedKeyUsageOID.CLIENT_AUTH),

    Profile("cps-sub1",  Branch.CPS, Tier.SUB1, _ANY,     "CPS", False, 1,    _ISSUE, _ISSUE, 1460, ("v2g-root",)),
    Profile("cps-sub2",  Branch.CPS, Tier.SUB2, _ANY,     "CPS", False, 0,    _ISSUE, _ISSUE, 730,
            ("cps-sub1", "v2g-root")),
    Profile(Role.CPS,    Branch.CPS, Tier.LEAF, _ANY,     "CPS", True,  None, _SIGN,  _SIGN,  90,   ("cps-sub2",)),
)
# fmt: on


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
