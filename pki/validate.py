"""May a certificate chain be trusted in a role? The one place where that is decided, closed on every doubt."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Protocol

from pki import known
from pki.certificate import Certificate, read, signed_by
from pki.fit import misfits, too_large
from pki.options import DEFAULT, Options
from pki.profiles import Component, Edition, Profile, Tier, paths, profiles, roots
from v2g.trust import Role, Rule, Verdict

logger = logging.getLogger(__name__)
_RULES = list(Rule)


class Objection(Exception):
    """What is held against a certificate of a chain: revoked, or of unknown standing where that is not enough.

    `place` counts from the leaf.
    """

    def __init__(self, rule: Rule, detail: str, place: int) -> None:
        self.rule = rule
        self.detail = detail
        self.place = place
        super().__init__(detail)


class Revocation(Protocol):
    """Knows which certificates were revoked."""

    def judge(self, chain: Sequence[Certificate], at: datetime) -> None:
        """Raise `Objection` for a chain, its anchor last, one of which is revoked or not known to be good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What somebody who trusts asks beyond the profiles.

    A chain has to be of one of the `editions`. `private` are roots of private operators, DER, for SECC leaves alone:
    whatever else they look like, other anchors never sign a leaf [V2G2-867] [V2G2-868].
    """

    editions: tuple[Edition, ...] = (Edition.ISO2,)
    options: Options = DEFAULT
    private: tuple[bytes, ...] = ()
    revocation: Revocation | None = None


ISO2 = Policy()


class Broken(Exception):
    """A check failed; `reached` is the rule whose turn it was, where that is not the one that is broken."""

    def __init__(self, rule: Rule, detail: str, tier: str = "", *, reached: Rule | None = None) -> None:
        self.rule = rule
        self.reached = _RULES.index(reached or rule)
        self.detail = f"{tier}: {detail}" if tier else detail
        self.tier = tier
        super().__init__(self.detail)


def validate(
    chain: Sequence[bytes], role: Role, anchors: Sequence[bytes], at: datetime | None = None, policy: Policy = ISO2
) -> Verdict:
    """Check a chain of DER certificates, leaf first and without the root, in a role against DER trust anchors.

    `at` is the time to judge by (aware; now if None). Never raises: what goes wrong in the check itself is a broken
    verdict too. The checks run in the order of `Rule`, only that sizes are looked at before anything is parsed and a
    missing DC once the root is known; the first that fails decides, and within it the lowest tier. Where a chain may
    be read as several kinds of path, the reading that gets furthest decides.
    """
    check = _Check(role, policy)
    try:
        check.run(chain, anchors, at or datetime.now(UTC))
    except Broken as broken:
        return replace(check.verdict, broken=broken.rule, detail=broken.detail, tier=broken.tier)
    except Exception as error:
        logger.exception("the check of a %s chain failed", role)
        return replace(check.verdict, broken=Rule.CHECK, detail=f"{type(error).__name__}: {error}")
    return check.verdict


class _Check:
    """One chain under examination; `verdict` holds what is known so far."""

    def __init__(self, role: Role, policy: Policy) -> None:
        self.role = role
        self.policy = policy
        self.verdict = Verdict(role=role)
        self._leaf = b""
        self._signers: dict[bytes, bool] = {}

    def run(self, chain: Sequence[bytes], anchors: Sequence[bytes], at: datetime) -> None:
        """Go through all checks; raise `Broken` at the first that fails."""
        chain = self._below_root(chain)
        readings = list(self._readings(len(chain)))
        largest = max(readings, key=lambda rows: rows[0].size)
        certificates = [_read(der, row) for der, row in zip(chain, largest, strict=True)]
        self._leaf = certificates[0].der
        self.verdict = replace(self.verdict, subject=certificates[0].common_name, expires=certificates[0].not_after)
        fitting = [rows for rows in readings if rows[0].suite.fits(certificates[0].key)]
        _furthest(partial(self._judge, certificates, rows, anchors, at) for rows in fitting or readings[:1])

    def _below_root(self, chain: Sequence[bytes]) -> Sequence[bytes]:
        """A private operator's station sends its root, too [V2G2-872]."""
        return chain[:-1] if len(chain) > 1 and chain[-1] in self.policy.private else chain

    def _readings(self, length: int) -> Iterator[tuple[Profile, ...]]:
        found = [
            rows
            for edition in self.policy.editions
            for rows in paths(self.role, length, edition, self.policy.options)
            if rows[-1].ca or self.policy.private
        ]
        if not found:
            editions = [edition for edition in self.policy.editions if self.role in profiles(edition)]
            if not editions:
                raise Broken(Rule.PROFILE, f"there is no {self.role} in {' or '.join(self.policy.editions)}")
            raise Broken(Rule.DEPTH, f"{length} certificates; {_depth(editions)}")
        yield from found

    def _judge(
        self, certificates: Sequence[Certificate], rows: Sequence[Profile], anchors: Sequence[bytes], at: datetime
    ) -> None:
        _order(certificates, rows)
        for place, (certificate, row) in enumerate(zip(certificates, rows, strict=True)):
            _profile(certificate, row, below=max(place - 1, 0))
        for row, (certificate, issuer) in zip(rows, pairwise(certificates), strict=False):
            if not self._signed(certificate, issuer):
                raise Broken(Rule.SIGNATURE, "its issuer did not sign it", row.tier)
        # Whoever trusts a root does not need to trust who certified it once more.
        ends = [len(rows), len(rows) - 1] if rows[-1].tier is Tier.CROSS else [len(rows)]
        _furthest(partial(self._end, certificates[:end], rows[:end], anchors, at) for end in ends)

    def _end(
        self, certificates: Sequence[Certificate], rows: Sequence[Profile], anchors: Sequence[bytes], at: datetime
    ) -> None:
        """Check what depends on the anchor."""
        private = not rows[-1].ca
        anchor = self._anchor(certificates, rows, self.policy.private if private else anchors, at)
        self.verdict = replace(self.verdict, anchor=anchor.common_name)
        if not private:
            _branch(certificates, rows, anchor)
        tiers = [*(row.tier for row in rows), Tier.ROOT]
        for certificate, tier in zip([*certificates, anchor], tiers, strict=True):
            _validity(certificate, tier, at)
        self._revocation([*certificates, anchor], tiers, at)

    def _revocation(self, chain: Sequence[Certificate], tiers: Sequence[Tier], at: datetime) -> None:
        if self.policy.revocation is None:
            return
        try:
            self.policy.revocation.judge(chain, at)
        except Objection as objection:
            raise Broken(objection.rule, objection.detail, tiers[objection.place]) from objection

    def _anchor(
        self, certificates: Sequence[Certificate], rows: Sequence[Profile], anchors: Sequence[bytes], at: datetime
    ) -> Certificate:
        """Find the root that signed the chain, a valid one before others: roots may share a name [V2G2-878]."""
        top, row = certificates[-1], rows[-1]
        kinds = roots(row, self.policy.options)
        named = [anchor for anchor in map(_readable, dict.fromkeys(anchors)) if anchor and top.names(anchor)]
        if not named:
            raise Broken(Rule.ANCHOR, "its issuer is none of our trust anchors", row.tier)
        below = sum(1 for each in rows if each.ca)
        fitting = [anchor for anchor in named if _may_anchor(anchor, kinds, below=below)]
        if not fitting:
            wanted = " or ".join(kind.role for kind in kinds)
            raise Broken(Rule.ANCHOR, f"is no {wanted} [V2G2-925]", Tier.ROOT)
        signers = [anchor for anchor in fitting if self._signed(top, anchor)]
        if not signers:
            detail = "no trust anchor of its issuer's name signed it"
            raise Broken(Rule.SIGNATURE, detail, row.tier, reached=Rule.ANCHOR)
        return max(signers, key=lambda anchor: anchor.not_before <= at <= anchor.not_after)

    def _signed(self, certificate: Certificate, issuer: Certificate) -> bool:
        """Tell whether an issuer signed a certificate; a leaf's signature is checked once, whatever the readings."""
        if certificate.der != self._leaf:
            return known.issued(certificate.der, issuer.der)
        if issuer.der not in self._signers:
            self._signers[issuer.der] = signed_by(certificate.parsed, issuer.parsed)
        return self._signers[issuer.der]


def _furthest(attempts: Iterable[Callable[[], None]]) -> None:
    """Make attempts until one succeeds; if none does, raise what broke the one that got furthest."""
    furthest: Broken | None = None
    for attempt in attempts:
        try:
            attempt()
        except Broken as broken:
            if furthest is None or broken.reached > furthest.reached:
                furthest = broken
        else:
            return
    if furthest is not None:
        raise furthest


def _depth(editions: Sequence[Edition]) -> str:
    second = {edition.second for edition in editions}
    if second == {True}:
        return "a chain is a leaf, one or two Sub-CAs and perhaps a cross certificate [V2G20-1003]"
    short = "a chain is a leaf and one or two Sub-CAs [V2G2-009]"
    return f"{short}, in -20 perhaps with a cross certificate [V2G20-1003]" if True in second else short


def _read(der: bytes, row: Profile) -> Certificate:
    if len(der) > row.size:
        raise Broken(Rule.PROFILE, str(too_large(der, row)), row.tier)
    try:
        return read(der) if row.tier is Tier.LEAF else known.authority(der)
    except ValueError as error:
        raise Broken(Rule.PARSE, str(error), row.tier) from error


def _order(certificates: Sequence[Certificate], rows: Sequence[Profile]) -> None:
    for row, (certificate, issuer) in zip(rows, pairwise(certificates), strict=False):
        if not certificate.names(issuer):
            raise Broken(Rule.ORDER, "the next certificate is not its issuer", row.tier)


def _profile(certificate: Certificate, row: Profile, *, below: int) -> None:
    for misfit in misfits(certificate, row):
        raise Broken(Rule.PROFILE, str(misfit), row.tier)
    if certificate.path_length is not None and certificate.path_length < below:
        raise Broken(
            Rule.PROFILE, f"its path length is {certificate.path_length}, with {below} Sub-CAs below", row.tier
        )


def _branch(certificates: Sequence[Certificate], rows: Sequence[Profile], anchor: Certificate) -> None:
    """Demand of a chain to name its branch where its root does not: others hang under that root, too [V2G2-925]."""
    for certificate, row in zip(certificates, rows, strict=True):
        silent = not certificate.components and row.component is Component.BELOW_OTHERS
        if silent and row.dc not in anchor.components:
            raise Broken(Rule.PROFILE, f"its DC is missing, and its root is none of {row.dc} [V2G2-925]", row.tier)


def _readable(der: bytes) -> Certificate | None:
    """Read an anchor; one that cannot be read anchors nothing."""
    try:
        return known.authority(der)
    except ValueError:
        return None


def _may_anchor(anchor: Certificate, kinds: Sequence[Profile], *, below: int) -> bool:
    """Tell whether an anchor is of one of these kinds, and may stand above so many CAs."""
    if anchor.path_length is not None and anchor.path_length < below:
        return False
    return any(known.fits(anchor.der, kind) for kind in kinds)


def _validity(certificate: Certificate, tier: Tier, at: datetime) -> None:
    if at < certificate.not_before:
        raise Broken(Rule.NOT_YET_VALID, f"is valid from {certificate.not_before:%Y-%m-%d %H:%M} UTC", tier)
    if at > certificate.not_after:
        raise Broken(Rule.EXPIRED, f"was valid until {certificate.not_after:%Y-%m-%d %H:%M} UTC", tier)
