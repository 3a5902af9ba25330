"""The bridge between `secc.api` and an MQTT broker: connection, order, checks on what arrives.

The only file that knows the MQTT library; everything it hands out is a topic and a payload of `secc.api`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import cache
from typing import Annotated, Any, Literal, TypeVar

import aiomqtt
import msgspec
from msgspec import Meta
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from secc.api import NAME, PREFIX, Level, Topic
from secc.outbox import Outbox, Packet
from v2g.errors import Undecodable
from v2g.mqtt_client import Client
from v2g.record import Record

KEEP_ALIVE_S = 5
CONNECT_S = 2.0
ANSWER_S = 5.0
FAREWELL_S = 1.0
ASK_AGAIN_S = 0.05
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
INCOMING_LIMIT = 2_000
REASON_LIMIT = 200
REJECTIONS_BURST = 10
REFUSED_SUBSCRIPTION = 0x80

_NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
_properties: Callable[[int], Properties] = Properties
_log = logging.getLogger(__name__)
_library_log = logging.getLogger(f"{__name__}.library")
_library_log.setLevel(logging.CRITICAL)  # what it has to say, we say once

Said = TypeVar("Said", bound=Record)
Handle = Callable[[Topic[Record], Record, bool], None]


class Broker(Record, forbid_unknown_fields=True):
    """Where the broker is and how to speak to it; `ca` turns TLS on, `certificate` and `key` are ours (PEM files)."""

    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65_535)] = 1883
    version: Literal["3.1.1", "5"] = "3.1.1"
    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")] = PREFIX
    username: str | None = None
    password: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def tls(self) -> ssl.SSLContext | None:
        """Load the TLS context; None without `ca`. Raises ValueError naming the files that cannot be used."""
        if self.ca is None:
            if self.certificate is not None or self.key is not None:
                raise ValueError("broker: certificate and key need ca, the file that the broker is checked against")
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            files = ", ".join(name for name in (self.ca, self.certificate, self.key) if name)
            raise ValueError(f"broker: cannot load {files}: {error}; check ca, certificate and key") from error
        return context


class Bus:
    """One client of the broker, for one EVSE and one writer, that connects again for as long as it runs.

    `handle(topic, payload, retained)` gets what passed all checks, `rejected(topic name, reason)` what did not;
    `connected` is called once the subscriptions stand, `disconnected` once for each loss. All are called in the loop
    and must return at once. `will` is what the broker says for us when we vanish, None for a writer without a status.
    """

    def __init__(
        self,
        broker: Broker,
        evse: str,
        *,
        writer: str,
        reads: Sequence[Topic[Record]],
        will: tuple[Topic[Record], Record] | None,
        handle: Handle,
        rejected: Callable[[str, str], None],
        connected: Callable[[], None],
        disconnected: Callable[[], None],
    ) -> None:
        if re.fullmatch(NAME, evse) is None:
            raise ValueError(f"EVSE name {evse!r} is no topic level; use 1 to 36 of A-Z a-z 0-9 _ -")
        self._broker = broker
        self._root = f"{broker.prefix}/{evse}/"
        self._writer = writer
        self._reads = {self._root + topic.name: topic for topic in reads}
        self._will = will
        self._handle = handle
        self._rejected = rejected
        self._connected = connected
        self._disconnected = disconnected
        self._tls = broker.tls()
        self._outbox = Outbox()
        self._rejections = Allowance(REJECTIONS_BURST)
        self._up = False
        self._told = False

    @property
    def up(self) -> bool:
        """Whether the broker is there and the subscriptions stand."""
        return self._up

    def publish(self, topic: Topic[Said], payload: Said) -> None:
        """Queue a payload; returns at once. One that breaks its own declaration is not sent, but told to `rejected`."""
        if topic.writer not in (self._writer, "cable"):
            raise ValueError(f"{topic.name} belongs to {topic.writer}, not to {self._writer}")
        try:
            data = msgspec.json.encode(payload)
            parse(topic, data)
        except (Undecodable, UnicodeEncodeError) as error:
            self._reject(topic.name, f"not sent: {error}")
            return
        deadline: float | None = getattr(payload, "deadline_s", None)
        self._outbox.put(
            Packet(
                topic=self._root + topic.name,
                data=data,
                qos=topic.qos,
                retained=topic.retained,
                deadline_s=deadline,
            )
        )

    async def run(self) -> None:
        """Connect, and connect again after every loss, until cancelled; then send what waits and say goodbye."""
        pause = FIRST_PAUSE_S
        try:
            while True:
                began = time.monotonic()
                why = await self._converse()
                self._lose(why)
                if time.monotonic() - began > LONGEST_PAUSE_S:
                    pause = FIRST_PAUSE_S
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
        finally:
            self._up = False
            self._outbox.close()

    async def _converse(self) -> str:
        """Hold one connection; returns why it ended."""
        try:
            async with self._connection() as client:
                client.timeout = ANSWER_S
                await self._subscribe(client)
                self._greet()
                await self._exchange(client)
        except aiomqtt.MqttError as error:
            return str(error) or "no answer"
        return "closed"

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[aiomqtt.Client]:
        """Connect and disconnect. A cancellation waits for the thread that connects: left alone, it would go on."""
        client = self._client()
        entering = asyncio.ensure_future(client.__aenter__())
        try:
            await asyncio.shield(entering)
        except asyncio.CancelledError:
            await asyncio.wait({entering}, timeout=FAREWELL_S)
            if not entering.cancel() and entering.exception() is None:
                await _leave(client)
            raise
        try:
            yield client
        finally:
            await _leave(client)

    def _client(self) -> aiomqtt.Client:
        """Describe the connection to the library.

        The client id is the same for every process with this role: the broker then ends a connection that a dead
        process left behind, and its last will, before our first word and not after it.
        """
        five = self._broker.version == "5"
        return Client(
            self._broker.host,
            self._broker.port,
            username=self._broker.username,
            password=self._broker.password,
            logger=_library_log,
            identifier=f"{self._root}{self._writer}",
            protocol=aiomqtt.ProtocolVersion.V5 if five else aiomqtt.ProtocolVersion.V311,
            clean_session=None if five else True,
            will=self._testament(),
            keepalive=KEEP_ALIVE_S,
            timeout=CONNECT_S,
            max_queued_incoming_messages=INCOMING_LIMIT,
            tls_context=self._tls,
            socket_options=[_NO_DELAY],
        )

    def _testament(self) -> aiomqtt.Will | None:
        if self._will is None:
            return None
        topic, payload = self._will
        return aiomqtt.Will(self._root + topic.name, msgspec.json.encode(payload), topic.qos, topic.retained)

    async def _subscribe(self, client: aiomqtt.Client) -> None:
        """Ask for every topic by its own name, so that nobody else's branch can be heard by mistake."""
        if not self._reads:
            return
        asking = asyncio.create_task(client.subscribe([(name, topic.qos) for name, topic in self._reads.items()]))
        try:
            await asyncio.wait({asking})
        finally:
            await _stop([asking])
        answer = asking.result()
        codes = [code.value if isinstance(code, ReasonCode) else code for code in answer]
        for name, code in zip(self._reads, codes, strict=True):
            if code >= REFUSED_SUBSCRIPTION:
                raise aiomqtt.MqttError(f"subscription to {name} refused; check the broker's access list")

    def _greet(self) -> None:
        _log.info("connected to the broker at %s:%d", self._broker.host, self._broker.port)
        self._up, self._told = True, False
        self._outbox.open()
        self._connected()

    def _lose(self, why: str) -> None:
        """Log a loss once, however often the connection is then tried in vain."""
        if not self._told:
            _log.warning("no broker at %s:%d: %s; trying again", self._broker.host, self._broker.port, why)
        self._told = True
        if self._up:
            self._up = False
            self._outbox.close()
            self._disconnected()

    async def _exchange(self, client: aiomqtt.Client) -> None:
        """Send and receive until the connection breaks; when cancelled, send what still waits."""
        tasks = [asyncio.create_task(self._listen(client)), asyncio.create_task(self._talk(client))]
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await _stop(tasks)
            await self._flush(client)
            raise
        await _stop(tasks)
        for task in ended:
            task.result()

    async def _flush(self, client: aiomqtt.Client) -> None:
        """Send what waits, as far as the broker takes it now."""
        client.timeout = FAREWELL_S
        with contextlib.suppress(TimeoutError, aiomqtt.MqttError):
            async with asyncio.timeout(FAREWELL_S):
                while self._outbox:
                    await self._send(client, await self._outbox.take())

    async def _talk(self, client: aiomqtt.Client) -> None:
        while True:
            await self._send(client, await self._outbox.take())

    async def _send(self, client: aiomqtt.Client, packet: Packet) -> None:
        properties = None
        if packet.deadline_s is not None and self._broker.version == "5":
            properties = _properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = max(1, math.ceil(packet.deadline_s))
        await client.publish(packet.topic, packet.data, packet.qos, packet.retained, properties)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self._receive(str(message.topic), message.payload, retained=message.retain)

    def _receive(self, address: str, data: bytes, *, retained: bool) -> None:
        topic = self._reads.get(address)
        if topic is None:
            return
        if retained and not topic.retained:
            self._reject(topic.name, "retained, though it is no state: said once, maybe long ago")
            return
        try:
            payload = parse(topic, data)
        except Undecodable as error:
            self._reject(topic.name, error.what)
        else:
            self._handle(topic, payload, retained)

    def _reject(self, topic: str, reason: str) -> None:
        if self._rejections.take():
            self._rejected(topic, reason[:REASON_LIMIT])


class Allowance:
    """So many at once and one more each second: nothing untrusted decides how much we say."""

    def __init__(self, burst: int) -> None:
        self._burst = burst
        self._left = float(burst)
        self._at = time.monotonic()

    def take(self) -> bool:
        """Use one; False when none is left."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + now - self._at)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


def parse(topic: Topic[Record], data: bytes) -> Record:
    """Read a payload; its size is checked first. Raises `Undecodable`."""
    if len(data) > topic.limit:
        raise Undecodable(f"{len(data)} bytes are more than {topic.limit}")
    try:
        payload = _decoder(topic.payload).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Undecodable(str(error)) from error
    except RecursionError as error:
        raise Undecodable("nested too deeply") from error
    if isinstance(payload, Level) and not payload.boot:
        raise Undecodable("a level without `boot` never counts")
    return payload


@cache
def _decoder(payload: type[Record]) -> msgspec.json.Decoder[Record]:
    return msgspec.json.Decoder(payload)


async def _leave(client: aiomqtt.Client) -> None:
    """Disconnect; a broker that does not take our leave is left all the same."""
    with contextlib.suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)


async def _stop(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel and wait. The library may lose a cancellation (`asyncio.wait_for` does, up to 3.11), so ask again."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_S)
        for task in ended:
            _ = task.cancelled() or task.exception()
