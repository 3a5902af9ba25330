"""What a station tells of TLS, in the journal (its log) and on MQTT, by a client that is not ours."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from secc import api
from secc.tls_facts import details
from tests.secc.bench import Bench, ac_bench
from v2g.stream import Facts
from v2g.tls.suites import Generation

SUITE = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"


def sessions(bench: Bench) -> list[api.Session]:
    return [each["session"] for each in bench.charger.said("session")]


def journal(caplog: pytest.LogCaptureFixture, kind: str) -> list[str]:
    """The log lines of journal entries of a kind."""
    told = [record.getMessage() for record in caplog.records if record.name == "v2g.journal"]
    return [line for line in told if line.split()[2] == kind]


async def refused(bench: Bench, context: ssl.SSLContext) -> None:
    """Connect from a thread: asyncio closes before an alert has left."""
    assert bench.station.tls_port is not None
    with pytest.raises(ssl.SSLError):
        await asyncio.to_thread(knock, bench.station.tls_port, context)
    await bench.ended("handshake")


def knock(port: int, context: ssl.SSLContext) -> None:
    with socket.create_connection(("::1", port), timeout=10) as plain, context.wrap_socket(plain):
        pass


def client() -> ssl.SSLContext:
    """A client of TLS 1.2 that trusts nobody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def test_what_was_agreed_on(certificates: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "v2g.journal")
    async with ac_bench(certificates=certificates) as bench:
        car = await bench.car(tls=True)
        await car.negotiate()
        connected = next(each for each in sessions(bench) if each.stage == "connected")
        assert connected.tls == "TLSv1.2"
        told = connected.tls_details
        assert told is not None
        assert (told.suite, told.group, told.generation) == (SUITE, "secp256r1", "iso2")
        assert (told.vehicle, told.staple, told.chain_by) == (None, None, "default")
        assert told.chain == "DC=CPO,C=DE,O=Plugcharge test PKI,CN=DE*PCG*E0001"
        (line,) = journal(caplog, "tls")
        assert f"version=TLSv1.2 suite={SUITE} group=secp256r1 generation=iso2" in line


async def test_plain_tcp_has_no_details(certificates: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "v2g.journal")
    async with ac_bench(certificates=certificates) as bench:
        await (await bench.car()).negotiate()
        connected = next(each for each in sessions(bench) if each.stage == "connected")
        assert (connected.tls, connected.tls_details) == (None, None)
    assert journal(caplog, "tls") == []


async def test_why_a_car_refuses_us(certificates: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It knows another root than ours, and says so."""
    caplog.set_level("INFO", "v2g.journal")
    context = client()
    context.load_verify_locations(certificates / "trust" / "mo.pem")
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    async with ac_bench(certificates=certificates) as bench:
        await refused(bench, context)
        assert [each.alert for each in sessions(bench) if each.stage == "failed"] == ["received unknown_ca"]
    (line,) = journal(caplog, "tls_refused")
    assert "alert='received unknown_ca'" in line


async def test_why_a_car_is_refused(certificates: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It offers suites of its own choice."""
    caplog.set_level("INFO", "v2g.journal")
    context = client()
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    async with ac_bench(certificates=certificates) as bench:
        await refused(bench, context)
        (failed,) = (each for each in sessions(bench) if each.stage == "failed")
        assert failed.alert == "sent handshake_failure"
        assert SUITE in (failed.reason or "")
    (line,) = journal(caplog, "tls_refused")
    assert "alert='sent handshake_failure'" in line


def test_a_vehicle_is_named_and_what_is_not_known_is_left_out() -> None:
    facts = Facts(
        peer="?", tls="TLSv1.3", suite="S", group="G", generation=Generation.ISO20, chain="CN=us", chain_by="",
        staple="sent", peer_subject="WMIV1234567890ABCDEX" * 50,
    )  # fmt: skip
    told = details(facts)
    assert told is not None
    assert (told.generation, told.chain, told.chain_by, told.staple) == ("iso20", "CN=us", None, "sent")
    assert told.vehicle == ("WMIV1234567890ABCDEX" * 50)[:200]
    assert facts.told == {
        "version": "TLSv1.3", "suite": "S", "group": "G", "generation": "iso20", "chain": "CN=us", "staple": "sent",
        "peer_subject": facts.peer_subject,
    }  # fmt: skip
    assert Facts(peer="?").told == {}
