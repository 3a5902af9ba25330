from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from pki.validate import validate
from tests.pki import chains
from tests.pki.chains import AIA, GOOD, NOW, build, make, purposes
from v2g.errors import Untrusted
from v2g.trust import Role, Rule, Verdict

SECC = build()
ROLES = [Role(role) for role in GOOD]
SAN = (x509.SubjectAlternativeName([x509.DNSName("secc.test")]), False)
SKI = x509.SubjectKeyIdentifier(b"12345678")
BY_SERIAL = (x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(x509.Name([]))], 7), False)
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
SUBTREE = x509.NameConstraints([x509.DirectoryName(x509.Name([]))], None)


def own(key: int) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectKeyIdentifier(bytes([key]) * 20), False


def above(key: int) -> tuple[x509.ExtensionType, bool]:
    return x509.AuthorityKeyIdentifier(bytes([key]) * 20, None, None), False


ISSUED_BY_1: dict[str, Any] = {"extensions": (above(1),)}
KEY_2: dict[str, Any] = {"extensions": (own(2),)}


def judge(path: chains.Path, role: Role = Role.SECC) -> Verdict:
    return validate(path.chain, role, path.anchors, NOW)


def flipped(der: bytes) -> bytes:
    """Change the last bit of the signature."""
    return der[:-1] + bytes([der[-1] ^ 1])


@pytest.mark.parametrize("role", ROLES)
def test_a_good_chain_holds(role: Role) -> None:
    path = build(role)
    verdict = judge(path, role)
    assert verdict
    assert verdict == Verdict(
        role=role,
        subject=GOOD[role]["leaf"].cn[0],
        anchor="Root",
        expires=path.leaf.certificate.not_valid_after_utc,
    )
    verdict.demand()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("other", list(Role))
def test_a_chain_is_good_in_its_own_role_only(role: Role, other: Role) -> None:
    path = build(role)
    assert bool(judge(path, other)) is (role is other)


def test_a_single_sub_ca_is_enough() -> None:
    specs = GOOD["secc"]
    root = make(specs["root"])
    sub2 = make(specs["sub2"], root)
    leaf = make(specs["leaf"], sub2)
    assert validate([leaf.der, sub2.der], Role.SECC, [root.der], NOW)


BROKEN: dict[str, tuple[dict[str, dict[str, Any]], Rule, str]] = {
    "leaf expired": ({"leaf": {"days": (-10, -1)}}, Rule.EXPIRED, "leaf"),
    "sub2 expired": ({"sub2": {"days": (-10, -1)}}, Rule.EXPIRED, "sub2"),
    "sub1 expired": ({"sub1": {"days": (-10, -1)}}, Rule.EXPIRED, "sub1"),
    "root expired": ({"root": {"days": (-10, -1)}}, Rule.EXPIRED, "root"),
    "leaf not yet valid": ({"leaf": {"days": (1, 9)}}, Rule.NOT_YET_VALID, "leaf"),
    "sub2 not yet valid": ({"sub2": {"days": (1, 9)}}, Rule.NOT_YET_VALID, "sub2"),
    "sub1 not yet valid": ({"sub1": {"days": (1, 9)}}, Rule.NOT_YET_VALID, "sub1"),
    "root not yet valid": ({"root": {"days": (1, 9)}}, Rule.NOT_YET_VALID, "root"),
    "leaf and sub1 expired": ({"leaf": {"days": (-9, -1)}, "sub1": {"days": (-9, -1)}}, Rule.EXPIRED, "leaf"),
    "wrong DC": ({"leaf": {"dc": ("CPS",)}}, Rule.PROFILE, "leaf"),
    "no DC": ({"leaf": {"dc": ()}}, Rule.PROFILE, "leaf"),
    "DC in lower case": ({"leaf": {"dc": ("cpo",)}}, Rule.PROFILE, "leaf"),
    "sub of two branches": ({"sub1": {"dc": ("V2G", "CPO")}}, Rule.PROFILE, "sub1"),
    "leaf of two branches": ({"leaf": {"dc": ("CPO", "CPS")}}, Rule.PROFILE, "leaf"),
    "sub of another branch": ({"sub2": {"dc": ("MO",)}}, Rule.PROFILE, "sub2"),
    "RSA leaf": ({"leaf": {"key": chains.rsa2048}}, Rule.PROFILE, "leaf"),
    "P-384 leaf": ({"leaf": {"key": chains.p384}}, Rule.PROFILE, "leaf"),
    "Ed448 leaf": ({"leaf": {"key": chains.ed}}, Rule.PROFILE, "leaf"),
    "P-384 sub2": ({"sub2": {"key": chains.p384}}, Rule.PROFILE, "sub2"),
    "Ed448 sub2": ({"sub2": {"key": chains.ed}}, Rule.PROFILE, "leaf"),
    "Ed448 everywhere": ({tier: {"key": chains.ed} for tier in GOOD["secc"]}, Rule.PROFILE, "leaf"),
    "P-384 root": ({"root": {"key": chains.p384}}, Rule.ANCHOR, "root"),
    "RSA root": ({"root": {"key": chains.rsa2048}}, Rule.PROFILE, "sub1"),
    "SHA-384 signature": ({"leaf": {"digest": hashes.SHA384()}}, Rule.PROFILE, "leaf"),
    "SHA-384 on the root": ({"root": {"digest": hashes.SHA384()}}, Rule.ANCHOR, "root"),
    "CA:TRUE leaf": ({"leaf": {"ca": True}}, Rule.PROFILE, "leaf"),
    "no basic constraints": ({"leaf": {"ca": None}}, Rule.PROFILE, "leaf"),
    "basic constraints not critical": ({"sub2": {"constraints_critical": False}}, Rule.PROFILE, "sub2"),
    "no key usage": ({"leaf": {"usage": None}}, Rule.PROFILE, "leaf"),
    "key usage without s": ({"leaf": {"usage": "a"}}, Rule.PROFILE, "leaf"),
    "key usage not critical": ({"leaf": {"usage_critical": False}}, Rule.PROFILE, "leaf"),
    "a leaf that may issue": ({"leaf": {"usage": "sC"}}, Rule.PROFILE, "leaf"),
    "a leaf that may revoke": ({"leaf": {"usage": "sL"}}, Rule.PROFILE, "leaf"),
    "sub2 may not issue": ({"sub2": {"usage": "L"}}, Rule.PROFILE, "sub2"),
    "sub1 without key usage": ({"sub1": {"usage": None}}, Rule.PROFILE, "sub1"),
    "sub2 no CA": ({"sub2": {"ca": False, "path_length": None}}, Rule.PROFILE, "sub2"),
    "path length of sub1 violated": ({"sub1": {"path_length": 0}}, Rule.PROFILE, "sub1"),
    "path length of sub2 too long": ({"sub2": {"path_length": 1}}, Rule.PROFILE, "sub2"),
    "no path length": ({"sub2": {"path_length": None}}, Rule.PROFILE, "sub2"),
    "path length of the root violated": ({"root": {"path_length": 1}}, Rule.ANCHOR, "root"),
    "root no CA": ({"root": {"ca": False}}, Rule.ANCHOR, "root"),
    "root may not issue": ({"root": {"usage": "s"}}, Rule.ANCHOR, "root"),
    "root without DC": ({"root": {"dc": ()}}, Rule.ANCHOR, "root"),
    "root of an MO": ({"root": {"dc": ("MO",)}}, Rule.ANCHOR, "root"),
    "no CN": ({"leaf": {"cn": ()}}, Rule.PROFILE, "leaf"),
    "two CN": ({"leaf": {"cn": ("DE*ABC*E1", "DE*ABC*E2")}}, Rule.PROFILE, "leaf"),
    "unknown critical extension": ({"leaf": {"extensions": ((UNKNOWN, True),)}}, Rule.PROFILE, "leaf"),
    "for clients": ({"leaf": {"extensions": (purposes(EKU.CLIENT_AUTH),)}}, Rule.PROFILE, "leaf"),
    "for code": ({"leaf": {"extensions": (purposes(EKU.CODE_SIGNING, critical=True),)}}, Rule.PROFILE, "leaf"),
    "sub2 for servers": ({"sub2": {"extensions": (purposes(EKU.SERVER_AUTH),)}}, Rule.PROFILE, "sub2"),
    "sub1 for revocation": ({"sub1": {"extensions": (purposes(EKU.OCSP_SIGNING),)}}, Rule.PROFILE, "sub1"),
    "root for servers": ({"root": {"extensions": (purposes(EKU.SERVER_AUTH),)}}, Rule.ANCHOR, "root"),
    "key of another sub2": ({"leaf": ISSUED_BY_1, "sub2": KEY_2}, Rule.ORDER, "leaf"),
    "issued by another certificate": ({"leaf": {"extensions": (BY_SERIAL,)}}, Rule.ORDER, "leaf"),
    "key of another root": ({"sub1": ISSUED_BY_1, "root": KEY_2}, Rule.ANCHOR, "sub1"),
    "name constraints": ({"sub1": {"extensions": ((SUBTREE, True),)}}, Rule.PROFILE, "sub1"),
    "name constraints, not critical": ({"sub1": {"extensions": ((SUBTREE, False),)}}, Rule.PROFILE, "sub1"),
    "oversize": ({"leaf": {"organization": "O" * 64, "extensions": ((UNKNOWN, False), (
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.2"), bytes(400)), False))}},
        Rule.PROFILE, "leaf"),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "rule", "tier"), BROKEN.values(), ids=BROKEN)
def test_a_chain_broken_in_one_point_is_refused(changes: dict[str, Any], rule: Rule, tier: str) -> None:
    verdict = judge(build(**changes))
    assert (verdict.broken, verdict.tier) == (rule, tier), verdict
    assert verdict.detail
    with pytest.raises(Untrusted, match=str(rule)):
        verdict.demand()


@pytest.mark.parametrize("names", [("DE*8AA*C1234567*8X",), ("DE8AAC123456789012",), ("Erika Mustermann", "x")])
def test_a_contract_that_does_not_fit_is_not_named(names: tuple[str, ...]) -> None:
    verdict = judge(build("contract", leaf={"cn": names}), Role.CONTRACT)
    assert (verdict.broken, verdict.tier) == (Rule.PROFILE, "leaf")
    assert not any(name in verdict.detail for name in names if len(name) > 1)


BROKEN_CONTRACT: dict[str, tuple[dict[str, dict[str, Any]], Rule | None]] = {
    "no DC": ({"leaf": {"dc": ()}}, None),
    "a country": ({"leaf": {"country": "DE"}}, None),
    "a country in lower case": ({"sub2": {"country": "de"}}, None),
    "no country": ({"leaf": {"country": "00"}}, Rule.PROFILE),
    "EMAID with separators": ({"leaf": {"cn": ("DE-8AA-001234567-0",)}}, None),
    "EMAID in lower case": ({"leaf": {"cn": ("de8aa001234567",)}}, None),
    "wrong check character": ({"leaf": {"cn": ("UKSWI123456791A",)}}, None),
    "all the usages of Josev": ({"leaf": {"usage": "snea"}, "sub2": {"usage": "CLsn"}}, None),
    "MO root without DC": ({"root": {"dc": ()}}, None),
    "no DC but the root's": ({"leaf": {"dc": ()}, "sub2": {"dc": ()}, "sub1": {"dc": ()}}, None),
    "under a V2G root": ({"root": {"dc": ("V2G",)}}, None),
    "for clients": ({"leaf": {"extensions": (purposes(EKU.CLIENT_AUTH, critical=True),)}}, None),
    "for servers": ({"leaf": {"extensions": (purposes(EKU.SERVER_AUTH),)}}, None),
    "for code": ({"leaf": {"extensions": (purposes(EKU.CODE_SIGNING),)}}, Rule.PROFILE),
    "no DC under a V2G root": ({"root": {"dc": ("V2G",)}, "leaf": {"dc": ()}}, Rule.PROFILE),
    "sub2 without DC under a V2G root": ({"root": {"dc": ("V2G",)}, "sub2": {"dc": ()}}, Rule.PROFILE),
    "sub1 without DC under a V2G root": ({"root": {"dc": ("V2G",)}, "sub1": {"dc": ()}}, Rule.PROFILE),
    "no DC at all": ({tier: {"dc": ()} for tier in GOOD["contract"]}, Rule.PROFILE),
    "root of two kinds": ({"root": {"dc": ("V2G", "MO")}}, Rule.ANCHOR),
    "two DC": ({"sub2": {"dc": ("V2G", "MO")}}, Rule.PROFILE),
    "the DC twice": ({"sub2": {"dc": ("MO", "MO")}}, Rule.PROFILE),
    "sub1 of a CPO": ({"root": {"dc": ("V2G",)}, "sub1": {"dc": ("V2G",)}}, Rule.PROFILE),
    "under an OEM root": ({"root": {"dc": ("OEM",)}}, Rule.ANCHOR),
    "DC of a CPO": ({"leaf": {"dc": ("CPO",)}}, Rule.PROFILE),
    "no non-repudiation": ({"leaf": {"usage": "s"}}, Rule.PROFILE),
    "no EMAID": ({"leaf": {"cn": ("Contract",)}}, Rule.PROFILE),
    "EMAID too long": ({"leaf": {"cn": ("DE8AA00123456700",)}}, Rule.PROFILE),
}


@pytest.mark.parametrize(("changes", "rule"), BROKEN_CONTRACT.values(), ids=BROKEN_CONTRACT)
def test_contract_profile(changes: dict[str, Any], rule: Rule | None) -> None:
    assert judge(build("contract", **changes), Role.CONTRACT).broken == rule


TOLERATED: dict[str, dict[str, Any]] = {
    "serverAuth": {"leaf": {"extensions": (purposes(EKU.SERVER_AUTH),)}},
    "critical serverAuth among others": {
        "leaf": {"extensions": (purposes(EKU.CLIENT_AUTH, EKU.SERVER_AUTH, critical=True),)}
    },
    "any purpose": {tier: {"extensions": (purposes(EKU.ANY_EXTENDED_KEY_USAGE),)} for tier in GOOD["secc"]},
    "key identifiers that match": {"sub2": {"extensions": (own(1),)}, "leaf": {"extensions": (above(1), own(2))}},
    "an issuer named by its key, unlabelled itself": {"leaf": {"extensions": (above(1),)}},
    "OCSP responder": {"leaf": {"extensions": ((AIA, False),)}},
    "critical AIA and SKI": {"leaf": {"extensions": ((AIA, True), (SKI, True))}},
    "SAN": {"leaf": {"extensions": (SAN,)}},
    "unknown extension": {"leaf": {"extensions": ((UNKNOWN, False),)}},
    "subs without DC": {"sub1": {"dc": ()}, "sub2": {"dc": ()}},
    "root with a path length": {"root": {"path_length": 2}},
    "key agreement": {"leaf": {"usage": "sao"}},
}


@pytest.mark.parametrize("changes", TOLERATED.values(), ids=TOLERATED)
def test_what_others_write_is_tolerated(changes: dict[str, Any]) -> None:
    verdict = judge(build(**changes))
    assert verdict, verdict.detail


def _leaf_of(issuer: chains.Made) -> bytes:
    return make(GOOD["secc"]["leaf"], issuer).der


def _foreign_root(name: str = "Other root") -> bytes:
    return make(replace(GOOD["secc"]["root"], cn=(name,))).der


CHAIN = SECC.chain
LIST_FAULTS: dict[str, tuple[Callable[[], tuple[Any, Any]], Rule]] = {
    "empty": (lambda: ([], SECC.anchors), Rule.DEPTH),
    "leaf alone": (lambda: (CHAIN[:1], SECC.anchors), Rule.DEPTH),
    "leaf of the root, alone": (lambda: ([_leaf_of(SECC.root)], SECC.anchors), Rule.DEPTH),
    "leaf of the root, with subs": (lambda: ([_leaf_of(SECC.root), *CHAIN[1:]], SECC.anchors), Rule.ORDER),
    "leaf of sub1": (lambda: ([_leaf_of(SECC.sub1), SECC.sub1.der], SECC.anchors), Rule.PROFILE),
    "root sent along": (lambda: ([*CHAIN, SECC.root.der], SECC.anchors), Rule.DEPTH),
    "four deep": (lambda: ([*CHAIN, SECC.sub1.der], SECC.anchors), Rule.DEPTH),
    "sub2 missing": (lambda: ([CHAIN[0], CHAIN[2]], SECC.anchors), Rule.ORDER),
    "sub1 missing": (lambda: (CHAIN[:2], SECC.anchors), Rule.ANCHOR),
    "subs swapped": (lambda: ([CHAIN[0], CHAIN[2], CHAIN[1]], SECC.anchors), Rule.ORDER),
    "root first": (lambda: (CHAIN[::-1], SECC.anchors), Rule.ORDER),
    "one twice": (lambda: ([CHAIN[0], CHAIN[0], CHAIN[0]], SECC.anchors), Rule.ORDER),
    "no anchors": (lambda: (CHAIN, []), Rule.ANCHOR),
    "foreign root": (lambda: (CHAIN, [_foreign_root()]), Rule.ANCHOR),
    "twin of the root": (lambda: (CHAIN, [_foreign_root("Root")]), Rule.SIGNATURE),
    "sub1 as anchor": (lambda: (CHAIN[:2], [SECC.sub1.der]), Rule.ANCHOR),
    "garbage anchor": (lambda: (CHAIN, [b"garbage"]), Rule.ANCHOR),
    "flipped bit in leaf": (lambda: ([flipped(CHAIN[0]), *CHAIN[1:]], SECC.anchors), Rule.SIGNATURE),
    "flipped bit in sub2": (lambda: ([CHAIN[0], flipped(CHAIN[1]), CHAIN[2]], SECC.anchors), Rule.SIGNATURE),
    "flipped bit in sub1": (lambda: ([*CHAIN[:2], flipped(CHAIN[2])], SECC.anchors), Rule.SIGNATURE),
    "subs of a twin": (lambda: ([CHAIN[0], *build().chain[1:]], SECC.anchors), Rule.SIGNATURE),
    "garbage": (lambda: ([b"\x30\x03\x02\x01\x00", *CHAIN[1:]], SECC.anchors), Rule.PARSE),
    "nothing": (lambda: ([b"", *CHAIN[1:]], SECC.anchors), Rule.PARSE),
    "cut off": (lambda: ([CHAIN[0][:-1], *CHAIN[1:]], SECC.anchors), Rule.PARSE),
    "bytes behind": (lambda: ([CHAIN[0] + b"\x00", *CHAIN[1:]], SECC.anchors), Rule.PARSE),
    "PEM": (lambda: ([SECC.leaf.certificate.public_bytes(Encoding.PEM)[:700], *CHAIN[1:]], SECC.anchors), Rule.PARSE),
    "no bytes at all": (lambda: ([None, *CHAIN[1:]], SECC.anchors), Rule.CHECK),
    "no list": (lambda: (None, SECC.anchors), Rule.CHECK),
}


@pytest.mark.parametrize(("case", "rule"), LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_a_wrong_list_is_refused(case: Callable[[], tuple[Any, Any]], rule: Rule) -> None:
    chain, anchors = case()
    verdict = validate(chain, Role.SECC, anchors, NOW)
    assert verdict.broken is rule, verdict


def test_several_roots_may_share_a_name() -> None:
    """[V2G2-878]"""
    twin = _foreign_root("Root")
    for anchors in ([twin, SECC.root.der], [SECC.root.der, twin], [b"garbage", SECC.root.der]):
        assert validate(CHAIN, Role.SECC, anchors, NOW)


def test_the_key_identifier_tells_roots_of_one_name_apart() -> None:
    """[V2G2-878]"""
    path = build(root={"extensions": (own(1),)}, sub1={"extensions": (above(1),)})
    twin = make(replace(GOOD["secc"]["root"], extensions=(own(2),))).der
    assert validate(path.chain, Role.SECC, [twin, *path.anchors], NOW)
    assert validate(path.chain, Role.SECC, [twin], NOW).broken is Rule.ANCHOR


def test_a_renewed_root_with_the_same_key_replaces_its_expired_self() -> None:
    old = replace(GOOD["secc"]["root"], days=(-10, -1))
    expired = make(replace(old, key=lambda: SECC.root.key))
    assert validate(CHAIN, Role.SECC, [expired.der], NOW).broken is Rule.EXPIRED
    assert validate(CHAIN, Role.SECC, [expired.der, SECC.root.der], NOW)
    assert validate(CHAIN, Role.SECC, [SECC.root.der, expired.der], NOW)


def test_names_are_compared_byte_by_byte() -> None:
    """The same text in another string type is another name."""
    attributes = [
        x509.NameAttribute(NameOID.COMMON_NAME, "Sub2", _type=x509.name._ASN1Type.PrintableString),
        *list(SECC.sub2.certificate.subject)[1:],
    ]
    builder = (
        x509.CertificateBuilder()
        .serial_number(7)
        .subject_name(SECC.leaf.certificate.subject)
        .issuer_name(x509.Name(attributes))
        .public_key(SECC.leaf.certificate.public_key())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
    )
    for extension in SECC.leaf.certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    key = cast("Any", SECC.sub2.key)
    leaf = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert validate([leaf, *CHAIN[1:]], Role.SECC, SECC.anchors, NOW).broken is Rule.ORDER


SERIAL = b"\x02\x14" + SECC.leaf.certificate.serial_number.to_bytes(20, "big")
POINT = chains.point(SECC.leaf)
SURGERY: dict[str, tuple[bytes, bytes, Rule | None]] = {
    "nothing": (SERIAL, SERIAL, None),
    "negative serial": (SERIAL, SERIAL[:2] + b"\x81" + SERIAL[3:], Rule.PROFILE),
    "serial zero, in 20 bytes": (SERIAL, SERIAL[:2] + bytes(20), Rule.PARSE),
    "other algorithm inside": (chains.ECDSA_SHA256, chains.ECDSA_SHA256[:-1] + b"\x03", Rule.SIGNATURE),
    "CN of another type": (b"\x0c\x09DE*ABC*E1", b"\x1e\x09DE*ABC*E1", Rule.PARSE),
    "no UTF-8 in the CN": (b"DE*ABC*E1", b"DE*ABC*\xff1", Rule.PARSE),
    "date that is none": (b"260909000000Z", b"261399000000Z", Rule.PARSE),
    "point off the curve": (POINT, POINT[:-1] + bytes([POINT[-1] ^ 1]), Rule.PROFILE),
}


@pytest.mark.parametrize(("old", "new", "rule"), SURGERY.values(), ids=SURGERY)
def test_what_no_library_would_make_is_refused(old: bytes, new: bytes, rule: Rule | None) -> None:
    leaf = chains.resigned(SECC.leaf, SECC.sub2, old, new)
    verdict = validate([leaf, *CHAIN[1:]], Role.SECC, SECC.anchors, NOW)
    assert verdict.broken is rule, verdict


def test_a_certificate_has_one_encoding() -> None:
    """Unused bits in the signature change nothing that is signed, and are refused nevertheless."""
    made = next(made for made in iter(lambda: make(GOOD["secc"]["leaf"], SECC.sub2), None) if made.der[-1] % 2 == 0)
    signature = made.certificate.signature
    twin = made.der[: -len(signature) - 1] + b"\x01" + signature  # says that the last bit, a zero, is unused
    assert x509.load_der_x509_certificate(twin).signature == signature
    for leaf, rule in ((made.der, None), (twin, Rule.PARSE)):
        assert validate([leaf, *CHAIN[1:]], Role.SECC, SECC.anchors, NOW).broken is rule


def test_the_first_and_the_last_second_of_validity_count() -> None:
    start, end = SECC.leaf.certificate.not_valid_before_utc, SECC.leaf.certificate.not_valid_after_utc
    second = timedelta(seconds=1)
    for at, rule in ((start - second, Rule.NOT_YET_VALID), (start, None), (end, None), (end + second, Rule.EXPIRED)):
        assert validate(CHAIN, Role.SECC, SECC.anchors, at).broken is rule


def test_a_clock_without_a_zone_decides_nothing() -> None:
    assert validate(CHAIN, Role.SECC, SECC.anchors, NOW.replace(tzinfo=None)).broken is Rule.CHECK


def test_without_a_time_the_clock_counts() -> None:
    long = build(**{tier: {"days": (-10, 36_000)} for tier in GOOD["secc"]})
    past = build(**{tier: {"days": (-3_000, -2_000)} for tier in GOOD["secc"]})
    assert validate(long.chain, Role.SECC, long.anchors)
    assert validate(past.chain, Role.SECC, past.anchors).broken is Rule.EXPIRED


def test_a_broken_verdict_still_says_whose_certificate_it_is() -> None:
    verdict = judge(build(leaf={"days": (-10, -1)}))
    assert (verdict.subject, verdict.anchor) == ("DE*ABC*E1", "Root")
    assert verdict.expires == NOW - timedelta(days=1)


Edit = Callable[[bytes], bytes]


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """Draw a change of a byte string: bytes replaced, inserted, cut out or doubled."""
    start, length = draw(st.integers(0, 600)), draw(st.integers(0, 12))
    new = draw(st.binary(max_size=12))
    kind = draw(st.sampled_from(["replace", "insert", "cut", "double", "flip"]))
    bit = draw(st.integers(0, 7))

    def edit(data: bytes) -> bytes:
        at = start % len(data) if data else 0
        end = at + length
        if kind == "flip":
            return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] if data else data
        middle = {"replace": new, "insert": new + data[at:end], "cut": b"", "double": data[at:end] * 2}[kind]
        return data[:at] + middle + data[end:]

    return edit


@given(st.integers(0, 2), st.lists(edits(), min_size=1, max_size=3))
def test_a_mutated_chain_is_never_trusted(place: int, changes: list[Edit]) -> None:
    chain = list(CHAIN)
    for change in changes:
        chain[place] = change(chain[place])
    verdict = validate(chain, Role.SECC, SECC.anchors, NOW)
    assert bool(verdict) is (chain == CHAIN)
    assert verdict.broken is not Rule.CHECK, verdict.detail


@given(st.lists(edits(), min_size=1, max_size=3))
def test_a_mutated_anchor_never_widens_trust(changes: list[Edit]) -> None:
    anchor = SECC.root.der
    for change in changes:
        anchor = change(anchor)
    other = build()
    assert not validate(other.chain, Role.SECC, [anchor], NOW)


@given(st.lists(st.binary(max_size=900), max_size=5), st.sampled_from(Role))
def test_garbage_is_refused_without_an_exception(chain: list[bytes], role: Role) -> None:
    assert not validate(chain, role, SECC.anchors, NOW)
