"""Extensions that are missing, wrong, not critical or nobody's: what a certificate is said to be good for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography import x509
from cryptography.x509.oid import CertificatePoliciesOID, ExtendedKeyUsageOID, ExtensionOID, ObjectIdentifier

from pki.faults.draft import Draft, Extension, extension
from pki.faults.fault import FIRST, LEAF, SECOND, Fault
from pki.faults.making import Making
from pki.profiles import Tier, Usage
from v2g.trust import Role, Rule

_BC, _KU, _EKU = ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE
_AKI, _SKI = ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.SUBJECT_KEY_IDENTIFIER
_AIA, _CRL = ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS
_BOTH = (Tier.LEAF, Tier.SUB2)
_CONSTRAINTS = ("V2G2-884", "RFC 5280 4.2.1.9")
_USAGE = ("V2G2-884", "V2G2-822", "RFC 5280 4.2.1.3")
_PURPOSE = ("RFC 5280 4.2.1.12",)
_FOREIGN = ("RFC 5280 4.2", "V2G20-2686")
_MO = Role.CONTRACT
_UNKNOWN = ObjectIdentifier("1.3.6.1.4.1.99999.15118")
_NULL = b"\x05\x00"
Change = Callable[[Draft, Making], Draft]


def _without(*oids: ObjectIdentifier) -> Change:
    return lambda draft, _: draft.without(*oids)


def _with(value: x509.ExtensionType, *, critical: bool = False) -> Change:
    return lambda draft, _: draft.with_extension(extension(value, critical=critical))


def _marked(oid: ObjectIdentifier, *, critical: bool) -> Change:
    return lambda draft, _: draft.marked(oid, critical=critical)


def _usage(*bits: Usage) -> Change:
    named: dict[str, Any] = {bit.value: bit in bits for bit in Usage}
    return _with(x509.KeyUsage(**named), critical=True)


def _constraints(*, ca: bool, path_length: int | None = None) -> Change:
    return _with(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)


def _one_less(draft: Draft, making: Making) -> Draft:
    return _constraints(ca=True, path_length=len(making.path.tiers) - 3)(draft, making)


def _purposes(*oids: ObjectIdentifier) -> Change:
    return _with(x509.ExtendedKeyUsage(oids))


def _san(draft: Draft, making: Making) -> Draft:
    name = x509.DNSName(f"{making.role}.example")
    return draft.with_extension(extension(x509.SubjectAlternativeName([name])))


def _twice(draft: Draft, _making: Making) -> Draft:
    usage = next(each for each in draft.extensions if each.oid == _KU)
    return replace(draft, extensions=(*draft.extensions, usage))


def _other_key_id(draft: Draft, _making: Making) -> Draft:
    return draft.refreshed(extension(x509.AuthorityKeyIdentifier(bytes(20), None, None)))


def _garbled(draft: Draft, _making: Making) -> Draft:
    return draft.with_extension(Extension(_KU, True, b"\x04\x01\x00"))


_SIGN, _ISSUE = Usage.SIGNATURE, (Usage.CERT_SIGN, Usage.CRL_SIGN)
_SUBTREE = x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None)
_NO_MAPPING = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=0)
_POLICY = x509.CertificatePolicies([x509.PolicyInformation(CertificatePoliciesOID.ANY_POLICY, None)])


def _wrong(name: str, reason: str, requirement: tuple[str, ...], change: Change, **how: Any) -> Fault:
    """A fault of a leaf that its profile does not allow, unless told otherwise."""
    given: dict[str, Any] = {"rule": Rule.PROFILE, "tiers": LEAF} | how
    return Fault(name=name, reason=reason, requirement=requirement, draft=change, **given)


_SUB2: dict[str, Any] = {"tiers": (Tier.SUB2,)}
_FINE: dict[str, Any] = {"rule": None}

FAULTS = (
    # --- basic constraints
    _wrong("ca-true", "it claims to be a CA", _CONSTRAINTS, _constraints(ca=True)),
    _wrong("ca-false", "it is a CA that claims to be none", _CONSTRAINTS, _constraints(ca=False), **_SUB2),
    _wrong("no-constraints", "it has no basic constraints", _CONSTRAINTS, _without(_BC), tiers=_BOTH),
    _wrong(
        "constraints-not-critical",
        "its basic constraints are not critical",
        _CONSTRAINTS,
        _marked(_BC, critical=False),
        tiers=_BOTH,
    ),
    _wrong(
        "path-length-violated",
        "its path length allows no CA below it, and there is one",
        _CONSTRAINTS,
        _constraints(ca=True, path_length=0),
        tiers=(Tier.SUB1,),
    ),
    _wrong(
        "path-length-violated",
        "its path length allows one CA less below it than there are",
        _CONSTRAINTS,
        _one_less,
        tiers=(Tier.ROOT,),
        rule=Rule.ANCHOR,
    ),
    _wrong(
        "path-length-one",
        "its path length is 1 instead of 0",
        _CONSTRAINTS,
        _constraints(ca=True, path_length=1),
        **_SUB2,
    ),
    _wrong("no-path-length", "it has no path length", _CONSTRAINTS, _constraints(ca=True), **_SUB2),
    # --- key usage
    _wrong("no-key-usage", "it has no key usage", _USAGE, _without(_KU), tiers=_BOTH),
    _wrong(
        "key-usage-not-critical", "its key usage is not critical", _USAGE, _marked(_KU, critical=False), tiers=_BOTH
    ),
    _wrong("wrong-key-usage", "its key may encipher keys, and not sign", _USAGE, _usage(Usage.KEY_ENCIPHERMENT)),
    _wrong("wrong-key-usage", "its key may sign lists, and no certificates", _USAGE, _usage(Usage.CRL_SIGN), **_SUB2),
    _wrong("issuing-key-usage", "it is a leaf whose key may sign certificates", _USAGE, _usage(_SIGN, *_ISSUE)),
    _wrong(
        "no-non-repudiation",
        "its key usage lacks nonRepudiation",
        ("V2G2-884",),
        _usage(_SIGN, Usage.KEY_AGREEMENT),
        roles=(_MO,),
        editions=FIRST,
    ),
    _wrong(
        "no-key-agreement",
        "its key usage lacks keyAgreement: nothing can be encrypted for it",
        ("V2G2-822", "V2G20-822"),
        _usage(_SIGN),
        roles=(Role.OEM_PROVISIONING,),
    ),
    _wrong(
        "data-encipherment",
        "its key may encipher data",
        ("V2G20-2590",),
        _usage(_SIGN, Usage.NON_REPUDIATION, Usage.DATA_ENCIPHERMENT),
        roles=(_MO,),
        editions=SECOND,
    ),
    # --- extended key usage
    _wrong(
        "wrong-purpose", "its extended key usage is for code", _PURPOSE, _purposes(ExtendedKeyUsageOID.CODE_SIGNING)
    ),
    _wrong(
        "other-side-purpose",
        "its extended key usage is clientAuth, and it serves",
        _PURPOSE,
        _purposes(ExtendedKeyUsageOID.CLIENT_AUTH),
        roles=(Role.SECC,),
    ),
    _wrong(
        "other-side-purpose",
        "its extended key usage is serverAuth, and it calls",
        _PURPOSE,
        _purposes(ExtendedKeyUsageOID.SERVER_AUTH),
        roles=(Role.VEHICLE,),
    ),
    _wrong(
        "server-auth",
        "its extended key usage is serverAuth, which no open profile has and commercial authorities issue",
        _PURPOSE,
        _purposes(ExtendedKeyUsageOID.SERVER_AUTH),
        roles=(Role.SECC,),
        editions=FIRST,
        **_FINE,
    ),
    _wrong(
        "server-auth",
        "it is a contract with the extended key usage serverAuth, which only the strict refuse",
        _PURPOSE,
        _purposes(ExtendedKeyUsageOID.SERVER_AUTH),
        roles=(_MO,),
        editions=FIRST,
        **_FINE,
    ),
    _wrong(
        "server-auth",
        "it is a contract with the extended key usage serverAuth, and may have none",
        ("V2G20-2590",),
        _purposes(ExtendedKeyUsageOID.SERVER_AUTH),
        roles=(_MO,),
        editions=SECOND,
    ),
    _wrong(
        "client-auth",
        "it is a contract with the extended key usage clientAuth, which is no more than unusual",
        _PURPOSE,
        _purposes(ExtendedKeyUsageOID.CLIENT_AUTH),
        roles=(_MO,),
        editions=FIRST,
        **_FINE,
    ),
    # --- what nobody knows, or nobody obeys
    _wrong(
        "unknown-critical-extension",
        "it has a critical extension that nobody knows",
        _FOREIGN,
        _with(x509.UnrecognizedExtension(_UNKNOWN, _NULL), critical=True),
        tiers=_BOTH,
    ),
    _wrong(
        "unknown-extension",
        "it has an extension that nobody knows, not critical",
        _FOREIGN,
        _with(x509.UnrecognizedExtension(_UNKNOWN, _NULL)),
        editions=FIRST,
        **_FINE,
    ),
    _wrong(
        "unknown-extension",
        "it has an extension that its profile does not list, not critical",
        _FOREIGN,
        _with(x509.UnrecognizedExtension(_UNKNOWN, _NULL)),
        editions=SECOND,
    ),
    _wrong("san", "it has a subject alternative name", _FOREIGN, _san, editions=FIRST, **_FINE),
    _wrong(
        "san", "it has a subject alternative name, which its profile does not list", _FOREIGN, _san, editions=SECOND
    ),
    _wrong("policies", "it names certificate policies, not critical", _FOREIGN, _with(_POLICY), **_FINE),
    _wrong("name-constraints", "it narrows names", ("V2G2-884",), _with(_SUBTREE, critical=True), **_SUB2),
    _wrong("policy-constraints", "it narrows policies", ("V2G2-884",), _with(_NO_MAPPING, critical=True), **_SUB2),
    _wrong("duplicate-extension", "it has its key usage twice", ("RFC 5280 4.2",), _twice, rule=Rule.PARSE),
    _wrong("garbled-extension", "its key usage is no bit string", ("RFC 5280 4.2",), _garbled, rule=Rule.PARSE),
    # --- key identifiers and addresses
    _wrong(
        "key-id-mismatch",
        "its authority key identifier is not the subject key identifier of its issuer",
        ("RFC 5280 4.2.1.1",),
        _other_key_id,
        rule=Rule.ORDER,
    ),
    _wrong("no-key-ids", "it has no key identifiers", ("RFC 5280 4.2.1.1",), _without(_AKI, _SKI), **_FINE),
    _wrong(
        "no-access", "it names no way to its status", ("V2G20-2590",), _without(_AIA, _CRL), editions=FIRST, **_FINE
    ),
    _wrong(
        "no-access",
        "it names neither an OCSP responder nor a list",
        ("V2G20-2590",),
        _without(_AIA, _CRL),
        roles=(_MO,),
        editions=SECOND,
    ),
    *(
        _wrong(
            f"critical-{name}",
            f"its {text} is critical, as one peer issues it",
            _FOREIGN,
            _marked(oid, critical=True),
            editions=SECOND,
            **_FINE,
        )
        for name, text, oid in (
            ("aki", "authority key identifier", _AKI),
            ("ski", "subject key identifier", _SKI),
            ("aia", "authority information access", _AIA),
            ("crl-points", "CRL distribution point", _CRL),
        )
    ),
)
