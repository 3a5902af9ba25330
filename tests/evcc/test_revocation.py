"""Stations and provisioning services that are revoked, or may be; the vehicle speaks to nobody it does not trust."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509

from evcc import client, config
from evcc.result import Result
from pki import revoked
from pki.evidence import GOOD
from pki.provisioning import ProvisioningService
from pki.renewal import bring_up_to_date
from pki.revocation_settings import RevocationSettings
from pki.store import Store
from pki.tree import Urls, read
from tests.evcc.bench_station import ScriptedStation, scripted
from tests.evcc.test_client import by_contract, served
from tests.evcc.test_provisioning import answering
from tests.evcc.test_provisioning import settings as without_contract
from tests.pki.chains import Made
from tests.pki.site import REVOKED, Answer, Site, page, responder, serving, silent
from tests.provisioning import Stage, leaf

STOLEN = x509.ReasonFlags.key_compromise
NOW = datetime.now(UTC)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


@pytest.fixture
def tree(tmp_path: Path, site: Site) -> Store:
    """The default tree, its certificates naming a responder of this test."""
    declared = msgspec.structs.replace(read()["iso2"], urls=Urls(ocsp=site.url("/ocsp/{ca}")))
    store = Store(tmp_path / "iso2")
    bring_up_to_date(declared, store)
    return store


def lists(tree: Store, *places: str) -> list[str]:
    """Revoke what lies in some places; return the files of all lists."""
    for place in places:
        revoked.revoke(tree, place, NOW - timedelta(days=1), STOLEN)
    return [str(path) for path in revoked.write_crls(tree, revoked.authorities(tree), NOW, timedelta(days=1))]


def issuer(tree: Store, place: str) -> Made:
    issued = tree.load(place)
    return Made(issued.certificate, issued.key)


def car(station: ScriptedStation, tree: Store, **trust: Any) -> config.EvccConfig:
    return msgspec.structs.replace(by_contract(station, tree.folder), trust=msgspec.convert(trust, RevocationSettings))


async def refused(station: ScriptedStation, settings: config.EvccConfig, rule: str) -> Result:
    result = await client.charge(settings)
    assert not result.ok
    assert result.reason.startswith(f"Untrusted: secc certificate, {rule}"), result.reason
    assert station.received == b"", "the vehicle spoke to a station it does not trust"
    assert result.messages == []
    assert result.station is not None
    return result


# --- the station ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["soft", "hard"])
@pytest.mark.parametrize("place", ["leaf/secc/evse1", "ca/cpo/sub2", "ca/cpo/sub1"])
async def test_a_station_that_is_revoked(tree: Store, mode: str, place: str) -> None:
    files = lists(tree, place)
    async with scripted("AC", served(tree.folder)) as station:
        await refused(station, car(station, tree, revocation=mode, crls=files), "revoked")


async def test_a_station_that_is_known_to_be_good(tree: Store) -> None:
    files = lists(tree, "leaf/contract/car1")
    async with scripted("AC", served(tree.folder)) as station:
        result = await client.charge(car(station, tree, revocation="hard", crls=files))
        assert result.ok, result.reason


async def test_a_station_of_which_nothing_is_known(tree: Store) -> None:
    async with scripted("AC", served(tree.folder)) as station:
        assert (await client.charge(car(station, tree))).ok
        assert (await client.charge(car(station, tree, revocation="off"))).ok
        station.received = b""
        await refused(station, car(station, tree, revocation="hard"), "revocation")


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_the_responder_is_waited_for_before_anything_is_said(tree: Store, site: Site, mode: str) -> None:
    told = responder(issuer(tree, "ca/cpo/sub2"), REVOKED)
    async with scripted("AC", served(tree.folder)) as station:

        def late(body: bytes) -> tuple[int, dict[str, str], bytes]:
            """Hold the answer back until a vehicle that does not wait would have spoken."""
            site.released.wait(0.3)
            assert station.received == b""
            return told(body)

        site.answers["/ocsp/cpo-sub2"] = late
        await refused(station, car(station, tree, revocation=mode, fetch=["127.0.0.1"], checked="leaf"), "revoked")
    assert len(site.asked) == 1


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_a_responder_clears_the_station(tree: Store, site: Site, mode: str) -> None:
    site.answers["/ocsp/cpo-sub2"] = responder(issuer(tree, "ca/cpo/sub2"), GOOD)
    async with scripted("AC", served(tree.folder)) as station:
        settings = car(station, tree, revocation=mode, fetch=["127.0.0.1"], checked="leaf")
        result = await client.charge(settings)
        assert result.ok, result.reason


USELESS: dict[str, Callable[[Site], Answer]] = {"silent": silent, "an error": lambda _: page(b"", 500)}


@pytest.mark.parametrize("answer", USELESS)
async def test_a_responder_that_is_of_no_help(tree: Store, site: Site, answer: str) -> None:
    site.answers["/ocsp/cpo-sub2"] = USELESS[answer](site)
    trust = {"fetch": ["127.0.0.1"], "fetch_s": 0.1, "checked": "leaf"}
    async with scripted("AC", served(tree.folder)) as station:
        await refused(station, car(station, tree, revocation="hard", **trust), "revocation")
        result = await client.charge(car(station, tree, **trust))
        assert result.ok, result.reason


# --- who delivers a contract ------------------------------------------------------------------------------------------


async def delivered(tree: Store, kept: Path, **trust: Any) -> tuple[str, str]:
    """Ask for a contract; return what came of it."""
    stage = Stage(
        ProvisioningService(tree),
        leaf(tree.folder, "oem-provisioning", "car1"),
        ProvisioningService(tree),
        leaf(tree.folder, "secc", "evse1"),
    )
    async with scripted("AC", served(tree.folder)) as station:
        answering(station, stage)
        settings = without_contract(station, tree.folder, kept)
        said = msgspec.convert(trust, RevocationSettings)
        result = await client.charge(msgspec.structs.replace(settings, trust=said))
    assert result.provisioning is not None, result.reason
    return result.provisioning.outcome, result.provisioning.detail


@pytest.mark.parametrize("place", ["leaf/cps/cps1", "ca/cps/sub2"])
async def test_a_provisioning_service_that_is_revoked(tree: Store, tmp_path: Path, place: str) -> None:
    outcome, detail = await delivered(tree, tmp_path / "wallet", crls=lists(tree, place))
    assert (outcome, "revoked" in detail) == ("provider", True)
    assert not (tmp_path / "wallet").exists()


async def test_a_provisioning_service_that_is_known_to_be_good(tree: Store, tmp_path: Path) -> None:
    outcome, _ = await delivered(tree, tmp_path / "wallet", revocation="hard", crls=lists(tree))
    assert outcome == "stored"


async def test_its_responder_is_waited_for(tree: Store, site: Site, tmp_path: Path) -> None:
    for branch, standing in (("cpo", GOOD), ("cps", REVOKED), ("mo", GOOD)):
        site.answers[f"/ocsp/{branch}-sub2"] = responder(issuer(tree, f"ca/{branch}/sub2"), standing)
    outcome, detail = await delivered(tree, tmp_path / "wallet", fetch=["127.0.0.1"], checked="leaf")
    assert (outcome, "revoked" in detail) == ("provider", True)
