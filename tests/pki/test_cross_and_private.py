"""Cross certificates of -20, and private operators, whose roots sign stations themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.pki import chains
from tests.pki.chains import EDITIONS, NOW, Made, build, cross, ders, make
from tests.pki.judges import Question, refusals
from v2g.trust import Role, Rule, Verdict


class Crossed:
    """A contract below an MO's root, which a V2G root certified, too."""

    def __init__(self, **changes: Any) -> None:
        specs = EDITIONS["iso20"]
        self.path = build("contract", "iso20", root={"cn": ("MO root",)})
        self.above = make(specs["secc"]["root"])
        self.cross = cross(self.path.root, self.above, **changes)
        self.chain = [*self.path.chain, self.cross.der]

    def judge(self, *anchors: Made, chain: list[bytes] | None = None, edition: Edition = Edition.ISO20) -> Verdict:
        found = self.chain if chain is None else chain
        verdict = validate(found, Role.CONTRACT, ders(*anchors), NOW, Policy(editions=(edition,)))
        if verdict:
            assert not refusals(Question(found, ders(*anchors), NOW))
        return verdict


def test_a_cross_certificate_leads_to_its_issuer() -> None:
    """[V2G20-1003] [V2G20-1005]"""
    crossed = Crossed()
    verdict = crossed.judge(crossed.above)
    assert verdict
    assert verdict.anchor == "Root"
    assert crossed.judge(crossed.above, chain=crossed.path.chain).broken is Rule.ANCHOR


def test_who_trusts_a_root_needs_nobody_who_certified_it() -> None:
    for changes in ({}, {"days": (-9, -1)}, {"days": (1, 9)}):
        crossed = Crossed(**changes)
        verdict = crossed.judge(crossed.path.root)
        assert verdict
        assert verdict.anchor == "MO root"
        assert crossed.judge(crossed.above, crossed.path.root)
        assert bool(crossed.judge(crossed.above)) is (not changes)


def test_what_stands_on_top_has_to_be_a_cross_certificate() -> None:
    """Nothing goes unlooked at because a path is trusted without it."""
    crossed = Crossed()
    foreign = make(replace(EDITIONS["iso20"]["secc"]["root"], cn=("Foreign",)))
    for top, rule in (
        (crossed.path.root.der, Rule.PROFILE),
        (foreign.der, Rule.ORDER),
        (cross(crossed.path.root, foreign, dc=("V2G",)).der, Rule.ORDER),
        (cross(crossed.path.root, foreign, usage="s").der, Rule.PROFILE),
        (cross(crossed.path.root, foreign, key=chains.p521).der, Rule.SIGNATURE),
        (cross(crossed.path.root, foreign, path_length=1).der, Rule.PROFILE),
        (b"garbage", Rule.PARSE),
    ):
        assert crossed.judge(crossed.path.root, chain=[*crossed.path.chain, top]).broken is rule, rule


def test_only_a_v2g_root_certifies_others() -> None:
    crossed = Crossed()
    other = make(replace(EDITIONS["iso20"]["contract"]["root"], cn=("Another MO root",)))
    chain = [*crossed.path.chain, cross(crossed.path.root, other).der]
    assert crossed.judge(other, chain=chain).broken is Rule.ANCHOR


def test_how_deep_paths_may_be() -> None:
    """Three in -2 [V2G2-009], four in -20, and one cross certificate alone [V2G20-1003]."""
    crossed = Crossed()
    highest = make(replace(EDITIONS["iso20"]["secc"]["root"], cn=("Highest",)))
    twice = [*crossed.chain, cross(crossed.above, highest).der]
    assert crossed.judge(highest, chain=twice).broken is Rule.DEPTH
    assert crossed.judge(crossed.above, chain=twice).broken is Rule.DEPTH
    for edition in (Edition.ISO2, Edition.JOSEV):
        assert crossed.judge(crossed.above, edition=edition).broken is Rule.DEPTH


def test_cross_certificates_that_certify_each_other() -> None:
    specs = EDITIONS["iso20"]["secc"]
    first, second = make(replace(specs["root"], cn=("A",))), make(replace(specs["root"], cn=("B",)))
    sub2 = make(specs["sub2"], first)
    leaf = make(specs["leaf"], sub2)
    chain = ders(leaf, sub2, cross(first, second), cross(second, first))
    for anchor in (first, second):
        assert validate(chain, Role.SECC, ders(anchor), NOW, Policy(editions=(Edition.ISO20,))).broken is Rule.PROFILE
    for anchor in (first, second):
        assert validate(chain[:3], Role.SECC, ders(anchor), NOW, Policy(editions=(Edition.ISO20,)))
    third = make(replace(specs["root"], cn=("C",)))
    assert not validate(chain[:3], Role.SECC, ders(third), NOW, Policy(editions=(Edition.ISO20,)))


def test_a_single_sub_ca_below_a_cross_certificate() -> None:
    """It has the profile of a Sub2 [V2G20-911]."""
    specs = EDITIONS["iso20"]["secc"]
    own, above = make(replace(specs["root"], cn=("Own",))), make(specs["root"])
    for tier, fits in (("sub2", True), ("sub1", False)):
        sub = make(specs[tier], own)
        chain = ders(make(specs["leaf"], sub), sub, cross(own, above))
        assert bool(validate(chain, Role.SECC, ders(above), NOW, Policy(editions=(Edition.ISO20,)))) is fits


def private(edition: str) -> tuple[Made, Made, Policy]:
    specs = EDITIONS[edition]["secc"]
    anchor = make(replace(specs["root"], cn=("Garage",), path_length=0))
    return anchor, make(specs["leaf"], anchor), Policy(editions=(Edition(edition),), private=(anchor.der,))


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_private_root_signs_stations_itself(edition: str) -> None:
    """[V2G2-868] [V2G2-872] [V2G2-927]"""
    anchor, leaf, policy = private(edition)
    plain = replace(policy, private=())
    for chain in (ders(leaf), ders(leaf, anchor)):
        assert validate(chain, Role.SECC, [], NOW, policy)
        assert not validate(chain, Role.SECC, ders(anchor), NOW, plain)
        assert not validate(chain, Role.SECC, ders(anchor), NOW + timedelta(days=101), policy)
    assert validate(ders(leaf, anchor), Role.SECC, [], NOW, plain).broken is not None


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_private_root_is_nothing_else(edition: str) -> None:
    anchor, leaf, policy = private(edition)
    specs = EDITIONS[edition]
    for role in specs:
        own = make(specs[role]["leaf"], anchor)
        assert bool(validate(ders(own), Role(role), ders(anchor), NOW, policy)) is (role == "secc")
    sub2 = make(specs["secc"]["sub2"], anchor)
    chain = ders(make(specs["secc"]["leaf"], sub2), sub2)
    assert not validate(chain, Role.SECC, [], NOW, policy)
    assert not validate(chain, Role.SECC, ders(anchor), NOW, policy)  # its path length
    other = make(replace(specs["secc"]["root"], cn=("Garage",), path_length=0))
    assert not validate(ders(make(specs["secc"]["leaf"], other)), Role.SECC, [], NOW, policy)
    assert not validate(ders(leaf, other), Role.SECC, [], NOW, policy)
    assert validate(build("secc", edition).chain, Role.SECC, [], NOW, policy).broken is Rule.ANCHOR


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_private_root_changes_nothing_for_public_ones(edition: str) -> None:
    _, _, policy = private(edition)
    path = build("secc", edition)
    assert validate(path.chain, Role.SECC, path.anchors, NOW, policy)
    specs = EDITIONS[edition]["secc"]
    assert not validate(ders(make(specs["leaf"], path.root)), Role.SECC, path.anchors, NOW, policy)  # [V2G2-867]
