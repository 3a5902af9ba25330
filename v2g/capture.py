"""What passed a connection below TLS, kept in a file with the secrets to read it: for laboratories alone.

Nothing is asked of the network, so no privileges are needed: a `Tap` stands between TLS and the socket. Packets are
held until the handshake is over, since the secrets that read them have to stand before them in the file.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from v2g import pcapng
from v2g.errors import Undecodable
from v2g.packets import Conversation, End, Name, Side, datagram
from v2g.record import Record
from v2g.stream import Facts, Stream, TcpStream
from v2g.tls.client_hello import Intake

PRIVATE = 0o600
MOST_HELD = 1 << 20
"""Bytes of packets that wait for the end of a handshake; no handshake has so many."""
DISCOVERIES = 8
"""Datagrams of SDP that are remembered for the connection they lead to."""

log = logging.getLogger(__name__)


class CaptureSettings(Record, forbid_unknown_fields=True):
    """Where secrets of TLS are written to, `keylog`, and whole connections with them, `folder`; None is nowhere."""

    keylog: str | None = None
    folder: str | None = None

    def __bool__(self) -> bool:
        return self != CaptureSettings()


def anchored(settings: CaptureSettings, folder: Path) -> CaptureSettings:
    """Make file names absolute, so that the working directory does not matter."""
    named = {"keylog": settings.keylog, "folder": settings.folder}
    return CaptureSettings(**{key: None if name is None else str(folder / name) for key, name in named.items()})


class Capture:
    """The file of one connection. What cannot be written ends the capture, never the session."""

    def __init__(self, file: int, conversation: Conversation, clock: Callable[[], int] = time.time_ns) -> None:
        self._file: int | None = file
        self._conversation = conversation
        self._clock = clock
        self._held: list[bytes] = []
        self._waiting = 0
        self._settled = False
        self._hello: Intake | None = Intake()
        self._random = b""
        self._write(pcapng.section("plugcharge") + pcapng.interface("plugcharge"))

    def datagram(self, at_ns: int, packet: bytes) -> None:
        """Keep a packet from before the connection, with its own time."""
        self._hold(pcapng.packet(at_ns, packet))

    def begin(self) -> None:
        """The connection was opened."""
        self._keep(self._conversation.begin())

    def sent(self, side: Side, data: bytes) -> None:
        """One side sent bytes."""
        if side is Side.VEHICLE and self._hello is not None:
            self._look_for_hello(data)
        self._keep(self._conversation.say(side, data))

    def ended(self, side: Side) -> None:
        """One side closed its direction; may be told twice."""
        self._keep(self._conversation.end(side))

    def secret(self, line: bytes) -> None:
        """Keep a line of a key log if it is of this connection."""
        if self._random and line.split(b" ")[1:2] == [self._random.hex().encode()]:
            self._write(pcapng.secrets(line + b"\n"))

    def settle(self) -> None:
        """The handshake is over, or there is none: write what was held."""
        self._settled = True
        self._write(b"".join(self._held))
        self._held.clear()

    def close(self) -> None:
        """End the file; may be called twice."""
        self.settle()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _look_for_hello(self, data: bytes) -> None:
        """Learn by which number the key log names this connection."""
        if self._hello is None:
            return
        try:
            complete = self._hello.feed(data) is not None
        except Undecodable:
            self._hello = None  # no TLS, or none that comes to a handshake: there will be no secrets
            return
        if complete:
            self._random, self._hello = self._hello.random, None

    def _keep(self, packets: Iterator[bytes]) -> None:
        at = self._clock()
        for each in packets:
            self._hold(pcapng.packet(at, each))

    def _hold(self, block: bytes) -> None:
        if self._settled:
            self._write(block)
            return
        self._held.append(block)
        self._waiting += len(block)
        if self._waiting > MOST_HELD:
            self.settle()

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            _write_all(self._file, data)
        except OSError as error:
            log.warning("a capture ends early, it cannot be written: %s", error.strerror)
            os.close(self._file)
            self._file = None


class Tap:
    """A plain `Stream` whose bytes are written down as they pass; `side` is which end of it we are."""

    def __init__(self, stream: Stream, capture: Capture, side: Side, closed: Callable[[Capture], None]) -> None:
        self._stream = stream
        self._capture = capture
        self._side = side
        self._closed = closed

    @property
    def facts(self) -> Facts:
        """What is known about the connection."""
        return self._stream.facts

    @facts.setter
    def facts(self, facts: Facts) -> None:
        self._stream.facts = facts

    @property
    def ended(self) -> bool:
        """Whether the peer has closed or reset the connection."""
        return self._stream.ended

    async def receive(self) -> bytes:
        """Wait for bytes from the peer; b"" when it has closed or reset the connection."""
        data = await self._stream.receive()
        if data:
            self._capture.sent(self._side.other, data)
        else:
            self._capture.ended(self._side.other)
        return data

    async def send(self, data: bytes) -> None:
        """Hand `data` over as one write. Raises `PeerGone` when the peer no longer reads."""
        self._capture.sent(self._side, data)
        await self._stream.send(data)

    async def close(self) -> None:
        """End the connection and the capture."""
        self._capture.ended(self._side)
        self._capture.close()
        self._closed(self._capture)
        await self._stream.close()


class Recorder:
    """Writes down what a process says, as far as its configuration wants that; without one, nothing.

    Raises ValueError naming a file or folder that cannot be written to.
    """

    def __init__(self, settings: CaptureSettings | None = None) -> None:
        settings = settings or CaptureSettings()
        self._folder = None if settings.folder is None else _folder(Path(settings.folder))
        self._keys = None if settings.keylog is None else _opened(Path(settings.keylog), os.O_APPEND)
        self._captures: set[Capture] = set()
        self._datagrams: deque[tuple[int, bytes]] = deque(maxlen=DISCOVERIES)

    @property
    def keylog(self) -> Callable[[bytes], None] | None:
        """What TLS is to tell its secrets to, a line of an NSS key log at a time; None where they stay secret."""
        return None if self._folder is None and self._keys is None else self._secret

    def discovered(self, sender: Name, receiver: Name, data: bytes) -> None:
        """Remember a datagram of SDP for the connection that it may lead to."""
        if self._folder is not None:
            packet = datagram(End.named(sender), End.named(receiver), data)
            self._datagrams.append((time.time_ns(), packet))

    @contextlib.asynccontextmanager
    async def tapped(self, stream: TcpStream, side: Side, name: str) -> AsyncIterator[Stream]:
        """Hand out a stream to use instead, at `side`; the handshake has ended, well or not, when the block does.

        `name` is what the file's name ends with.
        """
        capture = self._begun(stream, side, name)
        if capture is None:
            yield stream
            return
        tap = Tap(stream, capture, side, self._captures.discard)
        try:
            yield tap
        except BaseException:
            await tap.close()
            raise
        capture.settle()

    def close(self) -> None:
        """Close all files; may be called twice."""
        for capture in tuple(self._captures):
            capture.close()
        self._captures.clear()
        if self._keys is not None:
            os.close(self._keys)
            self._keys = None

    def _begun(self, stream: TcpStream, side: Side, name: str) -> Capture | None:
        """Begin a file for a connection, with the discovery that led to it."""
        ends = stream.ends
        if self._folder is None or ends is None:
            return None
        ours, theirs = (End.named(end) for end in ends)
        vehicle, station = (ours, theirs) if side is Side.VEHICLE else (theirs, ours)
        path = self._folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}Z-{name}.pcapng"
        try:
            capture = Capture(_opened(path, os.O_EXCL), Conversation(vehicle, station))
        except (OSError, ValueError) as error:
            log.warning("no capture of this connection: %s", error)
            return None
        log.info("writing %s", path)
        self._captures.add(capture)
        while self._datagrams:
            capture.datagram(*self._datagrams.popleft())
        capture.begin()
        return capture

    def _secret(self, line: bytes) -> None:
        """Write a secret to where it is wanted; called in the middle of handshakes, be it by another thread."""
        for capture in tuple(self._captures):
            capture.secret(line)
        if self._keys is None:
            return
        try:
            _write_all(self._keys, line + b"\n")
        except OSError as error:
            log.warning("the key log ends early, it cannot be written: %s", error.strerror)
            os.close(self._keys)
            self._keys = None


def _folder(path: Path) -> Path:
    """Make a folder for captures, for its owner only, unless it is there. Raises ValueError."""
    try:
        path.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder: {path}: {error.strerror}; name one whose parent is there") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ValueError(f"folder: {path}: it cannot be written to; name another one")
    return path


def _opened(path: Path, flags: int) -> int:
    """Open a file of secrets for writing, readable by its owner only. Raises ValueError."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | flags, PRIVATE)
        os.fchmod(file, PRIVATE)
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}; name a file that can be written") from error
    return file


def _write_all(file: int, data: bytes) -> None:
    """Write without a buffer, so that a process that is killed leaves what it had. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
