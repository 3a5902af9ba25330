"""A server in a thread, spoken to over real HTTP."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from cryptography import x509

from pki.serve import listener
from pki.serve.app import application
from pki.serve.server import Server
from pki.serve.state import State
from pki.tree import Tree, read

SECRET = "correct horse battery"
LOGIN = ("csms", SECRET)
DELAY_S = 0.4


@dataclass(frozen=True)
class Served:
    """A running server: what asks it, where it is, what it serves."""

    client: httpx.Client
    server: Server
    out: Path
    scratch: Path

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")

    def certificate(self, place: str, tree: str = "iso2") -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.file(place, tree).read_bytes())

    def file(self, place: str, tree: str = "iso2") -> Path:
        path = self.out / tree / place
        return path / "cert.pem" if place.startswith("leaf/") else path.with_suffix(".pem")

    def chain(self, tree: str) -> Path:
        """The CAs above stations, in one file: OpenSSL knows them no other way."""
        path = self.scratch / f"{tree}.pem"
        path.write_bytes(
            b"".join(self.file(f"ca/{ca}", tree).read_bytes() for ca in ("v2g/root", "cpo/sub1", "cpo/sub2"))
        )
        return path

    def switch(self, *names: str, certificate: str = "") -> None:
        """Have these on, "ocsp:revoked", and nothing else."""
        pairs = [name.split(":") for name in names]
        body = [{"service": service, "name": name, "certificate": certificate} for service, name in pairs]
        assert self.client.put("/admin/misbehaviour", json=body).status_code == 200


@contextmanager
def serving(
    out: Path,
    url: str,
    scratch: Path,
    trees: Mapping[str, Tree] | None = None,
    bound: socket.socket | None = None,
) -> Iterator[Served]:
    """Run a server until the end of the block, on a socket that listens or a free port."""
    server = Server(trees or read(), out, State(url), delay_s=DELAY_S)
    with bound or listener.listen("127.0.0.1", 0) as listening:
        running = uvicorn.Server(uvicorn.Config(application(server), log_config=None, timeout_graceful_shutdown=2))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            _wait(running)
            with httpx.Client(base_url=listener.url(listening), timeout=20, trust_env=False) as client:
                assert client.put("/admin/secrets/csms", json={"secret": SECRET}).status_code == 200
                yield Served(client, server, out, scratch)
        finally:
            running.should_exit = True
            thread.join(20)
        assert not thread.is_alive()


def _wait(running: uvicorn.Server) -> None:
    until = time.monotonic() + 20
    while not running.started:
        assert time.monotonic() < until, "the server did not start"
        time.sleep(0.005)
