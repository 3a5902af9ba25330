"""The good path of a role in a tree, from which broken ones are made: its certificates by tier, and their keys."""

from __future__ import annotations

import hashlib
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki import operator
from pki.ancestry import issuer_among
from pki.certificate import Certificate, read
from pki.issue import Issued
from pki.profiles import Edition, Tier
from pki.revoked import authorities
from pki.roles import role_of
from pki.store import KeyWithheld, Store
from v2g.trust import Role


class Lacking(ValueError):
    """The tree has nothing that such a variant could be made from."""


class Keyless(ValueError):
    """The key of a CA lies elsewhere, and what it would have to sign cannot be made."""


class Path:
    """The first leaf of a role and all above it; raises `Lacking`, or ValueError for what is not valid at the time."""

    def __init__(self, tree: Store, role: Role, at: datetime) -> None:
        self.tree = tree
        self.role = role
        self._above = authorities(tree)
        self._places = self._climb(_first_leaf(tree, role))
        self._loaded: dict[Tier, Issued] = {}
        for tier, place in self._places.items():
            if tier is not Tier.LEAF:
                _check_valid(self._above[place], place, at)

    def _climb(self, place: str) -> dict[Tier, str]:
        """Find the places from the leaf up to its root."""
        places = {Tier.LEAF: place}
        certificate = read(self.tree.load_certificate(place).public_bytes(Encoding.DER))
        while Tier.ROOT not in places:
            place = self._issuer(place, certificate)
            certificate = self._above[place]
            places[Tier(role_of(place, certificate).rpartition("-")[2])] = place
        return places

    def _issuer(self, place: str, certificate: Certificate) -> str:
        above = issuer_among(certificate, self._above)
        if above is None:
            raise Lacking(f"{place}: its issuer is not in {self.tree.folder}")
        return above

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The tiers there are, the root first."""
        return tuple(reversed(self._places))

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificates above the leaf: another one where any of them was renewed."""
        above = (self._above[place].der for tier, place in self._places.items() if tier is not Tier.LEAF)
        return hashlib.sha256(b"".join(above)).hexdigest()

    def place(self, tier: Tier) -> str:
        """Return where the certificate of a tier lies; raises `Lacking`."""
        if tier not in self._places:
            raise Lacking(f"{self.tree.folder}: {self._places[Tier.LEAF]} has no {tier} above it")
        return self._places[tier]

    def certificate(self, tier: Tier) -> x509.Certificate:
        """Return the certificate of a tier; raises `Lacking`."""
        return self.tree.load_certificate(self.place(tier))

    def issued(self, tier: Tier) -> Issued:
        """Return certificate and key of a tier; raises ValueError naming a key that is away (`Keyless`) or damaged."""
        if tier not in self._loaded:
            place = self.place(tier)
            try:
                self._loaded[tier] = self.tree.load(place)
            except KeyWithheld as error:
                raise Keyless(self._without(place, error)) from error
            except (ValueError, FileNotFoundError) as error:
                raise ValueError(self._without(place, error)) from error
        return self._loaded[tier]

    def _without(self, place: str, error: Exception) -> str:
        return f"{self.tree.key(place)}: {error}; without it no variant of {place} is made"


def edition_of(tree: Store) -> Edition:
    """Tell the edition of a tree by the keys of its CAs; raises `Lacking` for one without."""
    for certificate in authorities(tree).values():
        return operator.edition_of(certificate.key)
    raise Lacking(f"{tree.folder}: holds no CA; `plugcharge pki init` makes a tree")


def _first_leaf(tree: Store, role: Role) -> str:
    for place in tree.places():
        if place.startswith(f"leaf/{role}/"):
            return place
    raise Lacking(f"{tree.folder}: has no {role} leaf; declare one in pki.toml and run `plugcharge pki init`")


def _check_valid(certificate: Certificate, place: str, at: datetime) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        period = f"{certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
        raise ValueError(
            f"{place}: is valid from {period} only, and more than one thing would be wrong below it; "
            "`plugcharge pki renew` makes it anew"
        )
