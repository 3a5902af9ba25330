from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pki.evidence import GOOD, Standing
from pki.relying_party import RelyingParty
from pki.revocation_settings import RevocationSettings, anchored
from tests.pki.chains import Path as Chain
from tests.pki.chains import build
from tests.pki.signers import LONG
from tests.pki.site import REVOKED, Site, list_of, named, page, responder, serving, silent, slow
from v2g.trust import Role, Rule


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def path_at(site: Site) -> Chain:
    tiers: dict[str, dict[str, Any]] = {tier: {"days": LONG} for tier in ("root", "sub1", "sub2", "leaf")}
    tiers["leaf"]["extensions"] = named(site, lists=False)
    return build("secc", **tiers)


def party(site: Site, path: Chain, **settings: Any) -> RelyingParty:
    said = {"fetch": [f"127.0.0.1:{site.port}"], "checked": "leaf", "revocation": "hard"} | settings
    return RelyingParty(path.anchors, msgspec.convert(said, RevocationSettings))


async def test_a_verdict_is_pending_until_the_evidence_is_there(site: Site) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = slow(site, responder(path.sub2, GOOD))
    judge = party(site, path)
    for _ in range(3):
        verdict = judge.verify(path.chain, Role.SECC)
        assert (verdict.broken, verdict.pending) == (Rule.REVOCATION, True)
    site.released.set()
    verdict = await judge.settle(path.chain, Role.SECC, 10)
    assert (verdict.broken, verdict.pending) == (None, False)
    verdict = judge.verify(path.chain, Role.SECC)
    assert (verdict.broken, verdict.pending) == (None, False)


@pytest.mark.parametrize(("mode", "standing", "broken"), [
    ("soft", GOOD, None),
    ("soft", REVOKED, Rule.REVOKED),
    ("hard", GOOD, None),
    ("hard", REVOKED, Rule.REVOKED),
])  # fmt: skip
async def test_what_is_settled(site: Site, mode: str, standing: Standing, broken: Rule | None) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = responder(path.sub2, standing)
    verdict = await party(site, path, revocation=mode).settle(path.chain, Role.SECC, 10)
    assert (verdict.broken, verdict.pending) == (broken, False)


@pytest.mark.parametrize(("mode", "broken"), [("soft", None), ("hard", Rule.REVOCATION)])
async def test_nobody_waits_longer_than_he_wants(site: Site, mode: str, broken: Rule | None) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = silent(site)
    began = time.monotonic()
    verdict = await party(site, path, revocation=mode).settle(path.chain, Role.SECC, 0.05)
    assert (verdict.broken, verdict.pending) == (broken, False)
    assert time.monotonic() - began < 5


async def test_several_wait_for_one_answer(site: Site) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = slow(site, responder(path.sub2, GOOD))
    judge = party(site, path)
    waiting = [asyncio.ensure_future(judge.settle(path.chain, Role.SECC, 20)) for _ in range(5)]
    assert await asyncio.to_thread(site.arrived.wait, 10)
    site.released.set()
    assert [verdict.broken for verdict in await asyncio.gather(*waiting)] == [None] * 5
    assert len(site.asked) == 1


async def test_a_wait_may_be_given_up(site: Site) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = slow(site, responder(path.sub2, GOOD))
    judge = party(site, path)
    waiting = asyncio.ensure_future(judge.settle(path.chain, Role.SECC, 20))
    assert await asyncio.to_thread(site.arrived.wait, 10)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    site.released.set()
    assert (await judge.settle(path.chain, Role.SECC, 20)).broken is None


async def test_a_chain_that_breaks_otherwise_asks_nobody(site: Site) -> None:
    path = path_at(site)
    site.answers["/ocsp"] = page(b"", 500)
    verdict = await party(site, path).settle(path.chain[:2], Role.SECC, 10)
    assert verdict.broken is Rule.ANCHOR
    assert site.asked == []


def test_evidence_of_files(tmp_path: Path, site: Site) -> None:
    path = path_at(site)
    (tmp_path / "sub2.crl").write_bytes(list_of(path.sub2, path.leaf.certificate.serial_number))
    settings: list[dict[str, Any]] = [{"crls": [str(tmp_path / "sub2.crl")]}, {"evidence": str(tmp_path)}]
    for said in settings:
        verdict = party(site, path, fetch=[], **said).verify(path.chain, Role.SECC)
        assert (verdict.broken, verdict.pending) == (Rule.REVOKED, False)
    with pytest.raises(ValueError, match=r"nothing\.crl: no such file"):
        party(site, path, crls=[str(tmp_path / "nothing.crl")])


def test_without_settings_only_what_is_known_to_be_revoked_is_refused(site: Site) -> None:
    path = path_at(site)
    assert RelyingParty(path.anchors).verify(path.chain, Role.SECC)


# --- settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"revocation": "off", "crls": ["a.crl"]},
        {"revocation": "off", "evidence": "folder"},
        {"revocation": "off", "fetch": ["*"]},
        {"revocation": "maybe"},
        {"fetch": ["http://host/"]},
        {"fetch": [""]},
        {"fetch": ["a b"]},
        {"fetch": ["host:port"]},
        {"fetch_s": 0},
        {"fetch_s": 31},
        {"colour": 1},
    ],
)
def test_settings_that_cannot_be_meant(said: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, RevocationSettings)


@pytest.mark.parametrize("host", ["*", "ocsp.example.com", "ocsp.example.com:8080", "127.0.0.1:8317", "[::1]:8317"])
def test_hosts_one_may_name(host: str) -> None:
    assert msgspec.convert({"fetch": [host]}, RevocationSettings).fetch == [host]


def test_files_are_relative_to_the_configuration() -> None:
    said = anchored(RevocationSettings(crls=["a.crl", "/b.crl"], evidence="c"), Path("/etc"))
    assert (said.crls, said.evidence) == (["/etc/a.crl", "/b.crl"], "/etc/c")
    assert anchored(RevocationSettings(), Path("/etc")) == RevocationSettings()
