"""A peer's chain judged inside a TLS handshake, which cannot wait for a responder; what is pending is settled after it.

Nothing is to be said on the connection before it is settled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pki.relying_party import RelyingParty
from v2g.trust import Role, Rule, Verdict


class Handshake:
    """One connection; `chain` is then what its peer showed, DER, leaf first, trusted or not.

    `stapled` means that evidence of revocation may come with the handshake itself, after the chain.
    """

    def __init__(self, party: RelyingParty, *, stapled: bool = False) -> None:
        self.chain: Sequence[bytes] = ()
        self._party = party
        self._stapled = stapled
        self._pending: Role | None = None

    def verify(self, chain: Sequence[bytes], role: Role) -> Verdict:
        """Judge a chain by what is known now, in favour of one of which more is about to be known."""
        self.chain = chain
        verdict = self._party.verify(chain, role)
        unknown = verdict.broken is Rule.REVOCATION
        self._pending = role if verdict.pending or (unknown and self._stapled) else None
        return replace(verdict, broken=None) if unknown and self._pending else verdict

    async def settle(self, within_s: float) -> None:
        """Judge once more, if it was open whether the peer is revoked; raises `Untrusted`."""
        if self._pending is not None:
            (await self._party.settle(self.chain, self._pending, within_s)).demand()
