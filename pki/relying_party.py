"""One who trusts: anchors, what is asked beyond the profiles, and evidence of revocation brought while it is needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pki import ocsp
from pki.cache import Cache
from pki.certificate import Certificate, read, signed_by
from pki.evidence import ISO2, ISO20, Source, Status, Terms
from pki.fetch import Fetcher, Reach
from pki.keys import P256
from pki.profiles import Edition
from pki.revocation import Checked, Mode, Revocation
from pki.revocation_settings import RevocationSettings
from pki.shown import shown
from pki.validate import Objection, Policy, validate
from v2g.errors import Untrusted
from v2g.tls.suites import Generation
from v2g.trust import Role, Verdict

EDITIONS = {Generation.ISO2: (Edition.ISO2,), Generation.ISO20: (Edition.ISO20, Edition.ISO20_ED448)}
"""The editions of certificates that a generation of TLS has."""


class RelyingParty:
    """Judges chains against DER anchors; several may ask at once.

    `private` are roots of private operators, DER, which sign SECC leaves themselves and anchor nothing else. Files
    of evidence are read here, and from then on by a thread: a verdict never waits for a disk. Raises ValueError naming
    a source of evidence that cannot be used, and for a private root that cannot be read.
    """

    def __init__(
        self,
        anchors: Sequence[bytes],
        settings: RevocationSettings | None = None,
        *,
        editions: tuple[Edition, ...] = (Edition.ISO2,),
        private: Sequence[bytes] = (),
    ) -> None:
        settings = settings or RevocationSettings()
        terms = ISO20 if all(edition.second for edition in editions) else ISO2
        cache = Cache([Path(name) for name in (*settings.crls, *filter(None, [settings.evidence]))])
        cache.follow()
        self._anchors = tuple(anchors)
        self._private = tuple(map(read, private))
        self._cache = cache
        self._fetcher = _fetcher(cache, settings, terms)
        revocation = Revocation(
            Mode(settings.revocation),
            cache,
            checked=Checked(settings.checked),
            terms=terms,
            want=None if self._fetcher is None else self._fetcher.want,
            private=private,
        )
        self._policy = Policy(
            editions=editions, options=settings.options, private=tuple(private), revocation=revocation
        )
        self._leaf = Revocation(
            Mode.HARD,
            cache,
            checked=Checked.LEAF,
            terms=terms,
            want=None if self._fetcher is None else self._fetcher.want,
            private=private,
        )
        self._terms = terms

    def verify(self, chain: Sequence[bytes], role: Role) -> Verdict:
        """Judge a chain by what is known now. Its verdict is `pending` while evidence is being brought."""
        fetcher = self._fetcher
        if fetcher is None:
            return validate(chain, role, self._anchors, policy=self._policy)
        # An inquiry may end while the chain is judged by what was known before.
        running, begun = fetcher.busy(chain), fetcher.begun
        verdict = validate(chain, role, self._anchors, policy=self._policy)
        return replace(verdict, pending=running or fetcher.begun != begun)

    async def settle(self, chain: Sequence[bytes], role: Role, within_s: float) -> Verdict:
        """Judge a chain when the evidence that can be brought within so many seconds is there."""
        verdict = self.verify(chain, role)
        if verdict.pending and self._fetcher is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await _idle(self._fetcher, chain)
            verdict = self.verify(chain, role)
        return replace(verdict, pending=False)

    def stapled(self, response: bytes, chain: Sequence[bytes]) -> Status:
        """Tell what an OCSP response says of the first certificate of a chain, which holds otherwise.

        A good word, or one of a revocation, is kept as evidence if it is newer than what is known: a peer that staples
        cannot push evidence out. Raises `Unusable`, and ValueError for a certificate whose issuer is unknown here.
        """
        certificate, issuer = self._named(chain)
        now = datetime.now(UTC)
        terms = self._terms if P256.fits(certificate.key) else ISO20
        said = ocsp.judge(response, certificate, issuer, now, terms)
        known = self._cache.find(certificate, issuer, now, terms).statements
        newer = all(word.this_update < said.this_update for word in known if word.source is Source.OCSP)
        if said.standing.status is not Status.UNKNOWN and newer:
            self._cache.add(response)
        return said.standing.status

    def excuses(self, chain: Sequence[bytes]) -> bool:
        """Tell whether a private operator's root signed the first certificate of a chain itself [V2G2-872]."""
        leaf = read(chain[0])
        return any(leaf.names(root) and signed_by(leaf.parsed, root.parsed) for root in self._private)

    async def inquire(self, chain: Sequence[bytes], within_s: float) -> None:
        """Find out how the first certificate of a chain stands that holds otherwise, within so many seconds.

        Raises `Untrusted` unless it is known to be good, whatever the policy for revocation is, or excused.
        """
        pair = self._named(chain)
        with contextlib.suppress(Objection):
            self._leaf.judge(pair, datetime.now(UTC))  # which begins to ask where nothing is known
        if self._fetcher is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(within_s):
                    await _idle(self._fetcher, chain[:1])
        try:
            self._leaf.judge(pair, datetime.now(UTC))
        except Objection as objection:
            raise Untrusted(f"leaf certificate, {objection.rule}", objection.detail) from objection

    def _named(self, chain: Sequence[bytes]) -> tuple[Certificate, Certificate]:
        """Return the first certificate of a chain and its issuer, which may be an anchor. Raises ValueError."""
        certificate = read(chain[0])
        for issuer in (*map(read, (*chain[1:2], *self._anchors)), *self._private):
            if certificate.names(issuer):
                return certificate, issuer
        raise ValueError(f"the issuer of {shown(certificate.common_name)} is not known here")


async def _idle(fetcher: Fetcher, chain: Sequence[bytes]) -> None:
    """Wait until no inquiry about a certificate of this chain is under way."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    with fetcher.watched(lambda: loop.call_soon_threadsafe(ended.set)):
        while fetcher.busy(chain):
            await ended.wait()
            ended.clear()


def _fetcher(cache: Cache, settings: RevocationSettings, terms: Terms) -> Fetcher | None:
    if not settings.fetch:
        return None
    reach = Reach(hosts=frozenset(settings.fetch), seconds=settings.fetch_s, nonce=settings.nonce)
    return Fetcher(cache, reach, terms)
