"""What a vehicle does about staples, in handshakes over TCP: every misbehaviour of a station, by policy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.profiles import Edition
from pki.relying_party import RelyingParty
from tests.v2g.tls.stapled import EDITIONS, SAID, UNUSABLE, identity, misplaced, path, response, wrong
from tests.v2g.tls.wire import tcp_pair
from v2g.errors import HandshakeFailed, Untrusted
from v2g.tls.context import Identity, client_context, server_context
from v2g.tls.staple import REFUSED, Policy, StapleRefused, Stapling, State
from v2g.tls.stream import TlsStream, accept, connect
from v2g.tls.suites import Generation

TIMEOUT = 10.0
KINDS = tuple(EDITIONS)
Outcome = TlsStream | BaseException


def generation(kind: str) -> Generation:
    return Generation.ISO2 if kind == "P-256" else Generation.ISO20


def relying(kind: str, role: str = "secc") -> RelyingParty:
    """A party that trusts the path of a kind of key."""
    return RelyingParty(path(kind, role).anchors, editions=(Edition(EDITIONS[kind]),))


async def shaken(kind: str, policy: Policy, staples: Sequence[bytes]) -> tuple[Outcome, Outcome]:
    """Let a vehicle with a policy meet a station that staples; return what became of both."""
    party, second = relying(kind), generation(kind) is Generation.ISO20
    vehicle: Identity | None = identity(path(kind, "vehicle")) if second else None
    client = client_context(
        [path(kind).root.der],
        identity=vehicle,
        generations=(generation(kind),),
        staple=Stapling(policy, party.stapled),
    )
    server = server_context(identity(path(kind)), staple=lambda _: staples)
    async with tcp_pair() as (car, station):
        ours, theirs = await asyncio.gather(
            connect(car, client, party.verify, timeout=TIMEOUT),
            accept(station, server, relying(kind, "vehicle").verify if second else None, timeout=TIMEOUT),
            return_exceptions=True,
        )
    return ours, theirs


def assert_refused(outcome: tuple[Outcome, Outcome], state: State) -> None:
    """Both sides know: the vehicle what the staple came to, the station that it was the staple."""
    ours, theirs = outcome
    assert isinstance(ours, StapleRefused), ours
    assert ours.state is state
    assert ours.detail
    assert isinstance(theirs, HandshakeFailed), theirs
    assert theirs.received == "bad_certificate_status_response"


def assert_accepted(outcome: tuple[Outcome, Outcome], seen: str, given: str) -> None:
    ours, theirs = outcome
    assert isinstance(ours, TlsStream), ours
    assert isinstance(theirs, TlsStream), theirs
    assert (ours.facts.staple, theirs.facts.staple) == (seen, given)


# Who refuses what, written down from docs/evcc.md and not from the code.
TABLE = {
    "good": set(),
    "none": {Policy.REQUIRE},
    "unusable": {Policy.REQUIRE, Policy.IF_PRESENT},
    "unknown": {Policy.REQUIRE, Policy.IF_PRESENT},
    "revoked": set(Policy),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", Policy)
@pytest.mark.parametrize("said", TABLE)
async def test_what_each_policy_bears(kind: str, policy: Policy, said: str) -> None:
    staple = response(kind, SAID[said]) if said in SAID else {"none": b"", "unusable": wrong(kind)["expired"]}[said]
    outcome = await shaken(kind, policy, [staple])
    asked = policy is not Policy.OFF or generation(kind) is Generation.ISO20  # [V2G20-2372] asks always
    if not asked:
        assert_accepted(outcome, "", "")
    elif policy in TABLE[said]:
        assert_refused(outcome, State(said))
    else:
        assert_accepted(outcome, said, "sent" if staple else "none")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("policy", [Policy.REQUIRE, Policy.IF_PRESENT, Policy.FETCH])
@pytest.mark.parametrize("fault", UNUSABLE)
async def test_what_may_not_be_relied_upon(kind: str, policy: Policy, fault: str) -> None:
    outcome = await shaken(kind, policy, [wrong(kind)[fault]])
    if policy is Policy.FETCH:
        assert_accepted(outcome, "unusable", "sent")
    else:
        assert_refused(outcome, State.UNUSABLE)


@pytest.mark.parametrize("fault", misplaced())
async def test_what_does_not_belong_there_is_not_sent(fault: str) -> None:
    """By our station; from another it would be refused."""
    assert_refused(await shaken("P-256", Policy.REQUIRE, [misplaced()[fault]]), State.NONE)
    with pytest.raises(StapleRefused) as caught:
        Stapling(Policy.IF_PRESENT, relying("P-256").stapled).look(misplaced()[fault], path().chain)
    assert caught.value.state is State.UNUSABLE


def test_the_table_is_the_one_in_force() -> None:
    assert {state: {policy for policy in Policy if State(state) in REFUSED[policy]} for state in TABLE} == TABLE


@pytest.mark.parametrize("policy", Policy)
def test_a_good_word_is_fetched_where_none_came(policy: Policy) -> None:
    stapling = Stapling(policy, lambda *_: "good")
    wanted = {state for state in ["", *State] if stapling.wants(state)}
    assert wanted == ({"", *State} - {"good"} if policy is Policy.FETCH else set())


@pytest.mark.parametrize("answer", ["", "Good", "excellent"])
def test_a_judge_who_says_something_else_is_not_believed(answer: str) -> None:
    with pytest.raises(StapleRefused, match=r"OCSP staple, unusable: .*ValueError"):
        Stapling(Policy.IF_PRESENT, lambda *_: answer).look(b"response", [b"leaf"])


def test_a_judge_who_fails_is_no_good_word() -> None:
    def failing(_response: bytes, _chain: Sequence[bytes]) -> str:
        raise ZeroDivisionError

    with pytest.raises(StapleRefused, match="its check failed with ZeroDivisionError"):
        Stapling(Policy.REQUIRE, failing).look(b"response", [b"leaf"])


def test_a_refused_staple_is_a_matter_of_trust() -> None:
    assert issubclass(StapleRefused, Untrusted)
    assert str(StapleRefused(State.REVOKED, "since May")) == "OCSP staple, revoked: since May"


@given(st.binary(min_size=1, max_size=400))
def test_any_bytes_are_refused_by_name(data: bytes) -> None:
    stapling = Stapling(Policy.IF_PRESENT, relying("P-256").stapled)
    with pytest.raises(StapleRefused) as caught:
        stapling.look(data, path("P-256").chain)
    assert caught.value.state is State.UNUSABLE
