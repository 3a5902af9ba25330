"""Every variant: each fault at each role and tier it can have, by the name it goes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType

from pki.faults import encodings, evidence, extensions, keys, paths, subjects, times
from pki.faults.fault import Fault
from pki.profiles import Edition, Tier, profiles
from v2g.trust import Role

FAULTS = (
    *times.FAULTS,
    *evidence.FAULTS,
    *keys.FAULTS,
    *subjects.FAULTS,
    *extensions.FAULTS,
    *encodings.FAULTS,
    *paths.FAULTS,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A fault in a role of an edition, at a tier or, without one, of the chain as a whole."""

    name: str
    role: Role
    edition: Edition
    tier: Tier | None
    fault: Fault

    @property
    def aliases(self) -> tuple[str, ...]:
        """What ISO 15118-4 calls it."""
        return (self.fault.aliases or {}).get((self.role, self.tier or Tier.LEAF), ())

    @property
    def told(self) -> Tier | str:
        """The tier that the broken rule is told of; "" where it is none, or nothing is broken."""
        if self.fault.rule is None:
            return ""
        return (self.tier or "") if self.fault.told is None else self.fault.told


@cache
def variants(edition: Edition) -> Mapping[str, Variant]:
    """Return the variants of an edition by their names, in the order of the table."""
    return MappingProxyType({variant.name: variant for variant in _variants(edition)})


def _variants(edition: Edition) -> Iterator[Variant]:
    for role in Role:
        if role not in profiles(edition):
            continue
        for fault in FAULTS:
            if role in fault.roles and edition in fault.editions and not _unseen(role, edition, fault):
                for tier in fault.tiers or (None,):
                    yield Variant(_name(role, tier, fault), role, edition, tier, fault)


def _unseen(role: Role, edition: Edition, fault: Fault) -> bool:
    """Tell whether nobody would see a fault: in -2 a vehicle sends its provisioning certificate without its issuers."""
    alone = role is Role.OEM_PROVISIONING and not edition.second
    return alone and not fault.tiers and fault.shape is not None


def _name(role: Role, tier: Tier | None, fault: Fault) -> str:
    return "-".join(part for part in (role.value, tier and tier.value, fault.name) if part)


def find(names: Iterable[str], edition: Edition) -> list[Variant]:
    """Return variants by name or alias, each once; raises ValueError naming those that come near."""
    known = variants(edition)
    called = {alias: variant for variant in known.values() for alias in variant.aliases} | dict(known)
    found = {}
    for name in names:
        variant = called.get(name)
        if variant is None:
            raise ValueError(f"no variant of {edition} is named {name!r}{_near(name, called)}")
        found[variant.name] = variant
    return list(found.values())


def _near(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"; near: {', '.join(near)}" if near else "; `plugcharge pki break --list` names all"
