"""What both ends of a link share: frames in, frames out, one message at a time.

Of the messages that come early one is held; a second one ends the session, whatever it says.
"""

from __future__ import annotations

import contextlib
from collections import deque

from v2g import protocols
from v2g.dialect import SESSION_ID_SIZE, Dialect, Envelope
from v2g.errors import PeerGone, Undecodable, V2GError
from v2g.exi.message import Message
from v2g.exi.notes import Decoded
from v2g.journal import Journal
from v2g.messages.xmldsig import Signature
from v2g.stream import Stream
from v2g.timing import Budget, Timing
from v2g.v2gtp import Frame, Framer, PayloadType, frame

EARLY_FRAMES = 1
NO_SESSION = bytes(SESSION_ID_SIZE)


def is_session(session_id: bytes) -> bool:
    """Whether a session may be called that: 8 bytes, not zero [V2G2-750]."""
    return len(session_id) == SESSION_ID_SIZE and any(session_id)


class Wire:
    """One byte stream and the session on it; `setup` is what is left of the time to set up the communication."""

    def __init__(self, stream: Stream, journal: Journal, timing: Timing, setup: Budget) -> None:
        self.stream = stream
        self.journal = journal
        self.timing = timing
        self.session_id = b""
        self.joins = b""  # a paused session, to be joined by the first request
        self._setup = setup
        self._dialect: Dialect | None = None
        self._framer = Framer((PayloadType.EXI,))
        self._frames: deque[Frame] = deque()

    @property
    def dialect(self) -> Dialect:
        """The standard agreed on; a ValueError before that."""
        if self._dialect is None:
            raise ValueError("no protocol was negotiated yet")
        return self._dialect

    def _bounded(self, seconds: float, timer: str, setup_timer: str) -> tuple[float, str]:
        """Return how long to wait, and for which timer: before SessionSetup no longer than the setup time."""
        left = self._setup.left()
        return (seconds, timer) if self.session_id or seconds <= left else (left, setup_timer)

    async def _next_frame(self) -> Frame:
        """Wait for one whole frame; holds at most one that came early."""
        while not self._frames:
            data = await self.stream.receive()
            if not data:
                raise PeerGone("the peer closed the connection")
            self._framer.feed(data)
            while (received := self._framer.next()) is not None:
                self._frames.append(received)
                if len(self._frames) > 1 + EARLY_FRAMES:
                    raise Undecodable(f"{len(self._frames)} messages at once, none was answered yet")
        return self._frames.popleft()

    def _framed(self, body: Message, signature: Signature | None = None) -> bytes:
        """Pack and encode a message of the session; raises ValueError for one that cannot be expressed."""
        packed = self.dialect.wrap(
            Envelope(session_id=self.session_id or self.joins or NO_SESSION, body=body, signature=signature),
        )
        return frame(PayloadType.EXI, protocols.schema(self.dialect.protocol.schema).encode(packed))

    def _read(self, schema: str, received: Frame) -> Decoded:
        decoded = protocols.schema(schema).read(received.payload)
        if decoded.notes:
            self.journal.record("note", count=len(decoded.notes), first=str(decoded.notes[0]))
        return decoded

    def _unpack(self, received: Frame) -> Envelope:
        return self.dialect.unwrap(self._read(self.dialect.protocol.schema, received).message)

    async def close(self) -> None:
        """End the connection; a peer that is gone already is no error."""
        with contextlib.suppress(V2GError):
            await self.stream.close()
