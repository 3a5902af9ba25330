"""Paths as nobody should send them, in the manner of x509-limbo, made for V2G: what becomes of each, and of us.

Whatever we accept the other judges accept, but for what is listed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.pki import chains
from tests.pki.chains import EDITIONS, GOOD, NOW, Made, build, ders, make
from tests.pki.judges import Question, refusals
from v2g.trust import Role, Rule

# OpenSSL takes the first certificate of a name where no key identifier tells several apart.
ONE_NAME = {
    *("ten roots of one name", "subs of one name", "a sub of its root's name"),
    *("a twin of the root that may not issue", "a twin of the root that is no CA"),
    "a twin of the root whose path length is too short",
}
Answer = tuple[list[bytes], list[bytes]]
SECC = GOOD["secc"]


def root(**changes: Any) -> Made:
    return make(replace(SECC["root"], **changes))


def below(issuer: Made, *tiers: str, **changes: dict[str, Any]) -> list[Made]:
    """Make the certificates of these tiers below an issuer, the last one is the leaf's."""
    made: list[Made] = []
    for tier in tiers:
        issuer = make(replace(SECC[tier], **changes.get(tier, {})), issuer)
        made.insert(0, issuer)
    return made


def usual(anchor: Made, **changes: dict[str, Any]) -> list[bytes]:
    return ders(*below(anchor, "sub1", "sub2", "leaf", **changes))


def two_that_sign_each_other() -> Answer:
    first = make(replace(SECC["sub1"], cn=("A",), path_length=1))
    second = make(replace(SECC["sub2"], cn=("B",)), first)
    again = make(replace(SECC["sub1"], cn=("A",), key=lambda: first.key), second)
    return ders(make(SECC["leaf"], second), second, again), ders(root())


def two_that_sign_each_other_one_trusted() -> Answer:
    chain, _ = two_that_sign_each_other()
    return chain, [chain[1]]


def a_sub_that_signs_itself() -> Answer:
    own = make(SECC["sub2"])
    return ders(make(SECC["leaf"], own), own, own), ders(root())


def subs_of_one_name() -> Answer:
    """Self-issued: the same name above and below, with another key."""
    anchor = root()
    return usual(anchor, sub1={"cn": ("Sub",)}, sub2={"cn": ("Sub",)}), ders(anchor)


def a_sub_of_its_roots_name() -> Answer:
    anchor = root()
    return usual(anchor, sub1={"cn": ("Root",)}), ders(anchor)


def subs_of_one_key() -> Answer:
    anchor, key = root(), chains.p256()
    same = {"key": lambda: key}
    return usual(anchor, sub1=same, sub2=same), ders(anchor)


def a_leaf_with_the_key_of_its_issuer() -> Answer:
    anchor, key = root(), chains.p256()
    same = {"key": lambda: key}
    return usual(anchor, sub2=same, leaf=same), ders(anchor)


def ten_roots_of_one_name() -> Answer:
    """[V2G2-878]"""
    anchor = root()
    return usual(anchor), ders(*(root() for _ in range(9)), anchor)


def nine_wrong_roots_of_one_name() -> Answer:
    return usual(root()), ders(*(root() for _ in range(9)))


def twin(place: int, **changes: Any) -> Callable[[], Answer]:
    """Two anchors of one name and one key, one of which was changed."""

    def make_it() -> Answer:
        anchor = root()
        other = root(key=lambda: anchor.key, **changes)
        anchors = ders(anchor)
        anchors.insert(place, other.der)
        return usual(anchor), anchors

    return make_it


def expired_twin_of_another_key() -> Answer:
    anchor = root()
    return usual(anchor), ders(root(days=(-9, -1)), anchor)


def the_key_of_the_root_under_another_name() -> Answer:
    anchor = root()
    return usual(anchor), ders(root(key=lambda: anchor.key, cn=("Another root",)))


def anchored(**changes: Any) -> Callable[[], Answer]:
    def make_it() -> Answer:
        anchor = root(**changes)
        return usual(anchor), ders(anchor)

    return make_it


def every_anchor_twice() -> Answer:
    anchor = root()
    return usual(anchor), ders(anchor, anchor)


def listed(*order: int) -> Callable[[], Answer]:
    """The certificates of a good chain in this order; 3 is the root."""

    def make_it() -> Answer:
        anchor = root()
        chain = [*usual(anchor), anchor.der]
        return [chain[place] for place in order], ders(anchor)

    return make_it


def many(number: int) -> Callable[[], Answer]:
    def make_it() -> Answer:
        chain, anchors = listed(0, 1, 2)()
        return [*chain, *[chain[2]] * (number - 3)], anchors

    return make_it


def of_two_chains() -> Answer:
    """Two chains of the same names below one root, mixed."""
    anchor = root()
    first, second = usual(anchor), usual(anchor)
    return [first[0], second[1], first[2]], ders(anchor)


def sub2_as_anchor() -> Answer:
    made = below(root(), "sub1", "sub2", "leaf")
    return ders(made[0]), ders(made[1])


def the_leaf_as_anchor() -> Answer:
    chain = usual(root())
    return chain, [chain[0]]


def a_leaf_that_signs_itself() -> Answer:
    own = make(SECC["leaf"])
    return ders(own), ders(own)


def a_leaf_of_a_leaf() -> Answer:
    anchor = root()
    made = below(anchor, "sub1", "sub2", "leaf")
    return ders(make(SECC["leaf"], made[0]), made[0], made[1]), ders(anchor)


def without_the_root_but_its_twin_sent_along() -> Answer:
    """The attacker's own root in the chain, ours among the anchors."""
    foreign = root()
    return [*usual(foreign), foreign.der], ders(root())


CASES: dict[str, tuple[Callable[[], Answer], Rule | None]] = {
    "as it should be": (listed(0, 1, 2), None),
    "two that sign each other": (two_that_sign_each_other, Rule.ANCHOR),
    "two that sign each other, one an anchor": (two_that_sign_each_other_one_trusted, Rule.ANCHOR),
    "a sub that signs itself": (a_sub_that_signs_itself, Rule.PROFILE),
    "subs of one name": (subs_of_one_name, None),
    "a sub of its root's name": (a_sub_of_its_roots_name, None),
    "subs of one key": (subs_of_one_key, None),
    "a leaf with the key of its issuer": (a_leaf_with_the_key_of_its_issuer, None),
    "ten roots of one name": (ten_roots_of_one_name, None),
    "nine wrong roots of one name": (nine_wrong_roots_of_one_name, Rule.SIGNATURE),
    "a twin of the root that is over": (twin(0, days=(-9, -1)), None),
    "a twin of the root that is over, at the end": (twin(1, days=(-9, -1)), None),
    "a twin of the root that is over, with its own key": (expired_twin_of_another_key, None),
    "a twin of the root that may not issue": (twin(0, usage="s"), None),
    "a twin of the root that is no CA": (twin(0, ca=False), None),
    "a twin of the root whose path length is too short": (twin(0, path_length=0), None),
    "the key of the root under another name": (the_key_of_the_root_under_another_name, Rule.ANCHOR),
    "a root that is over": (anchored(days=(-9, -1)), Rule.EXPIRED),
    "a root to come": (anchored(days=(1, 9)), Rule.NOT_YET_VALID),
    "a root that is no CA": (anchored(ca=False), Rule.ANCHOR),
    "a root without constraints": (anchored(ca=None), Rule.ANCHOR),
    "a root of path length 0": (anchored(path_length=0), Rule.ANCHOR),
    "a root of path length 1": (anchored(path_length=1), Rule.ANCHOR),
    "a root of path length 2": (anchored(path_length=2), None),
    "every anchor twice": (every_anchor_twice, None),
    "the root sent along": (listed(0, 1, 2, 3), Rule.DEPTH),
    "the root for Sub1": (listed(0, 1, 3), Rule.ORDER),
    "the leaf twice": (listed(0, 0, 1, 2), Rule.DEPTH),
    "the leaf twice, without Sub1": (listed(0, 0, 1), Rule.ORDER),
    "Sub2 twice": (listed(0, 1, 1), Rule.ORDER),
    "Sub1 twice": (listed(0, 2, 2), Rule.ORDER),
    "the leaf last": (listed(1, 2, 0), Rule.ORDER),
    "upside down": (listed(2, 1, 0), Rule.ORDER),
    "Sub2 left out": (listed(0, 2), Rule.ORDER),
    "Sub1 left out": (listed(0, 1), Rule.ANCHOR),
    "Sub2 for a leaf": (listed(1, 2), Rule.PROFILE),
    "a root for a leaf": (listed(3), Rule.DEPTH),
    "of two chains": (of_two_chains, Rule.SIGNATURE),
    "Sub2 as anchor": (sub2_as_anchor, Rule.DEPTH),
    "the leaf as anchor": (the_leaf_as_anchor, Rule.ANCHOR),
    "a leaf that signs itself": (a_leaf_that_signs_itself, Rule.DEPTH),
    "a leaf of a leaf": (a_leaf_of_a_leaf, Rule.PROFILE),
    "a foreign root sent along": (without_the_root_but_its_twin_sent_along, Rule.DEPTH),
    "four": (many(4), Rule.DEPTH),
    "a thousand": (many(1000), Rule.DEPTH),
}


@pytest.mark.parametrize("name", CASES)
def test_path(name: str) -> None:
    case, rule = CASES[name]
    chain, anchors = case()
    verdict = validate(chain, Role.SECC, anchors, NOW)
    assert verdict.broken is rule, verdict
    if verdict:
        assert refusals(Question(chain, anchors, NOW)) == ({"openssl"} if name in ONE_NAME else set())


@pytest.mark.parametrize("edition", Edition)
def test_a_thousand_certificates_cost_nothing(edition: Edition) -> None:
    chain, anchors = many(1000)()
    policy = Policy(editions=(edition,))
    start = time.process_time()
    for _ in range(100):
        assert validate(chain, Role.SECC, anchors, NOW, policy).broken is Rule.DEPTH
    assert time.process_time() - start < 0.1  # a hundredth of what checking them would take


def test_huge_certificates_are_not_even_read() -> None:
    anchor = root()
    chain = usual(anchor)
    for place in range(3):
        for size in (801, 10_000_000):
            huge = [*chain[:place], chain[place] + bytes(size - len(chain[place])), *chain[place + 1 :]]
            verdict = validate(huge, Role.SECC, ders(anchor), NOW)
            assert verdict.broken is Rule.PROFILE
            assert f"{size} bytes" in verdict.detail


def test_an_edition_is_not_another() -> None:
    for edition in EDITIONS:
        path = build("secc", edition)
        for other in Edition:
            fits = edition == other or {edition, str(other)} == {"iso2", "josev"}
            assert bool(validate(path.chain, Role.SECC, path.anchors, NOW, Policy(editions=(other,)))) is fits
        every = Policy(editions=tuple(Edition))
        assert validate(path.chain, Role.SECC, path.anchors, NOW, every)


def test_editions_are_not_mixed_in_one_chain() -> None:
    every = Policy(editions=tuple(Edition))
    kinds = {"iso2": chains.p256, "iso20": chains.p521, "iso20-ed448": chains.ed}
    for edition, tiers in (("iso20", EDITIONS["iso20"]["secc"]), ("iso2", GOOD["secc"])):
        for tier in tiers:
            for other, key in kinds.items():
                path = build("secc", edition, **{tier: {"key": key}})
                assert bool(validate(path.chain, Role.SECC, path.anchors, NOW, every)) is (other == edition)


def test_what_is_no_certificate() -> None:
    path = build()
    for strange in ([b"\x30\x00"], [b"\x30\x80\x00\x00"], [b"\x30\x84\xff\xff\xff\xff"], [b"\x00" * 800]):
        assert validate([*strange, *path.chain[1:]], Role.SECC, path.anchors, NOW).broken is Rule.PARSE
        assert validate(path.chain, Role.SECC, strange, NOW).broken is Rule.ANCHOR
        assert validate(path.chain, Role.SECC, [*strange, *path.anchors], NOW)
