"""The vehicle's certificate over real sockets: asked once, judged by nobody but `verify`, and closed on every doubt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from cryptography import x509

from tests.v2g.tls.chains import ED448, P521, Chain, Key, issued, second
from tests.v2g.tls.wire import tcp_pair
from v2g.errors import HandshakeFailed, Untrusted
from v2g.tls.context import Generation, client_context, server_context
from v2g.tls.stream import TlsStream, accept, connect
from v2g.trust import Role, Rule, Verdict, Verify

STATION, CAR = second(), second("car")
SERVER = server_context(STATION.identity, client_anchors=[CAR.root])
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def good(_chain: Sequence[bytes], role: Role) -> Verdict:
    return Verdict(role=role, subject="whoever it is")


async def met(
    verify: Verify | None, *, car: Chain = CAR, station: Chain = STATION
) -> tuple[TlsStream | BaseException, TlsStream | BaseException, bytes | BaseException]:
    """Let a vehicle and a station meet; return what became of each, and what the vehicle read first."""
    client = client_context([station.root], identity=car.identity, generations=[Generation.ISO20])
    server = SERVER if station is STATION else server_context(station.identity)
    read: bytes | BaseException = b""
    async with tcp_pair() as (vehicle, at_station):
        ours, theirs = await asyncio.gather(
            connect(vehicle, client, good, timeout=10),
            accept(at_station, server, verify, timeout=10),
            return_exceptions=True,
        )
        if isinstance(theirs, TlsStream):
            await theirs.send(b"hello")
        if isinstance(ours, TlsStream):
            read = (await asyncio.gather(ours.receive(), return_exceptions=True))[0]
    return ours, theirs, read


async def test_each_knows_the_other() -> None:
    asked: list[tuple[tuple[bytes, ...], Role]] = []

    def verify(chain: Sequence[bytes], role: Role) -> Verdict:
        asked.append((tuple(chain), role))
        return Verdict(role=role, subject="WMIV1234567890ABCDEX")

    _, theirs, read = await met(verify)
    assert read == b"hello"
    assert asked == [(CAR.der, Role.VEHICLE)]
    assert isinstance(theirs, TlsStream)
    assert theirs.facts.peer_subject == "WMIV1234567890ABCDEX"


@pytest.mark.parametrize("make", [P521, ED448], ids=["P-521", "Ed448"])
async def test_a_critical_extension_is_none_of_openssls_business(make: Callable[[], Key]) -> None:
    """OpenSSL refuses what it does not know; what a profile allows is decided by `verify`, on both sides."""
    odd = issued("odd", make, make, critical=UNKNOWN)
    for car, station in ((odd, STATION), (CAR, odd)):
        _, theirs, read = await met(good, car=car, station=station)
        assert isinstance(theirs, TlsStream), theirs
        assert read == b"hello"


def refusing(_chain: Sequence[bytes], role: Role) -> Verdict:
    return Verdict(role=role, broken=Rule.ANCHOR, detail="its issuer is none of our trust anchors")


def failing(_chain: Sequence[bytes], _role: Role) -> Verdict:
    raise KeyError("a fault of the checker")


def as_station(_chain: Sequence[bytes], _role: Role) -> Verdict:
    return Verdict(role=Role.SECC)


@pytest.mark.parametrize(
    ("verify", "text", "alert"),
    [
        (refusing, "vehicle certificate, anchor: its issuer is none", "unknown_ca"),
        (failing, "KeyError: 'a fault of the checker'", "internal_error"),
        (as_station, "it was judged as secc", "internal_error"),
        (None, "there is nobody here to judge it", "internal_error"),
    ],
)
async def test_a_check_that_does_not_say_yes_says_no(verify: Verify | None, text: str, alert: str) -> None:
    """The vehicle is done before; it learns of the refusal when it reads, as a failure of TLS."""
    ours, theirs, read = await met(verify)
    assert isinstance(theirs, Untrusted)
    assert text in str(theirs)
    assert theirs.sent == alert
    assert isinstance(ours, TlsStream)
    assert isinstance(read, HandshakeFailed)
    assert read.received == alert
