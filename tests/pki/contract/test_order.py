"""What is issued for whom: the receiver found in a tree, and keys of one vehicle on two curves."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pki.contract.document import Form, read
from pki.contract.opening import open_delivery
from pki.contract.order import Order
from pki.contract.recipient import Recipient, agreeing_key
from pki.contract.request import installation
from pki.contract.variants import manner_of
from pki.credentials import load_anchors, load_credential
from pki.options import Options
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import Leaf
from pki.tree import read as trees_of
from tests.provisioning_iso20 import PLACE
from v2g.messages import iso2
from v2g.trust import Role

SECOND = ("DEPCGC00000002P", "PCGPLUGCHARGE0002")


@pytest.fixture(scope="module")
def two_cars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tree of -2 with two vehicles and their contracts."""
    folder = tmp_path_factory.mktemp("two") / "iso2"
    emaid, pcid = SECOND
    more = (
        Leaf(role=Role.CONTRACT, id="car2", emaid=emaid),
        Leaf(role=Role.OEM_PROVISIONING, id="car2", pcid=pcid),
    )
    tree = trees_of()["iso2"]
    bring_up_to_date(msgspec.structs.replace(tree, leaf=(*tree.leaf, *more)), Store(folder))
    return folder


def emaid_of(order: Order) -> str:
    body = order.delivered().envelope.body
    assert isinstance(body, iso2.CertificateInstallationRes | iso2.CertificateUpdateRes)
    return body.eMAID.value


def test_the_receiver_is_found(two_cars: Path) -> None:
    emaid, pcid = SECOND
    by_emaid = Order(tree=two_cars, emaid=f"{emaid[:2]}-{emaid[2:]}")
    for order in (Order(tree=two_cars, leaf="car2"), Order(tree=two_cars, pcid=pcid.lower()), by_emaid):
        assert emaid_of(order) == emaid
    assert emaid_of(Order(tree=two_cars, leaf="car2", emaid="DEPCGC00000001V")) == "DEPCGC00000001V"
    assert emaid_of(Order(tree=two_cars, update=True, emaid=emaid)) == emaid
    for order in (Order(tree=two_cars), Order(tree=two_cars, update=True)):
        with pytest.raises(ValueError, match=r"several .* leaves fit \(car1, car2\): name one with --leaf"):
            order.delivered()


def test_a_vehicle_without_an_account(two_cars: Path, pristine: Path) -> None:
    stranger = pristine / "leaf/secc/evse1/cert.pem"
    with pytest.raises(ValueError, match=r"no contract belongs to DE\*PCG\*E0001; name one with --emaid"):
        Order(tree=two_cars, receiver=stranger).delivered()
    assert emaid_of(Order(tree=two_cars, receiver=stranger, emaid=SECOND[0])) == SECOND[0]


def test_a_vehicle_with_keys_on_two_curves(trees: Path, tmp_path: Path) -> None:
    """A certificate on P-521 with a second key on X448 gets contracts of either kind."""
    own = tmp_path / "iso20"
    declared = trees_of()["iso20"]
    bring_up_to_date(msgspec.structs.replace(declared, options=Options(dual_curve=True)), Store(own))
    issued, ed448 = Store(own).load(PLACE), trees / "iso20-ed448"
    assert issued.second is not None
    pcid = "PCGPLUGCHARGE0001"
    on_p521 = Recipient(key=agreeing_key(issued.key), pcid=pcid)
    opened = open_delivery(Order(tree=own).delivered(), on_p521, load_anchors(own / "trust/v2g.pem"))
    assert opened.findings.accepted
    foreign = Order(
        tree=ed448,
        receiver=own / PLACE / "cert.pem",
        emaid="DEPCGC00000001V",
        manner=manner_of(None, None, "short", []),
    )
    on_x448 = Recipient(key=issued.second, pcid=pcid, experimental=True)
    anchors = load_anchors(ed448 / "trust/v2g.pem")
    assert open_delivery(foreign.delivered(), on_x448, anchors).findings.accepted
    checks = open_delivery(foreign.delivered(), on_p521, anchors).findings.checks
    assert [check.detail for check in checks if not check.holds] == [
        "ECDHCurve is X448, and the recipient's key is on another curve"
    ]


def test_what_was_written_by_hand_is_answered(two_cars: Path, tmp_path: Path) -> None:
    """A file with something else than a request."""
    file = tmp_path / "file"
    file.write_bytes(Order(tree=two_cars, leaf="car1").delivered().written(Form.EXI))
    assert read(file.read_bytes()).schema == "iso2"
    with pytest.raises(ValueError, match="CertificateInstallationRes is no certificate request"):
        Order(tree=two_cars).answered(file)


def test_a_request_tells_as_many_roots_as_it_has_room_for(pristine: Path) -> None:
    place = pristine / "leaf/oem-provisioning/car1"
    vehicle = load_credential(place / "chain.pem", place / "key.pem")
    asked = installation(vehicle, load_anchors(pristine / "trust/v2g.pem") * 30, bytes(7) + b"\1").envelope
    assert isinstance(asked.body, iso2.CertificateInstallationReq)
    assert len(asked.body.ListOfRootCertificateIDs.RootCertificateID) == 20
    assert asked.session_id == bytes(7) + b"\1"
