"""One port for both generations at a whole station, by certificates of the whole PKI: who comes in, and who not."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pki import credentials
from pki.relying_party import EDITIONS, RelyingParty
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from secc.config import TlsIdentity, TlsSettings
from secc.identities import load
from secc.keyring import server_tls
from tests.secc.bench import Bench, ac_bench
from v2g.errors import HandshakeFailed
from v2g.messages import app_protocol
from v2g.protocols import ISO2, ISO20_AC, offer, schema
from v2g.stream import TcpStream
from v2g.tls.context import Generation, Identity, client_context
from v2g.tls.stream import TlsStream, connect
from v2g.v2gtp import Framer, PayloadType, frame

TREES = ("iso2", "iso20", "iso20-ed448")


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default trees of both generations, and another of -20 whose roots nobody here knows."""
    folder = tmp_path_factory.mktemp("generations")
    for name in TREES:
        bring_up_to_date(read()[name], Store(folder / name))
    bring_up_to_date(read()["iso20"], Store(folder / "foreign"))
    return folder


def shown(trees: Path, name: str) -> dict[str, Any]:
    leaf = trees / name / "leaf" / "secc" / "evse1"
    return {"chain": str(leaf / "chain.pem"), "key": str(leaf / "key.pem"), "root": str(trees / name / "trust/v2g.pem")}


def sections(
    trees: Path, *, roots: Sequence[str] = ("iso20/trust/oem.pem", "iso20-ed448/trust/oem.pem")
) -> dict[str, Any]:
    identity = [shown(trees, name) for name in TREES]
    return {"tls": {"identity": identity}, "trust": {"vehicle": [str(trees / root) for root in roots]}}


def holder(trees: Path, place: str) -> Identity:
    leaf = trees / place
    credential = credentials.load_credential(leaf / "chain.pem", leaf / "key.pem")
    return Identity.of(credential.chain, credential.key)


@asynccontextmanager
async def arrived(
    trees: Path, port: int | None, generations: Sequence[Generation], car: str = "iso20/leaf/vehicle/car1"
) -> AsyncIterator[TlsStream]:
    """Connect as a vehicle that judges the station by the PKI."""
    roots = [der for name in TREES for der in credentials.load_anchors(trees / name / "trust/v2g.pem")]
    editions = tuple(edition for each in generations for edition in EDITIONS[each])
    party = RelyingParty(roots, editions=editions)
    plain = TcpStream(*await asyncio.open_connection("::1", port))
    context = client_context(roots, identity=holder(trees, car), generations=generations)
    stream = await connect(plain, context, party.verify, timeout=20)
    try:
        yield stream
    finally:
        await stream.close()


async def negotiate(stream: TlsStream) -> app_protocol.SupportedAppProtocolRes:
    request = schema("sap").encode(offer([ISO20_AC, ISO2]))
    await stream.send(frame(PayloadType.EXI, request))
    framer = Framer({PayloadType.EXI})
    while (found := framer.next()) is None:
        framer.feed(await stream.receive())
    response = schema("sap").decode(found.payload)
    assert isinstance(response, app_protocol.SupportedAppProtocolRes)
    return response


async def refused(running: Bench) -> dict[str, Any]:
    """Wait for the event that tells of a connection that came to nothing."""
    await running.until(lambda: bool(running.endings))
    return running.endings[-1]


async def test_a_vehicle_of_the_first_generation(trees: Path) -> None:
    async with (
        ac_bench(**sections(trees)) as running,
        arrived(trees, running.station.tls_port, [Generation.ISO2]) as stream,
    ):
        assert (stream.facts.generation, stream.facts.peer_subject) == (Generation.ISO2, "DE*PCG*E0001")
        assert (await negotiate(stream)).SchemaID == 2


@pytest.mark.parametrize("car", ["iso20/leaf/vehicle/car1", "iso20-ed448/leaf/vehicle/car1"])
@pytest.mark.parametrize("generations", [[Generation.ISO20], list(Generation)], ids=["alone", "dual"])
async def test_a_vehicle_of_the_second_generation(trees: Path, generations: list[Generation], car: str) -> None:
    """There are no sessions of -20 yet, and -2 is not spoken in TLS 1.3: nothing is in common."""
    async with (
        ac_bench(**sections(trees)) as running,
        arrived(trees, running.station.tls_port, generations, car) as stream,
    ):
        assert stream.facts.generation is Generation.ISO20
        assert (await negotiate(stream)).ResponseCode == "Failed_NoNegotiation"
        told = await refused(running)
        assert (told["kind"], told["reason"]) == ("refused", "Failed_NoNegotiation: no protocol in common")


WRONG = [
    ("iso20/leaf/contract/car1", "profile"),
    ("iso20/leaf/oem-provisioning/car1", "profile"),
    ("iso20/leaf/secc/evse1", "profile"),
    ("foreign/leaf/vehicle/car1", "anchor|signature"),
]


@pytest.mark.parametrize(
    ("car", "rule"), WRONG, ids=[place.split("/leaf/")[0] + place.split("/")[2] for place, _ in WRONG]
)
async def test_another_certificate_than_the_vehicles_is_refused(trees: Path, car: str, rule: str) -> None:
    """[V2G20-2339]: nor the one of provisioning, nor a contract."""
    async with (
        ac_bench(**sections(trees)) as running,
        arrived(trees, running.station.tls_port, [Generation.ISO20], car) as stream,
    ):
        with pytest.raises(HandshakeFailed, match="the station refuses us") as caught:
            await stream.receive()
        told = await refused(running)
        assert told["kind"] == "untrusted"
        ending = running.station.last
        assert ending is not None
        assert ending.alert == f"sent {caught.value.received}"
        assert any(f"vehicle certificate, {each}" in told["reason"] for each in rule.split("|")), told
    expected = {"bad_certificate"} if rule == "profile" else {"unknown_ca", "bad_certificate"}
    assert caught.value.received in expected


@pytest.mark.parametrize("car", ["iso20/leaf/contract/car1", "iso20/leaf/vehicle/car1"])
async def test_roots_of_mobility_operators_anchor_no_vehicle(trees: Path, car: str) -> None:
    async with (
        ac_bench(**sections(trees, roots=["iso20/trust/mo.pem"])) as running,
        arrived(trees, running.station.tls_port, [Generation.ISO20], car) as stream,
    ):
        with pytest.raises(HandshakeFailed, match="the station refuses us"):
            await stream.receive()
        assert "vehicle certificate, " in (await refused(running))["reason"]


async def test_a_port_for_tls_and_for_plain_tcp(trees: Path) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as free:
        port = free.getsockname()[1]
    evse = {"tcp_port": port, "tls_port": port}
    changes = sections(trees)
    async with ac_bench(**changes, evse=evse) as running:
        assert (running.station.tls_port, running.station.tcp_port) == (port, port)
        async with arrived(trees, port, [Generation.ISO2]) as stream:
            assert (await negotiate(stream)).SchemaID == 2
        await running.until(lambda: not running.station.used)
        await running.serves_next()


def test_an_identity_of_the_second_generation_needs_roots_of_vehicles(trees: Path) -> None:
    settings = TlsSettings(identity=[TlsIdentity(**shown(trees, "iso20"))])
    with pytest.raises(ValueError, match=r"by `vehicle` in \[trust\]"):
        server_tls(settings)


def test_the_identity_of_the_table_comes_first(trees: Path) -> None:
    tables = shown(trees, "iso2") | {"identity": [shown(trees, name) for name in TREES[1:]]}
    loaded = load(msgspec.convert(tables, TlsSettings))
    assert [each.generation for each in loaded] == [Generation.ISO2, Generation.ISO20, Generation.ISO20]


def test_what_is_wrong_with_an_identity_is_told_with_its_file(trees: Path) -> None:
    files = shown(trees, "iso20") | {"key": shown(trees, "iso20-ed448")["key"]}
    with pytest.raises(ValueError, match=r"key\.pem: not the key of"):
        load(TlsSettings(identity=[TlsIdentity(**files)]))
