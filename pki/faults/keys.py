"""Keys of a kind that the edition does not have: at one tier, or in a whole chain that is good but for that."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa

from pki.faults.draft import Key
from pki.faults.fault import FIRST, SECOND, Fault
from pki.faults.making import Making
from pki.keys import Suite
from pki.profiles import Edition, Tier
from v2g.trust import Rule

_TIERS = (Tier.LEAF, Tier.SUB2)
_REQUIREMENT = ("V2G2-006", "V2G20-2674", "V2G20-2319")


def _p256(_suite: Suite) -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _p384(_suite: Suite) -> Key:
    return ec.generate_private_key(ec.SECP384R1())


def _p521(_suite: Suite) -> Key:
    return ec.generate_private_key(ec.SECP521R1())


def _ed448(_suite: Suite) -> Key:
    return ed448.Ed448PrivateKey.generate()


def _rsa(_suite: Suite) -> Key:
    return _one_rsa()


@cache
def _one_rsa() -> Key:
    # One for all, as it takes long to make; and a short one, as a longer one leaves no room in 800 bytes [V2G2-010].
    return rsa.generate_private_key(65537, 1024)


def _own_anchor(making: Making) -> list[bytes]:
    """The tree's root: of the same name as the one that signed, and of another kind of key."""
    return [making.kept(Tier.ROOT).der]


FAULTS = (
    Fault(
        name="rsa",
        reason="its key is RSA",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF,),
        key=_rsa,
    ),
    Fault(
        name="rsa",
        reason="its key is RSA, and so is the signature below it",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.SUB2,),
        told=Tier.LEAF,
        key=_rsa,
    ),
    Fault(
        name="p384",
        reason="its key is on P-384",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF,),
        key=_p384,
    ),
    Fault(
        name="p384",
        reason="its key is on P-384, among others that are not: the curves are mixed",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.SUB2,),
        editions=(*FIRST, Edition.ISO20),
        key=_p384,
    ),
    Fault(
        name="p521",
        reason="its key is on P-521, which is for ISO 15118-20",
        requirement=("V2G2-006",),
        rule=Rule.PROFILE,
        tiers=_TIERS,
        editions=FIRST,
        key=_p521,
    ),
    Fault(
        name="p256",
        reason="its key is on P-256, which is for ISO 15118-2",
        requirement=("V2G20-2674", "V2G20-2319"),
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF,),
        editions=SECOND,
        key=_p256,
    ),
    Fault(
        name="p256",
        reason="its key is on P-256, among others on P-521: the curves are mixed",
        requirement=("V2G20-2674",),
        rule=Rule.PROFILE,
        tiers=(Tier.SUB2,),
        editions=(Edition.ISO20,),
        key=_p256,
    ),
    Fault(
        name="ed448",
        reason="its key is on Ed448",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.LEAF,),
        editions=(*FIRST, Edition.ISO20),
        key=_ed448,
    ),
    Fault(
        name="ed448",
        reason="its key is on Ed448, and so is the signature below it",
        requirement=_REQUIREMENT,
        rule=Rule.PROFILE,
        tiers=(Tier.SUB2,),
        editions=(*FIRST, Edition.ISO20),
        told=Tier.LEAF,
        key=_ed448,
    ),
    Fault(
        name="ed448-chain",
        reason="all keys are on Ed448, under a foreign root of the name of ours: one stack is known to trust it",
        requirement=("V2G2-006", "V2G2-885"),
        rule=Rule.PROFILE,
        editions=FIRST,
        told=Tier.LEAF,
        everywhere=True,
        key=_ed448,
        anchors=_own_anchor,
    ),
    Fault(
        name="p521-chain",
        reason="all keys are on P-521 and signed with SHA-512, root and all: a chain for ISO 15118-20",
        requirement=("V2G2-006", "V2G2-007"),
        rule=Rule.PROFILE,
        editions=FIRST,
        told=Tier.LEAF,
        everywhere=True,
        key=_p521,
        digest=hashes.SHA512(),
    ),
    Fault(
        name="p256-chain",
        reason="all keys are on P-256 and signed with SHA-256, root and all: a chain for ISO 15118-2",
        requirement=("V2G20-2674", "V2G20-2319"),
        rule=Rule.PROFILE,
        editions=SECOND,
        told=Tier.LEAF,
        everywhere=True,
        key=_p256,
        digest=hashes.SHA256(),
    ),
)
