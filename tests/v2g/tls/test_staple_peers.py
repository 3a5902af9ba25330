"""Staples between us and the openssl command line, as vehicle and as station, in TLS 1.2 and 1.3."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from pki.profiles import Edition
from pki.relying_party import RelyingParty
from tests.pki.chains import Made
from tests.pki.chains import Path as ChainPath
from tests.v2g.tls.stapled import EDITIONS, STOLEN, identity, misplaced, path, response, wrong
from tests.v2g.tls.test_peers import TIMEOUT, openssl, read_until
from v2g.errors import V2GError
from v2g.stream import TcpStream
from v2g.tls.context import Generation, client_context, server_context
from v2g.tls.staple import Policy, StapleRefused, Stapling, State
from v2g.tls.stream import TlsStream, accept, connect

KINDS = tuple(EDITIONS)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")


def second(kind: str) -> bool:
    return kind != "P-256"


def files(of: ChainPath, folder: Path) -> tuple[str, ...]:
    """Write a chain as openssl takes it."""
    folder.mkdir(exist_ok=True)

    def written(name: str, *made: Made) -> str:
        (folder / name).write_bytes(b"".join(each.certificate.public_bytes(Encoding.PEM) for each in made))
        return str(folder / name)

    key = folder / "key.pem"
    key.write_bytes(of.leaf.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    leaf, subs = written("leaf.pem", of.leaf), written("subs.pem", of.sub2, of.sub1)
    return "-cert", leaf, "-cert_chain", subs, "-key", str(key), "-CAfile", written("root.pem", of.root)


def relying(kind: str, role: str = "secc") -> RelyingParty:
    return RelyingParty(path(kind, role).anchors, editions=(Edition(EDITIONS[kind]),))


# --- openssl as the vehicle -------------------------------------------------------------------------------------------


@asynccontextmanager
async def station(kind: str, staple: bytes) -> AsyncIterator[int]:
    server = server_context(
        identity(path(kind)),
        client_anchors=path(kind, "vehicle").anchors if second(kind) else (),
        staple=lambda _: [staple],
    )

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            secured = await accept(
                TcpStream(reader, writer),
                server,
                relying(kind, "vehicle").verify if second(kind) else None,
                timeout=TIMEOUT,
            )
            await secured.receive()
            await secured.close()
        except V2GError:
            writer.close()

    listener = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        listener.close()


def asking(kind: str, port: int, folder: Path) -> tuple[str, ...]:
    """A vehicle of openssl that asks for a staple, with a certificate of its own where that is wanted."""
    shown = files(path(kind, "vehicle"), folder / "car")[:6] if second(kind) else ()
    root = files(path(kind), folder / "station")[-1]
    groups = ("-groups", "P-521:X448", "-sigalgs", "ecdsa_secp521r1_sha512:ed448") if second(kind) else ()
    return (
        "s_client",
        "-connect",
        f"127.0.0.1:{port}",
        "-status",
        "-CAfile",
        root,
        "-verify_return_error",
        *shown,
        *groups,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("said", "shown"), [("good", "Cert Status: good"), ("revoked", "Cert Status: revoked")])
async def test_openssl_reads_what_is_stapled(kind: str, said: str, shown: str, tmp_path: Path) -> None:
    staple = response(kind) if said == "good" else response(kind, STOLEN)
    async with station(kind, staple) as port, openssl(*asking(kind, port, tmp_path)) as process:
        lines = await read_until(process, "Verify return code")
    text = "\n".join(lines)
    assert "OCSP Response Status: successful (0x0)" in text
    assert shown in text
    assert f"{path(kind).leaf.certificate.serial_number:X}" in text.replace("Serial Number: ", "")
    assert "Verify return code: 0 (ok)" in text


@pytest.mark.parametrize("kind", KINDS)
async def test_openssl_is_told_where_there_is_none(kind: str, tmp_path: Path) -> None:
    async with station(kind, b"") as port, openssl(*asking(kind, port, tmp_path)) as process:
        lines = await read_until(process, "Verify return code")
    assert "OCSP response: no response sent" in lines


# --- openssl as the station -------------------------------------------------------------------------------------------


async def met(kind: str, policy: Policy, folder: Path, staple: bytes | None) -> TlsStream:
    """Connect to a station of openssl that staples what a file holds."""
    file = folder / "staple.der"
    file.write_bytes(staple or b"")
    more = ("-status_file", str(file)) if staple else ()
    party, generation = relying(kind), Generation.ISO20 if second(kind) else Generation.ISO2
    client = client_context(
        path(kind).anchors,
        identity=identity(path(kind, "vehicle")) if second(kind) else None,
        generations=(generation,),
        staple=Stapling(policy, party.stapled),
    )
    shown = files(path(kind), folder / "station")[:6]
    async with openssl("s_server", "-accept", "127.0.0.1:0", *shown, *more) as process:
        port = int((await read_until(process, "ACCEPT"))[-1].rsplit(":", 1)[1])
        stream = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
        try:
            secured = await connect(stream, client, party.verify, timeout=TIMEOUT)
        except StapleRefused:
            await read_until(process, "bad certificate status response")
            raise
        await secured.close()
        return secured


@pytest.mark.parametrize("kind", KINDS)
async def test_a_good_staple_of_openssl(kind: str, tmp_path: Path) -> None:
    assert (await met(kind, Policy.REQUIRE, tmp_path, response(kind))).facts.staple == "good"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", [Policy.REQUIRE, Policy.IF_PRESENT])
async def test_no_staple_of_openssl(kind: str, policy: Policy, tmp_path: Path) -> None:
    if policy is Policy.IF_PRESENT:
        assert (await met(kind, policy, tmp_path, None)).facts.staple == "none"
        return
    with pytest.raises(StapleRefused) as caught:
        await met(kind, policy, tmp_path, None)
    assert caught.value.state is State.NONE


WRONG = ("expired", "signed by a stranger", "changed on its way", "no answer")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", [*WRONG, "revoked"])
async def test_a_wrong_staple_of_openssl(kind: str, fault: str, tmp_path: Path) -> None:
    staple = response(kind, STOLEN) if fault == "revoked" else wrong(kind)[fault]
    with pytest.raises(StapleRefused) as caught:
        await met(kind, Policy.IF_PRESENT, tmp_path, staple)
    assert caught.value.state is (State.REVOKED if fault == "revoked" else State.UNUSABLE)


async def test_a_staple_of_openssl_about_another_certificate(tmp_path: Path) -> None:
    """Our own station's library would not send it; that of openssl 3.0 does."""
    with pytest.raises(StapleRefused, match="other-certificate: is about another certificate") as caught:
        await met("P-256", Policy.IF_PRESENT, tmp_path, misplaced()["about another certificate"])
    assert caught.value.state is State.UNUSABLE
