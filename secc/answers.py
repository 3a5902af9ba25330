"""Who said what to "may this session charge?", to requests for certificates, plans and OCSP. Only ids asked for count.

A refused contract stays refused, and so does whatever was accepted and then revoked. A refused card leaves the request
open for the next card.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from secc.api import (
    AuthorizationRequest,
    BackendAuthorization,
    BackendCertificate,
    BackendOcsp,
    CertificateRequest,
    ChargerAuthorization,
    OcspRequest,
    Plan,
)
from secc.charger import Planned, Presented, Source

Asked = CertificateRequest | OcspRequest
Answer = TypeVar("Answer", BackendCertificate, BackendOcsp)

ADVANCE = "advance"


class Answers:
    """The words of charger and operator on the requests of this session, and cards shown before the plug."""

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}
        self._words: dict[tuple[str, Source], Presented] = {}
        self._final: set[tuple[str, Source]] = set()
        self._contracts: set[str] = set()
        self._advances: dict[Source, tuple[Presented, float]] = {}

    def ask(self, request: AuthorizationRequest, now: float) -> None:
        """Expect answers to a request from now on."""
        self._deadlines[request.id] = now + request.deadline_s
        if request.kind == "contract":
            self._contracts.add(request.id)

    def forget(self) -> None:
        """Expect no more answers; a card shown in advance stays good for the next session."""
        self._deadlines.clear()
        self._words.clear()
        self._final.clear()
        self._contracts.clear()

    def charger(self, answer: ChargerAuthorization, now: float) -> str:
        """Take the charger's word; returns why it does not count, or nothing."""
        word = Presented(accepted=answer.accepted, source="charger")
        return self._take(answer.id, "charger", word, answer.valid_for_s, now)

    def backend(self, answer: BackendAuthorization, now: float) -> str:
        """Take the operator's word; returns why it does not count, or nothing. `pending` is no word yet."""
        if answer.status == "pending":
            return "" if answer.id in self._deadlines else "unknown id"
        word = Presented(
            accepted=answer.status == "accepted",
            source="backend",
            max_power_w=answer.max_power_w,
            max_energy_wh=answer.max_energy_wh,
            reason=answer.contract_status or "",
        )
        return self._take(answer.id, "backend", word, answer.valid_for_s, now)

    def answered(self, request_id: str, source: Source) -> Presented | None:
        """Return the word of `source` on a request."""
        return self._words.get((request_id, source))

    def advance(self, source: Source, request_id: str, now: float) -> Presented | None:
        """Use up a card shown before the plug as the word on a request, which may be revoked by its id."""
        word, until = self._advances.pop(source, (None, now))
        if word is None or now >= until:
            return None
        self.readmit(source, request_id, word, now)
        return word

    def readmit(self, source: Source, request_id: str, word: Presented, now: float) -> None:
        """Take a word given before a pause as the word on a request, which may be revoked by its id."""
        self._deadlines[request_id] = now
        self._words[request_id, source] = word

    def _take(self, request_id: str, source: Source, word: Presented, valid_for_s: float | None, now: float) -> str:
        if request_id == ADVANCE:
            return self._keep(source, word, valid_for_s, now)
        if request_id not in self._deadlines:
            return "unknown id"
        known = self._words.get((request_id, source))
        granted = known is not None and known.accepted
        if word.accepted and (request_id, source) in self._final:
            return "refused before"
        if word.accepted and not granted and now > self._deadlines[request_id]:
            return "past its deadline"
        if not word.accepted and (granted or request_id in self._contracts):
            self._final.add((request_id, source))
        self._words[request_id, source] = word
        return ""

    def _keep(self, source: Source, word: Presented, valid_for_s: float | None, now: float) -> str:
        """Keep a word given in advance; a refusal takes an earlier one back."""
        self._advances.pop(source, None)
        if not word.accepted:
            return ""
        if valid_for_s is None:
            return "in advance without valid_for_s"
        crossed = next((asked for asked in self._deadlines if self._waits(asked, source, now)), None)
        if crossed is not None:
            self._words[crossed, source] = word
        else:
            self._advances[source] = (word, now + valid_for_s)
        return ""

    def _waits(self, request_id: str, source: Source, now: float) -> bool:
        """Whether a card shown now would answer a request: it may have crossed the request on its way."""
        known = self._words.get((request_id, source))
        decided = (known is not None and known.accepted) or (request_id, source) in self._final
        return request_id not in self._contracts and not decided and now <= self._deadlines[request_id]


class FirstAnswers(Generic[Answer]):
    """The operator's answers to requests that take one each: the first one in time counts."""

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}
        self._answers: dict[str, Answer] = {}

    def ask(self, request: Asked, now: float) -> None:
        """Expect an answer to a request from now on."""
        self._deadlines[request.id] = now + request.deadline_s

    def take(self, answer: Answer, now: float) -> str:
        """Take an answer; returns why it does not count, or nothing."""
        deadline = self._deadlines.get(answer.id)
        if deadline is None:
            return "unknown id"
        if answer.id in self._answers:
            return "answered before"
        if now > deadline:
            return "past its deadline"
        self._answers[answer.id] = answer
        return ""

    def answered(self, request_id: str) -> Answer | None:
        """Return the answer to a request; None while there is none."""
        return self._answers.get(request_id)


class CertificateAnswers(FirstAnswers[BackendCertificate]):
    """The answers to the certificate requests of this session."""

    def forget(self) -> None:
        """Expect no more answers."""
        self._deadlines.clear()
        self._answers.clear()


class PlanAnswers:
    """The plans for this session, from the one who was asked; the newest one counts, however late it comes."""

    def __init__(self) -> None:
        self._asked: tuple[str, Source] | None = None
        self._newest: Planned | None = None

    def ask(self, request_id: str, source: Source) -> None:
        """Expect plans for a request; those for an earlier one are out of date."""
        self._asked, self._newest = (request_id, source), None

    def forget(self) -> None:
        """Expect no more plans."""
        self._asked = self._newest = None

    def take(self, source: Source, plan: Plan, now: float) -> str:
        """Take a plan; returns why it does not count, or nothing."""
        if self._asked is None or plan.id != self._asked[0]:
            return "unknown id"
        if source != self._asked[1]:
            return f"the {self._asked[1]} makes the plans here"
        self._newest = Planned(plan, now)
        return ""

    def answered(self, request_id: str) -> Planned | None:
        """Return the newest plan for a request; None while there is none."""
        return self._newest if self._asked is not None and self._asked[0] == request_id else None


class OcspAnswers(FirstAnswers[BackendOcsp]):
    """The answers to OCSP requests, which belong to no session."""

    def ask(self, request: Asked, now: float) -> None:
        """Expect an answer to a request from now on; those whose time is over are expected no more."""
        self._deadlines = {id_: until for id_, until in self._deadlines.items() if until > now}
        self._answers = {id_: answer for id_, answer in self._answers.items() if id_ in self._deadlines}
        super().ask(request, now)
