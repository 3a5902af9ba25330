from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import ocsp as theirs

from pki import fetch, ocsp
from pki.cache import Cache
from pki.evidence import GOOD, UNKNOWN, Flaw, Standing, Status, Unusable
from pki.fetch import ANY, Failure, Fetcher, FetchFailed, Reach, inquire
from pki.revocation import Mode, Question, Revocation, Revoked, Unknown
from tests.pki.chains import Path, build
from tests.pki.signers import LONG, NO_CHECK, delegate, facts
from tests.pki.site import DAY, REVOKED, Answer, Site, list_of, named, page, responder, serving, silent

SHORT = 0.3


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def path_at(site: Site, *, responder: bool = True, lists: bool = True) -> Path:
    """A path whose leaf names the site for its status."""
    tiers: dict[str, dict[str, Any]] = {tier: {"days": LONG} for tier in ("root", "sub1", "sub2", "leaf")}
    tiers["leaf"]["extensions"] = named(site, responder=responder, lists=lists)
    return build("secc", **tiers)


def question(path: Path) -> Question:
    return Question(0, facts(path.leaf), facts(path.sub2))


def reach(site: Site, **changes: Any) -> Reach:
    said: dict[str, Any] = {"hosts": frozenset({f"127.0.0.1:{site.port}"}), "seconds": 5.0} | changes
    return Reach(**said)


def found(cache: Cache, path: Path) -> list[Status]:
    words = cache.find(facts(path.leaf), facts(path.sub2), datetime.now(UTC)).statements
    return [word.standing.status for word in words]


@pytest.mark.parametrize("standing", [GOOD, REVOKED])
def test_the_responder_is_asked_as_rfc_6960_wants_it(site: Site, standing: Standing) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = responder(path.sub2, standing)
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
    site.answers["/ocsp"] = responder(path.sub2)
    for wanted in (True, True, False):
        inquire(question(path), Cache(), reach(site, nonce=wanted))
    nonces = [ocsp.read_request(body).nonce for _, body, _ in site.asked]
    assert len(set(nonces)) == 3
    assert nonces[2] is None


def test_the_list_is_brought_where_the_responder_tells_nothing(site: Site) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = page(b"", 500)
    site.answers["/sub2.crl"] = page(list_of(path.sub2, path.leaf.certificate.serial_number))
    inquire(question(path), cache, reach(site))
    assert found(cache, path) == [Status.REVOKED]
    assert [line for line, *_ in site.asked] == ["POST /ocsp", "GET /sub2.crl"]


def test_what_the_responder_does_not_know_the_list_may(site: Site) -> None:
    path, cache = path_at(site), Cache()
    site.answers["/ocsp"] = responder(path.sub2, UNKNOWN)
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
    "expired": (lambda path: responder(path.sub2, shift=-2 * DAY), Flaw.STALE),
    "of the future": (lambda path: responder(path.sub2, shift=DAY), Flaw.NOT_YET),
    "wrong signer": (lambda path: responder(path.sub2, signer=delegate(OTHER.sub2, days=LONG)), Flaw.SIGNER),
    "signer without purpose": (
        lambda path: responder(path.sub2, signer=delegate(path.sub2, days=LONG, extensions=(NO_CHECK,))),
        Flaw.SIGNER,
    ),
    "wrong certificate": (
        lambda path: responder(path.sub2, about=ocsp.cert_id(1, path.sub2.certificate, hashes.SHA256())),
        Flaw.OTHER_CERTIFICATE,
    ),
    "no nonce": (lambda path: responder(path.sub2, echo=False), Flaw.NONCE),
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
    "expired": (lambda path: list_of(path.sub2, shift=-2 * DAY), Flaw.STALE),
    "of another CA": (lambda _: list_of(build(sub2={"days": LONG, "cn": ("Other",)}).sub2), Flaw.OTHER_ISSUER),
    "unsigned": (lambda path: list_of(path.sub2)[:-8] + bytes(8), Flaw.SIGNATURE),
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
    site.answers["/"] = silent(site)
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


@pytest.mark.parametrize("host", ["a" * 64 + ".test", "a..test", "...", "x" + "." * 300])
def test_a_host_that_cannot_be_looked_up(host: str) -> None:
    assert failure(f"http://{host}/", Reach(hosts=frozenset({ANY}))) is Failure.ADDRESS


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
    site.answers["/ocsp"] = responder(path.sub2, REVOKED)
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

    site.answers["/ocsp"] = silent(site)
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

    site.answers["/ocsp"] = silent(site)
    site.answers["/sub2.crl"] = page(b"", 404)
    fetcher = Fetcher(Cache(), reach(site))
    one, two = path_at(site), path_at(site)
    fetcher.want(question(one))
    fetcher.want(question(two))
    assert fetcher.busy([one.leaf.der])
    assert not fetcher.busy([two.leaf.der])
    site.released.set()
    until(lambda: not fetcher.busy([one.leaf.der]))
