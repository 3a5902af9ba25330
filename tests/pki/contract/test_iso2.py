"""A contract delivered: taken when all of it is right, and never else."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from pki.contract.chain import chain_of, common_name
from pki.contract.checks import NotAccepted
from pki.contract.iso2 import Delivery, deliver, receive
from pki.credentials import Credential, load_anchors
from pki.provisioning import ProvisioningService
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from pki.validate import validate
from tests.certificates import TODAY, by_hand
from tests.provisioning import ATTACKS, EMAID, EXI, Stage, changes, leaf, message
from v2g.errors import Undecodable
from v2g.messages import iso2
from v2g.trust import Role, Verdict, Verify


@pytest.fixture(scope="module")
def stage(pristine: Path, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    foreign = Store(tmp_path_factory.mktemp("foreign") / "iso2")
    bring_up_to_date(read()["iso2"], foreign)
    vehicle = leaf(pristine, "oem-provisioning", "car1")
    station = leaf(pristine, "secc", "evse1")
    return Stage(ProvisioningService(Store(pristine)), vehicle, ProvisioningService(foreign), station)


@pytest.fixture(scope="module")
def verify(pristine: Path) -> Verify:
    """What a vehicle knows: V2G roots alone, and the MO's."""
    anchors = [der for kind in ("v2g", "mo") for der in load_anchors(pristine / "trust" / f"{kind}.pem")]

    def judge(chain: Sequence[bytes], role: Role) -> Verdict:
        return validate(chain, role, anchors)

    return judge


@pytest.mark.parametrize("kind", ["installed", "updated"])
def test_what_is_right_is_taken(stage: Stage, verify: Verify, kind: str) -> None:
    delivery = stage.good()
    response = delivery.installed() if kind == "installed" else delivery.updated()
    received = receive(response, delivery.signature, stage.vehicle.key, verify, rooted=True)
    assert received.emaid == EMAID
    assert common_name(received.chain[0]) == EMAID
    assert verify(received.chain, Role.CONTRACT)
    assert received.key.public_key() == x509.load_der_x509_certificate(received.chain[0]).public_key()


def test_every_delivery_is_new(stage: Stage, verify: Verify) -> None:
    first, second = stage.good(), stage.good()
    keys = [receive(each.installed(), each.signature, stage.vehicle.key, verify).key for each in (first, second)]
    assert keys[0].private_numbers() != keys[1].private_numbers()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_named_and_nothing_is_taken(stage: Stage, verify: Verify, name: str) -> None:
    flaw, make = ATTACKS[name]
    delivery = make(stage)
    with pytest.raises(NotAccepted) as refused:
        receive(delivery.installed(), delivery.signature, stage.vehicle.key, verify, rooted=True)
    assert refused.value.flaw == flaw, refused.value


@pytest.fixture(scope="module")
def delivery(stage: Stage) -> Delivery:
    return stage.good()


@given(data=st.data())
def test_no_change_on_the_way_changes_the_contract(
    stage: Stage, delivery: Delivery, verify: Verify, data: st.DataObject
) -> None:
    """What is read of changed bytes is refused, or it is the very contract that was sent."""
    with contextlib.suppress(Undecodable, NotAccepted):
        came = EXI.decode(data.draw(changes(message(delivery.installed(), delivery.signature))))
        response = came.Body.BodyElement if isinstance(came, iso2.V2G_Message) else None
        if isinstance(came, iso2.V2G_Message) and isinstance(response, iso2.CertificateInstallationRes):
            received = receive(response, came.Header.Signature, stage.vehicle.key, verify)
            assert received.chain == tuple(chain_of(delivery.fields["ContractSignatureCertChain"]))


def test_unsigned(stage: Stage, verify: Verify) -> None:
    with pytest.raises(NotAccepted, match="not signed"):
        receive(stage.good().installed(), None, stage.vehicle.key, verify)


def test_an_unknown_mobility_operator(stage: Stage, pristine: Path) -> None:
    """A vehicle that knows V2G roots alone takes what its provider signed, unless it is told to look."""
    anchors = load_anchors(pristine / "trust" / "v2g.pem")
    delivery = stage.good()

    def judge(chain: Sequence[bytes], role: Role) -> Verdict:
        return validate(chain, role, anchors)

    assert receive(delivery.installed(), delivery.signature, stage.vehicle.key, judge).emaid == EMAID
    with pytest.raises(NotAccepted, match="anchor"):
        receive(delivery.installed(), delivery.signature, stage.vehicle.key, judge, rooted=True)


@pytest.mark.parametrize("tier", ["leaf", "sub2", "sub1"])
@pytest.mark.parametrize("days", [(-400, -300), (5, 100)], ids=["expired", "not yet valid"])
def test_an_unknown_mobility_operator_out_of_time(
    stage: Stage, pristine: Path, tier: str, days: tuple[int, int]
) -> None:
    anchors = load_anchors(pristine / "trust" / "v2g.pem")
    holder, _ = by_hand(**{tier: {"days": (TODAY + days[0], TODAY + days[1])}})
    delivery = deliver(Credential(list(holder.chain), holder.key), stage.receiver, stage.service.provider)

    def judge(chain: Sequence[bytes], role: Role) -> Verdict:
        return validate(chain, role, anchors)

    with pytest.raises(NotAccepted, match=r"contract-chain: .* is not valid now"):
        receive(delivery.installed(), delivery.signature, stage.vehicle.key, judge)
