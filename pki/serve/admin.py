"""What a laboratory changes while the servers run: misbehaviours, the clock, revocations, enrolment secrets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar

import msgspec
from cryptography import x509
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pki.revoked import REASONS
from pki.serve import clock, intake, login
from pki.serve.ledger import Key
from pki.serve.misbehaviour import MISBEHAVIOURS, Switch, switch
from pki.serve.server import Server
from v2g.record import Record

_LONGEST_SERIAL = 64
"""Characters: 20 octets are 49 digits, or 61 with 0x and colons."""
_NOT_HERE = "it is not revoked here; of what `pki revoke` lists, its --undo lifts holds, and nothing the rest"
P = ParamSpec("P")
T = TypeVar("T")


class Offset(Record, forbid_unknown_fields=True):
    """The clock's offset in seconds, or the time that it shall show now."""

    offset_s: float | None = None
    time: str | None = None


class Reason(Record, forbid_unknown_fields=True):
    """Why a certificate is revoked, by its name in RFC 5280, and since when; now if left out."""

    reason: str = x509.ReasonFlags.unspecified.value
    at: str | None = None


class Chosen(Record, forbid_unknown_fields=True):
    """A secret somebody chose; left out, the server makes one."""

    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Admin:
    """The endpoints below /admin."""

    server: Server

    def routes(self) -> list[Route]:
        """Return them all."""
        one = "/admin/misbehaviour/{service}/{name}"
        return [
            Route("/admin/misbehaviour", self.misbehaviours, methods=["GET", "PUT", "DELETE"]),
            Route(one, self.misbehaviour, methods=["PUT", "DELETE"]),
            Route("/admin/clock", self.clock, methods=["GET", "PUT"]),
            Route("/admin/revocations/{tree}/{serial}", self.revocation, methods=["PUT", "DELETE"]),
            Route("/admin/secrets/{name}", self.secret, methods=["PUT", "DELETE"]),
        ]

    async def misbehaviours(self, request: Request) -> Response:
        """Tell which there are and which are on; put all that shall be on; delete all."""
        intake.admit(request)
        if request.method == "PUT":
            wanted = await intake.record(request, tuple[Switch, ...])
            checked = [_checked(each.service, each.name, each.certificate) for each in wanted]
            await self._change(self.server.state.switch, checked)
        elif request.method == "DELETE":
            await self._change(self.server.state.switch, [])
        return _json({"on": self.server.ledger.switches, "known": MISBEHAVIOURS})

    async def misbehaviour(self, request: Request) -> Response:
        """Put one on, or off again; `?certificate=` says for whom alone."""
        intake.admit(request)
        path, certificate = request.path_params, request.query_params.get("certificate", "")
        wanted = _checked(path["service"], path["name"], certificate)
        if request.method == "PUT":
            await self._change(self.server.state.switch_on, [wanted])
        else:
            await self._change(self.server.state.switch_off, wanted)
        return _json({"on": self.server.ledger.switches})

    async def clock(self, request: Request) -> Response:
        """Tell or move the clock."""
        intake.admit(request)
        if request.method == "PUT":
            wanted = await intake.record(request, Offset)
            await self._change(self.server.state.set_offset, _seconds(wanted))
        offset_s = self.server.ledger.offset_s
        return _json({"offset_s": offset_s, "time": clock.now(offset_s).isoformat()})

    async def revocation(self, request: Request) -> Response:
        """Revoke a certificate by its serial number (decimal, or 0x and hexadecimal), or take that back."""
        intake.admit(request)
        key = await self._key(request)
        if request.method == "DELETE":
            if not await self._change(self.server.state.reinstate, key):
                raise HTTPException(404, _NOT_HERE)
            return _json({"status": "good"})
        wanted = await intake.record(request, Reason)
        if wanted.reason not in REASONS:
            raise HTTPException(400, f"no reason {wanted.reason[:64]!a}; there are {', '.join(REASONS)}")
        at = _time(wanted.at) if wanted.at is not None else intake.moment(request, self.server)
        await self._change(self.server.state.revoke, key, at, REASONS[wanted.reason])
        return _json({"status": "revoked", "at": at.isoformat(), "reason": wanted.reason})

    async def secret(self, request: Request) -> Response:
        """Make or take a secret for enrolment, or forget it. It is told once, here."""
        intake.admit(request)
        name = request.path_params["name"]
        try:
            login.check_name(name)
            if request.method == "DELETE":
                if not await self._change(self.server.state.drop_secret, name):
                    raise HTTPException(404, "there is no such name")
                return _json({"name": name})
            chosen = await intake.record(request, Chosen)
            kept, plain = await run_in_threadpool(login.make, name, chosen.secret)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        await self._change(self.server.state.keep_secret, kept)
        return _json({"name": name, "secret": plain, "bearer": f"{name}.{plain}"})

    async def _key(self, request: Request) -> Key:
        """Return whom a path names; raises `HTTPException` unless exactly one certificate is known so."""
        tree, text = request.path_params["tree"], request.path_params["serial"]
        serial = _serial(text)
        if tree not in self.server.trees:
            raise HTTPException(404, f"no tree {tree[:64]!a}; there are {', '.join(self.server.trees)}")
        found = await run_in_threadpool(self.server.state.by_serial, tree, serial)
        if len(found) != 1:
            raise HTTPException(404, f"{len(found)} certificates of the tree have this serial number, not one")
        return found[0].issuer, serial

    async def _change(self, change: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Change the state, and have the services know it before the answer goes out."""
        result = await run_in_threadpool(change, *args, **kwargs)
        await run_in_threadpool(self.server.state.refresh, self.server.ledger)
        return result


def _checked(service: str, name: str, certificate: str) -> Switch:
    try:
        return switch(service, name, certificate)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error


def _seconds(wanted: Offset) -> float:
    if (wanted.offset_s is None) == (wanted.time is None):
        raise HTTPException(400, "give either offset_s or time")
    try:
        if wanted.time is not None:
            return (clock.told(wanted.time) - datetime.now(UTC)).total_seconds()
        offset_s = wanted.offset_s or 0.0
        clock.now(offset_s)
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    return offset_s


def _serial(text: str) -> int:
    with contextlib.suppress(ValueError):
        if len(text) <= _LONGEST_SERIAL:
            return int(text.replace(":", ""), 16) if text.lower().startswith("0x") else int(text)
    raise HTTPException(400, "write the serial number in decimal, or as 0x and hexadecimal")


def _time(text: str) -> datetime:
    try:
        return clock.told(text)
    except ValueError as error:
        raise HTTPException(400, f"at: {error}") from error


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value) + b"\n", media_type="application/json")
