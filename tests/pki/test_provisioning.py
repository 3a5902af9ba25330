"""The provisioning service: whom it serves, and the code for everybody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from pki.contract.iso2 import receive
from pki.credentials import Credential, load_anchors
from pki.issue import issue
from pki.keys import PrivateKey
from pki.provisioning import ProvisioningService, Request
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from pki.validate import validate
from tests.certificates import by_hand, car1
from tests.provisioning import (
    EMAID,
    ROOTS,
    SESSION,
    installation,
    leaf,
    message,
    opened,
    renewal,
    signed,
)
from v2g.errors import Undecodable
from v2g.messages import iso2
from v2g.trust import Role, Rule, Verdict


@pytest.fixture(scope="module")
def service(pristine: Path) -> ProvisioningService:
    return ProvisioningService(Store(pristine))


@pytest.fixture(scope="module")
def vehicle(pristine: Path) -> Credential:
    return leaf(pristine, "oem-provisioning", "car1")


def code(service: ProvisioningService, body: Request, key: PrivateKey | None) -> str:
    """What a request is answered, signed with a key or not at all."""
    answer = opened(service.answer(message(body, None if key is None else signed(body, key))))
    assert answer.Header.SessionID == SESSION
    assert isinstance(answer.Body.BodyElement, body.Response)
    return str(answer.Body.BodyElement.ResponseCode)


def test_a_vehicle_gets_its_contract(service: ProvisioningService, vehicle: Credential, pristine: Path) -> None:
    request = installation(vehicle)
    answer = opened(service.answer(message(request, signed(request, vehicle.key))))
    anchors = [der for kind in ("v2g", "mo") for der in load_anchors(pristine / "trust" / f"{kind}.pem")]
    response = answer.Body.BodyElement
    assert isinstance(response, iso2.CertificateInstallationRes)
    received = receive(
        response, answer.Header.Signature, vehicle.key, lambda chain, role: validate(chain, role, anchors), rooted=True
    )
    assert received.emaid == EMAID


def test_a_contract_is_renewed_for_its_own_key(service: ProvisioningService, pristine: Path) -> None:
    old = car1(pristine)
    request = renewal(Credential(list(old.chain), old.key))
    answer = opened(service.answer(message(request, signed(request, old.key))))
    response = answer.Body.BodyElement
    assert isinstance(response, iso2.CertificateUpdateRes)
    assert response.RetryCounter is not None
    anchors = load_anchors(pristine / "trust" / "v2g.pem")
    received = receive(response, answer.Header.Signature, old.key, lambda chain, role: validate(chain, role, anchors))
    assert received.emaid == EMAID
    assert received.key.public_key() != old.key.public_key()


def test_installations_refused(service: ProvisioningService, vehicle: Credential, pristine: Path) -> None:
    request = installation(vehicle)
    assert code(service, request, None) == "FAILED_SignatureError"
    assert code(service, request, ec.generate_private_key(ec.SECP256R1())) == "FAILED_SignatureError"
    other = leaf(pristine, "secc", "evse1")
    assert code(service, installation(other), other.key) == "FAILED_NoCertificateAvailable"
    garbage = iso2.CertificateInstallationReq(Id="i", OEMProvisioningCert=b"\x30\x00", ListOfRootCertificateIDs=ROOTS)
    assert code(service, garbage, vehicle.key) == "FAILED_NoCertificateAvailable"


def test_a_changed_body_is_no_signed_body(service: ProvisioningService, vehicle: Credential) -> None:
    request = installation(vehicle)
    signature = signed(request, vehicle.key)
    names = [*ROOTS.RootCertificateID, *ROOTS.RootCertificateID]
    altered = iso2.CertificateInstallationReq(
        Id=request.Id,
        OEMProvisioningCert=request.OEMProvisioningCert,
        ListOfRootCertificateIDs=iso2.ListOfRootCertificateIDs(RootCertificateID=names),
    )
    answer = opened(service.answer(message(altered, signature))).Body.BodyElement
    assert isinstance(answer, iso2.CertificateInstallationRes)
    assert answer.ResponseCode == "FAILED_SignatureError"


def test_an_expired_vehicle_and_an_unknown_one(folder: Path) -> None:
    """The tree issues them: one of a day, long ago, and one that nobody has a contract for."""
    tree = read()["iso2"]
    store = Store(folder)
    then = datetime.now(UTC) - timedelta(days=1_500)
    (entry,) = [each for each in tree.entries() if each.place == "leaf/oem-provisioning/car1"]
    old = issue(entry, store.load("ca/oem/sub2"), then)
    service = ProvisioningService(store)
    assert code(service, installation(Credential([old.der], old.key)), old.key) == "FAILED_CertificateExpired"
    (folder / "leaf" / "contract" / "car1").rename(folder / "leaf" / "contract" / "car2")
    unknown, vehicle = ProvisioningService(store), leaf(folder, "oem-provisioning", "car1")
    assert code(unknown, installation(vehicle), vehicle.key) == "FAILED_NoCertificateAvailable"


def test_a_revoked_vehicle(service: ProvisioningService, vehicle: Credential, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own certificate it is told; of a Sub-CA's it hears no more than that it gets nothing."""
    revoked = Verdict(role=Role.OEM_PROVISIONING, broken=Rule.REVOKED, tier="leaf")
    monkeypatch.setattr(service.operator, "judge", lambda *_: revoked)
    assert code(service, installation(vehicle), vehicle.key) == "FAILED_CertificateRevoked"
    monkeypatch.setattr(service.operator, "judge", lambda *_: replace(revoked, tier="sub2"))
    assert code(service, installation(vehicle), vehicle.key) == "FAILED_NoCertificateAvailable"


def test_updates_refused(service: ProvisioningService, pristine: Path) -> None:
    old = Credential(list(car1(pristine).chain), car1(pristine).key)
    assert code(service, renewal(old), None) == "FAILED_SignatureError"
    assert code(service, renewal(old), ec.generate_private_key(ec.SECP256R1())) == "FAILED_SignatureError"
    assert code(service, renewal(old, "DEPCGC00000002X"), old.key) == "FAILED_NoCertificateAvailable"
    leaf_, sub2, sub1 = old.chain
    swapped = Credential([leaf_, sub1, sub2], old.key)
    assert code(service, renewal(swapped), old.key) == "FAILED_CertChainError"
    foreign, _ = by_hand()
    assert code(service, renewal(Credential(list(foreign.chain), foreign.key), foreign.emaid), foreign.key) == (
        "FAILED_CertChainError"
    )


def test_a_contract_that_nobody_knows(folder: Path) -> None:
    old = Credential(list(car1(folder).chain), car1(folder).key)
    (folder / "leaf" / "oem-provisioning" / "car1").rename(folder / "leaf" / "oem-provisioning" / "other")
    service = ProvisioningService(Store(folder))
    assert code(service, renewal(old), old.key) == "FAILED_ContractCanceled"


def test_what_is_no_request(service: ProvisioningService, vehicle: Credential) -> None:
    for body in (iso2.AuthorizationReq(), iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.OK)):
        with pytest.raises(Undecodable):
            service.answer(message(body))
    with pytest.raises(Undecodable, match="20000 bytes"):
        service.answer(bytes(20_000))


@given(st.binary(max_size=200))
def test_garbage_is_undecodable_and_nothing_else(service: ProvisioningService, data: bytes) -> None:
    with pytest.raises(Undecodable):
        service.answer(data)


def test_a_folder_that_is_no_tree(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ValueError, match=r"has no ca/mo/sub2; `plugcharge pki init`"):
            ProvisioningService(Store(folder))


def test_a_tree_without_a_provider(tmp_path: Path) -> None:
    tree = Store(tmp_path / "iso2")
    bring_up_to_date(read()["iso2"], tree)
    (tree.folder / "leaf" / "cps").rename(tmp_path / "cps")
    with pytest.raises(ValueError, match="has no cps leaf; declare one"):
        ProvisioningService(tree)
