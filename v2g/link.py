"""One V2G session on one byte stream: order, session id, timers, refusals, journal.

What no session has to think of, because it is kept here:

1. One request is in work at a time. One early frame is held; a second one ends the session.
2. Nothing the peer sends extends a wait: skipped, partial and undecodable frames leave every timer running.
3. Before SessionSetup the order is checked; after it the session id, then SessionStopReq, then the order.
4. A refused request is answered by the response that belongs to it, and then only SessionStopReq is still heard.
5. Whatever ends a session, its own `finally` has run (contactor open) before the last response leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, TypeVar, overload
from typing import Protocol as Structure

from v2g import protocols
from v2g.dialect import Dialect, Envelope, Refusing
from v2g.ending import Ending, Kind, kind_of
from v2g.errors import PeerGone, Refused, Silence, Stopped, Undecodable, V2GError
from v2g.exi.message import Message
from v2g.journal import Journal
from v2g.messages.app_protocol import ResponseCode as Negotiation
from v2g.messages.app_protocol import SupportedAppProtocolReq, SupportedAppProtocolRes
from v2g.messages.xmldsig import Signature
from v2g.promises import Promises
from v2g.stream import Stream
from v2g.timing import Budget, Timing
from v2g.v2gtp import Frame, PayloadType, frame
from v2g.wire import Wire, is_session

A = TypeVar("A", bound=Message)
B = TypeVar("B", bound=Message)
C = TypeVar("C", bound=Message)
D = TypeVar("D", bound=Message)
R_co = TypeVar("R_co", bound=Message, covariant=True)

log = logging.getLogger(__name__)


class Asks(Structure[R_co]):
    """A request message, which knows the type of its response."""

    @property
    def Response(self) -> type[R_co]:
        """The response that belongs to this request."""


class SeccLink(Wire):
    """The station's end: `answer` is the only thing a session does with it."""

    def __init__(
        self,
        stream: Stream,
        journal: Journal,
        timing: Timing,
        *,
        setup: Budget | None = None,
        undecodable: Literal["close", "ignore"] = "close",
    ) -> None:
        super().__init__(stream, journal, timing, setup or Budget(timing.setup_secc))
        self.refusing = Refusing()
        self.signature: Signature | None = None
        self.received = b""  # the request in hand as it came
        self.presented = b""  # the session id in its header
        self._undecodable = undecodable
        self._pending: Message | None = None
        self._promises = Promises(timing)
        self._asked_at = 0.0
        self._last = ""
        self._doom: V2GError | None = None
        self._doom_wait = Budget(0.0)
        self._pardon: Callable[[Message], bool] | None = None
        self._waiting: asyncio.Timeout | None = None

    async def negotiate(self, dialects: Sequence[Dialect]) -> Dialect:
        """Answer the SupportedAppProtocolReq; raises `Refused` after telling the vehicle that nothing fits."""
        decoded = self._read("sap", await self._await_frame(self.timing.sequence))
        request = decoded.message
        if not isinstance(request, SupportedAppProtocolReq):
            raise Undecodable("a SupportedAppProtocolRes came in place of a request")
        self.journal.record("request", name="SupportedAppProtocolReq")
        began = time.perf_counter()
        response, protocol = protocols.choose(request, [dialect.protocol for dialect in dialects])
        await self.stream.send(frame(PayloadType.EXI, protocols.schema("sap").encode(response)))
        self._told("SupportedAppProtocolRes", response.ResponseCode, began)
        if protocol is None:
            raise Refused(response.ResponseCode, "no protocol in common")
        self._dialect = next(dialect for dialect in dialects if dialect.protocol is protocol)
        return self._dialect

    def open(self, session_id: bytes) -> None:
        """Give the session its id: from now on every request must carry it. Raises ValueError for none [V2G2-750]."""
        if not is_session(session_id):
            raise ValueError("a session id has 8 bytes and is not zero")
        self.session_id = session_id

    async def first(self, legal: type[A]) -> A:
        """Wait for the request that opens the session."""
        return await self._next(legal)

    @overload
    async def answer(self, response: Message, legal: type[A], /, *, signature: Signature | None = None) -> A: ...
    @overload
    async def answer(
        self, response: Message, legal: type[A], also: type[B], /, *, signature: Signature | None = None
    ) -> A | B: ...
    @overload
    async def answer(self, response: Message, a: type[A], b: type[B], c: type[C], /) -> A | B | C: ...
    @overload
    async def answer(self, response: Message, a: type[A], b: type[B], c: type[C], d: type[D], /) -> A | B | C | D: ...
    async def answer(self, response: Message, /, *legal: type[Message], signature: Signature | None = None) -> Message:
        """Send the response, `signature` in its header, and wait for the next request, one of `legal`.

        Raises `Refused` (answered by `conduct`), `Stopped`, `Silence`, `PeerGone`, `Undecodable`, or whatever
        the station doomed the session with.
        """
        await self._respond(response, signature=signature)
        return await self._next(*legal)

    async def relay(self, response: Message, payload: bytes, legal: type[A]) -> A:
        """Like `answer`, with the response as somebody else encoded it: `payload` leaves unchanged."""
        await self._respond(response, payload)
        return await self._next(legal)

    async def finish(self, response: Message) -> None:
        """Send the last response of the session."""
        await self._respond(response, last=True)

    def doom(self, error: V2GError, *, within: float = 0.0, pardon: Callable[[Message], bool] | None = None) -> None:
        """Let the session end with `error`: at its next request, or after `within` seconds if none comes.

        A request for which `pardon` is true is served all the same, and what follows it.
        """
        if self._doom is not None:
            return
        self._doom, self._doom_wait, self._pardon = error, Budget(within), pardon
        if self._waiting is not None and not self._waiting.expired():
            until, soon = self._waiting.when(), asyncio.get_running_loop().time() + within
            self._waiting.reschedule(soon if until is None else min(until, soon))

    @property
    def deserted(self) -> bool:
        """Whether the vehicle is gone while its request is in work, which no reading would tell before the answer."""
        return self._waiting is None and self.stream.ended

    async def conduct(self, session: Coroutine[Any, Any, None]) -> Ending:
        """Run a session to its end, answer what it refused, and tell how it ended. The stream stays open."""
        try:
            return await self._conduct(session)
        finally:
            self._promises.tell(self.journal)

    async def _conduct(self, session: Coroutine[Any, Any, None]) -> Ending:
        try:
            await session
        except Stopped as stop:
            await self._respond_quietly(self.dialect.stopped())
            return self._ending("paused" if stop.kind == "Pause" else "terminated")
        except Refused as refusal:
            return self._ending("refused", refusal, await self._refuse(refusal))
        except V2GError as error:
            return self._ending(kind_of(error), error)
        except Exception as error:
            log.exception("the session failed by a fault of ours")
            failure = Refused("FAILED", f"internal error, {type(error).__name__}")
            return self._ending("internal", failure, await self._refuse(failure))
        return self._ending("terminated")

    def _ending(self, kind: Kind, error: V2GError | None = None, code: str = "") -> Ending:
        return Ending(kind=kind, reason=str(error or ""), last_message=self._last, response_code=code)

    async def _await_frame(self, within: float) -> Frame:
        """Wait for a frame; before SessionSetup no longer than the setup timer, once doomed no longer than that."""
        setup = "V2G_SECC_CommunicationSetup_Performance_Time"
        within, timer = self._bounded(within, "V2G_SECC_Sequence_Timeout", setup)
        if self._doom is not None:
            within = min(within, self._doom_wait.left())
        try:
            async with asyncio.timeout(within) as self._waiting:
                return await self._next_frame()
        except TimeoutError:
            raise self._doom or Silence(timer, within) from None
        finally:
            self._waiting = None

    @overload
    async def _next(self, legal: type[A], /) -> A: ...
    @overload
    async def _next(self, /, *legal: type[Message]) -> Message: ...
    async def _next(self, /, *legal: type[Message]) -> Message:
        """Wait for the next request and let it through only if it may come now."""
        wait = Budget(self.timing.sequence)
        while True:
            received = await self._await_frame(wait.left())
            try:
                envelope, self.received = self._unpack(received), received.payload
            except Undecodable as garbage:
                if self._undecodable == "close":
                    raise
                self.journal.record("ignored", reason=str(garbage))
            else:
                return self._admit(envelope, legal)

    def _admit(self, envelope: Envelope, legal: tuple[type[Message], ...]) -> Message:
        """Check session id, stop request and order, in this sequence; a response in place of a request ends it."""
        if not self.dialect.is_request(envelope.body):
            raise Undecodable(f"{type(envelope.body).__name__} came in place of a request")
        body = self._pending = envelope.body
        self._last = type(body).__name__
        self._asked_at = time.perf_counter()
        self.signature, self.presented = envelope.signature, envelope.session_id
        self.journal.record("request", name=self._last, message=body)
        if self._doom is not None and not (self._pardon is not None and self._pardon(body)):
            raise self._doom
        self._doom = None
        if self.session_id and envelope.session_id != self.session_id and not isinstance(body, self.dialect.setup):
            raise Refused("FAILED_UnknownSession", "the header carries another session id")
        if type(body) in legal:
            return body
        if self.session_id and isinstance(body, self.dialect.stop):
            if self.dialect.terminates(body):
                raise Stopped
            raise Refused("FAILED", "no pause while the cable is live or before it was")
        wanted = ", ".join(each.__name__ for each in legal)
        raise Refused("FAILED_SequenceError", f"{self._last} came, legal is {wanted}")

    async def _respond(
        self, response: Message, payload: bytes = b"", signature: Signature | None = None, *, last: bool = False
    ) -> None:
        """Send; a peer that does not read holds up the session no longer than one that does not write."""
        data = frame(PayloadType.EXI, payload) if payload else self._framed(response, signature)
        self._pending = None
        try:
            async with asyncio.timeout(self.timing.close if last else self.timing.sequence):
                await self.stream.send(data)
        except TimeoutError:
            raise PeerGone("the vehicle does not read its responses") from None
        self._told(type(response).__name__, self.dialect.code(response), self._asked_at, response)

    async def _respond_quietly(self, response: Message) -> None:
        with contextlib.suppress(PeerGone):
            await self._respond(response, last=True)

    def _told(self, name: str, code: str, began: float, message: Message | None = None) -> None:
        elapsed = time.perf_counter() - began
        self.journal.record("response", name=name, code=str(code), took_ms=elapsed * 1e3, message=message)
        self._promises.answered("sap" if self._dialect is None else self._dialect.protocol.key, name, elapsed)

    async def _refuse(self, refusal: Refused) -> str:
        """Answer the request in hand by its failed response; after it only a stop request is still answered.

        Returns the code as the standard knows it.
        """
        code = refusal.code
        if self._pending is None or self._dialect is None:
            return code
        try:
            response = self._dialect.refusal(self._pending, code, self.refusing)
            code = self._dialect.code(response)
            await self._respond(response, refusal.payload, last=True)
            async with asyncio.timeout(self.timing.after_failed):
                await self._hear_stop(self._unpack(await self._next_frame()))
        except (V2GError, TimeoutError):
            return code
        except (TypeError, ValueError):
            log.exception("the refusal of %s could not be expressed", self._last)
        return code

    async def _hear_stop(self, envelope: Envelope) -> None:
        """Answer the stop that follows a refusal; whatever else comes is left unanswered."""
        if self.dialect.terminates(envelope.body) and envelope.session_id == self.session_id:
            self._asked_at = time.perf_counter()
            self.journal.record("request", name=type(envelope.body).__name__, message=envelope.body)
            await self._respond(self.dialect.stopped(), last=True)


class EvccLink(Wire):
    """The vehicle's end: `ask` is the only thing a session does with it."""

    def __init__(self, stream: Stream, journal: Journal, timing: Timing, *, setup: Budget | None = None) -> None:
        super().__init__(stream, journal, timing, setup or Budget(timing.setup_evcc))
        self.signature: Signature | None = None
        self._answered_at = time.perf_counter()

    async def negotiate(self, dialects: Sequence[Dialect]) -> Dialect:
        """Offer protocols, the best first; raises `Refused` when the station knows none of them."""
        request = protocols.offer([dialect.protocol for dialect in dialects])
        within = self.timing.message_timeout("sap", "SupportedAppProtocolReq")
        began = self._asks("SupportedAppProtocolReq")
        data = frame(PayloadType.EXI, protocols.schema("sap").encode(request))
        response = self._read("sap", await self._exchange(data, within, "SupportedAppProtocolReq")).message
        if not isinstance(response, SupportedAppProtocolRes):
            raise Undecodable("a SupportedAppProtocolReq came in place of a response")
        self._heard("SupportedAppProtocolRes", response.ResponseCode, began)
        if response.ResponseCode is Negotiation.Failed_NoNegotiation:
            raise Refused(response.ResponseCode, "no protocol in common")
        chosen = [each.SchemaID == response.SchemaID for each in request.AppProtocol]
        if not any(chosen):
            raise Undecodable(f"SchemaID {response.SchemaID} was not offered")
        self._dialect = dialects[chosen.index(True)]
        return self._dialect

    async def ask(self, request: Asks[R_co], *, signature: Signature | None = None) -> R_co:
        """Send a request and wait for the response that belongs to it.

        Raises `Refused` with the station's code when that is a failure, `Silence` when the message timeout runs
        out, `Undecodable` for a response of another type [V2G2-482] or session [V2G2-751], and `PeerGone`.
        """
        if not isinstance(request, Message):
            raise TypeError(f"{type(request).__name__} is no message")
        name = type(request).__name__
        within = self.timing.message_timeout(self.dialect.protocol.key, name)
        if self._frames:
            raise Undecodable(f"a response came before {name} was sent")
        began = self._asks(name, request)
        envelope = self._unpack(await self._exchange(self._framed(request, signature), within, name))
        self.signature = envelope.signature
        response = envelope.body
        if not isinstance(response, request.Response):
            raise Undecodable(f"{type(response).__name__} came in answer to {name}")
        code = self.dialect.code(response)
        self._heard(type(response).__name__, code, began, response)
        if code.startswith("FAILED"):
            raise Refused(code, f"answer to {name}")
        self._adopt(envelope.session_id, request)
        return response

    def _adopt(self, session_id: bytes, request: object) -> None:
        """Take the session id from the answer to SessionSetupReq, and insist on it afterwards."""
        if isinstance(request, self.dialect.setup):
            if not is_session(session_id):
                raise Undecodable(
                    f"session id {session_id.hex()}", path="Header/SessionID", expected="8 bytes, not zero"
                )
            self.session_id = session_id
        elif session_id != self.session_id:
            raise Undecodable("the response carries another session id")

    def _asks(self, name: str, message: Message | None = None) -> float:
        now = time.perf_counter()
        if now - self._answered_at > self.timing.sequence_performance:
            self.journal.record("late", messages=name, most_s=now - self._answered_at)
        self.journal.record("request", name=name, message=message)
        return now

    def _heard(self, name: str, code: str, began: float, message: Message | None = None) -> None:
        self._answered_at = time.perf_counter()
        elapsed = (self._answered_at - began) * 1e3
        self.journal.record("response", name=name, code=str(code), took_ms=elapsed, message=message)

    async def _exchange(self, data: bytes, within: float, name: str) -> Frame:
        """Send a request and wait for a frame; the message timeout bounds both, at first the setup time, too."""
        within, timer = self._bounded(within, f"V2G_EVCC_Msg_Timeout({name})", "V2G_EVCC_CommunicationSetup_Timeout")
        try:
            async with asyncio.timeout(within):
                await self.stream.send(data)
                return await self._next_frame()
        except TimeoutError:
            raise Silence(timer, within) from None
