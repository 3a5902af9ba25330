"""gnutls-cli as a vehicle and gnutls-serv as a station, held to what a generation prescribes."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from tests.v2g.tls.chains import Chain
from v2g.tls.context import Generation

FIRST = "NONE:+VERS-TLS1.2:+AES-128-CBC:+SHA256:+ECDHE-ECDSA:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+CTYPE-X509:%NO_ETM"
SECOND = (
    "NONE:+VERS-TLS1.3:+AES-256-GCM:+CHACHA20-POLY1305:+AEAD:+GROUP-SECP521R1:+GROUP-X448"
    ":+SIGN-ECDSA-SECP521R1-SHA512:+SIGN-EDDSA-ED448:+CTYPE-X509"
)
PRIORITY = {Generation.ISO2: FIRST, Generation.ISO20: SECOND}
TIMEOUT_S = 15.0


def obstacle() -> str:
    """Why there is no GnuTLS here; empty where there is."""
    return "" if shutil.which("gnutls-cli") and shutil.which("gnutls-serv") else "gnutls-bin is not installed"


class Running:
    """One of the programs, and all it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.text = ""

    async def says(self, *words: str) -> str:
        """Wait until it has said one of these, or has ended; returns all it said."""
        assert self._process.stdout is not None
        async with asyncio.timeout(TIMEOUT_S):
            while not any(each in self.text for each in words):
                piece = await self._process.stdout.read(4096)
                if not piece:
                    break
                self.text += piece.decode(errors="replace")
        assert any(each in self.text for each in words), self.text
        return self.text

    def type(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)


@asynccontextmanager
async def running(*command: str) -> AsyncIterator[Running]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def files(shown: Chain, folder: Path) -> tuple[str, ...]:
    """Write a chain and its key, and name them."""
    folder.mkdir(exist_ok=True)
    leaf, subs, key = shown.write(folder)
    chain = folder / "chain.pem"
    chain.write_bytes(leaf.read_bytes() + subs.read_bytes())
    return "--x509certfile", str(chain), "--x509keyfile", str(key)


def root(of: Chain, folder: Path) -> tuple[str, ...]:
    folder.mkdir(exist_ok=True)
    file = folder / "root.pem"
    file.write_bytes(of.certificates[-1].public_bytes(Encoding.PEM))
    return "--x509cafile", str(file)


@asynccontextmanager
async def vehicle(port: int, priority: str, *more: str) -> AsyncIterator[Running]:
    """The names in certificates of ISO 15118 are not those of hosts."""
    where = ("--port", str(port), "127.0.0.1", "--priority", priority, "--insecure")
    async with running("gnutls-cli", *where, *more) as process:
        yield process


@asynccontextmanager
async def station(priority: str, *more: str) -> AsyncIterator[tuple[Running, int]]:
    """A station on a free port, which sends back what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    async with running(
        "gnutls-serv", "--port", str(port), "--priority", priority, "--echo", "--nodb", *more
    ) as process:
        await process.says("done")
        yield process, port
