"""Who checks which certificate, when, and what for: the same table for CAs and leaves, as they are checked together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pki.profiles import Branch, Tier


@dataclass(frozen=True, slots=True)
class Checker:
    """Somebody who checks the chains of a branch; `occasion` completes "checks it …"."""

    who: str
    occasion: str


_STATION = Checker("EVCC", "in the TLS handshake: a station of a charge point operator, DC=CPO [V2G2-925]")
_VEHICLE = Checker("SECC", "in the TLS 1.3 handshake of -20: the vehicle that wants in [V2G20-2331] [V2G20-2339]")
CHECKERS: dict[Branch, tuple[Checker, ...]] = {
    Branch.CPO: (_STATION,),
    Branch.MO: (
        Checker("SECC", "before Plug & Charge: who pays, and whose signatures stand under requests and receipts"),
        Checker("EVCC", "when a new contract is delivered, where it knows the root of the operator"),
    ),
    Branch.OEM: (
        Checker("Provisioning service", "when a car asks for a contract: signed by a car of this maker [V2G2-933]"),
    ),
    Branch.CPS: (Checker("EVCC", "when a contract is delivered: signed by a provisioning service, DC=CPS [V2G2-925]"),),
    Branch.VEHICLE: (_VEHICLE,),
    Branch.PRIVATE: (
        Checker("EVCC", "in the TLS handshake at a private station, which its root signs directly [V2G2-868]"),
    ),
    Branch.V2G: (
        Checker("EVCC", "as the anchor of stations and of the provisioning service"),
        Checker("SECC", "as the anchor of contracts and vehicles whose branch hangs below it"),
    ),
}
_PLACES = {
    Tier.ROOT: "a trust anchor",
    Tier.CROSS: "the link between two roots",
    Tier.SUB1: "part of the chain of every leaf below it",
    Tier.SUB2: "part of the chain of every leaf below it",
    Tier.LEAF: "the end of its chain",
    Tier.OCSP: "the signer of answers about the certificates of its CA",
}
_STATUS = Checker("EVCC, SECC and their backends", "when they read an OCSP response about a certificate of its CA")


def part(tier: Tier) -> str:
    """Return which part a certificate of a tier has in a chain."""
    return _PLACES[tier]


def checkers(branch: Branch, tier: Tier) -> Iterator[Checker]:
    """Yield who checks certificates of a branch."""
    if tier is Tier.OCSP:
        yield _STATUS
        return
    yield from CHECKERS[branch]
    if tier is Tier.ROOT and branch is Branch.OEM:
        yield _VEHICLE
