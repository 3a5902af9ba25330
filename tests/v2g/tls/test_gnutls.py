"""GnuTLS against OpenSSL, both ours and in both directions: what GnuTLS adds to ISO 15118-20, and what it refuses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from pki import ocsp
from pki.evidence import GOOD
from tests.pki.signers import signs
from tests.v2g.tls import stapled
from tests.v2g.tls.chains import Chain, chain, second
from tests.v2g.tls.shaking import BOTH, CAR, EDWARDS, EDWARDS_CAR, FIRST, SECOND, End, said, shake
from v2g.errors import HandshakeFailed, Untrusted
from v2g.tls import _gnutls
from v2g.tls._gnutls import Unavailable, library
from v2g.tls.client_hello import Extension
from v2g.tls.context import BadIdentity, Generation, Identity, ServerContext, client_context, server_context
from v2g.tls.identity import TokenUri
from v2g.tls.limits import Backend
from v2g.tls.session import Caller
from v2g.tls.staple import Policy, Stapling
from v2g.trust import Rule

try:
    library()
except Unavailable as absent:
    pytest.skip(str(absent), allow_module_level=True)

ISO20 = [Generation.ISO20]
OTHER = second("another root")
PAIRS = [(Backend.GNUTLS, Backend.OPENSSL), (Backend.OPENSSL, Backend.GNUTLS), (Backend.GNUTLS, Backend.GNUTLS)]
by_pairs = pytest.mark.parametrize(("car", "station"), PAIRS, ids=["vehicle", "station", "both"])


def vehicle(
    backend: Backend, of: Chain = CAR, *, stapling: Stapling | None = None, roots: Sequence[bytes] = ()
) -> Caller:
    named = roots or [SECOND.root, EDWARDS.root]
    return client_context(named, identity=of.identity, generations=ISO20, staple=stapling, backend=backend)


def station(backend: Backend, *of: Identity, staples: Sequence[bytes] = ()) -> ServerContext:
    first, *more = of or (FIRST.identity, SECOND.identity, EDWARDS.identity)
    roots = [CAR.root, EDWARDS_CAR.root]
    return server_context(first, *more, client_anchors=roots, staple=lambda _: staples, backend=backend)


def met(ours: End, theirs: End) -> None:
    """Both sides are through, and understand each other."""
    assert (ours.error, theirs.error) == (None, None)
    assert ours.done
    assert theirs.done
    for one, other in ((ours, theirs), (theirs, ours)):
        one.session.write(bytes(40_000))
        other.session.feed(one.session.take())
        read = b""
        while data := other.session.read():
            read += data
        assert read == bytes(40_000)
    ours.session.close()
    theirs.session.feed(ours.session.take())
    assert theirs.session.read() == b""


@by_pairs
@pytest.mark.parametrize(
    ("shown", "comes"),
    [(SECOND, CAR), (EDWARDS, EDWARDS_CAR)],
    ids=["P-521", "Ed448"],
)
def test_a_session(car: Backend, station: Backend, shown: Chain, comes: Chain) -> None:
    server = server_context(shown.identity, client_anchors=[comes.root], backend=station)
    ours, theirs = shake(vehicle(car, comes, roots=[shown.root]), server)
    met(ours, theirs)
    assert ours.judge.chains[0] == (shown.der, Generation.ISO20)
    assert theirs.judge.chains[0] == (comes.der, Generation.ISO20)
    for end in (ours, theirs):
        agreed = end.session.negotiated
        assert (agreed.version, agreed.suite, agreed.group) == ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp521r1")
    assert ours.session.negotiated.chain == comes.identity.subject
    assert theirs.session.negotiated.chain == shown.identity.subject


def test_iso2_on_the_same_port_stays_with_openssl() -> None:
    ours, theirs = shake(client_context([FIRST.root]), station(Backend.GNUTLS))
    met(ours, theirs)
    assert ours.session.negotiated.version == "TLSv1.2"


def test_the_vehicle_names_its_roots() -> None:
    hello = said(vehicle(Backend.GNUTLS))
    assert hello.certificate_authorities == tuple(
        each.certificates[-1].subject.public_bytes() for each in (SECOND, EDWARDS)
    )
    assert Extension.STATUS_REQUEST in hello.extensions


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("trusted", [SECOND, OTHER], ids=["first", "second"])
def test_the_station_obeys_the_roots_named(backend: Backend, trusted: Chain) -> None:
    server = station(backend, SECOND.identity, OTHER.identity)
    ours, theirs = shake(vehicle(Backend.GNUTLS, roots=[trusted.root]), server)
    met(ours, theirs)
    assert ours.judge.chains[0][0] == trusted.der
    assert theirs.session.negotiated.chain_by == "certificate_authorities"


@by_pairs
@pytest.mark.parametrize("rule", list(Rule))
def test_a_refusal_tells_by_which_rule(car: Backend, station: Backend, rule: Rule) -> None:
    """The alerts are those of OpenSSL, which has a table of its own."""
    told = []
    for backends in ((car, station), (Backend.OPENSSL, Backend.OPENSSL)):
        for refused in ({"car": rule}, {"station": rule}):
            server = server_context(SECOND.identity, client_anchors=[CAR.root], backend=backends[1])
            ends = shake(vehicle(backends[0]), server, **refused)
            errors = [end.error for end in ends]
            assert all(isinstance(error, HandshakeFailed) for error in errors), errors
            told.append([(error.sent, error.received) for error in errors if isinstance(error, HandshakeFailed)])
    assert told[:2] == told[2:]


@cache
def staples_of(kind: str) -> list[bytes]:
    """Responses about leaf, Sub 2 and Sub 1 of a path, each by the CA above."""
    of, now = stapled.path(kind), datetime.now(UTC)
    return [
        ocsp.respond(
            ocsp.cert_id(below.certificate.serial_number, above.certificate, hashes.SHA256()),
            GOOD,
            signs(above),
            this_update=now - stapled.DAY / 24,
            next_update=now + stapled.DAY,
        )
        for below, above in ((of.leaf, of.sub2), (of.sub2, of.sub1), (of.sub1, of.root))
    ]


@pytest.mark.parametrize("gap", [None, 0, 1, 2])
@by_pairs
def test_a_staple_for_each_certificate(car: Backend, station: Backend, gap: int | None) -> None:
    """OpenSSL sends the leaf's alone; whoever it is, our vehicle reads all that come, each with its own chain."""
    shown = stapled.path("P-521")
    staples = [b"" if place == gap else each for place, each in enumerate(staples_of("P-521"))]
    seen: list[tuple[bytes, tuple[bytes, ...]]] = []

    def judge(response: bytes, path: Sequence[bytes]) -> str:
        seen.append((response, tuple(path)))
        return "good"

    server = server_context(
        stapled.identity(shown), client_anchors=[CAR.root], staple=lambda _: staples, backend=station
    )
    stapling = Stapling(Policy.IF_PRESENT, judge)
    ours, theirs = shake(vehicle(car, stapling=stapling, roots=[shown.root.der]), server)
    met(ours, theirs)
    sent = staples if station is Backend.GNUTLS else staples[:1]
    assert seen == [(each, tuple(shown.chain[place:])) for place, each in enumerate(sent) if each]
    assert ours.session.negotiated.staple == ("none" if gap == 0 else "good")
    assert theirs.session.negotiated.staple == ("none" if gap == 0 else "sent")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_vehicle_leaves_for_a_staple_that_it_does_not_bear(place: int) -> None:
    shown, staples = stapled.path("P-521"), staples_of("P-521")
    server = server_context(stapled.identity(shown), staple=lambda _: staples, backend=Backend.GNUTLS)
    stapling = Stapling(Policy.REQUIRE, lambda response, _: "revoked" if response == staples[place] else "good")
    ours, theirs = shake(vehicle(Backend.GNUTLS, stapling=stapling, roots=[shown.root.der]), server)
    assert isinstance(ours.error, Untrusted)
    assert ours.error.sent == "bad_certificate_status_response"
    assert isinstance(theirs.error, HandshakeFailed)
    assert theirs.error.received == "bad_certificate_status_response"


def test_newer_staples_come_with_the_next_connection() -> None:
    shown, newest = stapled.path("P-521"), [b""]
    seen: list[bytes] = []
    server = server_context(stapled.identity(shown), staple=lambda _: tuple(newest), backend=Backend.GNUTLS)

    def judge(response: bytes, _chain: Sequence[bytes]) -> str:
        seen.append(response)
        return "good"

    client = vehicle(Backend.GNUTLS, stapling=Stapling(Policy.IF_PRESENT, judge), roots=[shown.root.der])
    shake(client, server)
    newest[:] = staples_of("P-521")
    shake(client, server)
    assert seen == staples_of("P-521")


def test_a_staple_about_another_is_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    shown = stapled.path("P-521")
    server = server_context(stapled.identity(shown), staple=lambda _: [stapled.response()], backend=Backend.GNUTLS)
    ours, theirs = shake(vehicle(Backend.GNUTLS, roots=[shown.root.der]), server)
    met(ours, theirs)
    assert "no staple for certificate 1" in caplog.text


def test_no_session_tickets() -> None:
    """What the station sends after its handshake is nothing."""
    client, server = vehicle(Backend.OPENSSL), station(Backend.GNUTLS)
    ours, theirs = shake(client, server)
    met(ours, theirs)
    assert theirs.session.take() == b""


def test_a_library_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_gnutls, "NAME", "libgnutls-is-not-here.so.30")
    with pytest.raises(_gnutls.Unavailable, match="apt-get install libgnutls30"):
        _gnutls._Library()


def test_what_cannot_be_offered_is_said() -> None:
    with pytest.raises(ValueError, match=r'generations = \["iso20"\]'):
        client_context([FIRST.root], identity=CAR.identity, generations=BOTH, backend=Backend.GNUTLS)
    with pytest.raises(ValueError, match="wants a vehicle certificate"):
        client_context([SECOND.root], generations=ISO20, backend=Backend.GNUTLS)
    with pytest.raises(BadIdentity, match="wants P-521 or Ed448"):
        client_context([SECOND.root], identity=chain().identity, generations=ISO20, backend=Backend.GNUTLS)


def test_a_key_that_is_in_no_token() -> None:
    lost = Identity.of(SECOND.der, TokenUri("pkcs11:token=none%20such;object=key?pin-value=1234"))
    assert "1234" not in repr(lost)
    with pytest.raises(BadIdentity, match="GnuTLS does not take the key"):
        server_context(lost, backend=Backend.GNUTLS)
    with pytest.raises(BadIdentity, match="OpenSSL takes no key by a URI"):
        server_context(lost)


IN_A_TOKEN = """
import sys
from pathlib import Path
from tests.v2g.tls.chains import second
from tests.v2g.tls.shaking import shake
from v2g.tls.context import Generation, Identity, client_context, server_context
from v2g.tls.identity import TokenUri
from v2g.tls.limits import Backend
uri, root, *chain = sys.argv[1:]
identity = Identity.of([Path(name).read_bytes() for name in chain], TokenUri(uri))
car, anchor = second("car"), Path(root).read_bytes()
server = server_context(identity, client_anchors=[car.root], backend=Backend.GNUTLS)
client = client_context([anchor], identity=car.identity, generations=[Generation.ISO20])
ends = shake(client, server)
print([(end.done, end.error) for end in ends])
"""


@pytest.mark.skipif(shutil.which("softhsm2-util") is None, reason="needs softhsm2-util: apt-get install softhsm2")
def test_a_key_in_a_token(tmp_path: Path) -> None:
    """In a process of its own, since SoftHSM reads once where its tokens are."""
    (tmp_path / "tokens").mkdir()
    settings = tmp_path / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    environment = os.environ | {"SOFTHSM2_CONF": str(settings)}
    _, _, key = SECOND.write(tmp_path)
    for arguments in (
        ("--init-token", "--free", "--label", "station", "--pin", "1234", "--so-pin", "1234"),
        ("--import", str(key), "--token", "station", "--label", "leaf", "--id", "01", "--pin", "1234"),
    ):
        subprocess.run(["softhsm2-util", *arguments], env=environment, check=True, capture_output=True, timeout=60)
    names = [tmp_path / f"{place}.der" for place in range(4)]
    for name, der in zip(names, (SECOND.root, *SECOND.der), strict=True):
        name.write_bytes(der)
    uri = "pkcs11:token=station;object=leaf;type=private?pin-value=1234"
    done = subprocess.run(
        [sys.executable, "-c", IN_A_TOKEN, uri, *map(str, names)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "[(True, None), (True, None)]", done.stderr
