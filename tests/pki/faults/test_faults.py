"""Every fault is really there, as asn1crypto reads it, and nothing else is wrong with the certificate."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pki.faults.catalogue import FAULTS, variants
from pki.profiles import Edition
from tests.pki.faults.cases import Case, Trees
from tests.pki.faults.reading import links, points
from v2g.trust import Role

EDITIONS = (Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448)
TIERS = ("leaf", "sub2", "sub1", "root")
ALGORITHMS = {"inner algorithm", "outer algorithm"}
LONG = {"size"}
UNREADABLE = {"unreadable"}

# By fault: the points at which the certificate of its tier differs from the one in the chain that is valid.
POINTS: dict[str, set[str]] = {
    "valid": set(),
    "expires-soon": {"validity"},
    "expired": {"validity"},
    "not-yet-valid": {"validity"},
    "bad-signature": {"signature"},
    "sha1": ALGORITHMS,
    "sha384": ALGORITHMS,
    "algorithm-mismatch": {"inner algorithm"},
    "rsa": {"key"},
    "p384": {"key"},
    "p521": {"key"},
    "p256": {"key"},
    "ed448": {"key"},
    "wrong-dc": {"domain_component"},
    "missing-dc": {"domain_component"},
    "two-dc": {"domain_component"},
    "lower-case-dc": {"domain_component"},
    "no-cn": {"common_name"},
    "empty-cn": {"common_name"},
    "two-cn": {"common_name"},
    "bmp-cn": {"common_name"},
    "three-letter-country": {"country_name"},
    "country": {"country_name"},
    "no-o": {"organization_name"},
    "other-issuer-name": {"issuer"},
    "wrong-emaid": {"common_name"},
    "invalid-emaid": {"common_name"},
    "bad-check-digit": {"common_name"},
    "lower-case-emaid": {"common_name"},
    "separated-emaid": {"common_name"},
    "unknown-pcid": {"common_name"},
    "ca-true": {"basic_constraints"},
    "ca-false": {"basic_constraints"},
    "no-constraints": {"basic_constraints"},
    "constraints-not-critical": {"basic_constraints"},
    "path-length-violated": {"basic_constraints"},
    "path-length-one": {"basic_constraints"},
    "no-path-length": {"basic_constraints"},
    "no-key-usage": {"key_usage"},
    "key-usage-not-critical": {"key_usage"},
    "wrong-key-usage": {"key_usage"},
    "issuing-key-usage": {"key_usage"},
    "no-non-repudiation": {"key_usage"},
    "no-key-agreement": {"key_usage"},
    "data-encipherment": {"key_usage"},
    "wrong-purpose": {"extended_key_usage"},
    "other-side-purpose": {"extended_key_usage"},
    "server-auth": {"extended_key_usage"},
    "client-auth": {"extended_key_usage"},
    "unknown-critical-extension": {"1.3.6.1.4.1.99999.15118"},
    "unknown-extension": {"1.3.6.1.4.1.99999.15118"},
    "san": {"subject_alt_name"},
    "policies": {"certificate_policies"},
    "name-constraints": {"name_constraints"},
    "policy-constraints": {"policy_constraints"},
    "duplicate-extension": {"extensions twice"},
    "garbled-extension": UNREADABLE,
    "key-id-mismatch": {"authority_key_identifier"},
    "no-key-ids": {"authority_key_identifier", "key_identifier"},
    "no-access": {"authority_information_access", "crl_distribution_points"},
    "critical-aki": {"authority_key_identifier"},
    "critical-ski": {"key_identifier"},
    "critical-aia": {"authority_information_access"},
    "critical-crl-points": {"crl_distribution_points"},
    "duplicate-serial": set(),
    "negative-serial": {"serial"},
    "zero-serial": {"serial"},
    "21-octet-serial": {"serial"},
    "v4": {"version"},
    "800-bytes": {"size", "authority_information_access"},
    "801-bytes": {"size", "authority_information_access"},
    "1600-bytes": {"size", "authority_information_access"},
    "1601-bytes": {"size", "authority_information_access"},
    "trailing-bytes": UNREADABLE,
    "truncated": UNREADABLE,
    "long-length": {"bytes"},
    "unused-signature-bit": {"bytes"},
}
SIZES = {f"{size}-bytes": size for size in (800, 801, 1600, 1601)}
# What is told of revocation is not in the certificate.
EVIDENCE = {
    "revoked",
    "revoked-by-list",
    "revoked-by-ocsp",
    "ocsp-good",
    "ocsp-good-by-delegate",
    "list-good",
    "ocsp-unknown",
    "no-evidence",
    "ocsp-expired",
    "ocsp-future",
    "ocsp-wrong-signer",
    "ocsp-signer-without-purpose",
    "ocsp-other-certificate",
    "list-expired",
    "list-unsigned",
}

# By fault of a chain as a whole: who issued whom in it, the last one being compared with what is trusted.
LINKS = {
    "ed448-chain": "++n",
    "p521-chain": "+++",
    "p256-chain": "+++",
    "missing-sub2": "-+",
    "missing-sub1": "+-",
    "leaf-alone": "-",
    "wrong-order": "---",
    "leaf-twice": "-+-",
    "four-deep": "++++",
    "with-root": "++++",
    "leaf-signed-by-root": "+",
    "leaf-signed-by-leaf": "++-",
    "leaf-self-signed": "-++",
    "wrong-branch": "+++",
    "wrong-role": "+++",
    "twin-root": "++n",
    "twin-root-with-key-id": "++n",
    "two-roots-of-one-name": "+++",
    "foreign-pki": "++n",
}


def test_every_fault_is_looked_at() -> None:
    assert {fault.name for fault in FAULTS} == POINTS.keys() | LINKS.keys() | EVIDENCE | {"v1"}


def of(broken: Trees, edition: Edition, name: str) -> Case:
    return Case(Path(broken[edition.value]) / "broken" / name)


def tier_of(case: Case, tier: str) -> tuple[bytes, bytes | None]:
    """The certificate of a tier, and the one above it."""
    path = [*case.chain, case.anchors[0]]
    place = TIERS.index(tier)
    return path[place], path[place + 1] if tier != "root" else path[place]


def differences(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    if one.keys() & UNREADABLE:
        return UNREADABLE
    return {name for name in one.keys() | other.keys() if one.get(name) != other.get(name)}


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("role", list(Role))
def test_one_thing_is_wrong_and_nothing_else(broken: Trees, edition: Edition, role: Role) -> None:
    wrong = {}
    for name, variant in variants(edition).items():
        if variant.role is not role or variant.fault.name not in POINTS:
            continue
        case, tier = of(broken, edition, name), str(variant.tier)
        good = of(broken, edition, f"{role}-leaf-valid")
        found = differences(points(*tier_of(case, tier)), points(*tier_of(good, tier)))
        expected = POINTS[variant.fault.name]
        if found - LONG != expected - LONG:
            wrong[name] = found ^ expected
    assert wrong == {}


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_chain_as_a_whole_is_wrong_as_it_says(broken: Trees, edition: Edition) -> None:
    found = {}
    for name, variant in variants(edition).items():
        if variant.tier is None:
            case = of(broken, edition, name)
            if links(case.chain, case.anchors) != LINKS[variant.fault.name]:
                found[name] = links(case.chain, case.anchors)
    assert found == {}


@pytest.mark.parametrize("edition", EDITIONS)
def test_sizes_are_exact(broken: Trees, edition: Edition) -> None:
    for name, variant in variants(edition).items():
        if variant.fault.name in SIZES:
            der, _ = tier_of(of(broken, edition, name), str(variant.tier))
            assert len(der) == SIZES[variant.fault.name]


@pytest.mark.parametrize("edition", EDITIONS)
def test_version_1_has_no_extensions(broken: Trees, edition: Edition) -> None:
    for name, variant in variants(edition).items():
        if variant.fault.name == "v1":
            found = points(*tier_of(of(broken, edition, name), str(variant.tier)))
            assert found["version"] == "v1"
            assert not {"key_usage", "basic_constraints", "key_identifier"} & found.keys()


@pytest.mark.parametrize("edition", EDITIONS)
def test_the_issuer_signed_whatever_is_not_about_signatures(broken: Trees, edition: Edition) -> None:
    """By the tree's own keys: the anchors of a laboratory fit."""
    unsigned = {"bad-signature", "algorithm-mismatch"}
    wrong = []
    for name, variant in variants(edition).items():
        readable = POINTS.get(variant.fault.name) != UNREADABLE
        if variant.tier is not None and variant.fault.name not in unsigned and readable:
            case = of(broken, edition, name)
            path = [*case.chain, case.anchors[0]]
            signed = [points(lower, upper)["signature"] for lower, upper in pairwise(path)]
            wrong += [] if all(signed) else [name]
    assert wrong == []
