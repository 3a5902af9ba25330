"""What is taken in of an HTTP request: so many bytes, in so much time, at the time it tells, and from whom."""

from __future__ import annotations

import asyncio
import ipaddress
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from pki.serve import clock
from pki.serve.server import Server

BODY_S = 10.0
"""How long a body may take to arrive."""
_LONGEST_JSON = 65_536
_LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
"""Headers of a request that somebody handed on: who asked can only be believed, not seen."""
T = TypeVar("T")


async def body(request: Request, most: int) -> bytes:
    """Read a body of at most so many bytes; raises `HTTPException` for a longer or slower one."""
    try:
        told = int(request.headers.get("content-length", "0"))
    except ValueError:
        raise HTTPException(400, "Content-Length is no number") from None
    if told > most:
        raise _too_long(most)
    chunks, length = [], 0
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                length += len(chunk)
                if length > most:
                    raise _too_long(most)
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {BODY_S:g} s") from None
    except ClientDisconnect:
        raise HTTPException(400, "the connection was closed before the body was complete") from None
    return b"".join(chunks)


async def record(request: Request, kind: type[T]) -> T:
    """Read a JSON body; raises `HTTPException` saying what does not fit."""
    try:
        return msgspec.json.decode(await body(request, _LONGEST_JSON), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(400, f"no JSON of the shape wanted here: {error}") from error


def moment(request: Request, server: Server) -> datetime:
    """Return the time a request is answered at; raises `HTTPException` for one it tells badly."""
    try:
        return server.now(request.headers.get(clock.HEADER))
    except ValueError as error:
        raise HTTPException(400, f"{clock.HEADER}: {error}") from error


def admit(request: Request) -> None:
    """Let only this machine administrate, and no page in its browser; raises `HTTPException`."""
    host = request.client.host if request.client else ""
    try:
        # A name that leads here but is not ours would let a foreign page talk to us as its own server.
        named = urlsplit(f"//{request.headers.get('host', '')}").hostname
        direct = not any(name in request.headers for name in _FORWARDED)
        local = direct and ipaddress.ip_address(host).is_loopback and named in _LOCAL_NAMES
    except ValueError:
        local = False
    if not local:
        raise HTTPException(403, "only this machine may administrate, by http://127.0.0.1 or http://localhost")


def _too_long(most: int) -> HTTPException:
    return HTTPException(413, f"more than {most} bytes")
