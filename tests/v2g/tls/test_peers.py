"""Handshakes with independent peers: Python's own ssl module and the openssl command line."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.v2g.tls.chains import Chain, chain
from v2g.errors import HandshakeFailed, Untrusted, V2GError
from v2g.stream import TcpStream
from v2g.tls.context import ServerContext, client_context, server_context
from v2g.tls.stream import TlsStream, accept, connect
from v2g.trust import Role, Rule, Verdict

TIMEOUT = 20.0
GOOD = chain()
MESSAGE = b"one V2GTP message\n"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")


def trusting(chain_der: Sequence[bytes], role: Role) -> Verdict:
    """Accept just the good chain."""
    return Verdict(role=role, broken=None if tuple(chain_der) == GOOD.der else Rule.ANCHOR)


@asynccontextmanager
async def station(server: ServerContext) -> AsyncIterator[tuple[int, asyncio.Queue[TlsStream | Exception]]]:
    """Serve on a free port; yields it, and a queue of what became of each connection."""
    outcomes: asyncio.Queue[TlsStream | Exception] = asyncio.Queue()

    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            outcomes.put_nowait(await accept(TcpStream(reader, writer), server, timeout=TIMEOUT))
        except V2GError as error:
            outcomes.put_nowait(error)

    listener = await asyncio.start_server(welcome, "127.0.0.1", 0)
    try:
        yield listener.sockets[0].getsockname()[1], outcomes
    finally:
        listener.close()


def ssl_client(trusted: Chain) -> ssl.SSLContext:
    """Make a strict client of the standard library, limited to what -2 prescribes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256")
    context.set_ecdh_curve("prime256v1")
    context.load_verify_locations(cadata=trusted.certificates[-1].public_bytes(Encoding.PEM).decode())
    return context


async def outcome(outcomes: asyncio.Queue[TlsStream | Exception]) -> TlsStream | Exception:
    """Wait for what became of the next connection."""
    async with asyncio.timeout(TIMEOUT):
        return await outcomes.get()


def dial_and_fail(port: int, context: ssl.SSLContext) -> ssl.SSLError:
    """Connect with blocking sockets (asyncio would drop the alert) and return the error."""
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain,
        pytest.raises(ssl.SSLError) as caught,
    ):
        context.wrap_socket(plain)
    return caught.value


async def test_the_standard_library_as_vehicle() -> None:
    async with station(server_context(GOOD.identity)) as (port, outcomes):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=ssl_client(GOOD))
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream)
        writer.write(MESSAGE)
        assert await theirs.receive() == MESSAGE
        await theirs.send(MESSAGE)
        assert await reader.readexactly(len(MESSAGE)) == MESSAGE
        suite = writer.get_extra_info("cipher")
        assert suite == ("ECDHE-ECDSA-AES128-SHA256", "TLSv1.2", 128)
        await theirs.close()
        assert await reader.read() == b""  # close_notify, or the ssl module would complain
        writer.close()


async def test_the_standard_library_refuses_a_foreign_root() -> None:
    """The whole chain is sent, and its refusal is told to the station."""
    async with station(server_context(GOOD.identity)) as (port, outcomes):
        error = await asyncio.to_thread(dial_and_fail, port, ssl_client(chain("foreign")))
        assert isinstance(error, ssl.SSLCertVerificationError)
        refused = await outcome(outcomes)
        assert isinstance(refused, HandshakeFailed)
        assert "alert unknown ca" in refused.reason


async def test_a_second_group_does_not_help() -> None:
    context = ssl_client(GOOD)
    context.set_ecdh_curve("secp384r1")
    async with station(server_context(GOOD.identity)) as (port, outcomes):
        error = await asyncio.to_thread(dial_and_fail, port, context)
        assert "HANDSHAKE_FAILURE" in str(error)
        refused = await outcome(outcomes)
        assert isinstance(refused, HandshakeFailed)
        assert "does not offer secp256r1" in refused.reason


@asynccontextmanager
async def openssl(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run an openssl command; kill it at the end."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        "openssl", *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_until(process: asyncio.subprocess.Process, text: str) -> list[str]:
    """Collect lines of output up to one that holds `text`."""
    assert process.stdout is not None
    lines: list[str] = []
    async with asyncio.timeout(TIMEOUT):
        while not lines or text not in lines[-1]:
            line = await process.stdout.readline()
            assert line, f"no {text!r} in {lines}"
            lines.append(line.decode(errors="replace").strip())
    return lines


@asynccontextmanager
async def s_server(identity: Chain, folder: Path, *more: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Run `openssl s_server` with a chain on a free port."""
    leaf, subs, key = identity.write(folder)
    files = ("-cert", str(leaf), "-cert_chain", str(subs), "-key", str(key))
    async with openssl("s_server", "-accept", "127.0.0.1:0", *files, *more) as process:
        port = int((await read_until(process, "ACCEPT"))[-1].rsplit(":", 1)[1])
        yield process, port


async def dial(port: int, *, roots: Sequence[bytes] = (GOOD.root,)) -> TlsStream:
    plain = TcpStream(*await asyncio.open_connection("127.0.0.1", port))
    return await connect(plain, client_context(roots), trusting, timeout=TIMEOUT)


async def test_openssl_as_station_sees_the_prescribed_hello(tmp_path: Path) -> None:
    async with s_server(GOOD, tmp_path, "-trace") as (process, port):
        ours = await dial(port)
        assert process.stdin is not None
        await ours.send(MESSAGE)
        shown = await read_until(process, MESSAGE.decode().strip())
        process.stdin.write(MESSAGE)
        assert await ours.receive() == MESSAGE
        await ours.close()
    hello = shown[: shown.index("Sent Record")]
    assert after(hello, "cipher_suites (len=2)") == "{0xC0, 0x23} TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
    assert after(hello, "extension_type=supported_groups(10), length=4") == "secp256r1 (P-256) (23)"
    assert after(hello, "extension_type=signature_algorithms(13), length=4") == "ecdsa_secp256r1_sha256 (0x0403)"
    digest = hashlib.sha1(GOOD.root).digest().hex(" ")
    named = after(hello, "extension_type=trusted_ca_keys(3), length=23")
    assert named.startswith(f"0000 - 00 15 03 {digest[:11]}")


def after(lines: list[str], line: str) -> str:
    """Return the line that follows `line`."""
    return lines[lines.index(line) + 1]


async def test_openssl_with_a_leaf_on_another_curve_is_refused(tmp_path: Path) -> None:
    async with s_server(chain("p384", curve=ec.SECP384R1), tmp_path) as (_, port):
        with pytest.raises(HandshakeFailed):
            await dial(port)


async def test_openssl_with_a_foreign_root_is_refused(tmp_path: Path) -> None:
    async with s_server(chain("foreign"), tmp_path) as (process, port):
        with pytest.raises(Untrusted, match="anchor"):
            await dial(port)
        await read_until(process, "alert unknown ca")


async def test_openssl_with_tls_1_3_alone_is_refused(tmp_path: Path) -> None:
    async with s_server(GOOD, tmp_path, "-tls1_3") as (_, port):
        with pytest.raises(HandshakeFailed, match="alert protocol version"):
            await dial(port)


async def test_openssl_as_vehicle_sees_the_prescribed_station(tmp_path: Path) -> None:
    root = tmp_path / "root.pem"
    root.write_bytes(GOOD.certificates[-1].public_bytes(Encoding.PEM))
    async with station(server_context(GOOD.identity)) as (port, outcomes):
        arguments = ("-connect", f"127.0.0.1:{port}", "-CAfile", str(root), "-verify_return_error", "-showcerts")
        async with openssl("s_client", *arguments) as process:
            shown = await read_until(process, "Extended master secret")
            theirs = await outcome(outcomes)
            assert isinstance(theirs, TlsStream)
            assert process.stdin is not None
            process.stdin.write(MESSAGE)
            assert await theirs.receive() == MESSAGE
            await theirs.close()
    text = "\n".join(shown)
    assert "Verify return code: 0 (ok)" in text
    assert "Server Temp Key: ECDH, prime256v1, 256 bits" in text
    assert "Peer signing digest: SHA256" in text
    assert "New, TLSv1.2, Cipher is ECDHE-ECDSA-AES128-SHA256" in text
    assert "Secure Renegotiation IS supported" in text
    assert "TLS session ticket" not in text
    assert "Session-ID:" in shown  # an empty one: nothing to resume
    assert text.count("BEGIN CERTIFICATE") == 3  # leaf, Sub 2, Sub 1; no root


async def test_openssl_may_not_renegotiate() -> None:
    async with (
        station(server_context(GOOD.identity)) as (port, outcomes),
        openssl("s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2") as process,
    ):
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream)
        assert process.stdin is not None
        process.stdin.write(b"R\n")
        receiving = asyncio.create_task(theirs.receive())
        await read_until(process, "no renegotiation")
        receiving.cancel()
        await asyncio.wait([receiving])
        await theirs.close()
