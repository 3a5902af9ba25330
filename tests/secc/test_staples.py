"""What the station staples, from files and from sources; when it asks them, and what handshakes see of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pki import ocsp
from pki.certificate import Certificate, read
from pki.evidence import UNKNOWN, Status
from pki.fetch import Reach
from pki.profiles import Edition
from pki.relying_party import RelyingParty
from secc.staple_sources import NoResponse, Source, from_responders
from secc.staples import Staples, best, subjects
from tests.brokers import background, eventually
from tests.pki.site import Site, serving, silent
from tests.v2g.tls.stapled import DAY, STOLEN, UNUSABLE, identity, misplaced, naming, path, response, wrong
from tests.v2g.tls.wire import tcp_pair
from v2g.tls.context import client_context, server_context
from v2g.tls.identity import Identity
from v2g.tls.staple import Policy, Stapling
from v2g.tls.stream import TlsStream, accept, connect

OURS = identity(path())
LEAF = OURS.chain[0]
HOUR = timedelta(hours=1)


def kept(*asked: Source, folder: Path | None = None, **more: Any) -> Staples:
    """What is stapled to our chain, nothing being renewed yet."""
    found = Staples(sources=asked, folder=folder, **more)
    found.keep([OURS])
    found.look()
    return found


def says(der: bytes) -> Status:
    """What a staple says, read by another than who chose it."""
    return ocsp.judge(der, read(LEAF), read(OURS.chain[1]), datetime.now(UTC)).standing.status


# --- what may be stapled ----------------------------------------------------------------------------------------------


def test_without_any_source_nothing_is_stapled() -> None:
    assert list(kept()(OURS)) == [b"", b"", b""]
    assert kept().of(b"another certificate") == b""


def test_the_leaf_gets_what_lies_in_the_folder(tmp_path: Path) -> None:
    der = response()
    (tmp_path / "evse1.der").write_bytes(der)
    assert list(kept(folder=tmp_path)(OURS)) == [der, b"", b""]


def test_the_cas_get_theirs_where_that_is_wanted(tmp_path: Path) -> None:
    of = path()
    about = ocsp.cert_id(
        of.sub2.certificate.serial_number, of.sub1.certificate, ocsp.read_response(response()).about.algorithm
    )
    whole = [response(), response(about=about, signer=of.sub1)]
    for place, der in enumerate(whole):
        (tmp_path / f"{place}.der").write_bytes(der)
    assert list(kept(folder=tmp_path, whole=True)(OURS)) == [*whole, b""]
    assert [each.certificate.der for each in subjects(OURS)] == list(OURS.chain)
    assert len(subjects(Identity(OURS.chain, OURS.key))) == 2, "without its root, the issuer of the last is not known"


@pytest.mark.parametrize("fault", [*UNUSABLE, *misplaced()])
def test_what_no_vehicle_would_take_is_not_stapled(fault: str, tmp_path: Path) -> None:
    (tmp_path / "bad.der").write_bytes((wrong("P-256") | misplaced())[fault])
    found = kept(folder=tmp_path)
    assert found.of(LEAF) == b""
    ((_, staple, why),) = found.states()
    assert staple is None
    assert why


def test_what_its_responder_does_not_know_is_not_stapled(tmp_path: Path) -> None:
    (tmp_path / "unknown.der").write_bytes(response(standing=UNKNOWN))
    assert kept(folder=tmp_path).of(LEAF) == b""
    (tmp_path / "good.der").write_bytes(good := response(this_update=datetime.now(UTC) - DAY / 2))
    assert kept(folder=tmp_path).of(LEAF) == good, "a word that says nothing takes none away that is in force"


def test_a_revocation_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "good.der").write_bytes(response())
    (tmp_path / "revoked.der").write_bytes(response(standing=STOLEN, this_update=datetime.now(UTC) - DAY / 2))
    assert says(kept(folder=tmp_path).of(LEAF)) is Status.REVOKED


def test_the_one_that_lasts_longest_is_taken() -> None:
    now = datetime.now(UTC)
    several = [response(next_update=now + hours * HOUR) for hours in (2, 7, 5)]
    assert best(several, subjects(OURS)[0], now)[0] == best(several[1:2], subjects(OURS)[0], now)[0]


def test_one_that_ends_meanwhile_is_stapled_no_more(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    (tmp_path / "short.der").write_bytes(response(next_update=now + HOUR))
    clock = [now]
    found = kept(folder=tmp_path, clock=lambda: clock[0])
    assert found.of(LEAF)
    clock[0] = now + HOUR + timedelta(seconds=1)
    assert found.of(LEAF) == b""
    found.look()
    ((_, staple, why),) = found.states()
    assert (staple, "stale" in why) == (None, True)


@pytest.mark.parametrize(("kind", "days"), [("P-256", 15.0), ("P-521", 3.5), ("Ed448", 3.5)])
def test_half_of_the_time_and_of_a_week_in_the_second_edition(kind: str, days: float) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    der = response(kind, this_update=now, next_update=now + 30 * DAY)
    staple, _ = best([der], subjects(identity(path(kind)))[0], now)
    assert staple is not None
    assert staple.renew_at == now + days * DAY


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file or folder"):
        Staples(folder=tmp_path / "nowhere")


def test_other_identities_take_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.der").write_bytes(response())
    found = kept(folder=tmp_path)
    other = identity(path("P-521"))
    found.keep([other])
    found.look()
    assert (found.of(LEAF), found.of(other.chain[0])) == (b"", b"")
    assert [subject.certificate.der for subject, _, _ in found.states()] == [other.chain[0]]


# --- when it is brought -----------------------------------------------------------------------------------------------


class Fast:
    """A clock whose hours are seconds, and a source that answers at its time."""

    speed = 3_600.0

    def __init__(self, lasts: timedelta = HOUR) -> None:
        self.lasts = lasts
        self.asked: list[datetime] = []
        self._began = time.monotonic()
        self._at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=(time.monotonic() - self._began) * self.speed)

    async def answer(self, _certificate: Certificate, _issuer: Certificate) -> bytes:
        now = self()
        self.asked.append(now)
        return response(this_update=now, next_update=now + self.lasts)


async def test_it_is_renewed_at_half_time_and_never_missing() -> None:
    fast = Fast()
    found = kept(fast.answer, clock=fast, scale=1 / fast.speed)
    async with background(found.run()):
        await eventually(lambda: bool(found.of(LEAF)), "the first")
        seen: set[bytes] = set()
        while len(fast.asked) < 4:
            seen.add(found.of(LEAF))
            await asyncio.sleep(0.002)
    assert b"" not in seen
    assert len(seen) >= 3
    pauses = [later - earlier for earlier, later in pairwise(fast.asked)]
    assert all(pause >= HOUR / 2 - timedelta(seconds=1) for pause in pauses), pauses


async def test_whoever_has_nothing_is_asked_less_and_less() -> None:
    times: list[float] = []

    async def nothing(_certificate: Certificate, _issuer: Certificate) -> bytes:
        times.append(time.monotonic())
        raise NoResponse("none")

    found = kept(nothing, scale=1 / 1_000)
    async with background(found.run()):
        await eventually(lambda: len(times) >= 5, "five attempts")
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert all(pause >= wanted for pause, wanted in zip(pauses, [0.03, 0.06, 0.12, 0.24], strict=False)), pauses


async def test_the_next_source_is_asked_where_the_first_has_nothing_of_use() -> None:
    good = response()

    async def useless(_certificate: Certificate, _issuer: Certificate) -> bytes:
        return wrong("P-256")["signed by a stranger"]

    async def useful(_certificate: Certificate, _issuer: Certificate) -> bytes:
        return good

    found = kept(useless, useful)
    async with background(found.run()):
        await eventually(lambda: found.of(LEAF) == good)


async def test_a_source_with_a_fault_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_certificate: Certificate, _issuer: Certificate) -> bytes:
        raise ZeroDivisionError

    found = kept(broken, scale=1 / 1_000)
    async with background(found.run()):
        await eventually(lambda: caplog.text.count("a fault of ours") >= 2)


async def test_worse_than_what_there_is_takes_nothing_away(tmp_path: Path) -> None:
    now, asked = datetime.now(UTC), asyncio.Event()
    (tmp_path / "good.der").write_bytes(good := response(this_update=now - DAY, next_update=now + HOUR))

    async def unknown(_certificate: Certificate, _issuer: Certificate) -> bytes:
        asked.set()
        return response(standing=UNKNOWN)

    found = kept(unknown, folder=tmp_path, scale=1 / 1_000)
    async with background(found.run()):
        await asked.wait()
        await eventually(lambda: found.of(LEAF) == good)


async def test_what_came_is_kept_for_the_next_start(tmp_path: Path) -> None:
    good = response()

    async def source(_certificate: Certificate, _issuer: Certificate) -> bytes:
        return good

    async with background(kept(source, folder=tmp_path).run()):
        await eventually(lambda: any(tmp_path.glob("*.der")))
    assert kept(folder=tmp_path).of(LEAF) == good


async def test_a_file_that_changes_is_taken_while_it_runs(tmp_path: Path) -> None:
    found = kept(folder=tmp_path, scale=1 / 1_000)
    async with background(found.run()):
        for lasts in (1, 2, 3):
            der = response(next_update=datetime.now(UTC) + lasts * DAY)
            (tmp_path / "evse1.new").write_bytes(der)
            (tmp_path / "evse1.new").replace(tmp_path / "evse1.der")
            await eventually(partial(lambda der: found.of(LEAF) == der, der))


async def test_the_operator_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[str] = []
    caplog.set_level(logging.INFO)
    found = kept(folder=tmp_path, scale=1 / 1_000, tell=lambda kind, _: told.append(kind))
    async with background(found.run()):
        await eventually(lambda: told == ["staple_missing"])
        (tmp_path / "a.der").write_bytes(response())
        await eventually(lambda: "stapled to" in caplog.text)
        (tmp_path / "a.der").write_bytes(response(standing=STOLEN))
        await eventually(lambda: told == ["staple_missing", "staple_revoked"])
    assert told == ["staple_missing", "staple_revoked"]


# --- handshakes -------------------------------------------------------------------------------------------------------


async def seen(staple: Staples, policy: Policy = Policy.IF_PRESENT) -> str:
    """What a vehicle comes to about the staple of our station."""
    party = RelyingParty(path().anchors, editions=(Edition.ISO2,))
    client = client_context(path().anchors, staple=Stapling(policy, party.stapled))
    server = server_context(OURS, staple=staple)
    async with tcp_pair() as (car, station):
        ours, _ = await asyncio.gather(
            connect(car, client, party.verify, timeout=10), accept(station, server, timeout=10)
        )
        assert isinstance(ours, TlsStream)
        return ours.facts.staple


async def test_the_newest_is_stapled_without_a_new_context(tmp_path: Path) -> None:
    found = kept(folder=tmp_path)
    assert await seen(found) == "none"
    (tmp_path / "a.der").write_bytes(response())
    found.look()
    assert await seen(found, Policy.REQUIRE) == "good"


async def test_nobody_who_is_dead_holds_up_a_handshake(site: Site, tmp_path: Path) -> None:
    """An operator who never answers, and a responder that takes connections and says nothing."""
    site.answers["/ocsp"] = silent(site)
    never: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    asked = asyncio.Event()

    async def operator(_certificate: Certificate, _issuer: Certificate) -> bytes:
        asked.set()
        return await asyncio.shield(never)

    (tmp_path / "old.der").write_bytes(response(this_update=datetime.now(UTC) - DAY, next_update=_in(HOUR)))
    of = naming(site)
    waiting = Staples(sources=[operator], folder=tmp_path)
    fetching = Staples(sources=[from_responders(Reach(hosts=frozenset({"*"}), seconds=5))])
    waiting.keep([OURS])
    waiting.look()
    fetching.keep([identity(of)])
    async with background(waiting.run()), background(fetching.run()):
        await asked.wait()
        await eventually(lambda: bool(site.asked), "the responder is asked")
        for _ in range(20):
            began = time.monotonic()
            assert await seen(waiting, Policy.REQUIRE) == "good"
            assert time.monotonic() - began < 1.0
        assert fetching.of(of.leaf.der) == b""
        site.released.set()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def _in(time: timedelta) -> datetime:
    return datetime.now(UTC) + time
