"""Whether the chain that a peer showed in a handshake may be trusted: asked once, closed on every doubt."""

from __future__ import annotations

from collections.abc import Sequence

from v2g.errors import Untrusted
from v2g.tls.identity import BadIdentity, generation_of_leaf
from v2g.tls.suites import Generation
from v2g.trust import Role, Rule, Verdict, Verify

_WHO = {Role.SECC: "station certificate", Role.VEHICLE: "vehicle certificate"}


class Judgement:
    """Asks `verify` about a peer in a role; anything but a clear yes is a no. It is a `v2g.tls.session.Judge`."""

    def __init__(self, verify: Verify | None, role: Role) -> None:
        self._verify = verify
        self._role = role
        self._what = _WHO[role]
        self._verdict: Verdict | None = None
        self._refusal: Untrusted | None = None
        self._rule: Rule | None = None

    def __call__(self, chain: Sequence[bytes], generation: Generation) -> Rule | None:
        """Judge a chain in a connection of a generation; asked again, the answer stays the same."""
        if self._verdict is None and self._refusal is None:
            self._rule = Rule.CHECK
            try:
                self._verdict = self._judged(chain, generation)
                self._rule = None
            except Untrusted as refusal:
                self._refusal = refusal
        return self._rule

    def raise_refusal(self, sent: str = "") -> None:
        """Raise the refusal if there was one; `sent` is the alert that told the peer."""
        if self._refusal is not None:
            self._refusal.sent = sent
            raise self._refusal

    def demand(self) -> Verdict:
        """Return the verdict that the chain holds. Raises `Untrusted` if there is none."""
        self.raise_refusal()
        if self._verdict is None:
            raise Untrusted(self._what, "its chain was never judged")
        return self._verdict

    def _judged(self, chain: Sequence[bytes], generation: Generation) -> Verdict:
        """Let `verify` judge the chain; whatever goes wrong on the way is a refusal."""
        if self._verify is None:
            raise Untrusted(self._what, "there is nobody here to judge it")
        try:
            verdict = self._verify(chain, self._role)
        except Untrusted:
            raise
        except Exception as error:
            raise Untrusted(self._what, f"its check failed with {type(error).__name__}: {error}") from error
        self._rule = verdict.broken or Rule.CHECK
        verdict.demand()
        if verdict.role is not self._role:
            raise Untrusted(self._what, f"it was judged as {verdict.role}")
        self._check_generation(chain, generation)
        return verdict

    def _check_generation(self, chain: Sequence[bytes], generation: Generation) -> None:
        """Refuse a leaf of the other generation, which a vehicle that offers both cannot help offering to take."""
        self._rule = Rule.PROFILE
        try:
            other = generation_of_leaf(chain[0])
        except BadIdentity as error:
            raise Untrusted(self._what, str(error)) from error
        if other is not generation:
            raise Untrusted(self._what, f"its key is of {other}, the connection of {generation}")
