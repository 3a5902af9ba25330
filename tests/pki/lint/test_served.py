"""The chain of a TLS server is read whatever it is, on loopback here."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from cryptography import x509
from OpenSSL import SSL

from pki.lint.linter import Demand, lint
from pki.lint.served import Address, address, served
from pki.lint.source import Unreachable
from tests.pki.lint.made import NOW, STATION, STATION_20, SUB1, SUB2, Made, make, p521, path

TIMEOUT = 10.0


def station() -> tuple[Made, list[Made]]:
    above = make(replace(SUB2, dc="V2G", days=(-12, 300)), make(replace(SUB1, dc="V2G")))
    return make(STATION, above), [above]


def second() -> tuple[Made, list[Made]]:
    above = make(replace(SUB2, dc="V2G", key=p521), make(replace(SUB1, dc="V2G", key=p521)))
    return make(STATION_20, above), [above]


def context(identity: tuple[Made, list[Made]], *, version: int | None = None, client: bool = False) -> SSL.Context:
    leaf, above = identity
    made = SSL.Context(SSL.TLS_SERVER_METHOD)
    if version is not None:
        made.set_min_proto_version(version)
        made.set_max_proto_version(version)
    made.use_certificate(x509.load_der_x509_certificate(leaf.der))
    made.use_privatekey(leaf.key)
    for one in above:
        made.add_extra_chain_cert(x509.load_der_x509_certificate(one.der))
    if client:
        made.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, lambda *_: True)
    return made


@contextlib.contextmanager
def listening(*contexts: SSL.Context | bytes, host: str = "127.0.0.1") -> Iterator[Address]:
    """Answer one connection after the other, each with its context, or with bytes and an end."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        worker = threading.Thread(target=_serve, args=(listener, contexts))
        worker.start()
        try:
            yield Address(host, listener.getsockname()[1])
        finally:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            worker.join(TIMEOUT)
            assert not worker.is_alive()


def _serve(listener: socket.socket, contexts: tuple[SSL.Context | bytes, ...]) -> None:
    for each in contexts:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with plain:
            plain.settimeout(TIMEOUT)
            if isinstance(each, bytes):
                plain.sendall(each)
                plain.recv(4096)
                continue
            connection = SSL.Connection(each, None)
            connection.set_accept_state()
            _answer(connection, plain)


def _answer(connection: SSL.Connection, plain: socket.socket) -> None:
    while True:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error:
            _flush(connection, plain)
            return
        else:
            _flush(connection, plain)
            return
        _flush(connection, plain)
        try:
            data = plain.recv(16_384)
        except OSError:
            return
        if not data:
            return
        connection.bio_write(data)


def _flush(connection: SSL.Connection, plain: socket.socket) -> None:
    with contextlib.suppress(SSL.WantReadError, OSError):
        while True:
            plain.sendall(connection.bio_read(16_384))


def test_a_chain_is_fetched_in_either_version() -> None:
    old, new = station(), second()
    with listening(context(old, version=SSL.TLS1_2_VERSION), context(new, version=SSL.TLS1_3_VERSION)) as server:
        sources = list(served(server, TIMEOUT))
    assert [source.name for source in sources] == [f"{server} (TLS 1.2)", f"{server} (TLS 1.3)"]
    assert [[piece.der for piece in source.pieces] for source in sources] == [
        [old[0].der, old[1][0].der],
        [new[0].der, new[1][0].der],
    ]
    report = lint(sources, Demand(at=NOW))
    assert [(one.certificates[0].role, one.certificates[0].edition) for one in report.examined] == [
        ("secc", "iso2"),
        ("secc", "iso20"),
    ]
    assert report.findings == ()


def test_the_same_chain_is_told_once() -> None:
    identity = station()
    with listening(context(identity), context(identity)) as server:
        assert len(list(served(server, TIMEOUT))) == 1


@pytest.mark.parametrize("version", [SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION])
def test_a_server_that_wants_our_certificate_shows_its_own(version: int) -> None:
    """A station of -20 does; a station of -2 does not, but may be asked all the same."""
    identity = second()
    demanding = context(identity, version=version, client=True)
    with listening(demanding, demanding) as server:
        (source,) = served(server, TIMEOUT)
    assert source.pieces[0].der == identity[0].der


def test_only_one_version_is_enough() -> None:
    only = context(station(), version=SSL.TLS1_2_VERSION)
    with listening(only, only) as server:
        (source,) = served(server, TIMEOUT)
    assert source.name.endswith("(TLS 1.2)")


def test_a_missing_sub_ca_is_found() -> None:
    leaf, _ = station()
    alone = context((leaf, []))
    with listening(alone, alone) as server:
        report = lint(served(server, TIMEOUT), Demand(at=NOW))
    assert [finding.rule for finding in report.findings] == ["chain-gap"]


def test_ipv6_is_reached() -> None:
    with listening(context(station()), context(station()), host="::1") as server:
        assert str(server).startswith("[::1]:")
        assert len(list(served(server, TIMEOUT))) == 2


def test_what_is_no_tls_is_told() -> None:
    with (
        listening(b"HTTP/1.1 400 Bad Request\r\n\r\n", b"") as server,
        pytest.raises(Unreachable, match=r"sent no certificate; TLS 1.2: .+; TLS 1.3: "),
    ):
        list(served(server, TIMEOUT))


def test_silence_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Address("127.0.0.1", listener.getsockname()[1])
        with pytest.raises(Unreachable, match="timed out"):
            list(served(server, 0.1))


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreachable, match="refused"):
        list(served(Address("127.0.0.1", port), TIMEOUT))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("station.test:443", Address("station.test", 443)),
        ("127.0.0.1:15118", Address("127.0.0.1", 15118)),
        ("[::1]:443", Address("::1", 443)),
        ("[fe80::1%eth0]:49152", Address("fe80::1%eth0", 49152)),
        ("station.test", None),
        ("station.test:0", None),
        ("station.test:65536", None),
        ("::1:443", None),
        ("a b:443", None),
        ("http://x:443", None),
    ],
)
def test_addresses(text: str, expected: Address | None) -> None:
    assert address(text) == expected


def test_other_certificates_than_stations_are_read_too() -> None:
    own = path()
    identity = (own.leaf, [own.sub2, own.sub1])
    with listening(context(identity), context(identity)) as server:
        (source,) = served(server, TIMEOUT)
    assert [piece.der for piece in source.pieces] == own.chain
