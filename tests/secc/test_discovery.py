"""The station's answers: the table of the standard, and real datagrams on the loopback interface."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from ipaddress import IPv6Address

import pytest

from secc.discovery import Responder, choose
from v2g.interface import Interface, InterfaceError
from v2g.sdp import SdpRequest, SdpResponse, Security, Transport

LO = Interface.named("lo")
HOST = IPv6Address("::1")
REQUEST = bytes.fromhex("01fe9000000000020000")
OFFER = SdpResponse(address=HOST, port=50_000, security=Security.TLS)
TLS, PLAIN = 50_001, 50_002
WITHIN = 5.0


@pytest.mark.parametrize(
    ("asked", "tls", "plain", "answer"),
    [
        (Security.TLS, TLS, PLAIN, (TLS, Security.TLS)),
        (Security.TLS, TLS, None, (TLS, Security.TLS)),
        (Security.TLS, None, PLAIN, (PLAIN, Security.NONE)),
        (Security.NONE, TLS, PLAIN, (PLAIN, Security.NONE)),
        (Security.NONE, None, PLAIN, (PLAIN, Security.NONE)),
        (Security.NONE, TLS, None, (TLS, Security.TLS)),
        (Security.TLS, None, None, None),
        (Security.NONE, None, None, None),
    ],
)
def test_the_endpoint_follows_the_table(
    asked: Security, tls: int | None, plain: int | None, answer: tuple[int, Security] | None
) -> None:
    chosen = choose(SdpRequest(security=asked), HOST, tls_port=tls, plain_port=plain)
    assert (chosen and (chosen.port, chosen.security)) == answer
    assert chosen is None or (chosen.address, chosen.transport) == (HOST, Transport.TCP)


@pytest.mark.parametrize("asked", Security)
def test_udp_is_not_answered(asked: Security) -> None:
    request = SdpRequest(security=asked, transport=Transport.UDP)
    assert choose(request, HOST, tls_port=TLS, plain_port=PLAIN) is None


class Station:
    """A responder whose offer the test sets, and what it was asked."""

    def __init__(self) -> None:
        self.offer: SdpResponse | None = OFFER
        self.asked: list[SdpRequest] = []
        self.heard = asyncio.Event()
        self.responder = Responder(LO, self._answer)

    def _answer(self, request: SdpRequest) -> SdpResponse | None:
        self.asked.append(request)
        self.heard.set()
        return self.offer

    async def hears(self) -> None:
        async with asyncio.timeout(WITHIN):
            await self.heard.wait()

    @property
    def address(self) -> tuple[str, int]:
        return "::1", self.responder.port


@pytest.fixture
async def station() -> AsyncIterator[Station]:
    made = Station()
    await made.responder.start(0)
    yield made
    made.responder.close()


@pytest.fixture
def vehicle() -> Iterator[socket.socket]:
    with LO.speak() as opened:
        yield opened


async def hear(vehicle: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(WITHIN):
        data, sender = await asyncio.get_running_loop().sock_recvfrom(vehicle, 1024)
    return data, sender[:2]


async def test_a_request_is_answered_from_the_port_it_came_in_on(station: Station, vehicle: socket.socket) -> None:
    vehicle.sendto(REQUEST, station.address)
    data, sender = await hear(vehicle)
    assert data == bytes.fromhex("01fe900100000014") + HOST.packed + bytes.fromhex("c3500000")
    assert sender == station.address
    assert station.asked == [SdpRequest(security=Security.TLS)]


MALFORMED = [
    b"",
    b"\x01",
    REQUEST[:-1],
    REQUEST + b"\0",
    b"\x02" + REQUEST[1:],
    b"\x01\xfe\x90\x01" + REQUEST[4:],
    b"\x01\xfe\x90\x00\xff\xff\xff\xff\x00\x00",
    REQUEST[:-2] + b"\x20\x00",
    bytes(60_000),
]


async def test_malformed_datagrams_are_counted_and_change_nothing(station: Station, vehicle: socket.socket) -> None:
    for datagram in MALFORMED:
        vehicle.sendto(datagram, station.address)
    vehicle.sendto(REQUEST, station.address)
    assert (await hear(vehicle))[0] == OFFER.encode()
    assert station.responder.counts == {"malformed": len(MALFORMED), "answered": 1}
    assert len(station.asked) == 1


async def test_without_an_offer_there_is_silence_until_there_is_one(station: Station, vehicle: socket.socket) -> None:
    station.offer = None
    vehicle.sendto(REQUEST, station.address)
    await station.hears()
    station.offer = OFFER
    vehicle.sendto(REQUEST, station.address)
    assert (await hear(vehicle))[0] == OFFER.encode()
    assert station.responder.counts == {"not answered": 1, "answered": 1}


async def test_strangers_are_not_answered(station: Station) -> None:
    station.responder.datagram_received(REQUEST, ("fd00::1", 50_000, 0, 0))
    station.responder.datagram_received(REQUEST, ("fe80::1", 50_000, 0, 2))
    assert station.responder.counts == {"off the link": 2}
    assert station.asked == []


async def test_a_congested_network_makes_it_drop_and_not_queue(station: Station, vehicle: socket.socket) -> None:
    station.responder.pause_writing()
    vehicle.sendto(REQUEST, station.address)
    await station.hears()
    assert station.responder.counts == {"dropped": 1}
    station.responder.resume_writing()
    vehicle.sendto(REQUEST, station.address)
    assert (await hear(vehicle))[0] == OFFER.encode()


async def test_it_outlives_what_the_network_reports(station: Station, vehicle: socket.socket) -> None:
    station.responder.error_received(OSError(100, "Network is down"))
    vehicle.sendto(REQUEST, station.address)
    assert (await hear(vehicle))[0] == OFFER.encode()
    assert station.responder.counts["network error"] == 1


async def test_a_second_station_on_the_same_port_fails_at_its_start(station: Station) -> None:
    second = Responder(LO, lambda _: None)
    with pytest.raises(InterfaceError, match="is in use"):
        await second.start(station.responder.port)
    second.close()


async def test_a_closed_station_frees_its_port_and_may_be_closed_again(vehicle: socket.socket) -> None:
    first, second = Station(), Station()
    await first.responder.start(0)
    first.responder.close()
    first.responder.close()
    await asyncio.sleep(0)
    await second.responder.start(first.responder.port)
    vehicle.sendto(REQUEST, second.address)
    assert (await hear(vehicle))[0] == OFFER.encode()
    second.responder.close()
