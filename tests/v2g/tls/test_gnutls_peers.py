"""Our station by GnuTLS against the openssl command, over real sockets."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.v2g.tls.chains import Chain
from tests.v2g.tls.test_peers import MESSAGE, openssl, outcome, read_until
from tests.v2g.tls.test_peers_second import CAR, EDWARDS, EDWARDS_CAR, FOREIGN, KINDS, SECOND, client, station
from v2g.errors import HandshakeFailed, Untrusted
from v2g.tls._gnutls import Unavailable, library
from v2g.tls.context import server_context
from v2g.tls.limits import Backend
from v2g.tls.stream import TlsStream

try:
    library()
except Unavailable as absent:
    pytest.skip(str(absent), allow_module_level=True)

STATION = server_context(
    SECOND.identity, EDWARDS.identity, client_anchors=[CAR.root, EDWARDS_CAR.root], backend=Backend.GNUTLS
)
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command on this machine")


@KINDS
async def test_openssl_as_a_vehicle(shown: Chain, car: Chain, tmp_path: Path) -> None:
    scheme = "ed448" if shown is EDWARDS else "ecdsa_secp521r1_sha512"
    async with station(STATION) as (port, outcomes):
        arguments = client(port, car, shown, tmp_path, "-sigalgs", scheme, "-showcerts")
        async with openssl(*arguments) as process:
            lines = await read_until(process, "Verify return code")
            theirs = await outcome(outcomes)
            assert isinstance(theirs, TlsStream), theirs
            assert process.stdin is not None
            process.stdin.write(MESSAGE)
            assert await theirs.receive() == MESSAGE
            await theirs.close()
    text = "\n".join(lines)
    assert "Verify return code: 0 (ok)" in text
    assert "CN = car Root" in text  # [V2G20-2401]
    assert "CN = car Ed448 Root" in text
    assert text.count("BEGIN CERTIFICATE") == 3
    assert (theirs.facts.group, theirs.facts.peer_subject) == ("secp521r1", "a car")


@pytest.mark.parametrize(
    ("more", "suite", "group"),
    [
        (("-groups", "X448"), "TLS_AES_256_GCM_SHA384", "x448"),
        (("-groups", "X25519:P-521"), "TLS_AES_256_GCM_SHA384", "secp521r1"),
        (("-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"), "TLS_CHACHA20_POLY1305_SHA256", "secp521r1"),
    ],
)
async def test_what_openssl_may_choose(more: tuple[str, ...], suite: str, group: str, tmp_path: Path) -> None:
    async with station(STATION) as (port, outcomes), openssl(*client(port, CAR, SECOND, tmp_path, *more)):
        theirs = await outcome(outcomes)
        assert isinstance(theirs, TlsStream), theirs
        assert (theirs.facts.suite, theirs.facts.group) == (suite, group)
        await theirs.close()


async def test_openssl_without_a_certificate(tmp_path: Path) -> None:
    """[V2G20-1264]"""
    async with station(STATION) as (port, outcomes), openssl(*client(port, None, SECOND, tmp_path)) as process:
        refused = await outcome(outcomes)
        await read_until(process, "alert certificate required")
    assert isinstance(refused, HandshakeFailed)
    assert refused.sent == "certificate_required"


async def test_openssl_with_a_foreign_certificate(tmp_path: Path) -> None:
    async with station(STATION) as (port, outcomes), openssl(*client(port, FOREIGN, SECOND, tmp_path)) as process:
        refused = await outcome(outcomes)
        await read_until(process, "alert unknown ca")
    assert isinstance(refused, Untrusted)
    assert refused.sent == "unknown_ca"
