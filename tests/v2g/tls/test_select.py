"""Which certificate a vehicle gets: every way to name a root, every kind of key, and never one rule for the other."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.tls.chains import ED448, Chain, chain, second
from v2g.tls.client_hello import ClientHello, Identifier, TrustedAuthority
from v2g.tls.select import Selection, select
from v2g.tls.suites import Generation

FIRST, OTHER = chain(), chain("other")
NEW, NEW_OTHER, EDWARDS = second(), second("other 20"), second("V2G20 Ed448", ED448)
SHOWN = [each.identity for each in (FIRST, OTHER, NEW, NEW_OTHER, EDWARDS)]
ISO2, ISO20 = Generation.ISO2, Generation.ISO20
OLD_LISTS = ClientHello(versions=(), suites=(0xC023,), groups=(23,), signature_schemes=(0x0403,))
NEW_LISTS = ClientHello(versions=(), suites=(0x1302, 0x1303), groups=(25, 30), signature_schemes=(0x0603, 0x0808))


def old(*named: TrustedAuthority) -> ClientHello:
    return replace(OLD_LISTS, versions=(0x0303,), trusted_ca_keys=named)


def new(
    *named: bytes, keys: tuple[TrustedAuthority, ...] = (), schemes: tuple[int, ...] = (0x0603, 0x0808)
) -> ClientHello:
    return replace(
        NEW_LISTS,
        versions=(0x0304, 0x0303),
        certificate_authorities=named,
        trusted_ca_keys=keys,
        signature_schemes=schemes,
    )


def in_every_way(root: Chain) -> list[TrustedAuthority]:
    """Name a root as RFC 6066 section 6 allows, worked out by hand."""
    certificate = root.certificates[-1]
    point = certificate.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return [
        TrustedAuthority(Identifier.KEY_SHA1, hashlib.sha1(point).digest()),
        TrustedAuthority(Identifier.X509_NAME, certificate.subject.public_bytes()),
        TrustedAuthority(Identifier.CERT_SHA1, hashlib.sha1(root.root).digest()),
    ]


def name(root: Chain) -> bytes:
    return root.certificates[-1].subject.public_bytes()


@pytest.mark.parametrize("way", range(3), ids=["key_sha1", "x509_name", "cert_sha1"])
@pytest.mark.parametrize(("root", "index"), [(FIRST, 0), (OTHER, 1)])
def test_the_first_generation_goes_by_trusted_ca_keys(root: Chain, index: int, way: int) -> None:
    """[V2G2-651]"""
    named = in_every_way(root)[way]
    unknown = TrustedAuthority(Identifier.CERT_SHA1, bytes(20))
    assert select(old(unknown, named), SHOWN) == Selection(index, ISO2, matched=True, by="trusted_ca_keys")


@pytest.mark.parametrize(("root", "index"), [(NEW, 2), (NEW_OTHER, 3), (EDWARDS, 4)])
def test_the_second_generation_goes_by_certificate_authorities(root: Chain, index: int) -> None:
    """[V2G20-1007]"""
    found = select(new(b"unknown", name(root)), SHOWN)
    assert found == Selection(index, ISO20, matched=True, by="certificate_authorities")


@pytest.mark.parametrize("keys", [(TrustedAuthority(Identifier.PRE_AGREED),), tuple(in_every_way(OTHER))])
def test_trusted_ca_keys_never_decide_in_the_second_generation(keys: tuple[TrustedAuthority, ...]) -> None:
    by_name = select(new(name(NEW_OTHER), keys=keys), SHOWN)
    assert by_name == Selection(3, ISO20, matched=True, by="certificate_authorities")
    assert select(new(keys=(*keys, *in_every_way(NEW_OTHER))), SHOWN) == Selection(2, ISO20, matched=True, by="default")


def test_certificate_authorities_never_decide_in_the_first() -> None:
    hello = replace(OLD_LISTS, versions=(0x0303,), certificate_authorities=(name(OTHER),))
    assert select(hello, SHOWN) == Selection(0, ISO2, matched=True, by="default")


def test_a_name_is_of_no_use_where_the_key_cannot_be_verified() -> None:
    assert select(new(name(EDWARDS), schemes=(0x0603,)), SHOWN) == Selection(
        2, ISO20, matched=False, by="signature_algorithms"
    )
    assert select(new(schemes=(0x0808,)), SHOWN) == Selection(4, ISO20, matched=True, by="signature_algorithms")


@pytest.mark.parametrize(
    ("hello", "generation"),
    [
        (old(in_every_way(chain("foreign"))[2]), ISO2),
        (new(name(chain("foreign"))), ISO20),
    ],
)
def test_no_match_gets_the_first_of_its_generation(hello: ClientHello, generation: Generation) -> None:
    index = 0 if generation is ISO2 else 2
    assert select(hello, SHOWN) == Selection(index, generation, matched=False, by="default")


def test_who_names_nothing_is_not_told_apart() -> None:
    assert select(old(TrustedAuthority(Identifier.PRE_AGREED)), SHOWN).matched
    assert select(new(), SHOWN).matched


@pytest.mark.parametrize(
    ("versions", "lists", "index"),
    [
        ((0x0304, 0x0303), OLD_LISTS, 0),  # a library that knows TLS 1.3, in a car of -2
        ((0x0304, 0x0303), replace(NEW_LISTS, groups=(23,)), 0),
        ((0x0304,), OLD_LISTS, 2),  # it wants 1.3 and nothing else: to be refused as such
        ((0x0304, 0x0303), NEW_LISTS, 2),
        ((0x0303, 0x0302), NEW_LISTS, 0),
    ],
)
def test_the_generation_follows_from_what_is_offered(versions: tuple[int, ...], lists: ClientHello, index: int) -> None:
    assert select(replace(lists, versions=versions), SHOWN).index == index


@pytest.mark.parametrize("versions", [(0x0304,), (0x0303,), (0x0304, 0x0303)])
def test_a_station_of_one_generation_answers_as_that(versions: tuple[int, ...]) -> None:
    hello = replace(NEW_LISTS, versions=versions)
    assert select(hello, [FIRST.identity]).generation is ISO2
    assert select(hello, [NEW.identity]).generation is ISO20


NUMBERS = st.lists(st.sampled_from([0x0303, 0x0304, 0x1302, 0xC023, 23, 25, 0x0403, 0x0603, 0x0808]), max_size=6).map(
    tuple
)
NAMES = st.sampled_from([*map(name, (FIRST, OTHER, NEW, NEW_OTHER, EDWARDS)), b"", b"junk"])
KEYS = st.sampled_from([*in_every_way(FIRST), *in_every_way(NEW_OTHER), TrustedAuthority(Identifier.UNKNOWN, b"x")])


@given(
    st.builds(
        ClientHello,
        versions=NUMBERS,
        suites=NUMBERS,
        groups=NUMBERS,
        signature_schemes=NUMBERS,
        trusted_ca_keys=st.lists(KEYS, max_size=3).map(tuple),
        certificate_authorities=st.lists(NAMES, max_size=3).map(tuple),
    ),
    st.lists(st.sampled_from(SHOWN), min_size=1, max_size=5),
)
def test_there_is_always_an_answer_of_its_generation(hello: ClientHello, shown: list[object]) -> None:
    identities = [each for each in SHOWN if each in shown]
    found = select(hello, identities)
    assert identities[found.index].generation is found.generation
    assert found.generation is ISO2 or 0x0304 in hello.versions or all(each.generation is ISO20 for each in identities)
