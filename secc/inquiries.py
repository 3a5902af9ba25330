"""What a session asks of charger and operator, and what they answered: authorization, certificates, plans.

The part of `secc.charger.Charger` that has answers; who may answer what is kept in `secc.answers`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from secc import api
from secc.answers import Answers, CertificateAnswers, OcspAnswers, PlanAnswers
from secc.charger import Planned, Presented, Source
from v2g.record import Record

Publish = Callable[[api.Topic[Record], Record], None]


class Inquiries:
    """The questions of one session at a time, and those about the station's own certificates."""

    def __init__(self, publish: Publish) -> None:
        self._ask = publish
        self._answers = Answers()
        self._certificates = CertificateAnswers()
        self._plans = PlanAnswers()
        self._ocsp = OcspAnswers()

    def ask(self, request: api.AuthorizationRequest) -> None:
        """Ask charger and operator whether this session may charge."""
        self._answers.ask(request, time.monotonic())
        self._ask(api.SECC_AUTHORIZATION, request)

    def answered(self, request_id: str, source: Source) -> Presented | None:
        """Return the word of `source` on a request, also a later revocation; None while there is none."""
        return self._answers.answered(request_id, source)

    def advance(self, source: Source, request_id: str) -> Presented | None:
        """Take a card shown before the plug as the word on a request: valid once, within its time, for EIM only."""
        return self._answers.advance(source, request_id, time.monotonic())

    def readmit(self, source: Source, request_id: str, word: Presented) -> None:
        """Take the word given before a pause as the word on a request."""
        self._answers.readmit(source, request_id, word, time.monotonic())

    def ask_certificate(self, request: api.CertificateRequest) -> None:
        """Ask the operator for a contract certificate."""
        self._certificates.ask(request, time.monotonic())
        self._ask(api.SECC_CERTIFICATE, request)

    def certificate(self, request_id: str) -> api.BackendCertificate | None:
        """Return the operator's answer to a certificate request; None while there is none."""
        return self._certificates.answered(request_id)

    def ask_plan(self, request: api.PlanRequest, source: Source) -> None:
        """Ask charger or operator how much may flow when."""
        self._plans.ask(request.id, source)
        self._ask(api.SECC_PLAN_REQUEST, request)

    def planned(self, request_id: str) -> Planned | None:
        """Return the newest plan said for a request; None while there is none."""
        return self._plans.answered(request_id)

    def ask_ocsp(self, request: api.OcspRequest) -> None:
        """Ask the operator how a certificate of the station stands; no session is needed for that."""
        self._ocsp.ask(request, time.monotonic())
        self._ask(api.SECC_OCSP, request)

    def ocsp(self, request_id: str) -> api.BackendOcsp | None:
        """Return the operator's answer to an OCSP request; None while there is none."""
        return self._ocsp.answered(request_id)

    def _take_answer(self, topic: api.Topic[Record], payload: Record, now: float) -> str:
        """Take an answer; returns why it does not count, or nothing. What is no answer is none of our business."""
        match payload:
            case api.ChargerAuthorization():
                return self._answers.charger(payload, now)
            case api.BackendAuthorization():
                return self._answers.backend(payload, now)
            case api.BackendCertificate():
                return self._certificates.take(payload, now)
            case api.BackendOcsp():
                return self._ocsp.take(payload, now)
            case api.Plan():
                return self._plans.take("charger" if topic.writer == "charger" else "backend", payload, now)
        return ""

    def _forget_questions(self, *, paused: bool) -> None:
        """Expect no more answers; the word on a session that is paused may still be taken back."""
        if not paused:
            self._answers.forget()
        self._certificates.forget()
        self._plans.forget()
