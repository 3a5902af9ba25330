"""TLS over any plain `Stream`: how a station accepts a vehicle and a vehicle connects to a station."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine

from v2g.errors import HandshakeFailed, PeerGone, Silence, Undecodable, V2GError
from v2g.stream import FAREWELL, Facts, Stream
from v2g.tls.alerts import Alert
from v2g.tls.client_hello import ClientHello, Intake
from v2g.tls.judgement import Judgement
from v2g.tls.server import ServerContext
from v2g.tls.session import Caller, Session
from v2g.tls.turns import in_turn
from v2g.trust import Role, Verify
from v2g.v2gtp import VERSION


class TlsStream:
    """A TLS connection after its handshake, itself a `Stream`: what is sent at once is one record."""

    def __init__(self, stream: Stream, session: Session, peer_subject: str = "") -> None:
        self._stream = stream
        self._session = session
        self._closed = False
        agreed = session.negotiated
        self.facts = Facts(
            peer=stream.facts.peer,
            tls=agreed.version,
            suite=agreed.suite,
            group=agreed.group,
            generation=agreed.generation,
            peer_subject=peer_subject,
            chain=agreed.chain,
            chain_by=agreed.chain_by,
            staple=agreed.staple,
        )

    @property
    def ended(self) -> bool:
        """Whether the connection below has ended."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """Wait for decrypted bytes; b"" once the peer has closed, politely or not.

        Raises `PeerGone` when a record is broken or the peer sent an alert, `HandshakeFailed` for a late refusal.
        """
        while not self._closed:
            try:
                data = self._session.read()
            except (PeerGone, HandshakeFailed):
                await _farewell(self._stream, self._session)
                raise
            if data is not None:
                return data
            await _flush(self._stream, self._session)
            arrived = await self._stream.receive()
            if not arrived:
                return b""
            self._session.feed(arrived)
        return b""

    async def send(self, data: bytes) -> None:
        """Send `data` in one write, as one TLS record for each 16 384 bytes. Raises `PeerGone` after the end."""
        if self._closed:
            raise PeerGone(f"the TLS connection to {self.facts.peer} is closed")
        if data:
            self._session.write(data)
            await self._stream.send(self._session.take())

    async def close(self) -> None:
        """Send close_notify and end the connection below."""
        if not self._closed:
            self._closed = True
            self._session.close()
            await _farewell(self._stream, self._session)
        await self._stream.close()


def accept(
    stream: Stream, server: ServerContext, verify: Verify | None = None, *, timeout: float
) -> Coroutine[None, None, TlsStream]:
    """Do the station's side of the handshake within `timeout` seconds, `verify` judging a vehicle's chain in -20.

    On failure the alert is sent, `stream` is closed, and `Untrusted` (always without `verify`), `HandshakeFailed`,
    `Undecodable` (no ClientHello), `PeerGone` or `Silence` is raised.
    """
    return _within(timeout, stream, lambda: _accept(stream, server, verify))


def connect(stream: Stream, client: Caller, verify: Verify, *, timeout: float) -> Coroutine[None, None, TlsStream]:
    """Do the vehicle's side of the handshake within `timeout` seconds, `verify` judging the station's chain.

    The chain is judged inside the handshake: no byte of ours follows one that does not hold. On failure the alert is
    sent, `stream` is closed, and `Untrusted`, `HandshakeFailed`, `PeerGone` or `Silence` is raised. In -20 the station
    judges the vehicle after this: its refusal is a `HandshakeFailed` of the first `receive`.
    """
    return _within(timeout, stream, lambda: _connect(stream, client, verify))


async def _within(seconds: float, stream: Stream, handshake: Callable[[], Awaitable[TlsStream]]) -> TlsStream:
    """Bound a handshake in time, and close the connection unless it succeeds."""
    try:
        async with asyncio.timeout(seconds):
            return await handshake()
    except TimeoutError as error:
        await stream.close()
        raise Silence("TLS handshake", seconds) from error
    except BaseException:
        await stream.close()
        raise


async def _accept(stream: Stream, server: ServerContext, verify: Verify | None) -> TlsStream:
    """Answer the ClientHello with the chain it can trust; say what it lacked when that fails."""
    hello, arrived = await _client_hello(stream)
    judge = Judgement(verify, Role.VEHICLE)
    session = server.session(hello, judge)
    session.feed(arrived)
    try:
        await _shake_hands(stream, session)
    except HandshakeFailed as error:
        judge.raise_refusal(error.sent)
        if lacking := server.missing(hello):
            reason = f"{error.reason}; the vehicle does not offer {lacking}"
            raise HandshakeFailed(reason, sent=error.sent, received=error.received) from error
        raise
    return TlsStream(stream, session, judge.demand().subject if session.negotiated.mutual else "")


async def _connect(stream: Stream, client: Caller, verify: Verify) -> TlsStream:
    """Say ClientHello and judge the answer; a refusal by the judge is told as such."""
    judge = Judgement(verify, Role.SECC)
    session = client.session(judge)
    try:
        await _shake_hands(stream, session)
    except HandshakeFailed as error:
        judge.raise_refusal(error.sent)
        raise
    return TlsStream(stream, session, judge.demand().subject)


async def _client_hello(stream: Stream) -> tuple[ClientHello, bytes]:
    """Read up to the end of the ClientHello; return it and all bytes that came."""
    intake = Intake()
    while True:
        more = await stream.receive()
        if not more:
            raise PeerGone(f"{stream.facts.peer} closed the connection before its ClientHello was complete")
        if not intake.arrived and more[0] == VERSION:
            raise HandshakeFailed("the peer speaks V2GTP in clear on the TLS port; let it ask for TLS in SDP")
        try:
            hello = intake.feed(more)
        except Undecodable:
            await _try_send(stream, Alert.DECODE_ERROR.record())
            raise
        if hello is not None:
            return hello, bytes(intake.arrived)


async def _shake_hands(stream: Stream, session: Session) -> None:
    """Go through the handshake; when it fails, the alert is sent first."""
    try:
        while not await in_turn(session.handshake):
            await _flush(stream, session)
            arrived = await stream.receive()
            if not arrived:
                raise PeerGone(f"{stream.facts.peer} closed the connection during the TLS handshake")
            session.feed(arrived)
        await _flush(stream, session)
    except V2GError:
        await _farewell(stream, session)
        raise


async def _flush(stream: Stream, session: Session) -> None:
    """Send what TLS has ready."""
    if out := session.take():
        await stream.send(out)


async def _farewell(stream: Stream, session: Session) -> None:
    """Send the last bytes if the peer still takes them."""
    await _try_send(stream, session.take())


async def _try_send(stream: Stream, data: bytes) -> None:
    with contextlib.suppress(PeerGone, TimeoutError):
        async with asyncio.timeout(FAREWELL):
            if data:
                await stream.send(data)
