"""Our station and tlslite-ng's vehicle, our vehicle and tlslite-ng's station, in both generations."""

from __future__ import annotations

import asyncio

import pytest

pytest.importorskip("tlslite", reason="tlslite-ng, of the extra `lab`, is not installed")

from cryptography import x509

from lab.tls.deviation import Deviation, Outcome, Reaction, Shows, prescribed
from lab.tls.play import play
from lab.tls.vehicle import Material, Shown
from tests.interop.tls import tlslite_station
from tests.v2g.tls.chains import Chain, chain, second
from tests.v2g.tls.shaking import CAR, EDWARDS, EDWARDS_CAR, FIRST, SECOND
from tests.v2g.tls.test_peers import outcome
from tests.v2g.tls.test_peers_second import station, trusting
from v2g.errors import HandshakeFailed, Untrusted
from v2g.stream import TcpStream
from v2g.tls.alerts import Alert
from v2g.tls.context import Generation, ServerContext, client_context, server_context
from v2g.tls.identity import cert_sha1
from v2g.tls.stream import TlsStream, connect

ISO2, ISO20 = Generation.ISO2, Generation.ISO20
VERSIONS = {ISO2: (3, 3), ISO20: (3, 4)}
MESSAGE = b"charging"
OTHER, OTHER_SECOND = chain("other"), second("other20")
CHOICE = server_context(
    FIRST.identity, OTHER.identity, SECOND.identity, OTHER_SECOND.identity, client_anchors=[CAR.root]
)

pytestmark = pytest.mark.interop


def shown(of: Chain) -> Shown:
    return Shown(of.der, of.key)


def plain(generation: Generation) -> Deviation:
    """A vehicle that deviates in nothing."""
    offer, text = prescribed(generation), "deviates in nothing"
    return Deviation(name="none", text=text, generation=generation, reaction=Reaction.ACCEPTED, offer=offer)


def block(data: bytes) -> bytes:
    return len(data).to_bytes(2) + data


async def came(
    generation: Generation, car: Chain = CAR, roots: tuple[tuple[int, bytes], ...] = (), server: ServerContext = CHOICE
) -> tuple[Outcome, TlsStream | Exception]:
    """Let a vehicle of tlslite-ng come; what it and what our station made of it."""
    material = Material({Shows.VEHICLE: shown(car)}, roots)
    async with station(server) as (port, outcomes):
        playing = asyncio.create_task(play(plain(generation), "127.0.0.1", port, material))
        theirs = await outcome(outcomes)
        if isinstance(theirs, TlsStream):
            await theirs.send(await theirs.receive())
        result = await playing
        if isinstance(theirs, TlsStream):
            await theirs.close()
    return result, theirs


async def test_tlslite_as_a_vehicle_of_the_first_generation() -> None:
    result, theirs = await came(ISO2)
    assert (result.reaction, result.suite, result.version) == (Reaction.ACCEPTED, 0xC023, "TLS 1.2")
    assert isinstance(theirs, TlsStream)
    assert (theirs.facts.group, theirs.facts.generation) == ("secp256r1", ISO2)


@pytest.mark.parametrize("car", [CAR, EDWARDS_CAR], ids=["P-521", "Ed448"])
async def test_tlslite_as_a_vehicle_of_the_second_generation(car: Chain) -> None:
    result, theirs = await came(ISO20, car)
    assert (result.reaction, result.suite, result.version) == (Reaction.ACCEPTED, 0x1302, "TLS 1.3")
    assert isinstance(theirs, TlsStream)
    assert (theirs.facts.group, theirs.facts.peer_subject) == ("secp521r1", "a car")


@pytest.mark.parametrize("wanted", [FIRST, OTHER], ids=["first", "other"])
async def test_tlslite_names_roots_of_the_first_generation(wanted: Chain) -> None:
    """[V2G2-651]"""
    named = block(b"\x03" + cert_sha1(wanted.root).value)
    _, theirs = await came(ISO2, roots=((3, named),))
    assert isinstance(theirs, TlsStream)
    assert (theirs.facts.chain, theirs.facts.chain_by) == (wanted.identity.subject, "trusted_ca_keys")


@pytest.mark.parametrize("wanted", [SECOND, OTHER_SECOND], ids=["first", "other"])
async def test_tlslite_names_roots_of_the_second_generation(wanted: Chain) -> None:
    """[V2G20-1007]"""
    name = x509.load_der_x509_certificate(wanted.root).subject.public_bytes()
    both = ((47, block(block(name))), (3, block(b"\x03" + cert_sha1(FIRST.root).value)))
    _, theirs = await came(ISO20, roots=both)
    assert isinstance(theirs, TlsStream), theirs
    assert (theirs.facts.chain, theirs.facts.chain_by) == (wanted.identity.subject, "certificate_authorities")


async def test_tlslite_shows_a_foreign_certificate() -> None:
    result, theirs = await came(ISO20, second("foreign"))
    assert isinstance(theirs, Untrusted)
    assert (result.reaction, result.alert) == (Reaction.ALERT, Alert.UNKNOWN_CA)


async def dial(port: int, generations: tuple[Generation, ...], root: bytes, car: Chain = CAR) -> TlsStream:
    tcp = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
    context = client_context([root], identity=car.identity, generations=generations)
    return await connect(tcp, context, trusting, timeout=10)


@pytest.mark.parametrize(
    ("of", "car", "generation", "suite"),
    [(FIRST, CAR, ISO2, 0xC023), (SECOND, CAR, ISO20, 0x1302), (EDWARDS, EDWARDS_CAR, ISO20, 0x1302)],
    ids=["iso2", "P-521", "Ed448"],
)
async def test_tlslite_as_a_station(of: Chain, car: Chain, generation: Generation, suite: int) -> None:
    async with tlslite_station.station(shown(of), VERSIONS[generation]) as heard:
        ours = await dial(heard.port, (generation,), of.root, car)
        await ours.send(MESSAGE)
        assert await ours.receive() == MESSAGE
        await ours.close()
    assert (heard.shaken, heard.suite, heard.said) == (True, suite, MESSAGE)
    assert heard.shown == (list(car.der) if generation is ISO20 else [])
    assert ours.facts.generation is generation


@pytest.mark.parametrize("generation", Generation)
async def test_tlslite_is_a_foreign_station(generation: Generation) -> None:
    foreign = chain("foreign") if generation is ISO2 else second("foreign")
    async with tlslite_station.station(shown(foreign), VERSIONS[generation]) as heard:
        with pytest.raises(Untrusted, match="anchor"):
            await dial(heard.port, (generation,), FIRST.root)
    assert (heard.alert, heard.said) == ("unknown_ca", b"")


async def test_tlslite_speaks_less_than_the_vehicle_accepts() -> None:
    async with tlslite_station.station(shown(FIRST), VERSIONS[ISO2]) as heard:
        with pytest.raises(HandshakeFailed):
            await dial(heard.port, (ISO20,), SECOND.root)
    assert not heard.shaken
