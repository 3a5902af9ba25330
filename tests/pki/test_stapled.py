"""What a relying party makes of responses that peers staple: judged first, and kept only where they tell more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pki.cache import MOST_PIECES
from pki.certificate import read
from pki.evidence import UNKNOWN, Flaw, Status, Unusable
from pki.profiles import Edition
from pki.relying_party import RelyingParty
from pki.revocation_settings import RevocationSettings
from tests.pki.site import Site, page, responder, serving, silent
from tests.v2g.tls.stapled import DAY, EDITIONS, STOLEN, misplaced, naming, path, response, wrong
from v2g.errors import Untrusted
from v2g.trust import Role, Rule

HARD = RevocationSettings(revocation="hard", checked="leaf")


def relying(kind: str = "P-256", settings: RevocationSettings = HARD) -> RelyingParty:
    return RelyingParty(path(kind).anchors, settings, editions=(Edition(EDITIONS[kind]),))


def known(party: RelyingParty) -> int:
    """How much evidence there is about the leaf."""
    cache = party._leaf.cache
    return len(cache.responses(read(path().leaf.der), read(path().sub2.der)))


@pytest.mark.parametrize("kind", EDITIONS)
def test_a_good_staple_is_evidence(kind: str) -> None:
    party, chain = relying(kind), path(kind).chain
    assert party.verify(chain, Role.SECC).broken is Rule.REVOCATION
    assert party.stapled(response(kind), chain) is Status.GOOD
    assert party.verify(chain, Role.SECC).broken is None


@pytest.mark.parametrize("kind", EDITIONS)
def test_a_revoked_staple_is_evidence(kind: str) -> None:
    party, chain = relying(kind, RevocationSettings()), path(kind).chain
    assert party.stapled(response(kind, STOLEN), chain) is Status.REVOKED
    assert party.verify(chain, Role.SECC).broken is Rule.REVOKED
    assert party.stapled(response(kind), chain) is Status.GOOD, "what it says is one thing"
    assert party.verify(chain, Role.SECC).broken is Rule.REVOKED, "what is known another"


@pytest.mark.parametrize("kind", EDITIONS)
def test_what_may_not_be_relied_upon_is_not_kept(kind: str) -> None:
    party, chain = relying(kind), path(kind).chain
    for fault, der in (wrong(kind) | misplaced()).items():
        with pytest.raises(Unusable):
            party.stapled(der, chain)
        assert party.verify(chain, Role.SECC).broken is Rule.REVOCATION, fault
    assert party.stapled(response(kind, UNKNOWN), chain) is Status.UNKNOWN
    assert known(party) == 0


def test_a_week_is_the_most_in_the_second_edition() -> None:
    now = datetime.now(UTC)
    old: dict[str, Any] = {"this_update": now - 8 * DAY, "next_update": now + 8 * DAY}
    assert relying().stapled(response(**old), path().chain) is Status.GOOD
    both = RelyingParty(path("P-521").anchors, HARD, editions=(Edition.ISO2, Edition.ISO20))
    for party in (relying("P-521"), both):
        with pytest.raises(Unusable) as caught:
            party.stapled(response("P-521", **old), path("P-521").chain)
        assert caught.value.flaw is Flaw.TOO_OLD


def test_who_staples_pushes_nothing_out() -> None:
    """As many responses as the cache holds, all signed by who may, leave one: the newest that was stapled."""
    party, chain, now = relying(), path().chain, datetime.now(UTC)
    newest = response(this_update=now)
    party.stapled(newest, chain)
    for hours in range(1, 20):
        assert party.stapled(response(this_update=now - hours * DAY / 24), chain) is Status.GOOD
    assert known(party) == 1
    assert MOST_PIECES > 20


def test_the_issuer_of_a_leaf_below_the_root_is_an_anchor() -> None:
    party, of = relying(), path()
    with pytest.raises(Unusable) as caught:
        party.stapled(response(), [of.sub1.der])
    assert caught.value.flaw is Flaw.OTHER_CERTIFICATE
    with pytest.raises(ValueError, match=r"the issuer of .* is not known"):
        party.stapled(response(), [of.leaf.der])


# --- asked for where none came ----------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


async def test_a_good_word_is_brought(site: Site) -> None:
    of = naming(site)
    site.answers["/ocsp"] = responder(of.sub2)
    party = RelyingParty(of.anchors, RevocationSettings(fetch=["127.0.0.1"]))
    await party.inquire(of.chain, 10)
    await party.inquire(of.chain, 10)
    assert len(site.asked) == 1, "what is known is not asked for again"


@pytest.mark.parametrize("answer", ["silent", "error", "revoked", "unknown", "nobody"])
async def test_anything_else_is_a_refusal(site: Site, answer: str) -> None:
    of = naming(site)
    site.answers["/ocsp"] = {
        "silent": silent(site),
        "error": page(b"", 500),
        "revoked": responder(of.sub2, STOLEN),
        "unknown": responder(of.sub2, UNKNOWN),
        "nobody": responder(of.sub2),
    }[answer]
    settings = RevocationSettings(fetch=[] if answer == "nobody" else ["*"], fetch_s=0.3)
    with pytest.raises(Untrusted, match="leaf certificate, revo"):
        await RelyingParty(of.anchors, settings).inquire(of.chain, 10)
