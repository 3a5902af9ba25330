"""The provisioning service of -20: whom it serves, and the code for everybody else."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography.x509.oid import ExtensionOID
from hypothesis import given
from hypothesis import strategies as st

from pki.certificate import read
from pki.contract import iso20
from pki.contract.manner import STANDARD, Deviation, Manner, deviating
from pki.keys import P521, PrivateKey
from pki.operator import Operator
from pki.provisioning_iso20 import ProvisioningService20
from pki.store import Store
from tests.provisioning_iso20 import EMAID, EXI, SESSION, Tree, request, stage
from v2g.errors import Undecodable
from v2g.keywrap.ed448_secret import Ed448Form
from v2g.messages.iso20 import common
from v2g.trust import Role, Rule, Verdict

EXPERIMENT = Manner(form=Ed448Form.SHORT)


@pytest.fixture(scope="module", params=["iso20", "iso20-ed448"])
def tree(request: pytest.FixtureRequest, trees: Path) -> Tree:
    return stage(trees / request.param)


@pytest.fixture(scope="module")
def on_p521(trees: Path) -> Tree:
    return stage(trees / "iso20")


def code(tree: Tree, asked: common.CertificateInstallationReq, at: datetime | None = None) -> str:
    """What a request is answered; the answer travels as EXI."""
    service = ProvisioningService20(tree.operator, EXPERIMENT)
    answer = EXI.decode(service.write(service.respond(service.read(EXI.encode(asked)), at=at)))
    assert isinstance(answer, common.CertificateInstallationRes)
    assert answer.Header.SessionID == SESSION
    return str(answer.ResponseCode)


def test_a_vehicle_gets_its_contract(tree: Tree) -> None:
    service = ProvisioningService20(tree.operator, EXPERIMENT)
    answer = EXI.decode(service.answer(EXI.encode(request(tree.vehicle))))
    assert isinstance(answer, common.CertificateInstallationRes)
    received = iso20.receive(answer, tree.vehicle.recipient, tree.operator.judge, rooted=True)
    assert received.emaid == EMAID
    assert isinstance(received.key, PrivateKey)
    data = answer.SignedInstallationData
    sizes = (
        len(data.DHPublicKey),
        len(data.SECP521_EncryptedPrivateKey or b""),
        len(data.X448_EncryptedPrivateKey or b""),
    )
    assert sizes == ((133, 94, 0) if tree.vehicle.recipient.key is tree.vehicle.key else (56, 0, 84))


def test_what_is_no_experiment_is_refused(trees: Path) -> None:
    tree = stage(trees / "iso20-ed448")
    answer = ProvisioningService20(tree.operator).respond(request(tree.vehicle))
    assert answer.ResponseCode == "WARNING_NoCertificateAvailable"


def test_signatures_that_do_not_hold(tree: Tree) -> None:
    unsigned = msgspec.structs.replace(request(tree.vehicle).Header, Signature=None)
    assert code(tree, request(tree.vehicle, Header=unsigned)) == "FAILED_SignatureError"
    stranger = tree.operator.new_contract(EMAID).key
    assert code(tree, request(tree.vehicle, stranger)) == "FAILED_SignatureError"
    asked = request(tree.vehicle)
    other = msgspec.structs.replace(asked.OEMProvisioningCertificateChain, Id="id2")
    assert code(tree, request(tree.vehicle, OEMProvisioningCertificateChain=other)) == "FAILED_SignatureError"


def test_chains_that_do_not_hold(on_p521: Tree, trees: Path) -> None:
    vehicle = on_p521.vehicle
    for chain in (vehicle.chain[:2], [*vehicle.chain[:1], b"\x30\x00"], on_p521.operator.provider.chain):
        asked = request(replace(vehicle, chain=chain))
        assert code(on_p521, asked) == "WARNING_CertificateValidationError"
    foreign = stage(trees / "iso20-ed448").vehicle
    assert code(on_p521, request(foreign)) == "WARNING_CertificateValidationError"


@pytest.mark.parametrize(
    ("days", "wanted"),
    [(-400, "WARNING_CertificateNotYetValid"), (1, "OK"), (20_000, "WARNING_CertificateExpired")],
)
def test_times_that_are_not_those_of_the_certificate(on_p521: Tree, days: int, wanted: str) -> None:
    at = datetime.now(UTC) + timedelta(days=days)
    assert code(on_p521, request(on_p521.vehicle), at) == wanted


def test_a_revoked_vehicle(on_p521: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    revoked = Verdict(role=Role.OEM_PROVISIONING, broken=Rule.REVOKED, tier="leaf")
    monkeypatch.setattr(on_p521.operator, "judge", lambda *_: revoked)
    assert code(on_p521, request(on_p521.vehicle)) == "WARNING_CertificateRevoked"
    monkeypatch.setattr(on_p521.operator, "judge", lambda *_: replace(revoked, tier="sub2"))
    assert code(on_p521, request(on_p521.vehicle)) == "WARNING_CertificateValidationError"


def test_a_vehicle_without_a_contract(on_p521: Tree, tmp_path: Path) -> None:
    copy = tmp_path / "iso20"
    shutil.copytree(on_p521.store.folder, copy)
    (copy / "leaf/contract/car1").rename(copy / "leaf/contract/car2")
    tree = replace(on_p521, operator=Operator(Store(copy)))
    assert code(tree, request(on_p521.vehicle)) == "WARNING_NoContractMatchingPCIDFound"


def test_deviations(on_p521: Tree) -> None:
    service = ProvisioningService20(on_p521.operator)
    unsigned = service.respond(request(on_p521.vehicle), deviating(["unsigned"]))
    assert unsigned.Header.Signature is None
    for each in (Deviation.THREE_REFERENCES, Deviation.OTHER_EMAID):
        with pytest.raises(ValueError, match="one reference and no eMAID"):
            service.respond(request(on_p521.vehicle), deviating([each], STANDARD))


def test_a_tree_of_the_first_generation(pristine: Path) -> None:
    with pytest.raises(ValueError, match="of iso2, whose keys -20 does not deliver"):
        ProvisioningService20(Operator(Store(pristine)))


def test_what_is_no_request(on_p521: Tree) -> None:
    service = ProvisioningService20(on_p521.operator)
    answer = service.answer(EXI.encode(request(on_p521.vehicle)))
    with pytest.raises(Undecodable, match="CertificateInstallationRes is no certificate request"):
        service.answer(answer)
    with pytest.raises(Undecodable, match="30000 bytes"):
        service.answer(bytes(30_000))


@given(st.binary(max_size=200))
def test_garbage_is_undecodable_and_nothing_else(on_p521: Tree, data: bytes) -> None:
    with pytest.raises(Undecodable):
        ProvisioningService20(on_p521.operator).answer(data)


def test_contracts_say_where_their_status_is_told(on_p521: Tree) -> None:
    """As those of the tree do; -20 demands one of both [V2G20-2590]."""
    made = read(on_p521.operator.new_contract(EMAID).chain[0])
    kept = read(on_p521.store.load("leaf/contract/car1").der)
    assert ExtensionOID.AUTHORITY_INFORMATION_ACCESS in made.extensions
    for oid in (ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS):
        ours, theirs = (each.parsed.extensions.get_extension_for_oid(oid).value for each in (made, kept))
        assert ours == theirs
    assert P521.fits(made.key)
    assert len(made.key_id or b"") == 8
