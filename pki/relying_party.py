"""One who trusts: anchors, what is asked beyond the profiles, and evidence of revocation brought while it is needed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pki.cache import Cache
from pki.evidence import ISO2, ISO20, Terms
from pki.fetch import Fetcher, Reach
from pki.profiles import Edition
from pki.revocation import Checked, Mode, Revocation
from pki.revocation_settings import RevocationSettings
from pki.validate import Policy, validate
from v2g.trust import Role, Verdict


class RelyingParty:
    """Judges chains against DER anchors; several may ask at once.

    Raises ValueError naming a source of evidence that cannot be used.
    """

    def __init__(
        self,
        anchors: Sequence[bytes],
        settings: RevocationSettings | None = None,
        *,
        editions: tuple[Edition, ...] = (Edition.ISO2,),
        private: tuple[bytes, ...] = (),
    ) -> None:
        settings = settings or RevocationSettings()
        terms = ISO20 if all(edition.second for edition in editions) else ISO2
        cache = Cache([Path(name) for name in (*settings.crls, *filter(None, [settings.evidence]))])
        self._anchors = tuple(anchors)
        self._fetcher = _fetcher(cache, settings, terms)
        revocation = Revocation(
            Mode(settings.revocation),
            cache,
            checked=Checked(settings.checked),
            terms=terms,
            want=None if self._fetcher is None else self._fetcher.want,
        )
        self._policy = Policy(editions=editions, private=private, revocation=revocation)

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
