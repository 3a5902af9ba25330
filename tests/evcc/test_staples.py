"""The way to a station that staples, or does not: what the vehicle's settings make of it, before a word is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from evcc import config
from evcc.connection import Connection
from pki import ocsp
from pki.evidence import UNKNOWN, Standing
from pki.revocation_settings import RevocationSettings
from tests.pki.chains import Path as ChainPath
from tests.pki.site import REVOKED, Site, list_of, page, responder, serving, silent
from tests.v2g.tls.stapled import DAY, STOLEN, identity, naming, path, response
from v2g.errors import Untrusted, V2GError
from v2g.journal import Journal
from v2g.stream import TcpStream
from v2g.timing import Budget, Timing
from v2g.tls.context import Identity, server_context
from v2g.tls.staple import StapleRefused, State
from v2g.tls.stream import accept

TIMEOUT = 10.0


@dataclass
class Station:
    """A TLS server that staples, and what it heard of vehicles after their handshake."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def station(of: ChainPath | Identity, *staples: bytes) -> AsyncIterator[Station]:
    shown = of if isinstance(of, Identity) else identity(of)
    found, server = Station(), server_context(shown, staple=lambda _: staples)

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            secured = await accept(TcpStream(reader, writer), server, timeout=TIMEOUT)
            found.heard.append(await secured.receive())
            await secured.close()
        except V2GError:
            pass
        finally:
            found.ended.set()

    listener = await asyncio.start_server(welcome, "::1", 0)
    found.port = listener.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        listener.close()


def vehicle(folder: Path, of: ChainPath, met: Station, staple: str, **trust: Any) -> Connection:
    """The way of a car that trusts a path to a station."""
    root = folder / "root.pem"
    root.write_bytes(of.root.certificate.public_bytes(Encoding.PEM))
    settings = config.EvccConfig(
        network=config.Network(connect=f"[::1]:{met.port}"),
        tls=msgspec.convert({"roots": [str(root)], "staple": staple}, config.Tls),
        trust=msgspec.convert(trust, RevocationSettings),
    )
    return Connection(settings, Journal("car"), Timing())


async def reaches(connection: Connection, met: Station) -> str:
    """Connect and say something; return what the staple came to."""
    secured = await connection.reach(Budget(TIMEOUT))
    await secured.send(b"hello")
    await asyncio.wait_for(met.ended.wait(), TIMEOUT)
    await secured.close()
    assert met.heard == [b"hello"]
    return secured.facts.staple


async def refuses(connection: Connection, met: Station, sent: int = 3) -> Untrusted:
    """Connect in vain, and tell the station nothing."""
    with pytest.raises(Untrusted) as caught:
        await connection.reach(Budget(TIMEOUT))
    await asyncio.wait_for(met.ended.wait(), TIMEOUT)
    assert b"".join(met.heard) == b"", "the vehicle spoke to a station it does not trust"
    assert len(connection.station) == sent, "who was refused is known"
    return caught.value


async def test_a_good_staple_satisfies_who_wants_to_know(tmp_path: Path) -> None:
    of = path()
    for policy in ("require", "if-present"):
        async with station(of, response()) as met:
            connection = vehicle(tmp_path, of, met, policy, revocation="hard", checked="leaf")
            assert await reaches(connection, met) == "good"


@pytest.mark.parametrize("policy", ["if-present", "off"])
async def test_without_any_evidence_hard_means_no(tmp_path: Path, policy: str) -> None:
    async with station(path()) as met:
        connection = vehicle(tmp_path, path(), met, policy, revocation="hard", checked="leaf")
        assert (await refuses(connection, met)).rule == "secc certificate, revocation"


async def test_the_staple_of_the_leaf_says_nothing_of_its_cas(tmp_path: Path) -> None:
    async with station(path(), response()) as met:
        connection = vehicle(tmp_path, path(), met, "require", revocation="hard", checked="chain")
        error = await refuses(connection, met)
        assert (error.rule, "sub2" in error.detail) == ("secc certificate, revocation", True)


@pytest.mark.parametrize("policy", ["require", "if-present", "fetch"])
async def test_a_revoked_staple_refuses_whatever_is_trusted(tmp_path: Path, policy: str) -> None:
    async with station(path(), response(standing=STOLEN)) as met:
        error = await refuses(vehicle(tmp_path, path(), met, policy, revocation="soft", fetch=["*"]), met)
        assert isinstance(error, StapleRefused)
        assert error.state is State.REVOKED


async def test_a_good_staple_does_not_hide_a_revocation(tmp_path: Path) -> None:
    of = path()
    file = tmp_path / "sub2.crl"
    file.write_bytes(list_of(of.sub2, of.leaf.certificate.serial_number))
    async with station(of, response()) as met:
        error = await refuses(vehicle(tmp_path, of, met, "require", crls=[str(file)]), met)
        assert error.rule == "secc certificate, revoked"


# --- who fetches ------------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.mark.parametrize("stapled", ["none", "unusable"])
async def test_a_good_word_is_fetched(tmp_path: Path, site: Site, stapled: str) -> None:
    of = naming(site)
    site.answers["/ocsp"] = responder(of.sub2)
    old = datetime.now(UTC) - 2 * DAY
    named = ocsp.cert_id(of.leaf.certificate.serial_number, of.sub2.certificate, hashes.SHA256())
    expired = response(about=named, signer=of.sub2, this_update=old, next_update=old + DAY)
    async with station(of, *([expired] if stapled == "unusable" else [])) as met:
        assert await reaches(vehicle(tmp_path, of, met, "fetch", fetch=["127.0.0.1"]), met) == stapled
    assert len(site.asked) == 1


SAID: dict[str, Standing] = {"revoked": REVOKED, "unknown": UNKNOWN}


@pytest.mark.parametrize("answer", [*SAID, "silent", "error"])
async def test_without_a_good_word_who_fetches_leaves(tmp_path: Path, site: Site, answer: str) -> None:
    of = naming(site)
    told = responder(of.sub2, SAID[answer]) if answer in SAID else None
    site.answers["/ocsp"] = told or (silent(site) if answer == "silent" else page(b"", 500))
    async with station(of) as met:
        connection = vehicle(tmp_path, of, met, "fetch", fetch=["127.0.0.1"], fetch_s=0.3)
        assert (await refuses(connection, met)).rule.startswith("leaf certificate, revo")


async def test_who_has_a_good_staple_asks_nobody(tmp_path: Path, site: Site) -> None:
    async with station(path(), response()) as met:
        assert await reaches(vehicle(tmp_path, path(), met, "fetch", fetch=["127.0.0.1"]), met) == "good"
    assert site.asked == []


# --- settings ---------------------------------------------------------------------------------------------------------


def test_fetch_needs_somebody_to_ask(tmp_path: Path) -> None:
    file = tmp_path / "evcc.toml"
    file.write_text('[tls]\nroots = ["root.pem"]\nstaple = "fetch"\n[plan]\npayment = "external"\n')
    with pytest.raises(config.ConfigurationError, match=r"\[tls\] staple = \"fetch\" asks nobody"):
        config.load(file)
    file.write_text(file.read_text() + '[trust]\nfetch = ["*"]\n')
    assert config.load(file).tls.staple == "fetch"


def test_a_policy_that_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "evcc.toml"
    file.write_text('[tls]\nstaple = "sometimes"\n')
    with pytest.raises(config.ConfigurationError, match=r"staple.*write one of 'fetch', 'if-present', "):
        config.load(file)


def test_what_comes_is_judged_and_its_absence_borne() -> None:
    assert config.Tls().staple == "if-present"
