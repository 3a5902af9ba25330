from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.x509.ocsp import OCSPCertStatus, load_der_ocsp_response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pki.contract.iso2 import receive
from pki.contract.iso20 import receive as receive_iso20
from pki.credentials import Credential, load_anchors, load_chain
from pki.ocsp import ask
from pki.profiles import Edition
from pki.validate import Policy, validate
from tests.pki.serve.serving import Served
from tests.provisioning import EMAID, installation, leaf, message, opened, renewal, signed
from tests.provisioning_iso20 import EXI, request, stage
from v2g.messages import iso2
from v2g.messages.iso20 import common
from v2g.trust import Role, Rule

AGAIN = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def anchors(served: Served, tree: str) -> list[bytes]:
    return [der for file in (served.out / tree / "trust").glob("*.pem") for der in load_anchors(file)]


def installed(served: Served, **headers: str) -> iso2.V2G_Message:
    vehicle = leaf(served.out / "iso2", "oem-provisioning", "car1")
    body = installation(vehicle)
    answer = served.client.post("/iso2/contract", content=message(body, signed(body, vehicle.key)), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/exi"
    return opened(answer.content)


def code(served: Served, **headers: str) -> str:
    response = installed(served, **headers).Body.BodyElement
    assert isinstance(response, iso2.CertificateInstallationRes)
    return str(response.ResponseCode)


def status(served: Served, der: bytes, tree: str = "iso2") -> OCSPCertStatus:
    certificate = x509.load_der_x509_certificate(der)
    answer = served.client.post(f"/{tree}/ocsp", content=ask(certificate, served.certificate("ca/mo/sub2", tree)))
    return load_der_ocsp_response(answer.content).certificate_status


def test_a_contract_is_installed_then_renewed_then_revoked(served: Served) -> None:
    trusted = anchors(served, "iso2")
    vehicle = leaf(served.out / "iso2", "oem-provisioning", "car1")
    response = installed(served)
    assert isinstance(response.Body.BodyElement, iso2.CertificateInstallationRes)
    got = receive(
        response.Body.BodyElement,
        response.Header.Signature,
        vehicle.key,
        lambda chain, role: validate(chain, role, trusted),
        rooted=True,
    )
    assert got.emaid == EMAID
    assert status(served, got.chain[0]) is OCSPCertStatus.GOOD
    old = Credential(list(got.chain), got.key)
    body = renewal(old)
    renew = message(body, signed(body, got.key))
    answer = opened(served.client.post("/iso2/contract", content=renew).content).Body.BodyElement
    assert isinstance(answer, iso2.CertificateUpdateRes)
    assert answer.ResponseCode == "OK"
    serial = x509.load_der_x509_certificate(got.chain[0]).serial_number
    assert served.client.put(f"/admin/revocations/iso2/{serial:#x}", json={}).status_code == 200
    assert status(served, got.chain[0]) is OCSPCertStatus.REVOKED
    refused = opened(served.client.post("/iso2/contract", content=renew).content).Body.BodyElement
    assert isinstance(refused, iso2.CertificateUpdateRes)
    assert refused.ResponseCode == "FAILED_CertificateRevoked"


def test_a_contract_of_the_second_generation(served: Served) -> None:
    tree = stage(served.out / "iso20")
    trusted = anchors(served, "iso20")
    answer = served.client.post("/iso20/contract", content=EXI.encode(request(tree.vehicle)))
    assert answer.status_code == 200
    response = EXI.decode(answer.content)
    assert isinstance(response, common.CertificateInstallationRes)
    policy = Policy(editions=(Edition.ISO20,))
    got = receive_iso20(
        response, tree.vehicle.recipient, lambda chain, role: validate(chain, role, trusted, None, policy), rooted=True
    )
    assert got.emaid == EMAID
    assert status(served, got.chain[0], "iso20") is OCSPCertStatus.GOOD


def test_on_ed448_no_contract_is_delivered(served: Served) -> None:
    """What its key looks like in a delivery is settled nowhere."""
    vehicle = stage(served.out / "iso20-ed448").vehicle
    answer = EXI.decode(served.client.post("/iso20-ed448/contract", content=EXI.encode(request(vehicle))).content)
    assert isinstance(answer, common.CertificateInstallationRes)
    assert answer.ResponseCode == "WARNING_NoCertificateAvailable"


def test_the_clock_of_a_request(served: Served) -> None:
    assert code(served) == "OK"
    assert code(served, **{"X-Plugcharge-Time": "2020-01-01T00:00:00Z"}) == "FAILED_CertificateExpired"


def test_a_revoked_vehicle(served: Served) -> None:
    serial = served.certificate("leaf/oem-provisioning/car1").serial_number
    path = f"/admin/revocations/iso2/{serial}"
    assert served.client.put(path, json={"reason": "certificateHold"}).status_code == 200
    assert code(served) == "FAILED_CertificateRevoked"
    contracts = served.server.trees["iso2"].contracts
    assert contracts is not None
    operator = contracts._service.operator
    chain = load_chain(served.out / "iso2/leaf/oem-provisioning/car1/chain.pem")
    assert operator.judge(chain, Role.OEM_PROVISIONING).broken is Rule.REVOKED, "whom nobody told a time judges by now"
    assert served.client.delete(path).status_code == 200
    assert operator.judge(chain, Role.OEM_PROVISIONING)
    assert code(served) == "OK"


@AGAIN
@given(st.binary(max_size=300))
def test_garbage_is_told_as_such(served: Served, body: bytes) -> None:
    for tree in ("iso2", "iso20"):
        assert served.client.post(f"/{tree}/contract", content=body).status_code == 400


def test_another_message(served: Served) -> None:
    answer = served.client.post("/iso2/contract", content=message(iso2.AuthorizationReq()))
    assert answer.status_code == 400
    assert "AuthorizationReq is no certificate request" in answer.text
    assert served.client.post("/iso2/contract", content=bytes(100_000)).status_code == 413


@pytest.mark.parametrize("tree", ["iso2", "iso20"])
def test_every_bit_turned_is_refused_or_answered(served: Served, tree: str) -> None:
    if tree == "iso2":
        vehicle = leaf(served.out / "iso2", "oem-provisioning", "car1")
        body = installation(vehicle)
        exi = message(body, signed(body, vehicle.key))
    else:
        exi = EXI.encode(request(stage(served.out / "iso20").vehicle))
    for place in range(0, len(exi), 97):
        changed = bytearray(exi)
        changed[place] ^= 0x10
        assert served.client.post(f"/{tree}/contract", content=bytes(changed)).status_code in (200, 400)
