"""The ClientHello our vehicle sends, byte for byte; what may be configured, and what may not."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from OpenSSL import SSL

from tests.v2g.tls.chains import chain
from tests.v2g.tls.wire import tcp_pair
from v2g.tls._openssl import Context
from v2g.tls.client_hello import ClientHello, parse
from v2g.tls.context import client_context, missing, server_context
from v2g.tls.session import Caller
from v2g.tls.stream import accept, connect
from v2g.trust import Role, Verdict

GOOD = chain()
FIT = ClientHello(versions=(0x0303,), suites=(0xC023,), groups=(23,), signature_schemes=(0x0403,))


def said(client: Caller) -> bytes:
    """Return the ClientHello record."""
    session = client.session(lambda *_: None)
    assert not session.handshake()
    return session.take()


def test_the_hello_holds_the_prescribed_bytes_and_no_others() -> None:
    """Read by position, as the RFCs lay it out, without our parser."""
    hello = said(client_context([GOOD.root, chain("second").root]))
    assert hello[:3] == bytes.fromhex("160301")  # handshake, record version 1.0 as RFC 5246 E.1 wants of a first hello
    body = hello[9:]
    assert body[:2] == bytes.fromhex("0303")
    assert body[34:35] == b"\x00"  # no session to resume
    suites = body[37 : 37 + int.from_bytes(body[35:37])]
    assert suites in (bytes.fromhex("c023"), bytes.fromhex("c02300ff"))  # 00ff: secure renegotiation is understood
    rest = body[37 + len(suites) :]
    assert rest[:2] == bytes.fromhex("0100")  # no compression
    found = {}
    extensions = rest[4:]
    while extensions:
        size = int.from_bytes(extensions[2:4])
        found[int.from_bytes(extensions[:2])] = extensions[4 : 4 + size]
        extensions = extensions[4 + size :]
    hashes = [hashlib.sha1(root).digest() for root in (GOOD.root, chain("second").root)]
    assert found[3] == b"\x00\x2a\x03" + hashes[0] + b"\x03" + hashes[1]
    assert found[10] == bytes.fromhex("0002 0017")  # secp256r1
    assert found[13] == bytes.fromhex("0002 0403")  # ecdsa_secp256r1_sha256
    assert not {0, 5, 16, 17, 35, 43, 51} & set(found)  # no name, no staple, no ticket, nothing of TLS 1.3
    assert len(hello) < 200


def test_without_roots_none_are_named() -> None:
    hello = parse(said(client_context([])))
    assert hello is not None
    assert 3 not in hello.extensions


def test_contexts_share_nothing() -> None:
    """The extension's bytes must outlive the call that set them."""
    clients = [client_context([chain(name).root]) for name in ("V2G", "second", "third")]
    for client, name in zip(clients, ("V2G", "second", "third"), strict=True):
        assert hashlib.sha1(chain(name).root).digest() in said(client)


@pytest.mark.parametrize(
    ("anchors", "text"), [([b"no certificate"], "no X.509 certificate"), ([GOOD.root] * 257, "at most 256")]
)
def test_anchors_that_cannot_be_sent(anchors: list[bytes], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        client_context(anchors)


def test_a_library_with_other_defaults_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Context, "set_groups", lambda *_: None)
    with pytest.raises(RuntimeError, match=r"OpenSSL .* says another ClientHello than ISO 15118-2 wants"):
        client_context([GOOD.root])


@pytest.mark.parametrize(("setting", "value"), [("set_groups", "P-257"), ("set_signature_schemes", "rsa_md5")])
def test_a_setting_that_is_not_in_force_is_an_error(setting: str, value: str) -> None:
    with pytest.raises(SSL.Error):
        getattr(Context(SSL.TLS_CLIENT_METHOD), setting)(value)


def test_an_extension_cannot_be_set_twice() -> None:
    context = Context(SSL.TLS_CLIENT_METHOD)
    context.add_client_extension(3, b"\x00\x00")
    with pytest.raises(SSL.Error):
        context.add_client_extension(3, b"\x00\x00")


def test_what_is_missing_is_named() -> None:
    assert missing(FIT) == ""
    assert missing(ClientHello(versions=(0x0304,), suites=(0x1301,))) == (
        "TLS 1.2, TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, secp256r1, ecdsa_secp256r1_sha256"
    )


async def test_keys_are_logged_only_on_demand() -> None:
    lines: list[bytes] = []
    server = server_context(GOOD.identity, keylog=lines.append)
    async with tcp_pair() as (vehicle, station):
        accepting = accept(station, server, timeout=10)
        connecting = connect(vehicle, client_context([GOOD.root]), lambda *_: Verdict(role=Role.SECC), timeout=10)
        await asyncio.gather(accepting, connecting)
    random = vehicle.sent[0][11:43]
    assert [line.split()[:2] for line in lines] == [[b"CLIENT_RANDOM", random.hex().encode()]]
