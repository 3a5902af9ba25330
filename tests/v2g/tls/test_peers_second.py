"""TLS 1.3 with the openssl command line, in both roles, with P-521 and Ed448; no resumption, no renegotiation."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from tests.v2g.tls.chains import ED448, Chain, chain, second
from tests.v2g.tls.test_peers import MESSAGE, TIMEOUT, openssl, outcome, read_until, s_server
from v2g.errors import HandshakeFailed, PeerGone, Untrusted, V2GError
from v2g.stream import TcpStream
from v2g.tls.context import Generation, ServerContext, client_context, server_context
from v2g.tls.stream import TlsStream, accept, connect
from v2g.trust import Role, Rule, Verdict

FIRST, SECOND, EDWARDS = chain(), second(), second("V2G20 Ed448", ED448)
CAR, EDWARDS_CAR, FOREIGN = second("car"), second("car Ed448", ED448), second("foreign")
STATION = server_context(FIRST.identity, SECOND.identity, EDWARDS.identity, client_anchors=[CAR.root, EDWARDS_CAR.root])
TRUSTED = {each.der for each in (FIRST, SECOND, EDWARDS, CAR, EDWARDS_CAR)}
KINDS = pytest.mark.parametrize(("shown", "car"), [(SECOND, CAR), (EDWARDS, EDWARDS_CAR)], ids=["P-521", "Ed448"])

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")


def trusting(chain_der: Sequence[bytes], role: Role) -> Verdict:
    broken = None if tuple(chain_der) in TRUSTED else Rule.ANCHOR
    return Verdict(role=role, broken=broken, subject="a car")


@asynccontextmanager
async def station(server: ServerContext = STATION) -> AsyncIterator[tuple[int, asyncio.Queue[TlsStream | Exception]]]:
    """Serve on a free port; yields it, and a queue of what became of each connection."""
    outcomes: asyncio.Queue[TlsStream | Exception] = asyncio.Queue()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            outcomes.put_nowait(await accept(TcpStream(reader, writer), server, trusting, timeout=TIMEOUT))
        except V2GError as error:
            outcomes.put_nowait(error)

    listener = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], outcomes
    finally:
        listener.close()


def client(port: int, shown: Chain | None, trusted: Chain, folder: Path, *more: str) -> tuple[str, ...]:
    """Tell `openssl s_client` what to say."""
    root = folder / "root.pem"
    root.write_bytes(trusted.certificates[-1].public_bytes(Encoding.PEM))
    files: tuple[str, ...] = ()
    if shown is not None:
        leaf, subs, key = shown.write(folder)
        files = ("-cert", str(leaf), "-cert_chain", str(subs), "-key", str(key))
    where = ("-connect", f"127.0.0.1:{port}", "-CAfile", str(root), "-verify_return_error")
    return ("s_client", *where, *files, *more)


@KINDS
async def test_openssl_as_a_vehicle(shown: Chain, car: Chain, tmp_path: Path) -> None:
    scheme = "ed448" if shown is EDWARDS else "ecdsa_secp521r1_sha512"
    async with station() as (port, outcomes):
        arguments = client(port, car, shown, tmp_path, "-sigalgs", scheme, "-showcerts")
        async with openssl(*arguments) as process:
            lines = await read_until(process, "Verify return code")
            theirs = await outcome(outcomes)
            assert isinstance(theirs, TlsStream)
            assert process.stdin is not None
            process.stdin.write(MESSAGE)
            assert await theirs.receive() == MESSAGE
            await theirs.close()
    text = "\n".join(lines)
    assert "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in text
    assert "Verify return code: 0 (ok)" in text
    assert "CN = car Root" in text  # what may be shown is told [V2G20-2401]
    assert "CN = car Ed448 Root" in text
    assert text.count("BEGIN CERTIFICATE") == 3  # leaf, Sub 2, Sub 1; no root
    assert theirs.facts.generation is Generation.ISO20
    assert (theirs.facts.group, theirs.facts.peer_subject) == ("secp521r1", "a car")
    assert theirs.facts.chain == f"CN={'V2G20 Ed448' if shown is EDWARDS else 'V2G20'} SECC"


@pytest.mark.parametrize(
    ("more", "suite", "group"),
    [
        (("-groups", "X448"), "TLS_AES_256_GCM_SHA384", "x448"),
        (("-groups", "X25519:P-521"), "TLS_AES_256_GCM_SHA384", "secp521r1"),  # its share is refused first
        (("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), "TLS_CHACHA20_POLY1305_SHA256", "secp521r1"),
        (("-ciphersuites", "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256"), "TLS_CHACHA20_POLY1305_SHA256", ""),
    ],
)
async def test_what_openssl_may_choose(more: tuple[str, ...], suite: str, group: str, tmp_path: Path) -> None:
    async with station() as (port, outcomes), openssl(*client(port, CAR, SECOND, tmp_path, *more)):
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream), theirs
        assert theirs.facts.suite == suite
        assert not group or theirs.facts.group == group
        await theirs.close()


@pytest.mark.parametrize(
    ("more", "lacking"),
    [
        (("-ciphersuites", "TLS_AES_128_GCM_SHA256"), "TLS_AES_256_GCM_SHA384 or TLS_CHACHA20_POLY1305_SHA256"),
        (("-groups", "P-256"), "secp521r1 or x448"),
        (("-sigalgs", "ecdsa_secp256r1_sha256"), "ecdsa_secp521r1_sha512 or ed448"),
    ],
)
async def test_what_openssl_may_not_choose(more: tuple[str, ...], lacking: str, tmp_path: Path) -> None:
    async with (
        station() as (port, outcomes),
        openssl(*client(port, CAR, SECOND, tmp_path, "-tls1_3", *more)) as process,
    ):
        refused = await outcome(outcomes)
        await read_until(process, "alert")
    assert isinstance(refused, HandshakeFailed)
    assert f"the vehicle does not offer {lacking}" in refused.reason
    assert refused.sent == "handshake_failure"


async def test_openssl_without_a_certificate(tmp_path: Path) -> None:
    """[V2G20-1264]"""
    async with station() as (port, outcomes), openssl(*client(port, None, SECOND, tmp_path, "-tls1_3")) as process:
        refused = await outcome(outcomes)
        await read_until(process, "alert certificate required")
    assert isinstance(refused, HandshakeFailed)
    assert refused.sent == "certificate_required"


async def test_openssl_with_a_foreign_certificate(tmp_path: Path) -> None:
    async with station() as (port, outcomes), openssl(*client(port, FOREIGN, SECOND, tmp_path)) as process:
        refused = await outcome(outcomes)
        await read_until(process, "alert unknown ca")
    assert isinstance(refused, Untrusted)
    assert refused.rule == "vehicle certificate, anchor"


async def test_openssl_names_a_root_of_the_second_generation(tmp_path: Path) -> None:
    """[V2G20-1007]: -requestCAfile is `certificate_authorities`."""
    other = second("other")
    server = server_context(SECOND.identity, other.identity, client_anchors=[CAR.root])
    wanted = tmp_path / "wanted.pem"
    wanted.write_bytes(other.certificates[-1].public_bytes(Encoding.PEM))
    async with (
        station(server) as (port, outcomes),
        openssl(*client(port, CAR, other, tmp_path, "-requestCAfile", str(wanted))),
    ):
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream)
        assert (theirs.facts.chain, theirs.facts.chain_by) == ("CN=other SECC", "certificate_authorities")
        await theirs.close()


async def kept(outcomes: asyncio.Queue[TlsStream | Exception], file: Path, arguments: Sequence[str]) -> list[Path]:
    """Connect once, and tell whether openssl got a session that it can keep in a file."""
    async with openssl(*arguments, "-sess_out", str(file)) as process:
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream)
        await theirs.send(MESSAGE)
        await read_until(process, MESSAGE.decode().strip())
        await theirs.close()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
    return await asyncio.to_thread(lambda: list(file.parent.glob(file.name)))


async def test_openssl_has_nothing_to_resume_in_tls_1_2(tmp_path: Path) -> None:
    async with station() as (port, outcomes):
        assert not await kept(outcomes, tmp_path / "session", client(port, None, FIRST, tmp_path, "-tls1_2"))


async def test_openssl_may_not_resume_in_tls_1_3(tmp_path: Path) -> None:
    """Tickets are sent, since the library cannot be told not to; but they are good for nothing."""
    file = tmp_path / "session"
    async with station() as (port, outcomes):
        arguments = client(port, CAR, SECOND, tmp_path)
        assert await kept(outcomes, file, arguments)
        async with openssl(*arguments, "-sess_in", str(file)) as process:
            lines = await read_until(process, "Cipher is")
            assert "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in lines
            again = await outcome(outcomes)
            assert isinstance(again, TlsStream)
            await again.close()


@KINDS
async def test_openssl_as_a_station(shown: Chain, car: Chain, tmp_path: Path) -> None:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(car.certificates[-1].public_bytes(Encoding.PEM))
    demand = ("-tls1_3", "-Verify", "4", "-CAfile", str(roots), "-verify_return_error")
    async with s_server(shown, tmp_path, *demand, "-trace") as (process, port):
        plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
        context = client_context([shown.root], identity=car.identity, generations=[Generation.ISO20])
        ours = await connect(plain, context, trusting, timeout=TIMEOUT)
        await ours.send(MESSAGE)
        lines = await read_until(process, MESSAGE.decode().strip())
        assert process.stdin is not None
        process.stdin.write(MESSAGE)
        assert await ours.receive() == MESSAGE
        await ours.close()
    hello = lines[: lines.index("Sent Record")]
    assert "supported_groups(10), length=6" in "\n".join(hello)
    first = hello.index("extension_type=supported_groups(10), length=6") + 1
    assert hello[first : first + 2] == ["secp521r1 (P-521) (25)", "ecdh_x448 (30)"]
    first = hello.index("extension_type=signature_algorithms(13), length=6") + 1
    assert hello[first : first + 2] == ["ecdsa_secp521r1_sha512 (0x0603)", "ed448 (0x0808)"]
    assert "{0x13, 0x02} TLS_AES_256_GCM_SHA384" in hello
    assert "{0x13, 0x03} TLS_CHACHA20_POLY1305_SHA256" in hello
    assert "{0x13, 0x01} TLS_AES_128_GCM_SHA256" not in hello
    assert ours.facts.suite == "TLS_AES_256_GCM_SHA384"


async def test_openssl_refuses_a_vehicle_after_its_handshake(tmp_path: Path) -> None:
    """A station's refusal comes late in TLS 1.3, and is a failure of TLS all the same."""
    roots = tmp_path / "roots.pem"
    roots.write_bytes(FOREIGN.certificates[-1].public_bytes(Encoding.PEM))
    demand = ("-tls1_3", "-Verify", "4", "-CAfile", str(roots), "-verify_return_error")
    async with s_server(SECOND, tmp_path, *demand) as (_, port):
        plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
        context = client_context([SECOND.root], identity=CAR.identity, generations=[Generation.ISO20])
        ours = await connect(plain, context, trusting, timeout=TIMEOUT)
        with pytest.raises(HandshakeFailed, match="the station refuses us") as caught:
            await ours.receive()
        await ours.close()
        assert caught.value.received in ("unknown_ca", "certificate_unknown", "bad_certificate")


async def test_a_dual_vehicle_and_a_station_of_tls_1_2(tmp_path: Path) -> None:
    async with s_server(FIRST, tmp_path, "-tls1_2", "-named_curve", "P-256") as (_, port):
        plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
        context = client_context([FIRST.root], identity=CAR.identity, generations=list(Generation))
        ours = await connect(plain, context, trusting, timeout=TIMEOUT)
        assert ours.facts.generation is Generation.ISO2
        await ours.close()


@pytest.mark.parametrize("generations", [[Generation.ISO20], [Generation.ISO2]])
async def test_a_vehicle_of_one_generation_refuses_the_other(generations: list[Generation], tmp_path: Path) -> None:
    second_only = generations == [Generation.ISO20]
    shown, version = (FIRST, "-tls1_2") if second_only else (SECOND, "-tls1_3")
    async with s_server(shown, tmp_path, version) as (_, port):
        plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
        context = client_context([shown.root], identity=CAR.identity, generations=generations)
        with pytest.raises((HandshakeFailed, PeerGone)) as caught:
            await connect(plain, context, trusting, timeout=TIMEOUT)
        assert "protocol version" in str(caught.value)
