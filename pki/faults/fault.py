"""What a fault is: a small change on the way a good chain is issued, and what whoever trusts has to say to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives import hashes

from pki.faults.draft import Draft, Key
from pki.keys import Suite
from pki.profiles import Edition, Tier
from v2g.trust import Role, Rule

if TYPE_CHECKING:
    from pki.faults.making import Link, Making

ROLES = tuple(Role)
SECOND = (Edition.ISO20, Edition.ISO20_ED448)
FIRST = (Edition.ISO2, Edition.JOSEV)
EDITIONS = (*FIRST, *SECOND)
CURVES = (*FIRST, Edition.ISO20)
"""Editions whose keys are on curves that ECDSA knows."""
LEAF = (Tier.LEAF,)
CHAIN = (Tier.LEAF, Tier.SUB2, Tier.SUB1, Tier.ROOT)
Revocation = Literal["off", "soft", "hard"]
"""What whoever trusts asks about revocation; "hard" means the leaf alone, by the evidence in the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong, or unusual and right, with a chain, at one tier or, without one, as a whole.

    `rule` is the rule that `pki.validate` names, None where the chain holds; it is `told` of the tier at fault, unless
    of another one ("" means of none). `codes` are response codes that do not follow from the rule, by role.

    The changes, all of them at the tier at fault or `everywhere`: `draft` before a certificate is signed, another `key`
    in place of one of the tree's kind, another `signer` than its issuer, `digest` of its signature, `size` of its DER,
    `der` when it is signed. `shape` is what is sent, `anchors` what is trusted, `evidence` what there is about
    revocation, by file name. `other_name` presents the tree's name for the leaf's own in the request. A fault with
    `two_subs` takes a path that has two.
    """

    name: str
    reason: str
    requirement: tuple[str, ...]
    rule: Rule | None
    tiers: tuple[Tier, ...] = ()
    roles: tuple[Role, ...] = ROLES
    editions: tuple[Edition, ...] = EDITIONS
    aliases: Mapping[tuple[Role, Tier], tuple[str, ...]] | None = None
    told: Tier | Literal[""] | None = None
    codes: Mapping[Role, str] | None = None
    revocation: Revocation = "off"
    other_name: bool = False
    everywhere: bool = False
    two_subs: bool = False
    draft: Callable[[Draft, Making], Draft] | None = None
    key: Callable[[Suite], Key] | None = None
    signer: Callable[[Making], Link] | None = None
    digest: hashes.HashAlgorithm | None = None
    size: int | None = None
    der: Callable[[bytes], bytes] | None = None
    shape: Callable[[Making], Sequence[bytes]] | None = None
    anchors: Callable[[Making], Sequence[bytes]] | None = None
    evidence: Callable[[Making], Mapping[str, bytes]] | None = None


NONE = Fault(name="", reason="", requirement=(), rule=None)
"""Nothing is wrong."""
