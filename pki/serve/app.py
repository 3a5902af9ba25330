"""The HTTP application: which path leads to which service, and how answers and errors go out."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from pki.serve import contracts, csr, intake, labels, metrics, ocsp, page
from pki.serve.admin import Admin
from pki.serve.est import Enrolment
from pki.serve.misbehaviour import Service
from pki.serve.reply import Reply
from pki.serve.server import Server, Services
from pki.serve.state import Unavailable

WATCH_S = 1.0
"""How soon a server knows what another process changed in the database or the folders."""
_EST = "/.well-known/est"
_AT_ONCE = 4
"""Enrolments made at once: each takes 16 MiB for the hash of its secret."""


def application(server: Server) -> Starlette:
    """Return the application that serves a server."""
    return Starlette(
        routes=[*_Routes(server).all(), *Admin(server).routes()],
        exception_handlers={HTTPException: partial(_refuse, server), Unavailable: partial(_unavailable, server)},
        lifespan=partial(_lifespan, server),
    )


@dataclass(slots=True)
class _Routes:
    """The services over HTTP."""

    server: Server
    _enrolling: CapacityLimiter = field(default_factory=lambda: CapacityLimiter(_AT_ONCE))

    def all(self) -> list[Route]:
        return [
            Route("/{tree}/ocsp", self.ocsp, methods=["POST"]),
            Route("/", self.index),
            Route("/health", self.health),
            Route("/metrics", self.metrics),
            Route("/{tree}/ocsp/{request:path}", self.ocsp_get),
            Route("/{tree}/crl/{name}.crl", self.crl),
            Route("/{tree}/contract", self.contract, methods=["POST"]),
            *self._est("", ""),
            *self._est("/{label}", ""),
            *self._est("/{label}", "/{version}"),
            Route(f"{_EST}/{{label}}/cacerts/{{version}}/{{algorithm}}", self.cacerts),
            Route(f"{_EST}/{{label}}/cacerts/{{version}}/{{algorithm}}/", self.cacerts),
        ]

    def _est(self, label: str, version: str) -> list[Route]:
        return [
            Route(f"{_EST}{label}/cacerts{version}", self.cacerts),
            Route(f"{_EST}{label}/csrattrs{version}", self.csrattrs),
            Route(f"{_EST}{label}/simpleenroll{version}", self.enrol, methods=["POST"]),
            Route(f"{_EST}{label}/simplereenroll{version}", self.reenrol, methods=["POST"]),
        ]

    async def index(self, request: Request) -> Response:
        del request
        return HTMLResponse(page.index(self.server))

    async def health(self, request: Request) -> Response:
        del request
        told = {"status": "trouble" if self.server.trouble else "ok", "trees": list(self.server.trees)}
        if self.server.trouble:
            told["trouble"] = self.server.trouble
        status = 503 if self.server.trouble else 200
        return Response(msgspec.json.encode(told) + b"\n", status, media_type="application/json")

    async def metrics(self, request: Request) -> Response:
        del request
        gauges = {"trouble": float(bool(self.server.trouble))}
        with contextlib.suppress(Unavailable):
            counts = await run_in_threadpool(self.server.state.counts)
            gauges |= {f"state_{name}": float(number) for name, number in counts.items()}
        gauges["listed_revocations"] = float(len(self.server.ledger.listed))
        gauges["clock_offset_seconds"] = self.server.ledger.offset_s
        return Response(self.server.metrics.text(gauges), media_type=metrics.MEDIA)

    async def ocsp(self, request: Request) -> Response:
        responder = self._tree(request).responder
        der = await intake.body(request, ocsp.LONGEST)
        # Some 0.2 ms of work: a thread would only add to it.
        return await self._send(Service.OCSP, partial(responder.post, der, intake.moment(request, self.server)))

    async def ocsp_get(self, request: Request) -> Response:
        responder, path = self._tree(request).responder, request.path_params["request"]
        return await self._send(Service.OCSP, partial(responder.get, path, intake.moment(request, self.server)))

    async def crl(self, request: Request) -> Response:
        lists, name = self._tree(request).lists, request.path_params["name"]
        at = intake.moment(request, self.server)
        return await self._send(Service.CRL, partial(lists.get, name, at), threaded=True)

    async def contract(self, request: Request) -> Response:
        service = self._tree(request).contracts
        if service is None:
            raise HTTPException(404, "this tree has no CPS or no mobility operator to provide contracts")
        exi = await intake.body(request, contracts.LONGEST)
        at = intake.moment(request, self.server)
        return await self._send(Service.CONTRACT, partial(service.post, exi, at), threaded=True, changing=True)

    async def cacerts(self, request: Request) -> Response:
        return await self._send(Service.EST, self._enrolment(request).cacerts)

    async def csrattrs(self, request: Request) -> Response:
        return await self._send(Service.EST, self._enrolment(request).attributes)

    async def enrol(self, request: Request) -> Response:
        return await self._enrol(request, again=False)

    async def reenrol(self, request: Request) -> Response:
        return await self._enrol(request, again=True)

    async def _enrol(self, request: Request, *, again: bool) -> Response:
        call = partial(
            self._enrolment(request).enrol,
            request.headers.get("authorization", ""),
            request.headers.get("content-type", ""),
            await intake.body(request, csr.LONGEST),
            intake.moment(request, self.server),
            again=again,
            chain="version" in request.path_params,
        )
        return await self._send(Service.EST, call, threaded=True, changing=True)

    def _tree(self, request: Request) -> Services:
        name = request.path_params["tree"]
        services = self.server.trees.get(name)
        if services is None:
            raise HTTPException(404, f"no tree {name[:64]!a}; there are {', '.join(self.server.trees)}")
        return services

    def _enrolment(self, request: Request) -> Enrolment:
        try:
            return labels.enrolment(self.server, **request.path_params)
        except ValueError as error:
            raise HTTPException(404, str(error)) from error

    async def _send(
        self, service: Service, make: Callable[[], Reply], *, threaded: bool = False, changing: bool = False
    ) -> Response:
        """Make an answer, have its change known to all services, and send it, as wrongly as is switched on."""
        began = time.perf_counter()
        reply = await to_thread.run_sync(make, limiter=self._limiter(service)) if threaded else make()
        if changing:
            await run_in_threadpool(self.server.state.refresh, self.server.ledger)
        self.server.metrics.count(service, reply.outcome, time.perf_counter() - began)
        if reply.faults:
            return await self._spoilt(reply)
        return Response(reply.body, reply.status, reply.headers, reply.media)

    def _limiter(self, service: Service) -> CapacityLimiter | None:
        return self._enrolling if service is Service.EST else None

    async def _spoilt(self, reply: Reply) -> Response:
        """Send an answer with the faults of the transport that are on."""
        if "delay" in reply.faults:
            await asyncio.sleep(self.server.delay_s)
        if "http-500" in reply.faults:
            return PlainTextResponse("http-500 is switched on\n", 500)
        body = reply.body[: len(reply.body) // 2] if "truncated" in reply.faults else reply.body
        return Response(body, reply.status, reply.headers, reply.media)


async def _refuse(server: Server, request: Request, error: Exception) -> Response:
    del request
    status, text, headers = 500, str(error), None
    if isinstance(error, HTTPException):
        status, text, headers = error.status_code, error.detail, error.headers
    server.metrics.count("http", str(status))
    return PlainTextResponse(f"{text}\n", status, headers)


async def _unavailable(server: Server, request: Request, error: Exception) -> Response:
    """Say that the state cannot be read or written now: nothing was changed, and the same may work later."""
    del request
    server.metrics.count("http", "503")
    return PlainTextResponse(f"{error}\n", 503, {"Retry-After": "1"})


@contextlib.asynccontextmanager
async def _lifespan(server: Server, app: Starlette) -> AsyncIterator[None]:
    del app
    watching = asyncio.create_task(_watch(server))
    yield
    watching.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watching
    server.state.close()


async def _watch(server: Server) -> None:
    while True:
        await asyncio.sleep(WATCH_S)
        await run_in_threadpool(server.watch)
