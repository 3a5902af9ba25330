"""A small real HTTP server that tells how certificates stand, rightly or wrongly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki import crl, ocsp
from pki.evidence import GOOD, Standing, Status
from tests.pki.chains import Made
from tests.pki.signers import LONG, delegate, signs

DAY = timedelta(days=1)
Answer = Callable[[bytes], tuple[int, dict[str, str], bytes]]


@dataclass
class Site:
    """A small real HTTP server: what it answers by path, and what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    arrived: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def serving() -> Iterator[Site]:
    """Run a site on a free port of the loopback."""
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            found.asked.append((f"{self.command} {self.path}", body, dict(self.headers)))
            found.arrived.set()
            status, headers, data = found.answers[self.path](body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(data)

        def __getattr__(self, name: str) -> Any:
            if name == "do_POST":
                return self.do_GET
            raise AttributeError(name)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)


def page(data: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda _: (status, headers, data)


def slow(site: Site, answer: Answer) -> Answer:
    """Say nothing until the site is `released`, at the latest when the test is over."""

    def wait(body: bytes) -> tuple[int, dict[str, str], bytes]:
        site.released.wait(30)
        return answer(body)

    return wait


def silent(site: Site) -> Answer:
    """Say nothing until the test is over."""
    return slow(site, page(b"", 500))


def named(site: Site, *, responder: bool = True, lists: bool = True) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """The extensions by which a certificate names the site for its status."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if responder:
        where = x509.UniformResourceIdentifier(site.url("/ocsp"))
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        found.append((x509.AuthorityInformationAccess([access]), False))
    if lists:
        where = x509.UniformResourceIdentifier(site.url("/sub2.crl"))
        found.append((x509.CRLDistributionPoints([x509.DistributionPoint([where], None, None, None)]), False))
    return tuple(found)


def responder(issuer: Made, standing: Standing = GOOD, **changes: Any) -> Answer:
    """A responder that is right but for the changes."""
    signer = changes.pop("signer", None) or delegate(issuer, days=LONG)
    shift: timedelta = changes.pop("shift", timedelta())
    echo: bool = changes.pop("echo", True)

    def answer(body: bytes) -> tuple[int, dict[str, str], bytes]:
        request = ocsp.read_request(body)
        now = datetime.now(UTC) + shift
        said: dict[str, Any] = {"this_update": now, "next_update": now + DAY, "enclosed": [signer.certificate]}
        said |= {"nonce": request.nonce if echo else None} | changes
        about = said.pop("about", request.about)
        return 200, {"Content-Type": "application/ocsp-response"}, ocsp.respond(about, standing, signs(signer), **said)

    return answer


def list_of(issuer: Made, *revoked: int, shift: timedelta = timedelta()) -> bytes:
    now = datetime.now(UTC) + shift
    entries = [crl.Listed(serial=serial, at=now - DAY) for serial in revoked]
    return crl.build(signs(issuer), entries, number=1, this_update=now, next_update=now + DAY)


REVOKED = Standing(status=Status.REVOKED, since=datetime.now(UTC) - DAY, reason=x509.ReasonFlags.key_compromise)
