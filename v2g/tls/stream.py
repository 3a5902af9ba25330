"""TLS over any plain `Stream`: how a station accepts a vehicle and a vehicle connects to a station."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine

from OpenSSL import SSL, crypto

from v2g.errors import HandshakeFailed, PeerGone, Silence, Undecodable, Untrusted, V2GError
from v2g.stream import FAREWELL, Facts, Stream
from v2g.tls.client_hello import ClientHello, Intake
from v2g.tls.context import ClientContext, Fault, ServerContext, missing
from v2g.tls.session import Session
from v2g.trust import Role, Rule, Verdict, Verify
from v2g.v2gtp import VERSION

_ALERT_DECODE_ERROR = bytes.fromhex("15 0303 0002 02 32")


class TlsStream:
    """A TLS connection after its handshake, itself a `Stream`: what is sent at once is one record."""

    def __init__(self, stream: Stream, session: Session, peer_subject: str = "") -> None:
        self._stream = stream
        self._session = session
        self._closed = False
        self.facts = Facts(peer=stream.facts.peer, tls=session.version, suite=session.suite, peer_subject=peer_subject)

    @property
    def ended(self) -> bool:
        """Whether the connection below has ended."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """Wait for decrypted bytes; b"" once the peer has closed, politely or not.

        Raises `PeerGone` when a record is broken or the peer sent an alert.
        """
        while not self._closed:
            try:
                data = self._session.read()
            except PeerGone:
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


def accept(stream: Stream, server: ServerContext, *, timeout: float) -> Coroutine[None, None, TlsStream]:
    """Do the station's side of the handshake within `timeout` seconds.

    On failure the alert is sent, `stream` is closed, and `HandshakeFailed`, `Undecodable` (no ClientHello), `PeerGone`
    or `Silence` is raised.
    """
    return _within(timeout, stream, lambda: _accept(stream, server))


def connect(
    stream: Stream, client: ClientContext, verify: Verify, *, timeout: float
) -> Coroutine[None, None, TlsStream]:
    """Do the vehicle's side of the handshake within `timeout` seconds, `verify` judging the station's chain.

    The chain is judged inside the handshake: no byte of ours follows one that does not hold. On failure the alert is
    sent, `stream` is closed, and `Untrusted`, `HandshakeFailed`, `PeerGone` or `Silence` is raised.
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


async def _accept(stream: Stream, server: ServerContext) -> TlsStream:
    """Answer the ClientHello with the chain it can trust; say what it lacked when that fails."""
    hello, arrived = await _client_hello(stream)
    session = Session(server.connection(hello))
    session.feed(arrived)
    try:
        await _shake_hands(stream, session)
    except HandshakeFailed as error:
        if lacking := missing(hello):
            raise HandshakeFailed(f"{error.reason}; the vehicle does not offer {lacking}") from error
        raise
    return TlsStream(stream, session)


async def _connect(stream: Stream, client: ClientContext, verify: Verify) -> TlsStream:
    """Say ClientHello and judge the answer; a refusal by the judge is told as such."""
    judge = _Judge(verify)
    session = Session(client.connection(judge.fault))
    try:
        await _shake_hands(stream, session)
    except HandshakeFailed:
        judge.raise_refusal()
        raise
    return TlsStream(stream, session, judge.demand().subject)


_FAULTS = {
    Rule.EXPIRED: Fault.CERTIFICATE_EXPIRED,
    Rule.NOT_YET_VALID: Fault.CERTIFICATE_EXPIRED,  # "has expired or is not currently valid" (RFC 8446 6.2)
    Rule.REVOKED: Fault.CERTIFICATE_REVOKED,
    Rule.REVOCATION: Fault.CERTIFICATE_UNKNOWN,
    Rule.ANCHOR: Fault.UNKNOWN_CA,
    Rule.DEPTH: Fault.UNKNOWN_CA,
    Rule.ORDER: Fault.UNKNOWN_CA,
    Rule.CHECK: Fault.CERTIFICATE_UNKNOWN,
}
"""The alert that tells a station which rule its chain broke; the others make it a bad certificate."""


class _Judge:
    """Asks once whether the chain may be trusted; anything but a clear yes is a no."""

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._verdict: Verdict | None = None
        self._refusal: Untrusted | None = None
        self._fault = Fault.CERTIFICATE_UNKNOWN

    def fault(self, connection: SSL.Connection) -> Fault:
        """Answer OpenSSL, which asks for each certificate and each fault it finds; the answer stays the same."""
        if self._verdict is None and self._refusal is None:
            try:
                self._verdict = self._judged(connection)
                self._fault = Fault.NONE
            except Untrusted as refusal:
                self._refusal = refusal
        return self._fault

    def _judged(self, connection: SSL.Connection) -> Verdict:
        """Let `verify` judge the chain the station sent; whatever goes wrong on the way is a refusal."""
        try:
            certificates = connection.get_peer_cert_chain() or []
            chain = [crypto.dump_certificate(crypto.FILETYPE_ASN1, each) for each in certificates]
            verdict = self._verify(chain, Role.SECC)
            if verdict.broken is not None:
                self._fault = _FAULTS.get(verdict.broken, Fault.BAD_CERTIFICATE)
            verdict.demand()
        except Untrusted:
            raise
        except Exception as error:
            raise Untrusted("station certificate", f"its check failed with {type(error).__name__}: {error}") from error
        if verdict.role is not Role.SECC:
            raise Untrusted("station certificate", f"it was judged as {verdict.role}")
        return verdict

    def raise_refusal(self) -> None:
        """Raise the refusal if there was one."""
        if self._refusal is not None:
            raise self._refusal

    def demand(self) -> Verdict:
        """Return the verdict that the chain holds. Raises `Untrusted` if there is none."""
        self.raise_refusal()
        if self._verdict is None:
            raise Untrusted("station certificate", "its chain was never judged")
        return self._verdict


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
            await _try_send(stream, _ALERT_DECODE_ERROR)
            raise
        if hello is not None:
            return hello, bytes(intake.arrived)


async def _shake_hands(stream: Stream, session: Session) -> None:
    """Go through the handshake; when it fails, the alert is sent first."""
    try:
        while not session.handshake():
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
