"""May a certificate chain be trusted in a role? The one place where that is decided, closed on every doubt."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from pki.certificate import Certificate, read, signed_by
from pki.fit import misfits
from pki.profiles import Profile, Tier, path, roots
from v2g.trust import Role, Rule, Verdict

logger = logging.getLogger(__name__)


class Broken(Exception):
    """A check failed."""

    def __init__(self, rule: Rule, detail: str, tier: str = "") -> None:
        self.rule = rule
        self.detail = f"{tier}: {detail}" if tier else detail
        self.tier = tier
        super().__init__(self.detail)


def validate(chain: Sequence[bytes], role: Role, anchors: Sequence[bytes], at: datetime | None = None) -> Verdict:
    """Check a chain of DER certificates, leaf first and without the root, in a role against DER trust anchors.

    `at` is the time to judge by (aware; now if None). Never raises: what goes wrong in the check itself is a broken
    verdict too. The checks run in the order of `Rule`, only that sizes are looked at before anything is parsed and a
    missing DC once the root is known; the first that fails decides, and within it the lowest tier.
    """
    check = _Check(role)
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

    def __init__(self, role: Role) -> None:
        self.role = role
        self.verdict = Verdict(role=role)

    def run(self, chain: Sequence[bytes], anchors: Sequence[bytes], at: datetime) -> None:
        """Go through all checks; raise `Broken` at the first that fails."""
        rows = self._rows(len(chain))
        certificates = [_read(der, row) for der, row in zip(chain, rows, strict=True)]
        self.verdict = replace(self.verdict, subject=certificates[0].common_name, expires=certificates[0].not_after)
        _order(certificates, rows)
        for certificate, row in zip(certificates, rows, strict=True):
            _profile(certificate, row)
        for row, (certificate, issuer) in zip(rows, pairwise(certificates), strict=False):
            _signature(certificate, issuer, row.tier)
        anchor = _anchor(certificates, rows, anchors, at)
        self.verdict = replace(self.verdict, anchor=anchor.common_name)
        _branch(certificates, rows, anchor)
        for certificate, tier in zip([*certificates, anchor], [*(row.tier for row in rows), Tier.ROOT], strict=True):
            _validity(certificate, tier, at)

    def _rows(self, length: int) -> tuple[Profile, ...]:
        rows = path(self.role, length)
        if not rows:
            raise Broken(Rule.DEPTH, f"{length} certificates; a chain is a leaf and one or two Sub-CAs [V2G2-009]")
        return rows


def _read(der: bytes, row: Profile) -> Certificate:
    if len(der) > row.size:
        raise Broken(Rule.PROFILE, f"has {len(der)} bytes, more than {row.size} [V2G2-010]", row.tier)
    try:
        return read(der)
    except ValueError as error:
        raise Broken(Rule.PARSE, str(error), row.tier) from error


def _order(certificates: Sequence[Certificate], rows: Sequence[Profile]) -> None:
    for row, (certificate, issuer) in zip(rows, pairwise(certificates), strict=False):
        if not certificate.names(issuer):
            raise Broken(Rule.ORDER, "the next certificate is not its issuer", row.tier)


def _profile(certificate: Certificate, row: Profile) -> None:
    for misfit in misfits(certificate, row):
        raise Broken(Rule.PROFILE, misfit, row.tier)


def _signature(certificate: Certificate, issuer: Certificate, tier: Tier) -> None:
    if not signed_by(certificate.parsed, issuer.parsed):
        raise Broken(Rule.SIGNATURE, "its issuer did not sign it", tier)


def _anchor(
    certificates: Sequence[Certificate], rows: Sequence[Profile], anchors: Sequence[bytes], at: datetime
) -> Certificate:
    """Find the root that signed the chain, a valid one before others: roots may share a name [V2G2-878]."""
    top, row = certificates[-1], rows[-1]
    named = [anchor for anchor in map(_readable, anchors) if anchor is not None and top.names(anchor)]
    if not named:
        raise Broken(Rule.ANCHOR, "its issuer is none of our trust anchors", row.tier)
    fitting = [anchor for anchor in named if _may_anchor(anchor, row, below=len(certificates) - 1)]
    if not fitting:
        kinds = " or ".join(anchor.role for anchor in roots(row))
        raise Broken(Rule.ANCHOR, f"is no {kinds} [V2G2-925]", Tier.ROOT)
    signers = [anchor for anchor in fitting if signed_by(top.parsed, anchor.parsed)]
    if not signers:
        raise Broken(Rule.SIGNATURE, "no trust anchor of its issuer's name signed it", row.tier)
    return max(signers, key=lambda anchor: anchor.not_before <= at <= anchor.not_after)


def _branch(certificates: Sequence[Certificate], rows: Sequence[Profile], anchor: Certificate) -> None:
    """Demand of a chain to name its branch where its root does not: others hang under that root, too [V2G2-925]."""
    for certificate, row in zip(certificates, rows, strict=True):
        if not certificate.components and row.dc not in anchor.components:
            raise Broken(Rule.PROFILE, f"its DC is missing, and its root is none of {row.dc} [V2G2-925]", row.tier)


def _readable(der: bytes) -> Certificate | None:
    """Read an anchor; one that cannot be read anchors nothing."""
    try:
        return read(der)
    except ValueError:
        return None


def _may_anchor(anchor: Certificate, row: Profile, *, below: int) -> bool:
    """Tell whether an anchor is of a kind that may issue `row`, and far enough above a leaf with `below` Sub-CAs."""
    if anchor.path_length is not None and anchor.path_length < below:
        return False
    return any(not any(misfits(anchor, kind)) for kind in roots(row))


def _validity(certificate: Certificate, tier: Tier, at: datetime) -> None:
    if at < certificate.not_before:
        raise Broken(Rule.NOT_YET_VALID, f"is valid from {certificate.not_before:%Y-%m-%d %H:%M} UTC", tier)
    if at > certificate.not_after:
        raise Broken(Rule.EXPIRED, f"was valid until {certificate.not_after:%Y-%m-%d %H:%M} UTC", tier)
