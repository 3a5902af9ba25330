"""The rules for several certificates in one file, or sent by one server: order, gaps, roots, doubles, depth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from pki.ancestry import self_signed
from pki.certificate import Certificate, signed_by
from pki.lint.finding import Remark
from pki.lint.links import Known, unsigned
from pki.profiles import Branch, Tier
from pki.shown import shown
from pki.validate import Policy, validate
from v2g.trust import Role

_DEPTH = 3  # [V2G2-009]
_WITH_CROSS = 4  # [V2G20-1003]
_LONGEST = 8  # certificates that anybody tries to put in order

Told = Iterator[tuple[int, Remark]]
"""Remarks with the position of the certificate they are about, from 0; -1 for the file."""


def sequence(members: Sequence[Known], *, served: bool) -> Told:
    """Judge the certificates of one source in their order."""
    yield from _twice(members)
    roots = [place for place, one in enumerate(members) if self_signed(one.certificate)]
    leaves = [place for place, one in enumerate(members) if not one.certificate.ca and members.index(one) == place]
    if len(leaves) != 1 or (len(members) == 1 and not served):
        return  # anchors, or a folder in one file: no chain
    first = {one.certificate.der: place for place, one in reversed(list(enumerate(members)))}
    below = [place for place in sorted(first.values()) if place not in roots]
    yield from _order(members, below, leaves[0])
    for place in roots:
        if place != leaves[0] and not _private(members[place]):
            yield place, Remark("chain-root", "the chain contains its root")
    yield from _depth(members, below)
    yield from _top(members, below)


def _twice(members: Sequence[Known]) -> Told:
    counted = Counter(one.certificate.der for one in members)
    told: set[bytes] = set()
    for place, one in enumerate(members):
        der = one.certificate.der
        if counted[der] > 1 and der not in told:
            told.add(der)
            yield place, Remark("chain-twice", f"it stands in the file {counted[der]} times")


def _private(known: Known) -> bool:
    """A private operator's root signs leaves itself and is sent along [V2G2-868] [V2G2-872]."""
    return known.row is not None and known.row.branch is Branch.PRIVATE


def _order(members: Sequence[Known], below: Sequence[int], leaf: int) -> Told:
    chain = [members[place] for place in below]
    for place, (lower, upper) in zip(below, pairwise(chain), strict=False):
        # Where no issuer is known at all, the rules for links say so.
        known = lower.issuer is not None and lower.issuer is not upper
        if known and _names(lower, upper) and not signed_by(lower.certificate.parsed, upper.certificate.parsed):
            yield place, unsigned(upper)
    if all(_names(lower, upper) for lower, upper in pairwise(chain)):
        return
    ordered = _ordered(members, below, leaf)
    if len(ordered) == len({one.certificate.der for one in chain}):
        yield -1, Remark("chain-order", f"the right order is {', '.join(one.label for one in ordered)}")
        return
    strays = [place for place in below if members[place] not in ordered]
    top = ordered[-1]
    for place in strays:
        yield place, Remark("chain-gap", f"it issued none of those before; after {top.label} comes {_issuer(top)}")


def _ordered(members: Sequence[Known], below: Sequence[int], leaf: int) -> list[Known]:
    """Return what hangs together, from the leaf upwards."""
    found = [members[leaf]]
    while len(found) < _LONGEST:
        above = [members[place] for place in below if _names(found[-1], members[place])]
        fresh = [one for one in above if one not in found]
        if not fresh:
            break
        found.append(fresh[0])
    return found


def _names(lower: Known, upper: Known) -> bool:
    """By name alone, also one written otherwise: other rules tell what is wrong between the two."""
    return lower.certificate.parsed.issuer == upper.certificate.parsed.subject


def _issuer(known: Known) -> str:
    return shown(known.certificate.parsed.issuer.rfc4514_string())


def _depth(members: Sequence[Known], below: Sequence[int]) -> Told:
    rows = [members[place].row for place in below]
    most = _WITH_CROSS if any(row is not None and row.tier is Tier.CROSS for row in rows) else _DEPTH
    if len(below) > most:
        yield -1, Remark("chain-depth", f"{len(below)} certificates without the root, more than {most}")


def _top(members: Sequence[Known], below: Sequence[int]) -> Told:
    """Tell what is missing above the last certificate, where that can be known."""
    top = members[below[-1]] if below else None
    if top is None or len(members) > len(below):
        return
    issuer = top.issuer
    if issuer is not None and issuer not in members and not self_signed(issuer.certificate):
        yield below[-1], Remark("chain-gap", f"its issuer, {issuer.label}, is missing: it is no root")
    elif issuer is None and not top.certificate.ca:
        yield below[-1], Remark("chain-gap", f"the chain ends with a leaf; {_issuer(top)} is missing")


def completed(members: Sequence[Known]) -> list[Known]:
    """Return a certificate with its issuers up to the root, as far as they are known: it lies apart from its chain."""
    chain = list(members)
    while chain and len(chain) <= _LONGEST:
        issuer = chain[-1].issuer
        if issuer is None or self_signed(issuer.certificate):
            break
        chain.append(issuer)
    return chain


def trust(members: Sequence[Known], anchors: Sequence[bytes], at: datetime, policy: Policy) -> Told:
    """Judge a chain as a SECC or EVCC would, by the anchors it is to hang on."""
    leaf = members[0].row if members else None
    if leaf is None or leaf.role not in list(Role):
        return
    ders = [one.certificate.der for one in members]
    verdict = validate(ders, Role(leaf.role), anchors, at, replace(policy, editions=(leaf.edition,)))
    if not verdict:
        yield 0, Remark("chain-trust", f"as {leaf.role} it is refused: {verdict.broken}: {verdict.detail}")


def twins(known: Sequence[Known]) -> Iterator[tuple[Known, Remark]]:
    """Roots of one name [V2G2-878], and serial numbers an issuer used twice."""
    subjects: dict[bytes, Known] = {}
    serials: dict[tuple[bytes, int], Known] = {}
    for one in known:
        certificate = one.certificate
        first = serials.setdefault((certificate.issuer, certificate.serial), one)
        if first is not one:
            yield one, Remark("serial-twice", f"{first.label} has the same issuer and serial number", "serialNumber")
        if _is_root(certificate):
            first = subjects.setdefault(certificate.subject, one)
            if first is not one:
                yield one, Remark("twin-roots", f"{first.label} is a root of the same name", "subject")


def _is_root(certificate: Certificate) -> bool:
    return certificate.subject == certificate.issuer and bool(certificate.ca)
