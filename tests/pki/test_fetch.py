from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp as theirs
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki import crl, fetch, ocsp
from pki.cache import Cache
from pki.evidence import GOOD, UNKNOWN, Flaw, Standing, Status, Unusable
from pki.fetch import ANY, Failure, Fetcher, FetchFailed, Reach, inquire
from pki.revocation import Mode, Question, Revocation, Revoked, Unknown
from tests.pki.chains import Path, build
from tests.pki.signers import LONG, NO_CHECK, delegate, facts, signs

DAY = timedelta(days=1)
SHORT = 0.3
Answer = Callable[[bytes], tuple[int, dict[str, str], bytes]]


@dataclass
class Site:
    """A small real HTTP server: what it answers by path, and what it was asked."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def site() -> Iterator[Site]:
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            found.asked.append((f"{self.command} {self.path}", body, dict(self.headers)))
            status, headers, data = found.answers[self.path](body)
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(data))} | headers).items():
                self.send_header(name, value)
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
    yield found
    found.released.set()
    server.shutdown()
    server.server_close()
    thread.join(timeout=10)


def page(data: bytes, status: int = 200, **headers: str) -> Answer:
    return lambda _: (status, headers, data)


def path_at(site: Site, *, responder: bool = True, lists: bool = True) -> Path:
    """A path whose leaf names the site for its status."""
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if responder:
        where = x509.UniformResourceIdentifier(site.url("/ocsp"))
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        extensions.append((x509.AuthorityInformationAccess([access]), False))
    if lists:
        where = x509.UniformResourceIdentifier(site.url("/sub2.crl"))
        extensions.append((x509.CRLDistributionPoints([x509.DistributionPoint([where], None, None, None)]), False))
    tiers: dict[str, dict[str, Any]] = {tier: {"days": LONG} for tier in ("root", "sub1", "sub2", "leaf")}
    tiers["leaf"]["extensions"] = tuple(extensions)
    return build("secc", **tiers)


def question(path: Path) -> Question:
    return Question(0, facts(path.leaf), facts(path.sub2))


def reach(site: Site, **changes: Any) -> Reach:
    said: dict[str, Any] = {"hosts": frozenset({f"127.0.0.1:{site.port}"}), "seconds": 5.0} | changes
    return Reach(**said)


def responder(path: Path, standing: Standing = GOOD, **changes: Any) -> Answer:
    """A responder that is right but for the changes."""
    signer = changes.pop("signer", None) or delegate(path.sub2, days=LONG)
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


def list_page(path: Path, *revoked: int, shift: timedelta = timedelta()) -> bytes:
    now = datetime.now(UTC) + shift
    entries = [crl.Listed(serial=serial, at=now - DAY) for serial in revoked]
    return crl.build(signs(path.sub2), entries, number=1, this_update=now, next_update=now + DAY)


REVOKED = Standing(status=Status.REVOKED, since=datetime.now(UTC) - DAY, reason=x509.ReasonFlags.key_compromise)


def found(cache: Cache, path: Path) -> list[Status]:
    words = cache.find(facts(path.leaf), facts(path.sub2), datetime.now(UTC)).statements
    return [word.standing.status for word in words]


@pytest.mark.parametrize("standing", [GOOD, REVOKED])
def test_the_responder_is_asked_as_rfc_6960_wants_it(site: Site, standing: Standing) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = responder(path, standing)
    inquire(question(path), cache, reach(site))
    assert found(cache, path) == [standing.status]
    [(line, body, headers)] = site.asked
    assert line == "POST /ocsp"
    assert headers["Content-Type"] == "application/ocsp-request"
    request = theirs.load_der_ocsp_request(body)
    assert request.serial_number == path.leaf.certificate.serial_number
    assert request.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce


def test_every_question_has_a_nonce_of_its_own_or_none(site: Site) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = responder(path)
    for wanted in (True, True, False):
        inquire(question(path), Cache(), reach(site, nonce=wanted))
    nonces = [ocsp.read_request(body).nonce for _, body, _ in site.asked]
    assert len(set(nonces)) == 3
    assert nonces[2] is None


def test_the_list_is_brought_where_the_responder_tells_nothing(site: Site) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = page(b"", 500)
    site.answers["/sub2.crl"] = page(list_page(path, path.leaf.certificate.serial_number))
    inquire(question(path), cache, reach(site))
    assert found(cache, path) == [Status.REVOKED]
    assert [line for line, *_ in site.asked] == ["POST /ocsp", "GET /sub2.crl"]


def test_what_the_responder_does_not_know_the_list_may(site: Site) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = responder(path, UNKNOWN)
    site.answers["/sub2.crl"] = page(b"", 404)
    inquire(question(path), cache, reach(site))
    assert found(cache, path) == [Status.UNKNOWN]
    assert len(site.asked) == 2


def test_a_certificate_that_names_nobody(site: Site) -> None:
    path = path_at(site, responder=False, lists=False)
    with pytest.raises(FetchFailed) as caught:
        inquire(question(path), Cache(), reach(site))
    assert caught.value.failure is Failure.NO_ADDRESS


# --- misbehaving servers: each is told by name, and nothing of it is kept ---------------------------------------------

OTHER = build(sub2={"days": LONG})
RESPONDERS: dict[str, tuple[Callable[[Path], Answer], Flaw]] = {
    "tryLater": (lambda _: page(ocsp.decline(theirs.OCSPResponseStatus.TRY_LATER)), Flaw.NO_ANSWER),
    "expired": (lambda path: responder(path, shift=-2 * DAY), Flaw.STALE),
    "of the future": (lambda path: responder(path, shift=DAY), Flaw.NOT_YET),
    "wrong signer": (lambda path: responder(path, signer=delegate(OTHER.sub2, days=LONG)), Flaw.SIGNER),
    "signer without purpose": (
        lambda path: responder(path, signer=delegate(path.sub2, days=LONG, extensions=(NO_CHECK,))),
        Flaw.SIGNER,
    ),
    "wrong certificate": (
        lambda path: responder(path, about=ocsp.cert_id(1, path.sub2.certificate, hashes.SHA256())),
        Flaw.OTHER_CERTIFICATE,
    ),
    "no nonce": (lambda path: responder(path, echo=False), Flaw.NONCE),
    "no response": (lambda _: page(b"<html>maintenance</html>"), Flaw.MALFORMED),
}


@pytest.mark.parametrize("fault", RESPONDERS)
def test_a_responder_that_misbehaves(site: Site, fault: str) -> None:
    make, flaw = RESPONDERS[fault]
    path, cache = path_at(site, lists=False), Cache()
    site.answers["/ocsp"] = make(path)
    with pytest.raises(Unusable) as caught:
        inquire(question(path), cache, reach(site))
    assert caught.value.flaw is flaw
    assert found(cache, path) == []


LISTS: dict[str, tuple[Callable[[Path], bytes], Flaw]] = {
    "expired": (lambda path: list_page(path, shift=-2 * DAY), Flaw.STALE),
    "of another CA": (lambda _: list_page(build(sub2={"days": LONG, "cn": ("Other",)})), Flaw.OTHER_ISSUER),
    "unsigned": (lambda path: list_page(path)[:-8] + bytes(8), Flaw.SIGNATURE),
}


@pytest.mark.parametrize("fault", LISTS)
def test_a_list_that_is_wrong(site: Site, fault: str) -> None:
    make, flaw = LISTS[fault]
    path, cache = path_at(site, responder=False), Cache()
    site.answers["/sub2.crl"] = page(make(path))
    with pytest.raises(Unusable) as caught:
        inquire(question(path), cache, reach(site))
    assert caught.value.flaw is flaw
    assert found(cache, path) == []


def failure(url: str, allowed: Reach, most: int = 1000) -> Failure:
    with pytest.raises(FetchFailed) as caught:
        fetch.fetch(url, allowed, most=most)
    assert caught.value.detail
    return caught.value.failure


@pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
def test_an_http_status(site: Site, status: int) -> None:
    site.answers["/"] = page(b"", status)
    assert failure(site.url("/"), reach(site)) is Failure.STATUS


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 200])
def test_nobody_is_followed_elsewhere(site: Site, status: int) -> None:
    site.answers["/"] = page(b"", status, Location=site.url("/elsewhere"))
    assert failure(site.url("/"), reach(site)) is Failure.REDIRECTED
    assert len(site.asked) == 1


@pytest.mark.parametrize("told", [True, False])
def test_an_answer_that_is_too_long(site: Site, told: bool) -> None:
    headers = {} if told else {"Content-Length": "", "Connection": "close"}
    site.answers["/"] = lambda _: (200, headers, b"x" * 1001)
    assert failure(site.url("/"), reach(site)) is Failure.SIZE
    site.answers["/"] = lambda _: (200, {}, b"x" * 1000)
    assert len(fetch.fetch(site.url("/"), reach(site), most=1000)) == 1000


def test_an_answer_that_breaks_off(site: Site) -> None:
    site.answers["/"] = lambda _: (200, {"Content-Length": "20", "Connection": "close"}, b"x" * 10)
    assert failure(site.url("/"), reach(site)) is Failure.PROTOCOL


def test_a_server_that_does_not_answer(site: Site) -> None:
    def wait(_: bytes) -> tuple[int, dict[str, str], bytes]:
        site.released.wait(30)
        return 200, {}, b""

    site.answers["/"] = wait
    began = time.monotonic()
    assert failure(site.url("/"), reach(site, seconds=SHORT)) is Failure.TIME
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"])
def test_a_server_that_says_one_byte_now_and_then(head: bytes) -> None:
    """The timeout of the socket never comes: the bound on the whole exchange does."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                try:
                    connection.sendall(head)
                    while not stop.wait(SHORT / 10):
                        connection.sendall(b"x")
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        allowed = Reach(hosts=frozenset({ANY}), seconds=SHORT)
        assert failure(f"http://127.0.0.1:{port}/", allowed, most=10**6) is Failure.TIME
        stop.set()
        thread.join(timeout=10)


def test_a_server_that_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"220 mail ready\r\n")
                connection.recv(4096)

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert failure(url, Reach(hosts=frozenset({ANY}))) is Failure.PROTOCOL
        thread.join(timeout=10)


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure(f"http://127.0.0.1:{port}/", Reach(hosts=frozenset({ANY}))) is Failure.UNREACHABLE


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://127.0.0.1/", Failure.ADDRESS),
        ("ldap://127.0.0.1/", Failure.ADDRESS),
        ("file:///etc/passwd", Failure.ADDRESS),
        ("http:///ocsp", Failure.ADDRESS),
        ("http://127.0.0.1:0/", Failure.ADDRESS),
        ("http://127.0.0.1:99999/", Failure.ADDRESS),
        ("http://127.0.0.1:x/", Failure.ADDRESS),
        ("http://[::1/", Failure.ADDRESS),
        ("http://allowed.test/a b", Failure.ADDRESS),
        ("http://allowed.test/\r\nHost: x", Failure.ADDRESS),
        ("http://allowed.test/" + "x" * 2000, Failure.ADDRESS),
        ("", Failure.ADDRESS),
        ("http://other.test/", Failure.NOT_ALLOWED),
        ("http://allowed.test.other.test/", Failure.NOT_ALLOWED),
        ("http://user@allowed.test/", Failure.NOT_ALLOWED),
        ("http://ports.test/", Failure.NOT_ALLOWED),
        ("http://ports.test:8081/", Failure.NOT_ALLOWED),
    ],
)
def test_whom_nobody_asks(url: str, expected: Failure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_exchange", None)
    monkeypatch.setattr(socket, "create_connection", None)
    assert failure(url, Reach(hosts=frozenset({"allowed.test", "ports.test:8080"}))) is expected


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("allowed.test", "http://allowed.test:8080/x"),
        ("allowed.test:80", "http://ALLOWED.test/x"),
        ("[::1]:8317", "http://[::1]:8317/x"),
        (ANY, "http://whoever.test/"),
    ],
)
def test_whom_one_may_ask(host: str, url: str) -> None:
    assert Reach(hosts=frozenset({host})).allows(urlsplit(url))


# --- off the loop -----------------------------------------------------------------------------------------------------


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, which another thread brings about."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_is_not_known_is_brought_and_then_known(site: Site) -> None:
    path, cache = path_at(site), Cache()
    leaf = [path.leaf.der]
    certificates = [facts(made) for made in (path.leaf, path.sub2)]
    site.answers["/ocsp"] = responder(path, REVOKED)
    fetcher = Fetcher(cache, reach(site))
    revocation = Revocation(Mode.HARD, cache, want=fetcher.want)
    with pytest.raises(Unknown):
        revocation.judge(certificates, datetime.now(UTC))
    until(lambda: not fetcher.busy(leaf))
    with pytest.raises(Revoked, match="keyCompromise"):
        revocation.judge(certificates, datetime.now(UTC))
    assert len(site.asked) == 1


def test_one_inquiry_at_a_time_and_none_right_after_a_failure(site: Site) -> None:
    path = path_at(site, lists=False)

    def wait(_: bytes) -> tuple[int, dict[str, str], bytes]:
        site.released.wait(30)
        return 500, {}, b""

    site.answers["/ocsp"] = wait
    fetcher = Fetcher(Cache(), reach(site))
    for _ in range(5):
        fetcher.want(question(path))
    assert fetcher.busy([b"other", path.leaf.der])
    assert not fetcher.busy([path.sub2.der])
    site.released.set()
    until(lambda: not fetcher.busy([path.leaf.der]))
    fetcher.want(question(path))
    assert not fetcher.busy([path.leaf.der])
    assert len(site.asked) == 1


def test_inquiries_are_bounded(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_MOST_AT_ONCE", 1)

    def wait(_: bytes) -> tuple[int, dict[str, str], bytes]:
        site.released.wait(30)
        return 500, {}, b""

    site.answers["/ocsp"] = wait
    site.answers["/sub2.crl"] = page(b"", 404)
    fetcher = Fetcher(Cache(), reach(site))
    one, two = path_at(site), path_at(site)
    fetcher.want(question(one))
    fetcher.want(question(two))
    assert fetcher.busy([one.leaf.der])
    assert not fetcher.busy([two.leaf.der])
    site.released.set()
    until(lambda: not fetcher.busy([one.leaf.der]))
