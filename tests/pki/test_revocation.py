from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from pki import crl, ocsp
from pki.cache import Cache
from pki.evidence import GOOD, ISO20, UNKNOWN, Source, Standing, Statement, Status
from pki.revocation import Checked, Mode, Question, Revocation, Revoked, Unknown, weigh
from pki.validate import Policy, validate
from tests.pki.chains import NOW, Made, build, make
from tests.pki.signers import DELEGATE, NO_CHECK, PURPOSE, delegate, facts, path_of, signs
from v2g.trust import Role, Rule

PATH = path_of("P-256")
MADE = (PATH.leaf, PATH.sub2, PATH.sub1, PATH.root)
CHAIN = [facts(made) for made in MADE]
ISSUERS = MADE[1:]
HOUR = timedelta(hours=1)
STOLEN = Standing(status=Status.REVOKED, since=NOW, reason=x509.ReasonFlags.key_compromise)
HELD = Standing(status=Status.REVOKED, since=NOW, reason=x509.ReasonFlags.certificate_hold)


def list_of(index: int, *revoked: int, at: datetime = NOW, reason: x509.ReasonFlags | None = None) -> bytes:
    """The list of the CA above the certificate of this place in the chain."""
    entries = [
        crl.Listed(serial=serial, at=NOW, reason=reason or x509.ReasonFlags.key_compromise) for serial in revoked
    ]
    return crl.build(signs(ISSUERS[index]), entries, number=1, this_update=at, next_update=at + 24 * HOUR)


def answer(index: int, standing: Standing, at: datetime = NOW, signer: Made | None = None) -> bytes:
    about = ocsp.cert_id(CHAIN[index].serial, ISSUERS[index].certificate, hashes.SHA256())
    by = signer or delegate(ISSUERS[index])
    return ocsp.respond(
        about,
        standing,
        signs(by),
        this_update=at,
        next_update=at + 24 * HOUR,
        enclosed=[by.certificate],
    )


def policy(mode: Mode, *evidence: bytes, checked: Checked = Checked.CHAIN) -> Revocation:
    cache = Cache()
    for piece in evidence:
        cache.add(piece)
    return Revocation(mode, cache, checked=checked)


ALL_GOOD = [list_of(index) for index in range(3)]


@pytest.mark.parametrize("mode", Mode)
def test_what_is_known_to_be_good_holds(mode: Mode) -> None:
    policy(mode, *ALL_GOOD).judge(CHAIN, NOW)
    policy(mode, *(answer(index, GOOD) for index in range(3))).judge(CHAIN, NOW)
    policy(mode, answer(0, GOOD), list_of(1), answer(2, GOOD)).judge(CHAIN, NOW)


@pytest.mark.parametrize("mode", [Mode.SOFT, Mode.HARD])
@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize("source", Source)
def test_what_is_revoked_breaks_the_chain(mode: Mode, index: int, source: Source) -> None:
    piece = answer(index, STOLEN) if source is Source.OCSP else list_of(index, CHAIN[index].serial)
    with pytest.raises(Revoked, match="keyCompromise") as caught:
        policy(mode, piece, *ALL_GOOD).judge(CHAIN, NOW)
    assert caught.value.place == index
    policy(Mode.OFF, piece).judge(CHAIN, NOW)


@pytest.mark.parametrize("index", range(3))
def test_what_is_not_known_breaks_the_chain_where_the_mode_is_hard(index: int) -> None:
    evidence = [piece for place, piece in enumerate(ALL_GOOD) if place != index]
    policy(Mode.SOFT, *evidence).judge(CHAIN, NOW)
    with pytest.raises(Unknown, match="neither an OCSP response") as caught:
        policy(Mode.HARD, *evidence).judge(CHAIN, NOW)
    assert caught.value.place == index
    with pytest.raises(Unknown, match="responder does not know it"):
        policy(Mode.HARD, *evidence, answer(index, UNKNOWN)).judge(CHAIN, NOW)
    with pytest.raises(Unknown, match="ocsp, stale"):
        policy(Mode.HARD, *evidence, answer(index, GOOD, NOW - 48 * HOUR)).judge(CHAIN, NOW)


def test_one_that_is_revoked_tells_more_than_one_that_is_not_known() -> None:
    with pytest.raises(Revoked) as caught:
        policy(Mode.HARD, list_of(2, CHAIN[2].serial)).judge(CHAIN, NOW)
    assert caught.value.place == 2


def test_the_root_is_not_checked() -> None:
    own = crl.build(
        signs(PATH.root),
        [crl.Listed(serial=CHAIN[3].serial, at=NOW)],
        number=1,
        this_update=NOW,
        next_update=NOW + HOUR,
    )
    policy(Mode.HARD, own, *ALL_GOOD).judge(CHAIN, NOW)


def test_the_leaf_alone_where_that_is_the_policy() -> None:
    policy(Mode.HARD, answer(0, GOOD), answer(1, STOLEN), checked=Checked.LEAF).judge(CHAIN, NOW)
    with pytest.raises(Revoked):
        policy(Mode.HARD, answer(0, STOLEN), checked=Checked.LEAF).judge(CHAIN, NOW)


def test_who_only_signs_responses_may_be_exempt_and_nobody_else() -> None:
    signer = make(DELEGATE, PATH.sub2)
    lists = [list_of(1), list_of(2)]
    policy(Mode.HARD, *lists).judge([facts(signer), *CHAIN[1:]], NOW)
    for changes in ({"extensions": (PURPOSE,)}, {"extensions": (NO_CHECK,)}):
        other = make(replace(DELEGATE, **changes), PATH.sub2)
        with pytest.raises(Unknown):
            policy(Mode.HARD, *lists).judge([facts(other), *CHAIN[1:]], NOW)


def test_evidence_of_strangers_says_nothing() -> None:
    """Neither of another CA of the same name, nor by one who may not speak for the CA."""
    stranger = build()
    forged = crl.build(
        signs(stranger.sub2),
        [crl.Listed(serial=CHAIN[0].serial, at=NOW)],
        number=9,
        this_update=NOW,
        next_update=NOW + HOUR,
    )
    signer = delegate(stranger.sub2)
    policy(Mode.HARD, forged, answer(0, STOLEN, signer=signer), *ALL_GOOD).judge(CHAIN, NOW)
    with pytest.raises(Unknown):
        policy(Mode.HARD, answer(0, GOOD, signer=signer), *ALL_GOOD[1:]).judge(CHAIN, NOW)


def test_the_terms_are_those_of_the_edition() -> None:
    cache = Cache()
    for issuer in ISSUERS:
        old = crl.build(signs(issuer), [], number=1, this_update=NOW - 8 * 24 * HOUR, next_update=NOW + 24 * HOUR)
        cache.add(old)
    Revocation(Mode.HARD, cache).judge(CHAIN, NOW)
    with pytest.raises(Unknown, match="V2G20-1021"):
        Revocation(Mode.HARD, cache, terms=ISO20).judge(CHAIN, NOW)


def test_files_are_followed(tmp_path: Path) -> None:
    revocation = Revocation(Mode.SOFT, Cache([tmp_path]))
    revocation.judge(CHAIN, NOW)
    (tmp_path / "sub2.crl").write_bytes(list_of(0, CHAIN[0].serial))
    with pytest.raises(Revoked):
        revocation.judge(CHAIN, NOW)


def test_what_is_not_known_is_wanted() -> None:
    wanted: list[Question] = []
    evidence = Cache()
    for piece in (list_of(1), answer(2, UNKNOWN)):
        evidence.add(piece)
    Revocation(Mode.OFF, evidence, want=wanted.append).judge(CHAIN, NOW)
    assert wanted == []
    Revocation(Mode.SOFT, evidence, want=wanted.append).judge(CHAIN, NOW)
    assert [(each.place, each.certificate, each.issuer) for each in wanted] == [
        (0, CHAIN[0], CHAIN[1]),
        (2, CHAIN[2], CHAIN[3]),
    ]


@pytest.mark.parametrize(
    ("mode", "evidence", "expected"),
    [
        (Mode.SOFT, (), None),
        (Mode.HARD, (), (Rule.REVOCATION, "leaf")),
        (Mode.HARD, tuple(ALL_GOOD), None),
        (Mode.SOFT, (list_of(0, CHAIN[0].serial),), (Rule.REVOKED, "leaf")),
        (Mode.SOFT, (answer(1, STOLEN),), (Rule.REVOKED, "sub2")),
        (Mode.HARD, (answer(2, HELD),), (Rule.REVOKED, "sub1")),
        (Mode.OFF, (answer(2, HELD),), None),
    ],
)
def test_the_verdict_on_a_chain(mode: Mode, evidence: Sequence[bytes], expected: tuple[Rule, str] | None) -> None:
    policy_ = Policy(revocation=policy(mode, *evidence))
    verdict = validate(PATH.chain, Role.SECC, PATH.anchors, NOW, policy_)
    assert verdict.broken is (expected[0] if expected else None)
    assert verdict.tier == (expected[1] if expected else "")


# --- several words about one certificate ------------------------------------------------------------------------------


def word(standing: Standing, hours: int, source: Source = Source.OCSP) -> Statement:
    return Statement(standing=standing, source=source, this_update=NOW + hours * HOUR, until=NOW + 24 * HOUR)


WORDS: list[tuple[Sequence[Statement], Standing]] = [
    ([], UNKNOWN),
    ([word(GOOD, 0), word(GOOD, 1)], GOOD),
    ([word(STOLEN, 0), word(GOOD, 1, Source.CRL)], STOLEN),
    ([word(STOLEN, 0), word(HELD, 1), word(GOOD, 2)], STOLEN),
    ([word(HELD, 0), word(GOOD, 1, Source.CRL)], GOOD),
    ([word(HELD, 1), word(GOOD, 0)], HELD),
    ([word(HELD, 0), word(GOOD, 0, Source.CRL)], HELD),
    ([word(UNKNOWN, 0), word(GOOD, 1)], GOOD),
    ([word(UNKNOWN, 1), word(GOOD, 0)], UNKNOWN),
    ([word(UNKNOWN, 0), word(GOOD, 0)], UNKNOWN),
]


@pytest.mark.parametrize(("words", "come_to"), WORDS)
def test_what_several_words_come_to(words: Sequence[Statement], come_to: Standing) -> None:
    for order in permutations(words):
        assert weigh(order) == come_to
