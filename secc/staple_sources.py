"""Where the station gets OCSP responses about its own certificates: from the operator over MQTT, and from responders.

What they bring is not judged here. Each source raises a `V2GError` where it has nothing.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from pki import ocsp
from pki.certificate import Certificate
from pki.fetch import Failure, FetchFailed, Reach, fetch, responders
from secc import api
from secc.config import StapleSettings
from secc.ocsp import request_data
from v2g.errors import Silence, V2GError

MOST_RESPONDERS = 2
CONNECTED_S = 30.0
"""How long a broker is waited for before somebody else is asked."""

Source = Callable[[Certificate, Certificate], Awaitable[bytes]]
"""Brings the DER of a response about a certificate, given with its issuer."""


class NoResponse(V2GError):
    """The operator answered that he has no response to hand on."""


class Operator(Protocol):
    """What is needed of `secc.controller.Controller`: one EVSE's way to the operator."""

    async def ready(self) -> None:
        """Wait until the broker is there."""

    def ask_ocsp(self, request: api.OcspRequest) -> None:
        """Publish a request."""

    def ocsp(self, request_id: str) -> api.BackendOcsp | None:
        """Return the answer to it; None while there is none."""

    async def until(self, holds: Callable[[], bool], within_s: float) -> bool:
        """Wait until something holds; False when the time is over first."""


def sources(settings: StapleSettings, operators: Sequence[Operator]) -> list[Source]:
    """Return whom to ask, in this order: the operator, then the responders."""
    asked: list[Source] = []
    if settings.operator:
        asked.append(from_operators(operators, settings.operator_s))
    if settings.fetch:
        reach = Reach(hosts=frozenset(settings.fetch), seconds=settings.fetch_s, nonce=False)
        asked.append(from_responders(reach))
    return asked


def from_operators(operators: Sequence[Operator], deadline_s: float) -> Source:
    """Ask over MQTT, through all EVSEs at once: any of their brokers may be away. The first response counts."""

    async def ask(certificate: Certificate, issuer: Certificate) -> bytes:
        data = request_data(certificate.parsed, issuer.parsed)
        waiting = [asyncio.ensure_future(_answer(operator, data, deadline_s)) for operator in operators]
        try:
            return await _first(waiting)
        finally:
            for each in waiting:
                each.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    return ask


async def _answer(operator: Operator, data: api.OcspRequestData, deadline_s: float) -> bytes:
    """Ask one operator, once he can hear it: what is said to no broker is lost."""
    try:
        async with asyncio.timeout(CONNECTED_S):
            await operator.ready()
    except TimeoutError:
        raise Silence("connection to the broker", CONNECTED_S) from None
    request = api.OcspRequest(id=secrets.token_hex(8), deadline_s=deadline_s, certificate=data)
    operator.ask_ocsp(request)
    await operator.until(lambda: operator.ocsp(request.id) is not None, deadline_s)
    answer = operator.ocsp(request.id)
    if answer is None:
        raise Silence(api.BACKEND_OCSP.name, deadline_s)
    if answer.status == "failed" or answer.response is None:
        raise NoResponse(f"the operator has none: {answer.reason or 'no reason given'}")
    return answer.response


async def _first(waiting: Sequence[asyncio.Future[bytes]]) -> bytes:
    """Return the first response that comes; raise what the last one came to where none does."""
    failure: V2GError = NoResponse("there is no operator")
    for each in asyncio.as_completed(waiting):
        try:
            return await each
        except V2GError as error:
            failure = error
    raise failure


def from_responders(reach: Reach) -> Source:
    """Ask the responders that the certificate names, in a thread: none of them may hold up the loop.

    Without a nonce: the response is for others, who have not asked for one.
    """

    async def ask(certificate: Certificate, issuer: Certificate) -> bytes:
        return await asyncio.to_thread(_fetched, certificate, issuer, reach)

    return ask


def _fetched(certificate: Certificate, issuer: Certificate, reach: Reach) -> bytes:
    request = ocsp.ask(certificate.parsed, issuer.parsed)
    failure = FetchFailed(Failure.NO_ADDRESS, "the certificate names no responder")
    for url in responders(certificate.parsed)[:MOST_RESPONDERS]:
        try:
            return fetch(url, reach, most=ocsp.MOST_BYTES, body=request)
        except FetchFailed as error:
            failure = error
    raise failure
