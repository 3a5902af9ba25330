"""Chains that are wrong as a whole: who signed whom, what is sent in which order, and what is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Literal

from cryptography import x509
from cryptography.x509.oid import NameOID

from pki.faults.draft import Draft, extension
from pki.faults.fault import FIRST, NONE, SECOND, Fault
from pki.faults.making import Link, Making
from pki.faults.path import Path
from pki.profiles import Tier
from v2g.trust import Role, Rule

_L, _2, _1, _R = Tier.LEAF, Tier.SUB2, Tier.SUB1, Tier.ROOT
_DEPTH = ("V2G2-009", "V2G20-1003")
_PATH = ("V2G2-885",)
_NEXT: Mapping[Role, Role] = MappingProxyType(
    {
        Role.SECC: Role.CPS,
        Role.CPS: Role.SECC,
        Role.CONTRACT: Role.OEM_PROVISIONING,
        Role.OEM_PROVISIONING: Role.CONTRACT,
        Role.VEHICLE: Role.CONTRACT,
    }
)
"""The role whose branch each is confused with."""
_MISTAKEN: Mapping[Role, Role] = MappingProxyType({**_NEXT, Role.VEHICLE: Role.OEM_PROVISIONING})


def _neighbour(making: Making, roles: Mapping[Role, Role]) -> Making:
    """The good path of another role in the same tree."""
    path = Path(making.path.tree, roles[making.role], making.at)
    neighbour = Making(path, making.edition, NONE, None, making.at)
    neighbour.make()
    return neighbour


def _root(making: Making) -> Link:
    return making.links[Tier.ROOT]


def _leaf(making: Making, above: Link) -> bytes:
    """Issue the leaf once more, by somebody else."""
    making.links[Tier.LEAF] = leaf = making.issue(Tier.LEAF, above, key=making.suite.generate())
    return leaf.der


def _only(*tiers: Tier) -> Callable[[Making], list[bytes]]:
    return lambda making: [making.links[tier].der for tier in tiers]


def _below_leaf(making: Making) -> list[bytes]:
    """The leaf below a good one, which the same Sub2 issued."""
    colleague = making.links[Tier.LEAF]
    return [_leaf(making, colleague), colleague.der, making.links[Tier.SUB2].der]


def _below_neighbour(making: Making) -> list[bytes]:
    neighbour = _neighbour(making, _NEXT)
    return [_leaf(making, neighbour.links[Tier.SUB2]), *neighbour.chain()[1:]]


def _all_anchors(making: Making) -> list[bytes]:
    """The root of the branch that signed beside the role's own: were it not trusted, that alone would refuse it."""
    return list(dict.fromkeys([_root(making).der, _root(_neighbour(making, _NEXT)).der]))


def _mistaken(making: Making) -> list[bytes]:
    """A good leaf of another role."""
    other = _neighbour(making, _MISTAKEN)
    making.links[Tier.LEAF] = other.links[Tier.LEAF]
    return other.chain()


def _mistaken_anchors(making: Making) -> list[bytes]:
    return list(dict.fromkeys([_root(making).der, _root(_neighbour(making, _MISTAKEN)).der]))


def _swapped(making: Making) -> list[bytes]:
    leaf, *above = making.chain()
    return [leaf, *reversed(above)]


def _four_deep(making: Making) -> list[bytes]:
    """With one more Sub-CA between Sub2 and the leaf."""
    _, *above = making.chain()
    between = making.issue(Tier.SUB2, making.links[Tier.SUB2], key=making.suite.generate(), fault=_SUB3)
    return [_leaf(making, between), between.der, *above]


def _stranger(making: Making, how: Fault = NONE) -> list[bytes]:
    """A root of the name of ours, with another key."""
    return [making.issue(Tier.ROOT, None, key=making.suite.generate(), fault=how).der]


def _our_key_id(draft: Draft, making: Making) -> Draft:
    return draft.with_extension(extension(x509.SubjectKeyIdentifier(making.links[Tier.ROOT].key_id)))


def _itself(making: Making) -> Link:
    """The leaf as its own issuer."""
    return making.issue(Tier.LEAF, None, key=making.suite.generate())


_SUB3 = replace(NONE, draft=lambda draft, _: draft.named(NameOID.COMMON_NAME, "Sub-CA 3"))
_LOOKALIKE = replace(NONE, draft=_our_key_id)


def _shaped(
    name: str,
    reason: str,
    requirement: tuple[str, ...],
    rule: Rule | None,
    told: Tier | Literal[""],
    shape: Callable[[Making], Sequence[bytes]] | None = None,
    **how: Any,
) -> Fault:
    return Fault(name=name, reason=reason, requirement=requirement, rule=rule, told=told, shape=shape, **how)


FAULTS = (
    # --- what is sent
    _shaped("missing-sub2", "its Sub2 is not sent", _PATH, Rule.ORDER, _L, _only(_L, _1), two_subs=True),
    _shaped("missing-sub1", "its Sub1 is not sent", _PATH, Rule.ANCHOR, _2, _only(_L, _2), two_subs=True),
    _shaped("leaf-alone", "no Sub-CA is sent", _DEPTH, Rule.DEPTH, "", _only(_L)),
    _shaped("wrong-order", "its Sub-CAs are sent in the wrong order", _PATH, Rule.ORDER, _L, _swapped, two_subs=True),
    _shaped("leaf-twice", "the leaf is sent twice", _PATH, Rule.ORDER, _L, _only(_L, _L, _2)),
    _shaped("four-deep", "there are three Sub-CAs", _DEPTH, Rule.DEPTH, "", _four_deep, two_subs=True, editions=FIRST),
    # A cross certificate may stand at the top of four [V2G20-1003]; a third Sub-CA is none.
    _shaped(
        "four-deep", "there are three Sub-CAs", _DEPTH, Rule.PROFILE, _1, _four_deep, two_subs=True, editions=SECOND
    ),
    _shaped(
        "with-root",
        "the root is sent, too",
        _DEPTH,
        Rule.DEPTH,
        "",
        _only(_L, _2, _1, _R),
        two_subs=True,
        editions=FIRST,
    ),
    # --- who signed
    _shaped(
        "leaf-signed-by-root",
        "the leaf is signed by the root itself, which issues no leaves",
        ("V2G2-867",),
        Rule.DEPTH,
        "",
        lambda making: [_leaf(making, _root(making))],
    ),
    _shaped("leaf-signed-by-leaf", "the leaf is signed by another leaf", _PATH, Rule.PROFILE, _2, _below_leaf),
    _shaped(
        "leaf-self-signed",
        "the leaf is signed by itself",
        _PATH,
        Rule.ORDER,
        _L,
        lambda making: [_leaf(making, _itself(making)), *making.chain()[1:]],
    ),
    _shaped(
        "wrong-branch",
        "the leaf is signed by the Sub2 of another branch",
        ("V2G2-925", "V2G20-2331"),
        Rule.PROFILE,
        _2,
        _below_neighbour,
        anchors=_all_anchors,
    ),
    _shaped(
        "wrong-role",
        "it is a good chain of another role",
        ("V2G2-925", "V2G20-2342"),
        Rule.PROFILE,
        _L,
        _mistaken,
        anchors=_mistaken_anchors,
    ),
    # --- what is trusted
    _shaped(
        "twin-root",
        "the root that is trusted has the name of the one that signed, and another key",
        ("V2G2-878", "V2G2-925"),
        Rule.ANCHOR,
        _1,
        anchors=_stranger,
        two_subs=True,
    ),
    _shaped(
        "twin-root-with-key-id",
        "the root that is trusted has name and key identifier of the one that signed, and another key",
        ("V2G2-878", "V2G2-925"),
        Rule.SIGNATURE,
        _1,
        anchors=lambda making: _stranger(making, _LOOKALIKE),
        two_subs=True,
    ),
    _shaped(
        "two-roots-of-one-name",
        "two roots of one name are trusted, and the second one signed",
        ("V2G2-878",),
        None,
        "",
        anchors=lambda making: [*_stranger(making, _LOOKALIKE), _root(making).der],
    ),
    _shaped(
        "foreign-pki",
        "all of it is of a foreign PKI, by the same names",
        ("V2G2-925",),
        Rule.ANCHOR,
        _1,
        everywhere=True,
        key=lambda suite: suite.generate(),
        anchors=lambda making: [making.kept(Tier.ROOT).der],
        two_subs=True,
    ),
)
