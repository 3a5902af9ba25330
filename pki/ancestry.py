"""Who issued whom among certificates that lie together, in whatever order and from whatever source.

Candidates are found by name and key identifier, and only those are put to the proof: a tree of many thousands takes
one signature check for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

from pki.certificate import Certificate, signed_by

TRIED = 16
"""Issuers that are put to the proof for one certificate: ten roots may share a name [V2G2-878], hostile files more."""
K = TypeVar("K")


def issuers(found: Mapping[K, Certificate]) -> dict[K, K | None]:
    """Return the key of each certificate's issuer; None for roots and orphans.

    A root goes before a cross certificate that shares its name and key. Where cross certificates issued each other
    and there is no root, the first of them counts as one: nobody is below itself.
    """
    named: dict[bytes, list[K]] = defaultdict(list)
    roots = {key for key, certificate in found.items() if self_signed(certificate)}
    for key, certificate in found.items():
        named[certificate.subject].append(key)
    for candidates in named.values():
        candidates.sort(key=lambda key: (key not in roots, not found[key].ca))
    above = {
        key: None if key in roots else _issuer(certificate, named.get(certificate.issuer, ()), found)
        for key, certificate in found.items()
    }
    return _without_loops(above)


def issuer_among(certificate: Certificate, found: Mapping[K, Certificate]) -> K | None:
    """Return the key of one certificate's issuer, a root before cross certificates of its name and key; None if away.

    As `issuers` does for all: here only what bears the issuer's name is put to the proof.
    """
    named = [key for key, each in found.items() if each.subject == certificate.issuer]
    named.sort(key=lambda key: not self_signed(found[key]))
    return _issuer(certificate, named, found)


def self_signed(certificate: Certificate) -> bool:
    """Tell whether a certificate names itself as its issuer, and is."""
    return certificate.subject == certificate.issuer and signed_by(certificate.parsed, certificate.parsed)


def descent(above: Mapping[K, K | None]) -> Iterator[tuple[K, int]]:
    """Yield every key after its issuer, with the number of those above it; brothers keep their order."""
    below: dict[K | None, list[K]] = defaultdict(list)
    for key, issuer in above.items():
        below[issuer].append(key)
    waiting = [(key, 0) for key in reversed(below[None])]
    while waiting:
        key, depth = waiting.pop()
        yield key, depth
        waiting.extend((child, depth + 1) for child in reversed(below[key]))


def _issuer(certificate: Certificate, candidates: Sequence[K], found: Mapping[K, Certificate]) -> K | None:
    """Return the first candidate that signed a certificate."""
    others = (key for key in candidates if found[key] is not certificate and certificate.names(found[key]))
    for key in islice(others, TRIED):
        if signed_by(certificate.parsed, found[key].parsed):
            return key
    return None


def _without_loops(above: dict[K, K | None]) -> dict[K, K | None]:
    """Make the first certificate of every loop an orphan."""
    safe: set[K] = set()
    for key in above:
        path: list[K] = []
        passed: set[K] = set()
        at: K | None = key
        while at is not None and at not in safe and at not in passed:
            path.append(at)
            passed.add(at)
            at = above[at]
        if at is not None and at in passed:
            above[at] = None
        safe.update(path)
    return above
