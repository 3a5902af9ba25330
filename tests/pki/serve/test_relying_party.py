"""Who trusts asks the real server: every leaf of every tree is cleared by it, and nothing that it does wrong passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from pki import fetch, revoked
from pki.cache import Cache
from pki.certificate import read
from pki.credentials import load_anchors, load_chain
from pki.evidence import Flaw, Unusable
from pki.fetch import Failure, FetchFailed, Reach
from pki.profiles import Edition
from pki.relying_party import RelyingParty
from pki.revocation import Question
from pki.revocation_settings import RevocationSettings
from pki.store import Store
from tests.pki.serve.certificates import EVSE, SUB2
from tests.pki.serve.serving import DELAY_S, Served
from v2g.trust import Role, Rule, Verdict

TREES = {"iso2": Edition.ISO2, "iso20": Edition.ISO20, "iso20-ed448": Edition.ISO20_ED448}
MODES = ["ocsp", "crl"]
Addresses = Callable[[x509.Certificate], list[str]]


@pytest.fixture
def mode(request: pytest.FixtureRequest, served: Served, monkeypatch: pytest.MonkeyPatch) -> str:
    """Who is asked, at the port where it listens here."""
    kept: str = request.param

    def moved(addresses: Addresses, wanted: bool) -> Addresses:
        here = served.url.removeprefix("http://")
        return lambda certificate: [url.replace("127.0.0.1:8317", here) for url in addresses(certificate) if wanted]

    monkeypatch.setattr(fetch, "responders", moved(fetch.responders, kept == "ocsp"))
    monkeypatch.setattr(fetch, "lists", moved(fetch.lists, kept == "crl"))
    return kept


async def settled(served: Served, tree: str, place: str, **settings: Any) -> Verdict:
    said = {"revocation": "hard", "fetch": ["127.0.0.1"]} | settings
    folder = served.out / tree
    anchors = [der for file in sorted(folder.glob("trust/*.pem")) for der in load_anchors(file)]
    party = RelyingParty(anchors, msgspec.convert(said, RevocationSettings), editions=(TREES[tree],))
    role = Role(place.split("/")[1])
    return await party.settle(load_chain(folder / place / "chain.pem"), role, 30)


def leaves(served: Served, tree: str) -> list[str]:
    places = [place for place in Store(served.out / tree).places() if place.startswith("leaf/")]
    return [place for place in places if place.split("/")[1] in list(Role)]


@pytest.mark.parametrize("mode", MODES, indirect=True)
@pytest.mark.parametrize("tree", TREES)
async def test_every_leaf_is_cleared(served: Served, mode: str, tree: str) -> None:
    places = leaves(served, tree)
    assert len(places) >= 4
    for place in places:
        verdict = await settled(served, tree, place)
        assert verdict.broken is None, f"{place}: {verdict.broken}: {verdict.detail}"


@pytest.mark.parametrize("mode", MODES, indirect=True)
@pytest.mark.parametrize("tree", TREES)
async def test_what_the_list_of_the_tree_revokes_is_refused(served: Served, mode: str, tree: str) -> None:
    at = served.certificate(EVSE, tree).not_valid_before_utc
    store = Store(served.out / tree)
    revoked.revoke(store, EVSE, at, x509.ReasonFlags.certificate_hold)
    try:
        served.server.watch()
        verdict = await settled(served, tree, EVSE)
        assert (verdict.broken, verdict.tier) == (Rule.REVOKED, "leaf"), verdict.detail
    finally:
        revoked.release(store, EVSE)
        served.server.watch()
    assert (await settled(served, tree, EVSE)).broken is None


WRONG: dict[str, Flaw | Failure] = {
    "ocsp:try-later": Flaw.NO_ANSWER,
    "ocsp:expired": Flaw.STALE,
    "ocsp:future": Flaw.NOT_YET,
    "ocsp:wrong-signer": Flaw.SIGNER,
    "ocsp:signer-without-eku": Flaw.SIGNER,
    "ocsp:wrong-cert-id": Flaw.OTHER_CERTIFICATE,
    "ocsp:no-nonce": Flaw.NONCE,
    "ocsp:wrong-nonce": Flaw.NONCE,
    "ocsp:bad-signature": Flaw.SIGNATURE,
    "ocsp:delay": Failure.TIME,
    "ocsp:truncated": Flaw.MALFORMED,
    "ocsp:http-500": Failure.STATUS,
    "crl:expired": Flaw.STALE,
    "crl:wrong-issuer": Flaw.OTHER_ISSUER,
    "crl:unsigned": Flaw.SIGNATURE,
    "crl:delay": Failure.TIME,
    "crl:truncated": Flaw.MALFORMED,
    "crl:http-500": Failure.STATUS,
}


@pytest.mark.parametrize(("mode", "fault"), [(fault.split(":")[0], fault) for fault in WRONG], indirect=["mode"])
async def test_nothing_that_it_does_wrong_passes(served: Served, mode: str, fault: str) -> None:
    served.switch(fault)
    seconds = DELAY_S / 2 if fault.endswith(":delay") else 5.0
    question = Question(0, *(read(served.certificate(place).public_bytes(Encoding.DER)) for place in (EVSE, SUB2)))
    with pytest.raises((FetchFailed, Unusable)) as caught:
        fetch.inquire(question, Cache(), Reach(hosts=frozenset({"127.0.0.1"}), seconds=seconds))
    told = {name: getattr(caught.value, name, None) for name in ("failure", "flaw")}
    assert WRONG[fault] in told.values(), told
    verdict = await settled(served, "iso2", EVSE, checked="leaf", fetch_s=seconds)
    assert verdict.broken is Rule.REVOCATION
    assert await settled(served, "iso2", EVSE, checked="leaf", fetch_s=seconds, revocation="soft")


@pytest.mark.parametrize(("mode", "fault", "rule"), [
    ("ocsp", "ocsp:revoked", Rule.REVOKED),
    ("ocsp", "ocsp:unknown", Rule.REVOCATION),
], indirect=["mode"])  # fmt: skip
async def test_what_it_says_wrongly_counts(served: Served, mode: str, fault: str, rule: Rule) -> None:
    served.switch(fault)
    assert (await settled(served, "iso2", EVSE, checked="leaf")).broken is rule
