"""The vehicle's search on the loopback interface, against stations that answer well, late, wrongly or twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import IPv6Address
from typing import Any

import pytest

from evcc.discovery import MAX_REPORTS, Endpoint, Seeker, Wanted, discover
from v2g.errors import Silence
from v2g.interface import Interface
from v2g.journal import Journal
from v2g.sdp import Security
from v2g.timing import Timing

LO = Interface.named("lo")
ASK_TLS = Wanted(security=Security.TLS)
QUICK = Timing(0.1)
VERY_QUICK = Timing(0.01)
HEAD = bytes.fromhex("01fe900100000014")


def response(address: str = "::1", port: int = 50_000, security: int = 0x00, transport: int = 0x00) -> bytes:
    return HEAD + IPv6Address(address).packed + port.to_bytes(2, "big") + bytes([security, transport])


GOOD = response()
USELESS = {
    "no datagram of ours": b"hello",
    "a request": bytes.fromhex("01fe9000000000020000"),
    "one byte short": GOOD[:-1],
    "port 0": response(port=0),
    "UDP": response(transport=0x10),
    "link-local on lo": response("fe80::1"),
    "unspecified": response("::"),
    "multicast": response("ff02::1"),
    "elsewhere": response("2001:db8::1"),
    "no TLS": response(security=0x10),
}

Script = Callable[[int], list[bytes]]


class Station(asyncio.DatagramProtocol):
    """Answers its n-th request, counted from 1, with the datagrams of a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.heard: list[tuple[float, bytes]] = []
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        self.heard.append((asyncio.get_running_loop().time(), data))
        for each in self.script(len(self.heard)):
            self.transport.sendto(each, addr)

    @property
    def port(self) -> int:
        return int(self.transport.get_extra_info("sockname")[1])


@asynccontextmanager
async def station(script: Script) -> AsyncIterator[Station]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Station(script), sock=LO.listen(0))
    try:
        yield protocol
    finally:
        transport.close()


def from_the(number: int, *datagrams: bytes, before: tuple[bytes, ...] = ()) -> Script:
    return lambda count: list(datagrams) if count >= number else list(before)


def kinds(journal: Journal) -> list[str]:
    return [entry.kind for entry in journal.entries]


async def test_the_first_answer_names_the_endpoint() -> None:
    journal = Journal()
    async with station(from_the(1, GOOD)) as secc:
        found = await discover(LO, ASK_TLS, port=secc.port, timing=QUICK, journal=journal)
    assert found == Endpoint(host="::1", port=50_000, scope_id=0, security=Security.TLS)
    assert found.target == ("::1", 50_000)
    assert [data.hex() for _, data in secc.heard] == ["01fe9000000000020000"]
    assert kinds(journal) == ["sdp_request", "sdp_response"]


async def test_it_asks_again_after_the_wait_and_not_before() -> None:
    async with station(from_the(4, GOOD)) as secc:
        await discover(LO, ASK_TLS, port=secc.port, timing=QUICK)
    moments = [moment for moment, _ in secc.heard]
    assert len(moments) == 4
    assert moments[-1] - moments[0] >= 3 * QUICK.sdp_wait - 0.01


async def test_fifty_requests_then_silence() -> None:
    async with station(from_the(99)) as secc:
        with pytest.raises(Silence, match=r"SDP response \(0.125 s\) ran out; .* nobody is plugged in: see the log"):
            await discover(LO, ASK_TLS, port=secc.port, timing=VERY_QUICK)
        assert len(secc.heard) == 50


@pytest.mark.parametrize("useless", USELESS.values(), ids=USELESS)
async def test_a_useless_answer_costs_neither_time_nor_a_request(useless: bytes) -> None:
    journal = Journal()
    async with station(from_the(1, useless, GOOD)) as secc:
        found = await discover(LO, ASK_TLS, port=secc.port, timing=QUICK, journal=journal)
    assert found.port == 50_000
    assert found.rivals == ()
    assert len(secc.heard) == 1
    assert kinds(journal) == ["sdp_request", "sdp_unusable", "sdp_response"]


async def test_useless_answers_do_not_hasten_the_next_request() -> None:
    async with station(from_the(3, GOOD, before=tuple(USELESS.values()))) as secc:
        await discover(LO, ASK_TLS, port=secc.port, timing=QUICK)
    assert len(secc.heard) == 3
    assert secc.heard[-1][0] - secc.heard[0][0] >= 2 * QUICK.sdp_wait - 0.01


async def test_a_storm_of_useless_answers_neither_ends_nor_floods_the_journal() -> None:
    journal = Journal()
    async with station(from_the(1, *[b"storm"] * 100, GOOD)) as secc:
        found = await discover(LO, ASK_TLS, port=secc.port, timing=Timing(), journal=journal)
    assert found.port == 50_000
    assert kinds(journal).count("sdp_unusable") == MAX_REPORTS


async def test_a_second_endpoint_is_reported_and_not_obeyed() -> None:
    journal = Journal()
    async with station(from_the(1, GOOD, GOOD, response(port=50_666), response(port=50_666))) as secc:
        found = await discover(LO, ASK_TLS, port=secc.port, timing=QUICK, journal=journal)
    assert found.port == 50_000
    assert found.rivals == ("[::1]:50666 TLS",)
    assert kinds(journal) == ["sdp_request", "sdp_response", "sdp_rival"]


async def test_plain_tcp_in_place_of_tls_is_taken_only_when_admitted() -> None:
    async with station(from_the(1, response(security=0x10))) as secc:
        with pytest.raises(Silence):
            await discover(LO, ASK_TLS, port=secc.port, timing=VERY_QUICK)
        lenient = Wanted(security=Security.TLS, plain=True)
        found = await discover(LO, lenient, port=secc.port, timing=QUICK)
    assert found.security is Security.NONE


FLAWS = {
    "no TLS": "unusable security: no TLS, although TLS was asked; with `accept_plain = true` in [network] the car",
    "elsewhere": "unusable address: 2001:db8::1, expected ::1; the SECC has to name an address of the link",
    "port 0": "unusable port: 0",
    "one byte short": "length 20 at V2GTP",
}


@pytest.mark.parametrize("useless", FLAWS)
async def test_answers_that_could_not_be_used_are_not_called_silence(useless: str) -> None:
    """The last of them is told, with what helps."""
    async with station(lambda count: [USELESS["UDP" if count < 2 else useless]]) as secc:
        with pytest.raises(Silence) as caught:
            await discover(LO, ASK_TLS, port=secc.port, timing=VERY_QUICK)
    told = str(caught.value)
    assert told.startswith("no usable SDP response in 0.125 s, the last one came from ::1: ")
    assert FLAWS[useless] in told
    assert "silent" not in told


async def test_nobody_listening_is_silence() -> None:
    with LO.listen(0) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Silence):
        await discover(LO, ASK_TLS, port=port, timing=VERY_QUICK)


@pytest.mark.parametrize("sender", [("fd00::2", 50_000, 0, 0), ("fe80::2", 50_000, 0, 7)])
async def test_an_answer_from_off_the_link_is_no_answer(sender: tuple[str, int, int, int]) -> None:
    journal = Journal()
    seeker = Seeker(LO, ASK_TLS, journal)
    seeker.datagram_received(GOOD, sender)
    assert not seeker.answer.done()
    assert [entry.facts["sender"] for entry in journal.entries] == [sender[0]]
