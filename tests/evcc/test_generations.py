"""What a vehicle of one generation, or of both, makes of stations of either: it accepts no less than it was told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest

from evcc import client, config
from pki import credentials
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.evcc.bench_station import ScriptedStation, scripted
from tests.evcc.test_client import served, settings
from v2g.errors import V2GError
from v2g.stream import Facts, TcpStream
from v2g.tls.context import Identity, server_context
from v2g.tls.stream import accept
from v2g.trust import Role, Verdict

Name = Literal["iso2", "iso20"]


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default tree of -20."""
    folder = tmp_path_factory.mktemp("second")
    bring_up_to_date(read()["iso20"], Store(folder / "iso20"))
    return folder / "iso20"


def vehicle(
    port: int, certificates: Path, second: Path, *generations: Name, shows: str = "vehicle"
) -> config.EvccConfig:
    """Settings of a vehicle that trusts the roots of both trees."""
    station = ScriptedStation("AC")
    station.port = port
    leaf = second / "leaf" / shows / "car1"
    plain = settings(station, certificates / "trust" / "v2g.pem")
    roots = [str(tree / "trust" / "v2g.pem") for tree in (certificates, second)]
    tls = msgspec.structs.replace(plain.tls, roots=roots, generations=generations)
    shown = config.VehicleCertificate(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem"))
    return msgspec.structs.replace(plain, tls=tls, vehicle=shown)


@asynccontextmanager
async def station(second: Path) -> AsyncIterator[tuple[int, asyncio.Queue[Facts | V2GError]]]:
    """Serve TLS 1.3 on ::1; yields the port, and what became of each connection."""
    leaf = second / "leaf" / "secc" / "evse1"
    credential = credentials.load_credential(leaf / "chain.pem", leaf / "key.pem")
    server = server_context(Identity.of(credential.chain, credential.key))
    outcomes: asyncio.Queue[Facts | V2GError] = asyncio.Queue()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            secured = await accept(TcpStream(reader, writer), server, lambda *_: Verdict(role=Role.VEHICLE), timeout=20)
        except V2GError as error:
            outcomes.put_nowait(error)
            return
        outcomes.put_nowait(secured.facts)
        await secured.close()

    listener = await asyncio.start_server(welcome, "::1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], outcomes
    finally:
        listener.close()


@pytest.mark.parametrize("generations", [("iso2",), ("iso2", "iso20")])
async def test_a_whole_charge_in_tls_1_2(certificates: Path, second: Path, generations: tuple[Name, ...]) -> None:
    async with scripted("AC", served(certificates)) as scripted_station:
        result = await client.charge(vehicle(scripted_station.port, certificates, second, *generations))
    assert (result.ok, result.reason) == (True, "")
    assert result.tls == "TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"


async def test_who_speaks_tls_1_3_alone_says_nothing_in_1_2(certificates: Path, second: Path) -> None:
    async with scripted("AC", served(certificates)) as scripted_station:
        result = await client.charge(vehicle(scripted_station.port, certificates, second, "iso20"))
    assert (result.ok, result.tls) == (False, "")
    assert "during the TLS handshake" in result.reason  # asyncio closes without the alert
    assert scripted_station.received == b""


async def test_who_speaks_tls_1_2_alone_says_nothing_in_1_3(certificates: Path, second: Path) -> None:
    async with station(second) as (port, outcomes):
        result = await client.charge(vehicle(port, certificates, second, "iso2"))
        assert not result.ok
        assert "protocol version" in result.reason
        assert isinstance(await outcomes.get(), V2GError)


@pytest.mark.parametrize("generations", [("iso20",), ("iso2", "iso20")])
async def test_tls_1_3_with_the_vehicle_certificate(
    certificates: Path, second: Path, generations: tuple[Name, ...]
) -> None:
    """There is no session of -20 yet: the vehicle leaves, and says why."""
    async with station(second) as (port, outcomes):
        result = await client.charge(vehicle(port, certificates, second, *generations))
        told = await outcomes.get()
    assert isinstance(told, Facts)
    assert (told.tls, told.group) == ("TLSv1.3", "secp521r1")
    assert not result.ok
    assert "no sessions of ISO 15118-20 yet" in result.reason


async def test_a_station_under_an_unknown_root_is_refused(certificates: Path, second: Path) -> None:
    async with station(second) as (port, outcomes):
        chosen = vehicle(port, certificates, second, "iso20")
        tls = msgspec.structs.replace(chosen.tls, roots=[str(certificates / "trust" / "v2g.pem")])
        result = await client.charge(msgspec.structs.replace(chosen, tls=tls))
        refused = await outcomes.get()
    assert not result.ok
    assert "secc certificate, anchor" in result.reason
    assert "unknown ca" in str(refused)


async def test_a_certificate_of_the_first_generation_is_none_of_a_vehicle(certificates: Path, second: Path) -> None:
    leaf = certificates / "leaf" / "contract" / "car1"
    shown = config.VehicleCertificate(chain=str(leaf / "chain.pem"), key=str(leaf / "key.pem"))
    chosen = msgspec.structs.replace(vehicle(1, certificates, second, "iso20"), vehicle=shown)
    with pytest.raises(ValueError, match=r"the vehicle certificate is of iso2; ISO 15118-20 wants P-521 or Ed448"):
        await client.charge(chosen)
