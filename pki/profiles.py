"""What every certificate of the PKI has to look like: one row per role and edition, read by issuer, validator, linter.

The rows follow ISO 15118-2 Annex F and ISO 15118-20 Annex B as far as free sources tell them. Where sources disagree,
a row says what we issue and, apart from that, what every source agrees on, which is what we ask of others. What no free
source settles is asked in `pki.options`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID, ObjectIdentifier

from pki.keys import ED448, P256, P521, Suite
from pki.options import DEFAULT, Options
from v2g.identifiers import BadIdentifier, emaid, evcc_id_iso20, pcid
from v2g.trust import Role


class Edition(StrEnum):
    """The standard a profile belongs to, and with it the kind of its keys."""

    ISO2 = "iso2"
    ISO20 = "iso20"
    ISO20_ED448 = "iso20-ed448"
    JOSEV = "josev"
    """What Josev calls -20: the profiles of -2, and the provisioning certificate as the vehicle's."""

    @property
    def second(self) -> bool:
        """Tell whether this is the second generation, as the standard has it."""
        return self in (Edition.ISO20, Edition.ISO20_ED448)


class Branch(StrEnum):
    """The line of business a certificate belongs to."""

    V2G = "v2g"
    CPO = "cpo"
    MO = "mo"
    OEM = "oem"
    CPS = "cps"
    VEHICLE = "vehicle"
    PRIVATE = "private"


class Tier(StrEnum):
    """The place of a certificate in its path; a single Sub-CA is a SUB2."""

    ROOT = "root"
    CROSS = "cross"
    SUB1 = "sub1"
    SUB2 = "sub2"
    LEAF = "leaf"
    OCSP = "ocsp"


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


class Component(StrEnum):
    """When a certificate has to carry the DC of its row; another DC is refused in any case."""

    ALWAYS = "always"
    BELOW_OTHERS = "below-others"
    """Not where the root carries it."""
    OPTIONAL = "optional"


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
            return 1 <= len(text.encode()) <= _LONGEST and not _CONTROL.search(text)
        try:
            self.read(text)
        except BadIdentifier:
            return False
        return True


_LONGEST = 64  # ub-common-name of RFC 5280
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # names reach logs and screens
_ANY = ANY_NAME = CommonName("a name of 1 to 64 bytes, none of them a control character")
_STATION = CommonName("a SECCID, CPID or EVSEID of 1 to 64 bytes, none of them a control character")
_EMAID = CommonName("an EMAID of 14 or 15 letters and digits [V2G2-108]", emaid)
# Not binding: the provisioning certificates of Josev's own PKI carry a name here.
_PCID = CommonName("a PCID of 17 or 18 letters and digits [V2G2-933]", pcid, binding=False)
# Not binding: what cars of others call themselves is theirs, and no free source tells what a station has to refuse.
_VEHICLE = CommonName("an EVCCID of 17 to 64 letters and digits [V2G20-2598]", evcc_id_iso20, binding=False)

Oids = frozenset[ObjectIdentifier]
_FULL = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.COUNTRY_NAME, NameOID.DOMAIN_COMPONENT)
_SHORT = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
# What one peer takes in the name of a contract (-20) beside CN and O.
_WIDE = frozenset({*_FULL, NameOID.ORGANIZATIONAL_UNIT_NAME})
ORDINARY = frozenset(
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
"""The extensions that certificates of any role may have, and everybody here understands."""
_LISTED = ORDINARY | {ExtensionOID.CERTIFICATE_POLICIES}
_CRITICAL: Mapping[str, ObjectIdentifier] = MappingProxyType(
    {
        "authority-key": ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        "subject-key": ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        "authority-access": ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        "crl-points": ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One row: what a certificate of a role looks like.

    Issued: `names` in their order, `usage`, `purposes` (the extended key usage), `days` of validity, `critical`
    extensions beside basic constraints and key usage, `key_id` octets of the subject key identifier, `alternative` as
    the extension of a second key, `nocheck` for a signer nobody asks about. CN and O of subject and issuer have
    `names_bytes` at most together, so that `size`, the most bytes of its DER, can be kept.

    Asked of others: the DC as `component` says, `usage_demanded` but no `usage_forbidden`, `names_allowed` and
    `extensions_allowed` (None: any), `purpose` in an extended key usage (None: there may be none), which has to be
    there if `purpose_demanded`, a way to ask for revocation if `access_demanded`. `path_length` None sets no limit;
    `issuers` are the roles that may sign it (none: itself).
    """

    role: str
    branch: Branch
    tier: Tier
    common_name: CommonName
    dc: str
    component: Component
    path_length: int | None
    usage: frozenset[Usage]
    usage_demanded: frozenset[Usage]
    days: int
    issuers: tuple[str, ...] = ()
    purpose: ObjectIdentifier | None = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE
    purpose_demanded: bool = False
    purposes_tolerated: Oids = frozenset()
    purposes: Oids = frozenset()
    names: tuple[ObjectIdentifier, ...] = _FULL
    names_allowed: Oids | None = None
    extensions_allowed: Oids | None = None
    access_demanded: bool = False
    usage_forbidden: frozenset[Usage] = frozenset()
    critical: Oids = frozenset()
    key_id: int = 20
    alternative: ObjectIdentifier | None = None
    edition: Edition = Edition.ISO2
    suite: Suite = P256
    size: int = 800  # [V2G2-010]
    serial_bits: int = 159
    names_bytes: int = 190
    nocheck: bool = False

    @property
    def ca(self) -> bool:
        """Tell whether certificates of this role sign others."""
        return self.tier not in (Tier.LEAF, Tier.OCSP)


_ISSUE = frozenset({Usage.CERT_SIGN, Usage.CRL_SIGN})
_SIGN = frozenset({Usage.SIGNATURE})
_BIND = _SIGN | {Usage.NON_REPUDIATION}
_AGREE = _SIGN | {Usage.KEY_AGREEMENT}  # a key that does ECDH needs keyAgreement [V2G2-822] [V2G20-822]
_ALL = _BIND | _AGREE | {Usage.KEY_ENCIPHERMENT}
_NOT_CONTRACT = _ISSUE | {Usage.DATA_ENCIPHERMENT, Usage.ENCIPHER_ONLY, Usage.DECIPHER_ONLY}  # [V2G20-2590]
_MUST, _BELOW, _MAY = Component
_SERVER, _CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
_ANSWERING = ("v2g", "cpo", "mo", "oem", "cps", "vehicle")
"""Branches whose CAs have their certificates' status told; a private operator's has none."""


# A root is valid for 40 years [V2G2-011] and never issues a leaf [V2G2-867], but for a private operator's [V2G2-868].
# fmt: off
def _iso2(o: Options) -> Iterator[Profile]:
    B, T = Branch, Tier
    #             role         branch     tier    CN        DC     must    path  usage   must    days  issuers
    yield Profile("v2g-root",  B.V2G,     T.ROOT, _ANY,     "V2G", _MUST,  None, _ISSUE, _ISSUE, 14_610)
    yield Profile("private-root", B.PRIVATE, T.ROOT, _ANY, o.private_component, _MAY, o.private_path_length,
                  _ISSUE, _ISSUE, 14_610)
    yield Profile("cpo-sub1",  B.CPO,     T.SUB1, _ANY,     "V2G", _BELOW, 1,    _ISSUE, _ISSUE, 1460, ("v2g-root",))
    yield Profile("cpo-sub2",  B.CPO,     T.SUB2, _ANY,     "V2G", _BELOW, 0,    _ISSUE, _ISSUE, 365,
                  ("cpo-sub1", "v2g-root"))
    yield Profile(Role.SECC,   B.CPO,     T.LEAF, _STATION, "CPO", _MUST,  None, _AGREE, _SIGN,  60,
                  ("cpo-sub2", "private-root"), _SERVER)

    yield Profile("mo-root",   B.MO,      T.ROOT, _ANY,     "MO",  _BELOW, None, _ISSUE, _ISSUE, 3650)
    yield Profile("mo-sub1",   B.MO,      T.SUB1, _ANY,     "MO",  _BELOW, 1,    _ISSUE, _ISSUE, 1460,
                  ("mo-root", "v2g-root"))
    yield Profile("mo-sub2",   B.MO,      T.SUB2, _ANY,     "MO",  _BELOW, 0,    _ISSUE, _ISSUE, 1460,
                  ("mo-sub1", "mo-root", "v2g-root"))
    yield Profile(Role.CONTRACT, B.MO,    T.LEAF, _EMAID,   "MO",  _BELOW, None, _ALL,   _BIND,  730,
                  ("mo-sub2",), _CLIENT)

    yield Profile("oem-root",  B.OEM,     T.ROOT, _ANY,     "OEM", _BELOW, None, _ISSUE, _ISSUE, 3650)
    yield Profile("oem-sub1",  B.OEM,     T.SUB1, _ANY,     "OEM", _BELOW, 1,    _ISSUE, _ISSUE, 1460,
                  ("oem-root", "v2g-root"))
    yield Profile("oem-sub2",  B.OEM,     T.SUB2, _ANY,     "OEM", _BELOW, 0,    _ISSUE, _ISSUE, 1460,
                  ("oem-sub1", "oem-root", "v2g-root"))
    yield Profile(Role.OEM_PROVISIONING, B.OEM, T.LEAF, _PCID, "OEM", _BELOW, None, _AGREE, _AGREE, 1460,
                  ("oem-sub2",), _CLIENT)

    yield Profile("cps-sub1",  B.CPS,     T.SUB1, _ANY,     "CPS", _BELOW, 1,    _ISSUE, _ISSUE, 1460, ("v2g-root",))
    yield Profile("cps-sub2",  B.CPS,     T.SUB2, _ANY,     "CPS", _BELOW, 0,    _ISSUE, _ISSUE, 730,
                  ("cps-sub1", "v2g-root"))
    yield Profile(Role.CPS,    B.CPS,     T.LEAF, _ANY,     "CPS", _MUST,  None, _SIGN,  _SIGN,  90,  ("cps-sub2",))


def _iso20(o: Options) -> Iterator[Profile]:
    B, T = Branch, Tier
    secc_dc = _MUST if o.secc_component else _MAY
    sub_dc = _BELOW if o.sub_component else _MAY
    contract_names = frozenset(_SHORT) if o.strict else _WIDE
    for kind in ("v2g", "mo", "oem"):
        yield Profile(f"{kind}-root", B(kind), T.ROOT, _ANY, kind.upper(), _MAY, None, _ISSUE, _ISSUE, 14_610)
        yield Profile(f"{kind}-cross", B(kind), T.CROSS, _ANY, kind.upper(), _MAY, o.cross_path_length,
                      _ISSUE, _ISSUE, o.sub_days_iso20, ("v2g-root",))
    yield Profile("private-root", B.PRIVATE, T.ROOT, _ANY, o.private_component, _MAY, o.private_path_length,
                  _ISSUE, _ISSUE, 14_610)
    for branch, dc, *above in (("cpo", "V2G"), ("mo", "MO", "mo-root"), ("oem", "OEM", "oem-root"), ("cps", "CPS"),
                               ("vehicle", "OEM", "oem-root")):
        roots = (*above, "v2g-root")
        yield Profile(f"{branch}-sub1", B(branch), T.SUB1, _ANY, dc, sub_dc, 1, _ISSUE, _ISSUE, o.sub_days_iso20, roots)
        yield Profile(f"{branch}-sub2", B(branch), T.SUB2, _ANY, dc, sub_dc, 0, _ISSUE, _ISSUE, o.sub_days_iso20,
                      (f"{branch}-sub1", *roots))
    days = o.leaf_days_iso20
    yield Profile(Role.SECC,     B.CPO, T.LEAF, _STATION, "CPO", secc_dc, None, _SIGN, _SIGN, days,
                  ("cpo-sub2", "private-root"), _SERVER, purposes=frozenset({_SERVER} if o.purpose_secc else ()))
    # CN and O alone, and no extended key usage [V2G20-2589] [V2G20-2590].
    yield Profile(Role.CONTRACT, B.MO,  T.LEAF, _EMAID,   "MO",  _MAY,    None, _BIND, _SIGN, days, ("mo-sub2",), None,
                  names=_SHORT, names_allowed=contract_names, access_demanded=True, usage_forbidden=_NOT_CONTRACT,
                  key_id=o.contract_key_id_bytes)
    # An identity of its own, apart from the provisioning certificate [V2G20-2339] [V2G20-2342].
    yield Profile(Role.VEHICLE,  B.VEHICLE, T.LEAF, _VEHICLE, "", _MAY,   None, _SIGN, _SIGN, o.vehicle_days,
                  ("vehicle-sub2",), _CLIENT, names=_SHORT, names_allowed=frozenset(_SHORT),
                  purposes=frozenset({_CLIENT} if o.purpose_vehicle else ()))
    yield Profile(Role.OEM_PROVISIONING, B.OEM, T.LEAF, _PCID, "OEM", _MAY, None, _AGREE, _AGREE, days,
                  ("oem-sub2",), _CLIENT)
    yield Profile(Role.CPS,      B.CPS, T.LEAF, _ANY,     "CPS", _MUST,   None, _SIGN, _SIGN, days, ("cps-sub2",))
# fmt: on


def _ocsp(rows: Mapping[str, Profile], o: Options) -> Iterator[Profile]:
    """The signers of OCSP responses, one per branch, for any of its CAs (-2 Table F.2; [V2G20-2327] and others)."""
    for name in _ANSWERING:
        issuers = tuple(
            row.role for row in rows.values() if row.branch == name and row.ca and row.tier is not Tier.CROSS
        )
        if issuers:
            dc = rows[issuers[0]].dc
            yield Profile(
                *(f"{name}-ocsp", Branch(name), Tier.OCSP, _ANY, dc, Component.OPTIONAL, None, _SIGN, _SIGN),
                *(o.ocsp_days, issuers, ExtendedKeyUsageOID.OCSP_SIGNING),
                purpose_demanded=True,
                purposes=frozenset({ExtendedKeyUsageOID.OCSP_SIGNING}),
                nocheck=o.ocsp_nocheck,
                names_bytes=220,
            )


@cache
def profiles(edition: Edition = Edition.ISO2, options: Options = DEFAULT) -> Mapping[str, Profile]:
    """Return the table of an edition, by role."""
    table = _iso20 if edition.second else _iso2
    rows = {row.role: row for row in table(options)}
    if edition is Edition.JOSEV:
        own = rows[Role.OEM_PROVISIONING]
        rows[Role.VEHICLE] = replace(own, role=Role.VEHICLE, common_name=_ANY)
    rows |= {row.role: row for row in _ocsp(rows, options)}
    return MappingProxyType({role: _of(edition, row, options) for role, row in rows.items()})


def _of(edition: Edition, row: Profile, o: Options) -> Profile:
    """Add to a row what all rows of its edition have."""
    row = replace(row, edition=edition, serial_bits=o.serial_bits)
    if not edition.second:
        issued = {row.purpose} if o.purposes_iso2 and row.purpose in (_SERVER, _CLIENT) else row.purposes
        # Commercial authorities make one kind of leaf for both ends of a connection.
        tolerated = {_SERVER} if row.role == Role.CONTRACT and not o.strict else ()
        return replace(row, purposes=frozenset(issued), purposes_tolerated=frozenset(tolerated))
    listed = _LISTED | {ExtensionOID.OCSP_NO_CHECK, ExtensionOID.SUBJECT_INFORMATION_ACCESS}
    second_key = None
    if row.role == Role.OEM_PROVISIONING:
        listed |= {ObjectIdentifier(o.alternative_key_oid)}
        # A key on Ed448 signs and can do nothing else.
        second_key = ObjectIdentifier(o.alternative_key_oid) if o.dual_curve or edition is Edition.ISO20_ED448 else None
    return replace(
        row,
        alternative=second_key,
        suite=ED448 if edition is Edition.ISO20_ED448 else P521,
        size=1600,
        names_bytes=256,
        critical=frozenset(_CRITICAL[name] for name in o.critical),
        extensions_allowed=listed if o.known_extensions else None,
    )


def profile(role: str, edition: Edition = Edition.ISO2, options: Options = DEFAULT) -> Profile:
    """Return the row of a role (a `Role`, or "<branch>-<tier>" for a CA); raise ValueError if there is none."""
    rows = profiles(edition, options)
    if role not in rows:
        raise ValueError(f"there is no certificate role {str(role)!r} in {edition}; known: {', '.join(rows)}")
    return rows[role]


def paths(
    role: Role, length: int, edition: Edition = Edition.ISO2, options: Options = DEFAULT
) -> tuple[tuple[Profile, ...], ...]:
    """Return what chains of `length` certificates in a role may consist of, leaf first; () if none is allowed.

    At most three hang below the root [V2G2-009], four with a cross certificate [V2G20-1003]; a single Sub-CA is a Sub2
    [V2G20-911]; a private root signs the leaf itself [V2G2-868].
    """
    return tuple(path for path in _paths(role, edition, options) if len(path) == length)


@cache
def _paths(role: Role, edition: Edition, options: Options) -> tuple[tuple[Profile, ...], ...]:
    rows = profiles(edition, options)
    return tuple(_upwards((rows[role],), rows)) if role in rows else ()


def _upwards(path: tuple[Profile, ...], rows: Mapping[str, Profile]) -> Iterator[tuple[Profile, ...]]:
    """Yield the path, if it ends below a root, and all it may be continued to."""
    issuers = [rows[issuer] for issuer in path[-1].issuers]
    if any(issuer.tier is Tier.ROOT for issuer in issuers):
        yield path
    for issuer in issuers:
        cross = rows.get(f"{issuer.branch}-{Tier.CROSS}") if path[-1].ca and path[-1].tier is not Tier.CROSS else None
        above = cross if issuer.tier is Tier.ROOT else issuer
        if above is not None:
            yield from _upwards((*path, above), rows)


def roots(row: Profile, options: Options = DEFAULT) -> tuple[Profile, ...]:
    """Return the root rows that may issue certificates of a row directly [V2G2-925]."""
    issuers = (profile(role, row.edition, options) for role in row.issuers)
    return tuple(issuer for issuer in issuers if issuer.tier is Tier.ROOT)
