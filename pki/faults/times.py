"""Chains that are good, and certificates out of their time or turned by a bit: what every certificate can suffer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import SignatureAlgorithmOID

from pki.faults import der
from pki.faults.draft import Draft
from pki.faults.fault import CHAIN, CURVES, LEAF, Fault
from pki.faults.making import Making
from pki.profiles import Tier
from v2g.trust import Role, Rule

_L, _2, _1, _R = Tier.LEAF, Tier.SUB2, Tier.SUB1, Tier.ROOT
_MO, _OEM = Role.CONTRACT, Role.OEM_PROVISIONING
_WITH_SUB1 = "CRT_CONTRACT_LEAF_EXPIRED_ISSUER_SUB1"
_WITH_SUB2 = "CRT_CONTRACT_LEAF_EXPIRED_ISSUER_SUB2"


def _between(start: float, end: float) -> Callable[[Draft, Making], Draft]:
    return lambda draft, making: draft.valid(making.at, start, end)


def _last_bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _inner_only(draft: Draft, _making: Making) -> Draft:
    """Name another algorithm inside the signed part than outside of it."""
    return replace(draft, algorithm=der.sequence(der.oid(SignatureAlgorithmOID.ECDSA_WITH_SHA384)))


FAULTS = (
    Fault(
        name="valid",
        reason="it is as it should be",
        requirement=("V2G2-884", "V2G2-885"),
        rule=None,
        tiers=LEAF,
        aliases={
            (_MO, _L): ("CRT_CONTRACT_LEAF_VALID", "CRT_MO_SUB1_VALID", "CRT_MO_SUB2_VALID"),
            (_OEM, _L): ("CRT_OEM_LEAF_VALID",),
            (Role.SECC, _L): ("CRT_V2G_ROOT_VALID",),
        },
    ),
    Fault(
        name="expires-soon",
        reason="it is valid for ten days more",
        requirement=("V2G2-690",),
        rule=None,
        tiers=LEAF,
        roles=(_MO,),
        aliases={(_MO, _L): ("CRT_CONTRACT_LEAF_EXPIRES",)},
        codes={_MO: "OK_CertificateExpiresSoon"},
        draft=_between(-20, 10),
    ),
    Fault(
        name="expired",
        reason="it was valid until yesterday",
        requirement=("V2G2-910", "V2G2-824"),
        rule=Rule.EXPIRED,
        tiers=CHAIN,
        aliases={
            (_MO, _L): ("CRT_CONTRACT_LEAF_EXPIRED",),
            (_MO, _1): ("CRT_MO_SUB1_EXPIRED", _WITH_SUB1),
            (_MO, _2): ("CRT_MO_SUB2_EXPIRED", _WITH_SUB2),
            (_OEM, _L): ("CRT_OEM_LEAF_EXPIRED",),
        },
        draft=_between(-30, -1),
    ),
    Fault(
        name="not-yet-valid",
        reason="it is valid from next week",
        requirement=("V2G2-910", "V2G2-824"),
        rule=Rule.NOT_YET_VALID,
        tiers=CHAIN,
        draft=_between(7, 30),
    ),
    Fault(
        name="bad-signature",
        reason="one bit of its signature is turned",
        requirement=("V2G2-885",),
        rule=Rule.SIGNATURE,
        tiers=(_L, _2, _1),
        der=_last_bit,
    ),
    Fault(
        name="bad-signature",
        reason="one bit of its own signature is turned: it is not self-signed",
        requirement=("V2G2-925",),
        rule=Rule.ANCHOR,
        tiers=(_R,),
        der=_last_bit,
    ),
    Fault(
        name="sha1",
        reason="it is signed with SHA-1",
        requirement=("V2G2-007", "V2G20-2675"),
        rule=Rule.PROFILE,
        tiers=(_L, _2),
        editions=CURVES,
        digest=hashes.SHA1(),
    ),
    Fault(
        name="sha384",
        reason="it is signed with SHA-384",
        requirement=("V2G2-007", "V2G20-2675"),
        rule=Rule.PROFILE,
        tiers=(_L, _2),
        editions=CURVES,
        digest=hashes.SHA384(),
    ),
    Fault(
        name="algorithm-mismatch",
        reason="its signed part names another algorithm than its signature",
        requirement=("RFC 5280 4.1.1.2",),
        rule=Rule.SIGNATURE,
        tiers=(_L, _2),
        draft=_inner_only,
    ),
)
