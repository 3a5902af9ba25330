"""A session cut by the station at every message, in every way: the vehicle leaves the plug safe and comes again."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from evcc import din, iso2, wallet
from evcc.trip import Trip
from pki import credentials
from pki.validate import validate
from tests.certificates import car1
from tests.elastic import Elastic
from tests.evcc import bench_din, bench_station
from tests.evcc.bench_station import ScriptedStation, ac_status, charging, usual
from tests.evcc.test_iso2 import Drive, drive_on
from v2g.dialect import Dialect
from v2g.din import DIN
from v2g.errors import PeerGone, Silence, Undecodable, V2GError
from v2g.iso2 import ISO2
from v2g.link import EvccLink
from v2g.stream import Stream, TcpStream
from v2g.tls import stream as tls
from v2g.tls.context import client_context

HASTE = 0.02
"""What the vehicle waits for longest, 5 s, is 100 ms."""
PROMISED_S = 1.0
TURNS = 3
MOST_MESSAGES = 30
RESET = struct.pack("ii", 1, 0)

Kind = Literal["AC", "DC", "DIN"]
SPOKEN: dict[Kind, tuple[Dialect, Callable[[EvccLink, Trip], Awaitable[None]]]] = {
    "AC": (ISO2, iso2.drive),
    "DC": (ISO2, iso2.drive),
    "DIN": (DIN, din.drive),
}
Writer = asyncio.StreamWriter


def reset(writer: Writer, _data: bytes) -> None:
    """RST, as from a machine that lost its power."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


def fin(writer: Writer, _data: bytes) -> None:
    """A FIN, though within TLS without the close_notify that belongs before it."""
    writer.transport.abort()


def nothing(_writer: Writer, _data: bytes) -> None:
    """No answer; the connection stands."""


def garbage(writer: Writer, _data: bytes) -> None:
    """Bytes where no header can be."""
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def no_message(writer: Writer, data: bytes) -> None:
    """A frame whose payload no grammar reads."""
    writer.write(data[:8] + bytes(range(200, 200 - len(data) + 8, -1)))


def half(writer: Writer, data: bytes) -> None:
    """Half of the answer, then nothing."""
    writer.write(data[: len(data) // 2])


def half_and_fin(writer: Writer, data: bytes) -> None:
    """Half of the answer, then the end."""
    half(writer, data)
    writer.close()


class Way(NamedTuple):
    """What the station does in place of an answer, and what the vehicle makes of it."""

    cut: Callable[[Writer, bytes], None]
    error: type[V2GError]


WAYS = {
    "reset": Way(reset, PeerGone),
    "fin": Way(fin, PeerGone),
    "silence": Way(nothing, Silence),
    "garbage": Way(garbage, Undecodable),
    "no message": Way(no_message, Undecodable),
    "half a frame, then silence": Way(half, Silence),
    "half a frame, then fin": Way(half_and_fin, PeerGone),
}


class Scissors:
    """A writer that cuts at one of the answers; from there on nothing leaves any more."""

    def __init__(self, writer: Writer, place: int, way: Way, timing: Elastic) -> None:
        self.cut_at: float | None = None
        self._writer = writer
        self._left = place
        self._way = way
        self._timing = timing

    def write(self, data: bytes) -> None:
        if self._left > 0:
            self._left -= 1
            if self._left == 0:
                self._hurry()
            self._writer.write(data)
        elif self.cut_at is None:
            self.cut_at = time.monotonic()
            self._way.cut(self._writer, data)

    def _hurry(self) -> None:
        """Shorten what the vehicle waits for from its next request on."""
        self._timing.stretch(HASTE if self._way.error is Silence else 1.0)

    def close(self) -> None:
        self._writer.close()


class CuttingStation(ScriptedStation):
    """Answers as usual, up to one place; each connection is a new try."""

    def __init__(self, kind: Kind, way: Way) -> None:
        super().__init__("AC" if kind == "AC" else "DC", "din" if kind == "DIN" else "iso2")
        self.kind = kind
        self.place = MOST_MESSAGES
        self.timing = Elastic(timeouts={"CurrentDemandReq": 2.0})
        self.scissors: Scissors | None = None
        self._way = way
        of: Any = bench_din if kind == "DIN" else bench_station
        self.answers = bench_din.usual() if kind == "DIN" else usual(self.energy)
        self.answers["ChargingStatus"] = lambda *_: charging(ac_status(self._wish()))
        self.answers["CurrentDemand"] = lambda *_: of.demand(of.dc_status(notification=self._wish()))

    def _wish(self) -> str:
        turns = sum(type(each).__name__ in ("ChargingStatusReq", "CurrentDemandReq") for each in self.requests)
        return "StopCharging" if turns >= TURNS else "None"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.scissors = Scissors(writer, self.place, self._way, self.timing)
        scissors: Any = self.scissors
        await super().serve(reader, scissors)


async def approach(station: CuttingStation, anchors: list[bytes]) -> Stream:
    """Connect; over TLS where there are anchors to check the station against."""
    stream = TcpStream(*await asyncio.open_connection("::1", station.port))
    if not anchors:
        return stream
    client = client_context(anchors)
    return await tls.connect(stream, client, lambda chain, role: validate(chain, role, anchors), timeout=5.0)


async def try_once(
    station: CuttingStation, place: int, anchors: list[bytes], contract: wallet.Contract | None
) -> Drive:
    """One session, cut at a place."""
    station.place = place
    station.requests.clear()
    station.timing.stretch(HASTE if place == 0 and station._way.error is Silence else 1.0)
    stream = await approach(station, anchors)
    payment = "external" if contract is None else "contract"
    done = await drive_on(
        stream,
        station,
        station.energy,
        timing=station.timing,
        contract=contract,
        speaks=SPOKEN[station.kind],
        payment=payment,
        charge_s=30,
    )
    ended = time.monotonic()
    assert station.scissors is not None
    if station.scissors.cut_at is not None:
        longest = 5.0 * HASTE if station._way.error is Silence else 0.0
        assert ended - station.scissors.cut_at < longest + PROMISED_S
    return done


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("kind", "payment"),
    [("AC", "external"), ("AC", "contract"), ("DC", "external"), ("DC", "contract"), ("DIN", "external")],
)
async def test_a_cut_at_every_message(certificates: Path, kind: Kind, payment: str, way: str) -> None:
    station = CuttingStation(kind, WAYS[way])
    secure = payment == "contract"
    anchors = credentials.load_anchors(str(certificates / "trust" / "v2g.pem")) if secure else []
    holder = car1(certificates)
    contract = wallet.Contract(emaid=holder.emaid, chain=holder.chain, key=holder.key) if secure else None
    server = await asyncio.start_server(station.serve, "::1", 0, ssl=_context(certificates) if secure else None)
    async with server:
        station.port = server.sockets[0].getsockname()[1]
        messages = len((await _uncut(station, anchors, contract)).requests) + 1
        for place in range(messages):
            done = await try_once(station, place, anchors, contract)
            assert type(done.error) is WAYS[way].error, f"at {place}: {done.error}"
            assert str(done.error)
        await _uncut(station, anchors, contract)
    assert messages > 9


async def _uncut(station: CuttingStation, anchors: list[bytes], contract: wallet.Contract | None) -> CuttingStation:
    """A whole session works, before and after all the others."""
    done = await try_once(station, MOST_MESSAGES, anchors, contract)
    assert done.error is None
    return station


def _context(certificates: Path) -> ssl.SSLContext:
    leaf = certificates / "leaf" / "secc" / "evse1"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    context.load_cert_chain(leaf / "chain.pem", leaf / "key.pem")
    return context
