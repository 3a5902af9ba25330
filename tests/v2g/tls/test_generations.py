"""Both generations on one port, both sides, over memory: what is agreed, who is asked for what, and who is refused."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence

import pytest
from OpenSSL import SSL

from tests.v2g.tls.chains import NOW, Chain, chain, second
from tests.v2g.tls.shaking import BOTH, CAR, EDWARDS, EDWARDS_CAR, FIRST, SECOND, STATION, said, shake
from v2g.errors import HandshakeFailed, Untrusted
from v2g.tls._openssl import Context
from v2g.tls.context import (
    BadIdentity,
    Generation,
    Identity,
    ServerContext,
    client_context,
    server_context,
)
from v2g.tls.judgement import Judgement
from v2g.tls.session import Caller
from v2g.trust import Role, Rule, Verdict

ROOTS = [FIRST.root, SECOND.root, EDWARDS.root]
ISO2, ISO20 = Generation.ISO2, Generation.ISO20


def vehicle(*generations: Generation, shows: Chain = CAR, roots: Sequence[bytes] = tuple(ROOTS)) -> Caller:
    return client_context(roots, identity=shows.identity, generations=generations)


# The lists of tls.md: A1 and A2 for -2, B2 and B3 for -20, D1 for both at once; numbers of the IANA registries.
ISO2_LISTS = ((0x0303,), (0xC023,), (23,), (0x0403,))
ISO20_LISTS = ((0x0304,), (0x1302, 0x1303), (25, 30), (0x0603, 0x0808))


@pytest.mark.parametrize(
    ("generations", "lists"),
    [
        ((ISO2,), ISO2_LISTS),
        ((ISO20,), ISO20_LISTS),
        (BOTH, tuple(new + old for new, old in zip(ISO20_LISTS, ISO2_LISTS, strict=True))),
    ],
    ids=["iso2", "iso20", "both"],
)
def test_a_hello_offers_what_is_prescribed_and_no_more(
    generations: Sequence[Generation], lists: tuple[tuple[int, ...], ...]
) -> None:
    hello = said(vehicle(*generations))
    suites = tuple(suite for suite in hello.suites if suite != 0x00FF)  # that one only says "secure renegotiation"
    assert (hello.versions, suites, hello.groups, hello.signature_schemes) == lists
    assert (5 in hello.extensions) == (ISO20 in generations)  # status_request, [V2G20-2372]
    hashes = [hashlib.sha1(root).digest() for root in ROOTS]
    assert [entry.value for entry in hello.trusted_ca_keys] == (hashes if ISO2 in generations else [])
    assert not {0, 16, 17, 27, 41} & set(
        hello.extensions
    )  # no name, no staple of RFC 6961, nothing compressed or resumed


@pytest.mark.parametrize("order", [BOTH, tuple(reversed(BOTH))])
def test_the_newest_is_offered_first_however_it_is_written(order: Sequence[Generation]) -> None:
    assert said(vehicle(*order)).versions == (0x0304, 0x0303)


@pytest.mark.parametrize(("setting", "lists"), [("set_groups", "groups"), ("set_signature_schemes", "schemes")])
def test_a_library_that_offers_more_is_noticed(setting: str, lists: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Context, setting, lambda *_: None)
    with pytest.raises(RuntimeError, match=r"ISO 15118-20 and ISO 15118-2 wants"):
        vehicle(*BOTH)


AES, CHACHA = "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"


@pytest.mark.parametrize("car", [CAR, EDWARDS_CAR], ids=["P-521 car", "Ed448 car"])
@pytest.mark.parametrize("generations", [(ISO20,), BOTH], ids=["alone", "dual"])
@pytest.mark.parametrize("station", [SECOND, EDWARDS], ids=["P-521", "Ed448"])
def test_mutual_tls_1_3(car: Chain, generations: Sequence[Generation], station: Chain) -> None:
    server = server_context(FIRST.identity, station.identity)
    ours, theirs = shake(vehicle(*generations, shows=car), server)
    assert (ours.done, theirs.done, ours.error, theirs.error) == (True, True, None, None)
    agreed = ours.session.negotiated
    assert (agreed.version, agreed.suite, agreed.group) == ("TLSv1.3", AES, "secp521r1")
    assert set(ours.judge.chains) == {(station.der, ISO20)}
    assert set(theirs.judge.chains) == {(car.der, ISO20)}
    assert agreed.chain == f"CN={'car Ed448' if car is EDWARDS_CAR else 'car'} SECC"
    assert theirs.session.negotiated.chain == station.identity.subject


@pytest.mark.parametrize("generations", [(ISO2,), BOTH], ids=["alone", "dual"])
def test_tls_1_2_without_a_certificate_of_the_car(generations: Sequence[Generation]) -> None:
    server = STATION if generations == (ISO2,) else server_context(FIRST.identity)
    ours, theirs = shake(vehicle(*generations), server)
    assert (ours.done, theirs.done, ours.error, theirs.error) == (True, True, None, None)
    agreed = theirs.session.negotiated
    assert (agreed.version, agreed.group, agreed.generation) == ("TLSv1.2", "secp256r1", ISO2)
    assert agreed.suite == "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
    assert (agreed.chain, agreed.chain_by) == ("CN=V2G SECC", "trusted_ca_keys")
    assert set(ours.judge.chains) == {(FIRST.der, ISO2)}
    assert theirs.judge.chains == []
    assert ours.session.negotiated.chain == ""  # the vehicle certificate stays at home


def test_a_car_of_tls_1_3_alone_refuses_less() -> None:
    ours, theirs = shake(vehicle(ISO20), server_context(FIRST.identity))
    assert isinstance(ours.error, HandshakeFailed)
    assert isinstance(theirs.error, HandshakeFailed)
    assert (ours.error.received, theirs.error.sent) == ("protocol_version", "protocol_version")
    assert ours.judge.chains == []


def test_a_car_of_tls_1_2_is_refused_by_a_station_of_1_3() -> None:
    ours, theirs = shake(vehicle(ISO2), server_context(SECOND.identity))
    assert isinstance(ours.error, HandshakeFailed)
    assert ours.error.received == "protocol_version"
    assert isinstance(theirs.error, HandshakeFailed)
    assert theirs.error.sent == "protocol_version"


# RFC 8446, section 6.2, says what each alert is for.
ALERTS = {
    Rule.DEPTH: "unknown_ca",
    Rule.PARSE: "bad_certificate",
    Rule.ORDER: "unknown_ca",
    Rule.PROFILE: "bad_certificate",
    Rule.SIGNATURE: "bad_certificate",
    Rule.ANCHOR: "unknown_ca",
    Rule.NOT_YET_VALID: "certificate_expired",
    Rule.EXPIRED: "certificate_expired",
    Rule.REVOKED: "certificate_revoked",
    Rule.REVOCATION: "certificate_unknown",
    Rule.CHECK: "internal_error",
}


@pytest.mark.parametrize("rule", Rule)
def test_a_refused_car_learns_why(rule: Rule) -> None:
    """Its own handshake was done before: the refusal comes with the first read."""
    ours, theirs = shake(vehicle(ISO20), car=rule)
    assert isinstance(theirs.error, HandshakeFailed)
    assert (theirs.done, theirs.error.sent) == (False, ALERTS[rule])
    assert isinstance(ours.error, HandshakeFailed)
    assert (ours.done, ours.error.received) == (True, ALERTS[rule])
    assert "the station refuses us" in ours.error.reason


@pytest.mark.parametrize("generation", Generation)
@pytest.mark.parametrize("rule", Rule)
def test_a_refused_station_learns_why(generation: Generation, rule: Rule) -> None:
    ours, theirs = shake(vehicle(generation), station=rule)
    assert isinstance(ours.error, HandshakeFailed)
    assert isinstance(theirs.error, HandshakeFailed)
    assert (ours.done, theirs.done) == (False, False)
    assert (ours.error.sent, theirs.error.received) == (ALERTS[rule], ALERTS[rule])


def test_the_roots_of_cars_are_named_in_the_request() -> None:
    """[V2G20-2401]"""
    _, theirs = shake(vehicle(ISO20))
    assert theirs.done
    context = STATION._context(SECOND.identity, None)
    probe = SSL.Connection(context, None)
    probe.set_accept_state()
    assert [name.CN for name in probe.get_client_ca_list()] == ["car Root", "car Ed448 Root"]


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        (None, "wants a vehicle certificate"),
        (FIRST.identity, "the vehicle certificate is of iso2"),
        (Identity(CAR.der, second("other").key, ISO20), "private key does not belong to the leaf"),
        (Identity(FIRST.der, FIRST.key, ISO20), "leaf key is of iso2, not of iso20"),
    ],
)
def test_a_car_that_cannot_speak_the_second_generation(identity: Identity | None, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        client_context(ROOTS, identity=identity, generations=[ISO20])


def test_a_leaf_of_the_wrong_generation_is_no_identity() -> None:
    with pytest.raises(BadIdentity, match="leaf key is of iso20, not of iso2"):
        server_context(Identity(SECOND.der, SECOND.key, ISO2))
    assert Identity.of(SECOND.der, SECOND.key).generation is ISO20
    assert Identity.of(FIRST.der, FIRST.key).generation is ISO2


def test_without_an_identity_of_the_car_none_is_asked_for_in_tls_1_2() -> None:
    ours, _ = shake(client_context(ROOTS), STATION)
    assert ours.done


def answered_by(shown: Chain, groups: str, schemes: str) -> None:
    """Let a dual vehicle shake hands with a station of TLS 1.2 that keeps to no profile."""
    context = Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_groups(groups)
    context.set_signature_schemes(schemes)
    context.use_certificate(shown.certificates[0])
    context.use_privatekey(shown.key)
    server = SSL.Connection(context, None)
    server.set_accept_state()
    judgement = Judgement(lambda *_: Verdict(role=Role.SECC), Role.SECC)
    session = vehicle(*BOTH).session(judgement)
    for _ in range(3):
        try:
            session.handshake()
        except HandshakeFailed:
            judgement.raise_refusal()
            raise
        if flight := session.take():
            server.bio_write(flight)
        with contextlib.suppress(SSL.WantReadError):
            server.do_handshake()
        with contextlib.suppress(SSL.WantReadError):
            session.feed(server.bio_read(65_536))


def test_a_station_of_tls_1_2_may_not_take_what_a_dual_hello_offers_for_1_3() -> None:
    answered_by(FIRST, "P-256", "ecdsa_secp256r1_sha256")
    with pytest.raises(HandshakeFailed, match=r"the peer chose secp521r1 with TLSv1\.2"):
        answered_by(FIRST, "P-521", "ecdsa_secp256r1_sha256")
    with pytest.raises(Untrusted, match="its key is of iso20, the connection of iso2"):
        answered_by(SECOND, "P-256", "ecdsa_secp521r1_sha512")


def test_validity_is_checked_before_anything_listens() -> None:
    old = chain("old", ends=NOW)
    with pytest.raises(BadIdentity, match="expired"):
        ServerContext([SECOND.identity, old.identity])
