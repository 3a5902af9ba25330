"""A car gets its contract from an operator behind the broker, and what happens when he does not answer as he should."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.brokers import eventually
from tests.e2e.bay import Bay
from tests.e2e.conftest import opened
from v2g.messages import iso2
from v2g.protocols import schema

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECC = """
[provisioning]
install = true
update = true
[authorization]
contract = "backend"
"""
EMAID = "DEPCGC00000001V"
ASKED, ANSWERED = "secc/certificate/request", "backend/certificate/response"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bay(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> AsyncIterator[Bay]:
    async with opened("mosquitto-5", "ac", tmp_path_factory.mktemp("provisioned"), certificates, SECC) as bay:
        yield bay


@pytest.fixture
def car(certificates: Path, tmp_path: Path) -> Any:
    """Further lines of evcc.toml: a car that asks for a contract in a manner, and keeps it in a wallet of its own."""

    def lines(when: str) -> str:
        leaf, root = certificates / "leaf" / "oem-provisioning" / "car1", certificates / "trust" / "mo.pem"
        files = {"chain": leaf / "chain.pem", "key": leaf / "key.pem", "wallet": tmp_path / "wallet"}
        named = [f"{key} = {json.dumps(str(file))}" for key, file in files.items()]
        more = [f'when = "{when}"', "renew_within_days = 10000", f"roots = [{json.dumps(str(root))}]"]
        return "\n".join(["", "[provisioning]", *named, *more, ""])

    return lines


def message(exi: str) -> iso2.V2G_Message:
    read = schema("iso2").decode(base64.b64decode(exi))
    assert isinstance(read, iso2.V2G_Message)
    return read


@pytest.mark.parametrize(("when", "action"), [("always", "install"), ("expiring", "update")])
async def test_a_car_gets_a_contract_and_charges_with_it(bay: Bay, car: Any, when: str, action: str) -> None:
    await bay.operate()
    mark = bay.mark
    await bay.plug(energy_wh=1.0, more=car(when))
    result = await bay.left()
    assert result["ok"], result["reason"]
    told = result["provisioning"]
    assert (told["action"], told["outcome"], told["emaid"], result["emaid"]) == (action, "stored", EMAID, EMAID)
    assert told["file"].endswith(f"/wallet/{EMAID}.pem")
    (asked,), (answered,) = bay.peer.since(mark, ASKED), bay.peer.since(mark, ANSWERED)
    assert (asked["action"], asked["session"], asked["id"]) == (action, result["session_id"], answered["id"])
    assert asked["namespace"] == "urn:iso:15118:2:2013:MsgDef"
    for exi in (asked["exi"], answered["exi"]):
        assert message(exi).Header.SessionID.hex().upper() == result["session_id"]
    assert [event["reason"] for event in bay.peer.events(mark, "certificate_delivered")] == [action]
    (contract,) = bay.peer.since(mark, "secc/authorization/request")
    assert contract["emaid"] == EMAID
    await bay.safe()


MANNERS = {
    "late": "did not answer in time",
    "silent": "did not answer in time",
    "failed": "no answer",
    "garbage": "",
    "other-session": "another session id",
}


@pytest.mark.parametrize("manner", MANNERS)
async def test_an_operator_who_does_not_answer_as_he_should(bay: Bay, car: Any, manner: str) -> None:
    await bay.operate("--certificates", manner)
    mark = bay.mark
    await bay.plug(energy_wh=1.0, more=car("always"))
    result = await bay.left()
    assert (result["ok"], result["ended_by"]) == (False, "station")
    told = result["provisioning"]
    assert (told["outcome"], told["detail"]) == ("refused", "FAILED: answer to CertificateInstallationReq")
    await bay.heard(mark, "secc/session", stage="idle")
    (why,) = bay.peer.events(mark, "certificate_refused")
    assert MANNERS[manner] in why["reason"]
    took_ms = next(each["took_ms"] for each in result["exchanges"] if each["request"] == "CertificateInstallationReq")
    if manner in ("late", "silent"):
        assert 4_000 < took_ms < 5_000
    if manner == "late":
        await eventually(lambda: bool(bay.peer.events(mark, "rejected")), "the late answer is refused", 10.0)
        assert "unknown id" in bay.peer.events(mark, "rejected")[0]["reason"]
    await bay.safe()


async def test_an_operator_who_rejects_the_new_contract(bay: Bay, car: Any) -> None:
    await bay.operate("--authorization", "reject")
    await bay.plug(energy_wh=1.0, more=car("always"))
    result = await bay.left()
    assert (result["ok"], result["provisioning"]["outcome"]) == (False, "stored")
    assert "FAILED" in result["reason"]
    await bay.safe()
