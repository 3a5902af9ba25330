"""Whom the station asks for OCSP responses: the operator over real brokers, and real responders over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pki import ocsp, revoked
from pki.certificate import read
from pki.credentials import load_anchors, load_credential
from pki.evidence import GOOD, Status
from pki.fetch import Failure, FetchFailed, Reach
from pki.store import Store
from secc.backend_simulator import BackendConfig, BackendSimulator
from secc.config import StapleSettings
from secc.controller import Controller
from secc.staple_sources import NoResponse, from_operators, from_responders, sources
from secc.staples import Staples
from tests.brokers import Peer, RunningBroker, background, eventually
from tests.certificates import make_tree
from tests.pki.site import Site, page, responder, serving
from tests.v2g.tls.stapled import STOLEN, identity, naming, path
from v2g.errors import Silence, V2GError
from v2g.tls.identity import Identity

OURS = identity(path())
LEAF = OURS.chain[0]


# --- responders -------------------------------------------------------------------------------------------------------


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


async def test_the_responder_the_certificate_names_is_asked(site: Site) -> None:
    of = naming(site)
    site.answers["/ocsp"] = responder(of.sub2)
    found = Staples(sources=sources(StapleSettings(fetch=["127.0.0.1"]), []))
    found.keep([identity(of)])
    async with background(found.run()):
        await eventually(lambda: bool(found.of(of.leaf.der)))
    ((method, body, headers),) = site.asked
    assert method == "POST /ocsp"
    assert headers["Content-Type"] == "application/ocsp-request"
    assert ocsp.read_request(body).about.serial == of.leaf.certificate.serial_number
    assert ocsp.read_request(body).nonce is None, "vehicles have not asked for one"


@pytest.mark.parametrize(("hosts", "failure"), [(["elsewhere"], Failure.NOT_ALLOWED), (["127.0.0.1"], Failure.STATUS)])
async def test_a_responder_that_gives_nothing(site: Site, hosts: Sequence[str], failure: Failure) -> None:
    of = naming(site)
    site.answers["/ocsp"] = page(b"", 500)
    ask = from_responders(Reach(hosts=frozenset(hosts)))
    with pytest.raises(FetchFailed) as caught:
        await ask(read(of.leaf.der), read(of.sub2.der))
    assert caught.value.failure is failure


async def test_a_certificate_that_names_no_responder() -> None:
    with pytest.raises(FetchFailed, match="names no responder"):
        await from_responders(Reach(hosts=frozenset({"*"})))(read(LEAF), read(OURS.chain[1]))


# --- the operator -----------------------------------------------------------------------------------------------------


def from_tree(tree: Path) -> Identity:
    folder = tree / "leaf" / "secc" / "evse1"
    credential = load_credential(folder / "chain.pem", folder / "key.pem")
    return Identity.of(credential.chain, credential.key, load_anchors(tree / "trust" / "v2g.pem")[0])


@asynccontextmanager
async def controlled(broker: RunningBroker) -> AsyncIterator[Controller]:
    controller = Controller(broker.settings, "bay-1", version="1", protocols=["iso2"], interface="lo")
    async with background(controller.run()):
        await asyncio.wait_for(controller.ready(), 10)
        yield controller


@asynccontextmanager
async def operator(broker: RunningBroker, tree: Path | None, **manner: Any) -> AsyncIterator[None]:
    """A simulated operator, once he listens."""
    connected = asyncio.Event()
    config = BackendConfig(broker=broker.settings, evse="bay-1", tree=None if tree is None else str(tree), **manner)
    async with background(BackendSimulator(config, connected.set).run()):
        await asyncio.wait_for(connected.wait(), 10)
        yield


async def test_the_operator_answers_for_the_station(broker: RunningBroker, certificates: Path) -> None:
    async with operator(broker, certificates), controlled(broker) as controller:
        ours = from_tree(certificates)
        found = Staples(sources=sources(StapleSettings(operator=True), [controller]))
        found.keep([ours])
        async with background(found.run()):
            await eventually(lambda: bool(found.of(ours.chain[0])))
        said = ocsp.judge(found.of(ours.chain[0]), read(ours.chain[0]), read(ours.chain[1]), datetime.now(UTC))
        assert said.standing.status is Status.GOOD


async def test_the_operator_tells_of_a_revocation(broker: RunningBroker, tmp_path: Path) -> None:
    if broker.kind != "mosquitto-5":
        pytest.skip("what is revoked does not depend on the broker")
    tree = make_tree(tmp_path)
    revoked.revoke(Store(tree), "leaf/secc/evse1", datetime.now(UTC), STOLEN.reason or revoked.REASONS["unspecified"])
    ours = from_tree(tree)
    async with operator(broker, tree), controlled(broker) as controller:
        ask = from_operators([controller], 10.0)
        der = await ask(read(ours.chain[0]), read(ours.chain[1]))
    said = ocsp.judge(der, read(ours.chain[0]), read(ours.chain[1]), datetime.now(UTC))
    assert said.standing.status is Status.REVOKED


@pytest.mark.parametrize(("manner", "error"), [("failed", NoResponse), ("silent", Silence), ("late", Silence)])
async def test_an_operator_who_has_nothing(
    broker: RunningBroker, certificates: Path, manner: str, error: type[V2GError]
) -> None:
    ours = from_tree(certificates)
    async with operator(broker, certificates, ocsp=manner), controlled(broker) as controller:
        with pytest.raises(error):
            await from_operators([controller], 0.3)(read(ours.chain[0]), read(ours.chain[1]))


async def test_an_operator_who_has_no_tree_of_ours(broker: RunningBroker, certificates: Path) -> None:
    async with operator(broker, certificates), controlled(broker) as controller:
        with pytest.raises(NoResponse, match="not in this tree"):
            await from_operators([controller], 10.0)(read(LEAF), read(OURS.chain[1]))


async def test_garbage_of_an_operator_is_not_stapled(broker: RunningBroker, certificates: Path) -> None:
    ours = from_tree(certificates)
    async with operator(broker, None, ocsp="garbage"), controlled(broker) as controller:
        found = Staples(sources=[from_operators([controller], 10.0)], scale=1 / 1_000)
        found.keep([ours])
        told: list[str] = []
        found.tell = lambda kind, _: told.append(kind)
        async with background(found.run()):
            await eventually(lambda: told == ["staple_missing"])
        assert found.of(ours.chain[0]) == b""


async def test_only_what_was_asked_for_is_heard(broker: RunningBroker, peer: Peer) -> None:
    """By a peer of its own: the request names the certificate as OCPP does, other answers are rejected."""
    await peer.listen("secc/#")
    async with controlled(broker) as controller:
        asking = asyncio.ensure_future(from_operators([controller], 10.0)(read(LEAF), read(OURS.chain[1])))
        await eventually(lambda: bool(peer.on("secc/ocsp/request")))
        (request,) = peer.on("secc/ocsp/request")
        certificate = request["certificate"]
        assert int(certificate["serial_number"], 16) == read(LEAF).serial
        assert (certificate["hash_algorithm"], len(certificate["issuer_key_hash"])) == ("SHA256", 64)
        await peer.say("backend/ocsp/response", {"id": "another", "status": "accepted", "response": "MAA="})
        await peer.hears("secc/event", kind="rejected", reason="unknown id", topic="backend/ocsp/response")
        await peer.say("backend/ocsp/response", {"id": request["id"], "status": "accepted", "response": "MAA="})
        assert await asking == b"0\x00"


async def test_one_of_several_operators_is_enough(broker: RunningBroker, certificates: Path) -> None:
    """The EVSE whose broker is away does not keep the other from asking."""
    away = Controller(broker.settings, "bay-2", version="1", protocols=["iso2"], interface="lo")
    ours = from_tree(certificates)
    async with operator(broker, certificates), controlled(broker) as controller:
        der = await from_operators([away, controller], 10.0)(read(ours.chain[0]), read(ours.chain[1]))
    assert ocsp.judge(der, read(ours.chain[0]), read(ours.chain[1]), datetime.now(UTC)).standing == GOOD
