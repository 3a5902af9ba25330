"""Contracts that are revoked, or may be: what the station answers, and that no answer waits for a responder."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from pki import cache, crl
from pki.credentials import Credential
from pki.evidence import GOOD, UNKNOWN
from secc import api
from tests.certificates import Holder, by_hand
from tests.pki.chains import Made
from tests.pki.chains import Path as Chain
from tests.pki.signers import signs
from tests.pki.site import REVOKED, Site, named, page, responder, serving, silent, slow
from tests.provisioning import renewal
from tests.secc.bench import Bench, bench
from tests.secc.bench_car import Car
from tests.secc.bench_requests import AC, details, prove, walk, with_contract
from tests.secc.test_provisioning import code as code_of
from tests.secc.test_provisioning import request, select
from v2g.messages import iso2

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def list_of(issuer: Made, *revoked: Made) -> bytes:
    entries = [crl.Listed(serial=each.certificate.serial_number, at=NOW - DAY) for each in revoked]
    return crl.build(signs(issuer), entries, number=1, this_update=NOW, next_update=NOW + DAY)


class Scene:
    """A contract made by hand, and stations that know its root."""

    def __init__(self, certificates: Path, folder: Path, site: Site | None = None) -> None:
        extensions = () if site is None else named(site, lists=False)
        self.certificates, self.folder, self.site = certificates, folder, site
        self.contract: Holder
        self.path: Chain
        self.contract, self.path = by_hand(leaf={"extensions": extensions})

    def lists(self, *revoked: Made) -> list[str]:
        """Write the lists of all CAs; return their names."""
        names = []
        for tier in ("root", "sub1", "sub2"):
            file = self.folder / f"{tier}.crl"
            file.write_bytes(list_of(getattr(self.path, tier), *revoked))
            names.append(str(file))
        return names

    def station(self, **trust: Any) -> AbstractAsyncContextManager[Bench]:
        if self.site is not None:
            trust = {"fetch": [f"127.0.0.1:{self.site.port}"], "checked": "leaf"} | trust
        return bench("AC", certificates=self.certificates, anchors=self.path.anchors, trust=trust)

    async def present(self, station: Bench) -> tuple[Car, str]:
        car = await station.car_at(with_contract(AC, self.contract), "Contract", tls=True)
        body = await car.ask(details(self.contract))
        assert isinstance(body, iso2.PaymentDetailsRes)
        return car, body.ResponseCode

    async def authorize(self, station: Bench) -> tuple[Car, iso2.AuthorizationRes]:
        """Go to the answer to the first AuthorizationReq, which the contract signs."""
        car = await station.car_at(with_contract(AC, self.contract), "Authorization", tls=True)
        body = await prove(car, self.contract)
        assert isinstance(body, iso2.AuthorizationRes)
        return car, body


@pytest.fixture
def scene(certificates: Path, tmp_path: Path) -> Scene:
    return Scene(certificates, tmp_path)


@pytest.fixture
def online(certificates: Path, tmp_path: Path, site: Site) -> Scene:
    return Scene(certificates, tmp_path, site)


async def refused(station: Bench, car: Car, code: str) -> None:
    assert car.answers[-1].code == code
    station.assert_open_before_answer()
    assert not any(limits.authorised for limits in station.charger.limits_told)
    await car.close()
    assert (await station.ended("refused"))["response_code"] == code
    await station.serves_next()


# --- what files tell --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["soft", "hard"])
@pytest.mark.parametrize("tier", ["leaf", "sub2", "sub1"])
async def test_a_contract_that_is_revoked(scene: Scene, mode: str, tier: str) -> None:
    lists = scene.lists(getattr(scene.path, tier))
    async with scene.station(revocation=mode, crls=lists) as station:
        car, _ = await scene.present(station)
        await refused(station, car, "FAILED_CertificateRevoked")


async def test_nobody_asks_where_revocation_is_off(scene: Scene) -> None:
    async with scene.station(revocation="off") as station:
        assert (await scene.present(station))[1] == "OK"


@pytest.mark.parametrize(("mode", "code"), [("soft", "OK"), ("hard", "FAILED_CertificateNotAllowedAtThisEVSE")])
async def test_a_contract_of_which_nothing_is_known(scene: Scene, mode: str, code: str) -> None:
    async with scene.station(revocation=mode) as station:
        car, answer = await scene.present(station)
        assert answer == code
        if mode == "hard":
            await refused(station, car, code)


async def test_a_contract_that_is_known_to_be_good(scene: Scene) -> None:
    async with scene.station(revocation="hard", crls=scene.lists()) as station:
        await walk(await station.car(tls=True), station.charger, with_contract(AC, scene.contract))
        await station.ended("session_ended")


async def test_what_is_put_into_the_folder_counts_from_then_on(scene: Scene, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    async with scene.station(evidence=str(folder)) as station:
        await accepted(scene, station)
        (folder / "mo.crl").write_bytes(list_of(scene.path.sub2, scene.path.leaf))
        end = time.monotonic() + 20
        while (presented := await scene.present(station))[1] == "OK":
            assert time.monotonic() < end, "the list was never read"
            await gone(station, presented[0])
        await refused(station, presented[0], "FAILED_CertificateRevoked")


async def test_no_session_waits_for_a_long_list(scene: Scene, tmp_path: Path) -> None:
    """While it is read, what was known before counts; the loop on which others charge goes on."""
    folder, reading, released = tmp_path / "evidence", threading.Event(), threading.Event()
    folder.mkdir()
    threads = set[threading.Thread]()

    def slow(path: Path) -> cache.Piece | None:
        threads.add(threading.current_thread())
        reading.set()
        assert released.wait(20)
        return load(path)

    load = cache._load
    async with scene.station(evidence=str(folder)) as station:
        with patch.object(cache, "_load", slow):
            (folder / "mo.crl").write_bytes(list_of(scene.path.sub2, scene.path.leaf))
            assert await asyncio.to_thread(reading.wait, 20)
            await accepted(scene, station)
            released.set()
            assert threading.current_thread() not in threads


async def accepted(scene: Scene, station: Bench) -> None:
    car, answer = await scene.present(station)
    assert answer == "OK"
    await gone(station, car)


async def gone(station: Bench, car: Car) -> None:
    await car.close()
    await station.ended("gone")
    station.charger.orders.clear()


async def test_a_revoked_contract_is_not_renewed(scene: Scene) -> None:
    lists = scene.lists(scene.path.leaf)
    old = Credential(list(scene.contract.chain), scene.contract.key)
    trust = {"crls": lists}
    async with bench(
        certificates=scene.certificates, anchors=scene.path.anchors, trust=trust, provisioning={"update": True}
    ) as station:
        car = await select(station, 2)
        payload = await request(car, renewal(old, scene.contract.emaid), scene.contract.key)
        assert code_of(payload) == "FAILED_CertificateRevoked"
        await station.ended("refused")


# --- what responders tell ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_the_operator_decides_on_a_renewal_that_no_responder_spoke_of_yet(
    online: Scene, site: Site, mode: str
) -> None:
    site.answers["/ocsp"] = silent(site)
    old = Credential(list(online.contract.chain), online.contract.key)
    trust = {"fetch": [f"127.0.0.1:{site.port}"], "checked": "leaf", "revocation": mode}
    async with bench(
        certificates=online.certificates, anchors=online.path.anchors, trust=trust, provisioning={"update": True}
    ) as station:
        station.charger.backend = lambda asked: api.BackendCertificate(id=asked.id, status="failed")
        car = await select(station, 2)
        assert code_of(await request(car, renewal(old, online.contract.emaid), online.contract.key)) == "FAILED"
        assert len(station.charger.certificates) == 1


async def test_a_renewal_that_nobody_can_speak_of_fails_where_the_mode_is_hard(scene: Scene) -> None:
    old = Credential(list(scene.contract.chain), scene.contract.key)
    async with bench(
        certificates=scene.certificates,
        anchors=scene.path.anchors,
        trust={"revocation": "hard"},
        provisioning={"update": True},
    ) as station:
        car = await select(station, 2)
        payload = await request(car, renewal(old, scene.contract.emaid), scene.contract.key)
        assert code_of(payload) == "FAILED_NoCertificateAvailable"
        assert station.charger.certificates == []


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_the_car_is_answered_at_once_and_waits_for_the_responder(online: Scene, site: Site, mode: str) -> None:
    site.answers["/ocsp"] = slow(site, responder(online.path.sub2, GOOD))
    async with online.station(revocation=mode) as station:
        began = time.monotonic()
        car, body = await online.authorize(station)
        assert time.monotonic() - began < 2
        assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing")
        body = await car.ask(iso2.AuthorizationReq())
        assert body.EVSEProcessing == "Ongoing"
        assert not any(limits.authorised for limits in station.charger.limits_told)
        site.released.set()
        await ask_until(car, lambda body: body.EVSEProcessing == "Finished")
        assert car.answers[-1].code == "OK"
        assert len(site.asked) == 1


@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_a_contract_that_turns_out_to_be_revoked(online: Scene, site: Site, mode: str) -> None:
    site.answers["/ocsp"] = slow(site, responder(online.path.sub2, REVOKED))
    async with online.station(revocation=mode) as station:
        car, body = await online.authorize(station)
        assert body.EVSEProcessing == "Ongoing"
        site.released.set()
        await ask_until(car, lambda body: body.ResponseCode != "OK")
        assert car.answers[-1].name == "AuthorizationRes"
        await refused(station, car, "FAILED_CertificateRevoked")
        _, answer = await online.present(station)
        assert answer == "FAILED_CertificateRevoked"
        assert len(site.asked) == 1


ANSWERS: dict[str, Callable[[Scene, Site], Any]] = {
    "nothing": lambda _, site: silent(site),
    "an error": lambda _, __: page(b"", 500),
    "unknown": lambda scene, _: responder(scene.path.sub2, UNKNOWN),
    "yesterday's answer": lambda scene, _: responder(scene.path.sub2, GOOD, shift=-2 * DAY),
    "no nonce": lambda scene, _: responder(scene.path.sub2, GOOD, echo=False),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("mode", ["soft", "hard"])
async def test_a_responder_that_is_of_no_help(online: Scene, site: Site, mode: str, answer: str) -> None:
    site.answers["/ocsp"] = ANSWERS[answer](online, site)
    async with online.station(revocation=mode, fetch_s=0.2) as station:
        car, body = await online.authorize(station)
        while (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing"):
            body = await car.ask(iso2.AuthorizationReq())
        if mode == "soft":
            assert (body.ResponseCode, body.EVSEProcessing) == ("OK", "Finished")
        else:
            await refused(station, car, "FAILED")


async def test_who_is_not_among_the_hosts_is_not_asked(online: Scene, site: Site) -> None:
    async with online.station(fetch=["127.0.0.1:1", "elsewhere.test"]) as station:
        _, answer = await online.present(station)
        assert answer == "OK"
        assert site.asked == []


async def test_the_wait_is_bounded_by_the_time_the_car_gives(online: Scene, site: Site) -> None:
    """The responder may take longer than the vehicle: what is known at the end of its time decides."""
    site.answers["/ocsp"] = silent(site)
    for mode, code in (("soft", "OK"), ("hard", "FAILED")):
        trust = {"fetch": [f"127.0.0.1:{site.port}"], "checked": "leaf", "revocation": mode, "fetch_s": 20.0}
        async with bench(
            "AC", certificates=online.certificates, anchors=online.path.anchors, scale=0.02, trust=trust
        ) as station:
            car, body = await online.authorize(station)
            while (body.ResponseCode, body.EVSEProcessing) == ("OK", "Ongoing"):
                body = await car.ask(iso2.AuthorizationReq())
            assert body.ResponseCode == code
            await car.close()


async def ask_until(car: Car, holds: Callable[[iso2.AuthorizationRes], bool], within_s: float = 10) -> None:
    end = time.monotonic() + within_s
    while not holds(await car.ask(iso2.AuthorizationReq())):
        assert time.monotonic() < end
