"""Is a certificate of a chain revoked? What the evidence at hand says, and what follows where it says nothing.

Of one certificate a revocation counts whoever tells it, and wins over any good word. Only a hold may be lifted, and
between words that may differ with time the latest counts. The root is nobody's to revoke and is not checked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pki.cache import Cache, Found
from pki.certificate import Certificate
from pki.evidence import ISO2, UNKNOWN, Standing, Statement, Status, Terms
from pki.validate import Objection
from v2g.trust import Rule


class Mode(StrEnum):
    """What becomes of a chain: never asked, only a revocation breaks it, or whatever is not known to be good."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


class Checked(StrEnum):
    """Which certificates are checked: the leaf alone, or all below the root."""

    LEAF = "leaf"
    CHAIN = "chain"


class Revoked(Objection):
    """A certificate of the chain is revoked."""

    def __init__(self, place: int, detail: str) -> None:
        super().__init__(Rule.REVOKED, detail, place)


class Unknown(Objection):
    """Of a certificate of the chain it is not known whether it is revoked."""

    def __init__(self, place: int, detail: str) -> None:
        super().__init__(Rule.REVOCATION, detail, place)


@dataclass(frozen=True, slots=True)
class Question:
    """A certificate of which it is to be known whether it is revoked, and its issuer; `place` counts from the leaf."""

    place: int
    certificate: Certificate
    issuer: Certificate


class Revocation:
    """A policy and the evidence it is applied to.

    `terms` say how old evidence may be; `want` is told of every certificate of which nothing is known, to bring some.
    `private` are roots (DER) of private operators, who do not tell how the leaves that they signed stand [V2G2-872]: of
    those only a revocation counts that is known all the same.
    """

    def __init__(
        self,
        mode: Mode,
        cache: Cache | None = None,
        *,
        checked: Checked = Checked.CHAIN,
        terms: Terms = ISO2,
        want: Callable[[Question], None] | None = None,
        private: Collection[bytes] = (),
    ) -> None:
        self.mode = mode
        self.cache = Cache() if cache is None else cache
        self._checked = checked
        self._terms = terms
        self._want = want
        self._private = frozenset(private)

    def judge(self, chain: Sequence[Certificate], at: datetime) -> None:
        """Judge a chain that holds otherwise, leaf first and its anchor last, at a time (aware).

        Raises `Revoked`, and `Unknown` where the mode is hard; a revoked certificate tells more than unknown ones.
        """
        if self.mode is Mode.OFF:
            return
        self.cache.update()
        unknown: list[tuple[Question, Found]] = []
        for question in self._questions(chain):
            found = self.cache.find(question.certificate, question.issuer, at, self._terms)
            standing = weigh(found.statements)
            if standing.status is Status.REVOKED:
                raise Revoked(question.place, _told(standing))
            if standing.status is Status.UNKNOWN and not self._excused(question):
                unknown.append((question, found))
        for question, _ in unknown:
            if self._want is not None:
                self._want(question)
        if unknown and self.mode is Mode.HARD:
            question, found = unknown[0]
            raise Unknown(question.place, _reason(found))

    def _excused(self, question: Question) -> bool:
        return question.place == 0 and question.issuer.der in self._private

    def _questions(self, chain: Sequence[Certificate]) -> Iterator[Question]:
        links = list(pairwise(chain))[: 1 if self._checked is Checked.LEAF else None]
        for place, (certificate, issuer) in enumerate(links):
            if not _exempt(certificate):
                yield Question(place, certificate, issuer)


def weigh(statements: Iterable[Statement]) -> Standing:
    """Return what several words about one certificate come to; of the same time the worse one counts."""
    words = sorted(statements, key=lambda word: (word.this_update, _SEVERITY[word.standing.status]))
    if not words:
        return UNKNOWN
    for word in words:
        if word.standing.final:
            return word.standing
    return words[-1].standing


_SEVERITY = {Status.GOOD: 0, Status.UNKNOWN: 1, Status.REVOKED: 2}


def _exempt(certificate: Certificate) -> bool:
    """Tell whether nobody is to ask for a certificate: its CA says so, and it signs responses and nothing else."""
    signer = certificate.purposes == frozenset({ExtendedKeyUsageOID.OCSP_SIGNING})
    return signer and ExtensionOID.OCSP_NO_CHECK in certificate.extensions


def _told(standing: Standing) -> str:
    since = f" since {standing.since:%Y-%m-%d %H:%M} UTC" if standing.since else ""
    reason = f" ({standing.reason.value})" if standing.reason else ""
    return f"it is revoked{since}{reason}"


def _reason(found: Found) -> str:
    if found.statements:
        return "its responder does not know it"
    if found.refused:
        return f"no evidence of it may be relied upon: {found.refused[0]}"
    return "there is neither an OCSP response about it nor a revocation list of its issuer"
