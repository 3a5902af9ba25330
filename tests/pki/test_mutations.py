"""Certificates changed at random: no exception, no acceptance of what was not signed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed448

from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.endurance import count
from tests.pki import by_hand
from tests.pki.chains import EDITIONS, NOW, Key, Made, Path, build
from tests.pki.judges import Question, openssl
from v2g.trust import Role, Rule, Verdict

SEED = 20
SHARES = {"iso2": 0.5, "iso20": 0.25, "iso20-ed448": 0.25}
"""Of the 1,000 mutations, or 100,000."""
Mutation = Callable[[random.Random, bytes], bytes]


@cache
def path(edition: str, role: str) -> Path:
    """A good chain, with the extensions certificates of the field have."""
    identified = {"extensions": (*EDITIONS[edition][role]["sub2"].extensions, by_key(1), above(1))}
    leaf = {"extensions": (*EDITIONS[edition][role]["leaf"].extensions, by_key(2), above(1))}
    return build(role, edition, sub1={"extensions": (by_key(1),)}, sub2=identified, leaf=leaf)


def by_key(number: int) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectKeyIdentifier(bytes([number]) * 20), False


def above(number: int) -> tuple[x509.ExtensionType, bool]:
    return x509.AuthorityKeyIdentifier(bytes([number]) * 20, None, None), False


def judge(edition: str, role: str, chain: Sequence[bytes], anchors: Sequence[bytes]) -> Verdict:
    return validate(chain, Role(role), anchors, NOW, Policy(editions=(Edition(edition),)))


def flip(source: random.Random, der: bytes) -> bytes:
    place = source.randrange(len(der))
    return der[:place] + bytes([der[place] ^ 1 << source.randrange(8)]) + der[place + 1 :]


def overwrite(source: random.Random, der: bytes) -> bytes:
    place, new = source.randrange(len(der)), source.randbytes(source.randint(1, 8))
    return der[:place] + new + der[place + len(new) :]


def insert(source: random.Random, der: bytes) -> bytes:
    place = source.randrange(len(der) + 1)
    return der[:place] + source.randbytes(source.randint(1, 8)) + der[place:]


def cut(source: random.Random, der: bytes) -> bytes:
    place = source.randrange(len(der))
    return der[:place] + der[place + source.randint(1, 40) :]


def shorten(source: random.Random, der: bytes) -> bytes:
    return der[: source.randrange(len(der))]


def double(source: random.Random, der: bytes) -> bytes:
    place = source.randrange(len(der))
    return der[: place + source.randint(1, 40)] + der[place:]


def strange_number(source: random.Random, der: bytes) -> bytes:
    place = source.randrange(len(der))
    return der[:place] + bytes([source.choice((0, 1, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))]) + der[place + 1 :]


def elements(der: bytes, at: int = 0, end: int | None = None) -> list[tuple[int, int, int]]:
    """Start, start of the content and end of every element of a certificate, those inside others, too."""
    found = []
    end = len(der) if end is None else end
    while at < end:
        start, size = at + 2, der[at + 1]
        if size & 0x80:
            start += size & 0x7F
            size = int.from_bytes(der[at + 2 : start])
        found.append((at, start, start + size))
        if der[at] & 0x20:
            found += elements(der, start, start + size)
        at = start + size
    return found


def rebuilt(der: bytes, at: int, behind: int, new: bytes) -> bytes:
    """Exchange an element and set the lengths of all it lies in right."""

    def again(start: int, end: int) -> bytes:
        parts = []
        for first, content, last in children(der, start, end):
            if (first, last) == (at, behind):
                parts.append(new)
            elif first <= at and behind <= last and der[first] & 0x20:
                parts.append(by_hand.tlv(der[first], again(content, last)))
            else:
                parts.append(der[first:last])
        return b"".join(parts)

    return again(0, len(der))


def children(der: bytes, start: int, end: int) -> list[tuple[int, int, int]]:
    found, at = [], start
    for element in elements(der, start, end):
        if element[0] == at:
            found.append(element)
            at = element[2]
    return found


def remove(source: random.Random, der: bytes) -> bytes:
    at, _, behind = source.choice(elements(der))
    return rebuilt(der, at, behind, b"")


def repeat(source: random.Random, der: bytes) -> bytes:
    at, _, behind = source.choice(elements(der))
    return rebuilt(der, at, behind, der[at:behind] * 2)


def exchange(source: random.Random, der: bytes) -> bytes:
    """Put one element of a certificate in the place of another."""
    (at, _, behind), (other, _, end) = source.sample(elements(der), 2)
    return rebuilt(der, at, behind, der[other:end])


def retype(source: random.Random, der: bytes) -> bytes:
    at, start, behind = source.choice(elements(der))
    tag = source.choice((1, 2, 3, 4, 5, 6, 12, 19, 22, 23, 24, 30, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0xA3))
    return rebuilt(der, at, behind, by_hand.tlv(tag, der[start:behind]))


def refill(source: random.Random, der: bytes) -> bytes:
    at, start, behind = source.choice(elements(der))
    new = source.choice((b"", b"\x00", b"\xff" * (behind - start), source.randbytes(behind - start)))
    return rebuilt(der, at, behind, by_hand.tlv(der[at], new))


BLIND: tuple[Mutation, ...] = (flip, overwrite, insert, cut, shorten, double, strange_number)
KNOWING: tuple[Mutation, ...] = (remove, repeat, exchange, retype, refill)


def signed_part(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).tbs_certificate_bytes


@pytest.mark.parametrize("edition", SHARES)
def test_what_was_changed_is_not_trusted(edition: str) -> None:
    source = random.Random(SEED)
    for _ in range(int(count(1_000, 100_000) * SHARES[edition])):
        role = source.choice(list(EDITIONS[edition]))
        good = path(edition, role)
        chain, place = list(good.chain), source.randrange(3)
        chain[place] = source.choice(BLIND + KNOWING)(source, chain[place])
        if chain[place] and source.random() < 0.3:
            chain[place] = source.choice(BLIND)(source, chain[place])
        verdict = judge(edition, role, chain, good.anchors)
        assert verdict.broken is not Rule.CHECK, (verdict, chain[place].hex())
        if verdict:
            assert signed_part(chain[place]) == signed_part(good.chain[place])
            assert chain[place] == good.chain[place], "another encoding of one certificate"


@pytest.mark.parametrize("edition", SHARES)
def test_what_was_changed_and_signed_again(edition: str) -> None:
    """The change comes to the checks behind the signature; what they accept OpenSSL accepts."""
    source = random.Random(SEED + 1)
    accepted = 0
    for _ in range(int(count(600, 20_000) * SHARES[edition])):
        role = source.choice(list(EDITIONS[edition]))
        good = path(edition, role)
        made = (good.leaf, good.sub2, good.sub1, good.root)
        place = source.randrange(4)
        issuer = made[min(place + 1, 3)]
        changed = source.choice(KNOWING)(source, signed_part(made[place].der))
        chain, anchors = list(good.chain), good.anchors
        if place == 3:
            anchors = [resigned(changed, issuer)]
        else:
            chain[place] = resigned(changed, issuer)
        verdict = judge(edition, role, chain, anchors)
        assert verdict.broken is not Rule.CHECK, (verdict, changed.hex())
        if verdict:
            accepted += 1
            refused = openssl(Question(chain, anchors, NOW))
            assert not refused, (refused, changed.hex())
    assert accepted


def resigned(body: bytes, issuer: Made) -> bytes:
    algorithm = {256: by_hand.ECDSA_SHA256, 521: by_hand.ECDSA_SHA512, 56: by_hand.ED448}[bits(issuer.key)]
    signature = by_hand.signature(issuer.key, body)
    return by_hand.tlv(0x30, body, algorithm, by_hand.tlv(3, b"\x00", signature))


def bits(key: Key) -> int:
    return 56 if isinstance(key, ed448.Ed448PrivateKey) else int(key.key_size)


@pytest.mark.parametrize("edition", SHARES)
def test_an_anchor_that_was_changed_widens_nothing(edition: str) -> None:
    source = random.Random(SEED + 2)
    good, other = path(edition, "secc"), build("secc", edition)
    for _ in range(int(count(300, 20_000) * SHARES[edition])):
        anchor = source.choice(BLIND + KNOWING)(source, good.root.der)
        assert not judge(edition, "secc", other.chain, [anchor])
        verdict = judge(edition, "secc", good.chain, [anchor])
        assert verdict.broken is not Rule.CHECK
        assert not verdict or anchor == good.root.der
