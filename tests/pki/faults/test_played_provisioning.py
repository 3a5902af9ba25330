"""Every provisioning certificate of the catalogue of -2, with which a car asks our station for a contract.

The station checks what the request itself proves and hands it to the provisioning service of the operator, which has
the issuers of the certificate and trusts what the variant says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pki.cache import Cache
from pki.credentials import Credential
from pki.operator import Operator
from pki.provisioning import ProvisioningService
from pki.revocation import Checked, Mode, Revocation
from pki.store import Store
from tests.pki.faults.cases import PLAYED, Case, Trees, cases
from tests.provisioning import installation, opened, signed
from tests.secc.bench import bench
from tests.secc.bench_car import framed
from tests.secc.test_provisioning import BOTH, select, serving
from v2g.messages import iso2
from v2g.protocols import schema
from v2g.trust import Role


class KnowsOther(Operator):
    """An operator who has the Sub-CAs and roots of a variant."""

    subs: Sequence[bytes] = ()

    def completed(self, leaf: bytes) -> list[bytes]:
        return [leaf, *self.subs]


def operator(tree: Path, case: Case) -> Operator:
    asked = case.trust
    revocation = None
    if asked:
        sources = [Path(asked["evidence"])] if "evidence" in asked else []
        revocation = Revocation(Mode(asked["revocation"]), Cache(sources), checked=Checked(asked["checked"]))
    found = KnowsOther(Store(tree), revocation=revocation)
    found.subs, found.anchors = case.chain[1:], case.anchors
    return found


@pytest.mark.parametrize("case", cases(PLAYED, role=Role.OEM_PROVISIONING), indirect=True)
async def test_the_station_answers_as_expected(case: Case, broken: Trees) -> None:
    service = ProvisioningService(operator(broken["iso2"], case))
    vehicle = Credential(case.chain, case.signing_key)
    body = installation(vehicle)
    async with bench(certificates=broken["iso2"], provisioning=BOTH) as station:
        station.charger.backend = serving(service)
        car = await select(station, 2)
        header = iso2.MessageHeader(SessionID=car.session_id, Signature=signed(body, vehicle.key))
        request = iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=body))
        car.send(framed(schema("iso2").encode(request, strict=False)))
        answer = opened(await car.read_payload()).Body.BodyElement
        assert isinstance(answer, iso2.CertificateInstallationRes)
        assert (type(answer).__name__, answer.ResponseCode) == (case.reaction["message"], case.reaction["code"])
        if not case.accepted:
            await car.close()
            assert (await station.ended("refused"))["response_code"] == case.reaction["code"]
            return
        assert len(answer.ContractSignatureEncryptedPrivateKey.value) == 48
