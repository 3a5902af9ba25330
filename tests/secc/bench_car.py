"""A vehicle that sends anything: its own framing, no rules, answers read one by one."""

from __future__ import annotations

import asyncio
import ssl
import struct
import sys
from dataclasses import dataclass
from typing import Any

from v2g.exi.message import Message
from v2g.messages import app_protocol, din, iso2
from v2g.messages.xmldsig import Signature
from v2g.protocols import schema

PATIENCE_S = 5.0
NAMESPACE = "urn:iso:15118:2:2013:MsgDef"
SCHEMAS = {NAMESPACE: "iso2", "urn:din:70121:2012:MsgDef": "din"}


def framed(payload: bytes, payload_type: int = 0x8001) -> bytes:
    """The V2GTP frame by hand."""
    return struct.pack(">BBHI", 0x01, 0xFE, payload_type, len(payload)) + payload


@dataclass(frozen=True, slots=True)
class Answer:
    """A response and the session id of its header."""

    session_id: bytes
    body: Any

    @property
    def name(self) -> str:
        return type(self.body).__name__

    @property
    def code(self) -> str:
        return str(self.body.ResponseCode)


class Car:
    """One connection to the station."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.session_id = bytes(8)
        self.challenge = bytes(16)
        self.schema = "iso2"
        self.requests: list[Any] = []
        """What was asked, by `ask`."""
        self.answers: list[Answer] = []

    @classmethod
    async def connect(cls, port: int, context: ssl.SSLContext | None = None) -> Car:
        return cls(*await asyncio.open_connection("::1", port, ssl=context))

    def encode(self, body: Message, *, session_id: bytes | None = None, signature: Signature | None = None) -> bytes:
        """The frame of a request, in the envelope of the standard it is of."""
        of = sys.modules[type(body).__module__]
        header = of.MessageHeader(SessionID=self.session_id if session_id is None else session_id, Signature=signature)
        message = of.V2G_Message(Header=header, Body=of.Body(BodyElement=body))
        return framed(schema(of.__name__.rpartition(".")[2]).encode(message))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def read_payload(self, within: float = PATIENCE_S) -> bytes:
        """The payload of the next frame; IncompleteReadError when the station has closed."""
        async with asyncio.timeout(within):
            head = await self.reader.readexactly(8)
            version, inverse, payload_type, length = struct.unpack(">BBHI", head)
            assert (version, inverse, payload_type) == (0x01, 0xFE, 0x8001)
            return await self.reader.readexactly(length)

    async def receive(self, within: float = PATIENCE_S) -> Answer:
        message = schema(self.schema).decode(await self.read_payload(within))
        assert isinstance(message, iso2.V2G_Message | din.V2G_Message)
        answer = Answer(message.Header.SessionID, message.Body.BodyElement)
        self.answers.append(answer)
        if isinstance(answer.body, iso2.SessionSetupRes | din.SessionSetupRes) and answer.code.startswith("OK"):
            self.session_id = answer.session_id
        if isinstance(answer.body, iso2.PaymentDetailsRes):
            self.challenge = answer.body.GenChallenge
        return answer

    async def ask(self, body: Message, *, session_id: bytes | None = None, signature: Signature | None = None) -> Any:
        """Send a request and return the body of the answer."""
        self.requests.append(body)
        self.send(self.encode(body, session_id=session_id, signature=signature))
        return (await self.receive()).body

    async def negotiate(self, namespace: str = NAMESPACE) -> app_protocol.SupportedAppProtocolRes:
        self.schema = SCHEMAS.get(namespace, self.schema)
        self.send(framed(schema("sap").encode(hello(namespace))))
        response = schema("sap").decode(await self.read_payload())
        assert isinstance(response, app_protocol.SupportedAppProtocolRes)
        return response

    async def gone(self, within: float = PATIENCE_S) -> bool:
        """Whether the station closes within the time, without a further byte."""
        try:
            async with asyncio.timeout(within):
                return await self.reader.read(1) == b""
        except TimeoutError:
            return False
        except (ConnectionError, ssl.SSLError):
            return True

    async def close(self) -> None:
        self.writer.close()
        try:
            async with asyncio.timeout(1):
                await self.writer.wait_closed()
        except (TimeoutError, OSError):
            return


def hello(namespace: str = NAMESPACE, major: int = 2) -> app_protocol.SupportedAppProtocolReq:
    """An offer of one protocol."""
    return app_protocol.SupportedAppProtocolReq(
        AppProtocol=[
            app_protocol.AppProtocol(
                ProtocolNamespace=namespace, VersionNumberMajor=major, VersionNumberMinor=0, SchemaID=7, Priority=1
            )
        ]
    )
