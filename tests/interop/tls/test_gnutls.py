"""Our station and GnuTLS's vehicle, our vehicle and GnuTLS's station, in both generations; refusals by the alert."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.interop.tls import gnutls
from tests.interop.tls.gnutls import FIRST, PRIORITY, SECOND
from tests.v2g.tls.chains import Chain, chain, second
from tests.v2g.tls.shaking import CAR, EDWARDS, EDWARDS_CAR
from tests.v2g.tls.shaking import FIRST as FIRST_CHAIN
from tests.v2g.tls.shaking import SECOND as SECOND_CHAIN
from tests.v2g.tls.test_peers import outcome
from tests.v2g.tls.test_peers_second import station, trusting
from v2g.errors import HandshakeFailed, Untrusted
from v2g.stream import TcpStream
from v2g.tls.context import Generation, client_context
from v2g.tls.stream import TlsStream, connect

MESSAGE = b"charging\n"
ISO2, ISO20 = Generation.ISO2, Generation.ISO20
FOREIGN = second("foreign")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(gnutls.obstacle()), reason=gnutls.obstacle() or "it is here"),
]
CARS = pytest.mark.parametrize("car", [CAR, EDWARDS_CAR], ids=["P-521", "Ed448"])


async def talks(theirs: TlsStream | Exception, vehicle: gnutls.Running) -> None:
    """Exchange a message each way."""
    assert isinstance(theirs, TlsStream), theirs
    await vehicle.says("Simple Client Mode")
    vehicle.type(MESSAGE)
    assert await theirs.receive() == MESSAGE
    await theirs.send(b"indeed\n")
    await vehicle.says("indeed")
    await theirs.close()


async def test_gnutls_as_a_vehicle_of_the_first_generation(tmp_path: Path) -> None:
    async with (
        station() as (port, outcomes),
        gnutls.vehicle(port, FIRST, *gnutls.root(FIRST_CHAIN, tmp_path)) as vehicle,
    ):
        theirs = await outcome(outcomes)
        await talks(theirs, vehicle)
    assert isinstance(theirs, TlsStream)
    assert theirs.facts.suite == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
    assert theirs.facts.generation is ISO2
    assert "(TLS1.2-X.509)-(ECDHE-SECP256R1)-(ECDSA-SHA256)-(AES-128-CBC)-(SHA256)" in vehicle.text


@CARS
async def test_gnutls_as_a_vehicle_of_the_second_generation(car: Chain, tmp_path: Path) -> None:
    """It names its root, and gets the chain below it [V2G20-1007]."""
    more = (*gnutls.files(car, tmp_path), *gnutls.root(EDWARDS, tmp_path))
    async with station() as (port, outcomes), gnutls.vehicle(port, SECOND, *more) as vehicle:
        theirs = await outcome(outcomes)
        await talks(theirs, vehicle)
    assert isinstance(theirs, TlsStream)
    assert (theirs.facts.tls, theirs.facts.group, theirs.facts.generation) == ("TLSv1.3", "secp521r1", ISO20)
    assert "(TLS1.3-X.509)-(ECDHE-SECP521R1)" in vehicle.text


@pytest.mark.parametrize(
    ("priority", "alert"),
    [
        (FIRST.replace("TLS1.2", "TLS1.1").replace("SHA256:", "SHA1:", 1), "protocol_version"),
        (FIRST.replace("SECP256R1", "SECP384R1"), "handshake_failure"),
        (SECOND.replace("+AES-256-GCM:+CHACHA20-POLY1305", "+AES-128-GCM"), "handshake_failure"),
        (SECOND.replace("SECP521R1:+GROUP-X448", "SECP256R1"), "handshake_failure"),
    ],
    ids=["TLS 1.1", "P-384 in -2", "AES-128-GCM", "P-256 in -20"],
)
async def test_gnutls_offers_the_wrong_lists(priority: str, alert: str) -> None:
    async with station() as (port, outcomes), gnutls.vehicle(port, priority) as vehicle:
        theirs = await outcome(outcomes)
        assert isinstance(theirs, HandshakeFailed), theirs
        assert theirs.sent == alert
        await vehicle.says("Fatal error")


async def test_gnutls_shows_no_certificate() -> None:
    async with station() as (port, outcomes), gnutls.vehicle(port, SECOND) as vehicle:
        theirs = await outcome(outcomes)
        assert isinstance(theirs, HandshakeFailed)
        assert theirs.sent == "certificate_required"
        await vehicle.says("Certificate is required")


async def test_gnutls_shows_a_foreign_certificate(tmp_path: Path) -> None:
    async with (
        station() as (port, outcomes),
        gnutls.vehicle(port, SECOND, *gnutls.files(FOREIGN, tmp_path)) as vehicle,
    ):
        assert isinstance(await outcome(outcomes), Untrusted)
        await vehicle.says("CA is unknown")


async def dial(port: int, generation: Generation, roots: list[bytes], car: Chain = CAR) -> TlsStream:
    plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
    context = client_context(roots, identity=car.identity, generations=[generation])
    return await connect(plain, context, trusting, timeout=10)


@pytest.mark.parametrize(
    ("shown", "car", "generation"),
    [(FIRST_CHAIN, CAR, ISO2), (SECOND_CHAIN, CAR, ISO20), (EDWARDS, EDWARDS_CAR, ISO20)],
    ids=["iso2", "P-521", "Ed448"],
)
async def test_gnutls_as_a_station(shown: Chain, car: Chain, generation: Generation, tmp_path: Path) -> None:
    mutual = ("--require-client-cert", *gnutls.root(car, tmp_path)) if generation is ISO20 else ()
    async with gnutls.station(PRIORITY[generation], *gnutls.files(shown, tmp_path), *mutual) as (_, port):
        ours = await dial(port, generation, [shown.root], car)
        await ours.send(MESSAGE)
        assert await ours.receive() == MESSAGE
        await ours.close()
    assert ours.facts.generation is generation


async def test_gnutls_is_a_foreign_station(tmp_path: Path) -> None:
    async with gnutls.station(FIRST, *gnutls.files(chain("foreign"), tmp_path)) as (_, port):
        with pytest.raises(Untrusted, match="anchor"):
            await dial(port, ISO2, [FIRST_CHAIN.root])
