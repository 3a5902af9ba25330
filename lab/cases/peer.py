"""The tester's end of a connection with a system under test: frames by hand, every message kept as evidence."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lab.cases.verdict import Unmet
from v2g.errors import Undecodable
from v2g.messages import app_protocol, iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema

EXI = 0x8001
HEADER = struct.Struct(">BBHI")
PATIENCE_S = 5.0


def framed(payload: bytes, payload_type: int = EXI, *, version: int = 1, inverse: int = 0xFE) -> bytes:
    """A V2GTP frame, right or wrong."""
    return HEADER.pack(version, inverse, payload_type, len(payload)) + payload


def stem(message: object) -> str:
    """The name that a request and its response share."""
    return type(message).__name__.removesuffix("Req").removesuffix("Res")


class Received(NamedTuple):
    """A message of a session: the session id and signature of its header, and its body."""

    session_id: bytes
    body: Any
    signature: Signature | None = None


@dataclass(slots=True)
class Peer:
    """A system under test: what was seen of it so far."""

    evidence: list[str] = field(default_factory=list)


class Line:
    """One connection. Raises `Unmet` where the other end closes, stays silent or sends what is no message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, evidence: list[str]) -> None:
        self._reader = reader
        self._writer = writer
        self.evidence = evidence
        self.header = b""
        """The V2GTP header of the last frame."""

    def say(self, data: bytes, what: str) -> None:
        """Send bytes."""
        self.evidence.append(f"> {what}")
        self._writer.write(data)

    async def frame(self, within: float = PATIENCE_S) -> bytes:
        """The payload of the next frame."""
        try:
            async with asyncio.timeout(within):
                self.header = await self._reader.readexactly(HEADER.size)
                return await self._reader.readexactly(int.from_bytes(self.header[4:], "big"))
        except TimeoutError:
            raise Unmet(f"nothing came for {within:.3g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Unmet("the connection was closed") from None

    async def hear(self, within: float = PATIENCE_S) -> Received:
        """The next message of the session."""
        try:
            message = schema("iso2").decode(await self.frame(within))
        except Undecodable as error:
            raise Unmet(f"what came is no message: {error}") from error
        if not isinstance(message, iso2.V2G_Message):
            raise Unmet(f"{type(message).__name__} came")
        body = message.Body.BodyElement
        code = getattr(body, "ResponseCode", "")
        self.evidence.append(f"< {type(body).__name__} {code}".rstrip())
        return Received(message.Header.SessionID, body, message.Header.Signature)

    def send(self, body: iso2.BodyElement, session_id: bytes, signature: Signature | None = None) -> None:
        """Send a message of the session."""
        header = iso2.MessageHeader(SessionID=session_id, Signature=signature)
        message = iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=body))
        code = getattr(body, "ResponseCode", "")
        self.say(framed(schema("iso2").encode(message)), f"{type(body).__name__} {code}".rstrip())

    async def closed(self, within: float) -> bool:
        """Whether the other end closes in time; raises `Unmet` for a byte before that."""
        try:
            async with asyncio.timeout(within):
                data = await self._reader.read(1)
        except TimeoutError:
            return False
        except OSError:
            data = b""
        if data:
            raise Unmet("something was sent that must not be")
        self.evidence.append("< closed")
        return True

    async def close(self) -> None:
        """Close this end."""
        self._writer.close()
        try:
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
        except (TimeoutError, OSError):
            return


def offer(namespace: str, major: int = 2, minor: int = 0) -> app_protocol.SupportedAppProtocolReq:
    """An offer of one protocol."""
    entry = app_protocol.AppProtocol(
        ProtocolNamespace=namespace, VersionNumberMajor=major, VersionNumberMinor=minor, SchemaID=7, Priority=1
    )
    return app_protocol.SupportedAppProtocolReq(AppProtocol=[entry])
