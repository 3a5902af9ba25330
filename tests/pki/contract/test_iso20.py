"""A contract of -20 delivered: taken when all of it is right, and never else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x448
from hypothesis import given
from hypothesis import strategies as st

from pki.contract import iso20
from pki.contract.chain import chain_of, common_name
from pki.contract.checks import NotAccepted, Received, Trust
from pki.contract.iso20 import Delivery, deliver
from pki.contract.manner import STANDARD, Manner
from pki.contract.recipient import receiver_key
from pki.credentials import Credential, load_anchors
from pki.keys import P521
from pki.profiles import Edition
from pki.provisioning_iso20 import ProvisioningService20
from pki.validate import Policy, validate
from tests.provisioning import changes
from tests.provisioning_iso20 import EMAID, EXI, SESSION, Tree, stage
from v2g.errors import Undecodable
from v2g.keywrap.ed448_secret import Ed448Form
from v2g.messages.iso20 import common
from v2g.signature import sign
from v2g.trust import Role, Verdict

EXPERIMENT = Manner(form=Ed448Form.SHORT)


@pytest.fixture(scope="module", params=["iso20", "iso20-ed448"])
def tree(request: pytest.FixtureRequest, trees: Path) -> Tree:
    return stage(trees / request.param)


def good(tree: Tree, manner: Manner = EXPERIMENT) -> Delivery:
    return ProvisioningService20(tree.operator).deliver(EMAID, tree.vehicle.leaf, manner)


def taken(tree: Tree, delivery: Delivery) -> Received[Any]:
    """What comes of a delivery that travelled as EXI."""
    exi = EXI.encode(delivery.installed(SESSION), strict=False)
    came = EXI.decode(exi)
    assert isinstance(came, common.CertificateInstallationRes)
    return iso20.receive(came, tree.vehicle.recipient, tree.operator.judge, rooted=True)


def test_what_is_right_is_taken(tree: Tree) -> None:
    received = taken(tree, good(tree))
    assert (received.emaid, common_name(received.chain[0])) == (EMAID, EMAID)
    assert received.opened.derivation == "concat-015556"
    assert received.opened.additional == "ski"


def test_what_is_protected_is_the_pcid_and_the_key_identifier(trees: Path) -> None:
    """A PCID of 17 characters and an identifier of 8 bytes: 33 octets of ASCII."""
    tree = stage(trees / "iso20")
    made = tree.operator.new_contract(EMAID)
    seen: list[bytes] = []

    def note(pcid: str, ski: bytes) -> bytes:
        seen.append(STANDARD.additional.make(pcid, ski))
        return seen[-1]

    manner = replace(STANDARD, additional=replace(STANDARD.additional, make=note))
    deliver(made, receiver_key(tree.vehicle.leaf), tree.operator.provider, "PCGPLUGCHARGE0001", manner)
    assert len(seen) == 1
    assert seen[0][:17] == b"PCGPLUGCHARGE0001"
    assert len(seen[0]) == 33
    assert seen[0][17:].decode() == seen[0][17:].decode().upper()


def changed(tree: Tree, **fields: Any) -> Delivery:
    """A delivery whose data were changed after the signature."""
    delivery = good(tree)
    return replace(delivery, data=msgspec.structs.replace(delivery.data, **fields))


def resigned(tree: Tree, delivery: Delivery, **fields: Any) -> Delivery:
    """The same with other data, signed again by the true provider: what he should never have signed."""
    data = msgspec.structs.replace(delivery.data, **fields)
    signature = sign([(data.Id, EXI.encode_fragment(data))], tree.operator.provider.key, "iso20.common")
    return replace(delivery, data=data, signature=signature)


def from_another(tree: Tree, **made: Credential) -> Delivery:
    """A delivery of another contract, or by another provider."""
    contract = made.get("contract") or tree.operator.new_contract(EMAID)
    provider = made.get("provider") or tree.operator.provider
    receiver = receiver_key(tree.vehicle.leaf)
    return deliver(contract, receiver, provider, tree.vehicle.leaf.common_name, EXPERIMENT)


def other_curve(tree: Tree) -> Delivery:
    delivery = good(tree)
    own = delivery.data.ECDHCurve
    other = common.ECDHCurve.X448 if own is common.ECDHCurve.SECP521 else common.ECDHCurve.SECP521
    return resigned(tree, delivery, ECDHCurve=other)


def other_chain(tree: Tree) -> Delivery:
    """The key of one contract under the certificate of another, of the same account."""
    return resigned(tree, good(tree), ContractCertificateChain=good(tree).data.ContractCertificateChain)


def for_a_tpm(tree: Tree) -> Delivery:
    own = {"SECP521_EncryptedPrivateKey": None, "X448_EncryptedPrivateKey": None}
    return resigned(tree, good(tree), **own, TPM_EncryptedPrivateKey=bytes(206))


def not_a_contract(tree: Tree) -> Delivery:
    leaf, *subs = tree.operator.provider.chain
    chain = common.ContractCertificateChain(Certificate=leaf, SubCertificates=common.SubCertificates(Certificate=subs))
    return resigned(tree, good(tree), ContractCertificateChain=chain)


ATTACKS: dict[str, tuple[str, Callable[[Tree], Delivery]]] = {
    "the vehicle as provider": (
        "provider",
        lambda at: from_another(at, provider=Credential(at.vehicle.chain, at.vehicle.key)),
    ),
    "a contract as provider": ("provider", lambda at: from_another(at, provider=at.operator.new_contract(EMAID))),
    "another key than the provider's": (
        "signature",
        lambda at: from_another(
            at, provider=Credential(at.operator.provider.chain, at.operator.new_contract(EMAID).key)
        ),
    ),
    "chain swapped": (
        "signature",
        lambda at: changed(at, ContractCertificateChain=good(at).data.ContractCertificateChain),
    ),
    "sender swapped": ("signature", lambda at: changed(at, DHPublicKey=good(at).data.DHPublicKey)),
    "another Id": ("signature", lambda at: changed(at, Id="id2")),
    "not a contract": ("contract-chain", not_a_contract),
    "a contract that does not fit": ("key", other_chain),
    "another curve": ("key", other_curve),
    "for a TPM": ("key", for_a_tpm),
    "a key of another length": (
        "key",
        lambda at: (
            resigned(at, good(at), SECP521_EncryptedPrivateKey=bytes(93), X448_EncryptedPrivateKey=None)
            if good(at).data.SECP521_EncryptedPrivateKey
            else resigned(at, good(at), X448_EncryptedPrivateKey=bytes(83))
        ),
    ),
    "a sender off the curve": ("key", lambda at: resigned(at, good(at), DHPublicKey=bytes(133))),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_named_and_nothing_is_taken(tree: Tree, name: str) -> None:
    flaw, make = ATTACKS[name]
    with pytest.raises(NotAccepted) as refused:
        taken(tree, make(tree))
    assert refused.value.flaw == flaw, refused.value


def test_a_delivery_for_another_vehicle(tree: Tree) -> None:
    delivery = good(tree)
    stranger: Any = (
        x448.X448PrivateKey.generate()
        if isinstance(tree.vehicle.recipient.key, x448.X448PrivateKey)
        else ec.generate_private_key(ec.SECP521R1())
    )
    recipients = [
        replace(tree.vehicle.recipient, key=stranger),
        replace(tree.vehicle.recipient, pcid="PCGPLUGCHARGE0002"),
    ]
    for recipient in recipients:
        with pytest.raises(NotAccepted, match="V2G20-2504") as refused:
            iso20.receive(delivery.installed(SESSION), recipient, tree.operator.judge)
        assert refused.value.flaw == "key"


def test_a_chain_that_the_vehicle_cannot_root(trees: Path) -> None:
    tree = stage(trees / "iso20")
    anchors = load_anchors(trees / "iso20/trust/v2g.pem")
    policy = Policy(editions=(Edition.ISO20,))

    def judge(chain: Any, role: Role) -> Verdict:
        return validate(chain, role, anchors, policy=policy)

    take = partial(iso20.receive, good(tree).installed(SESSION), tree.vehicle.recipient, judge)
    assert take().emaid == EMAID
    with pytest.raises(NotAccepted, match="contract-chain: anchor"):
        take(rooted=True)


@given(data=st.data())
def test_no_change_on_the_way_changes_the_contract(tree: Tree, data: st.DataObject) -> None:
    """What is read of changed bytes is refused, or it is the very contract that was sent."""
    delivery = SENT.setdefault(tree.store.folder, good(tree))
    exi = data.draw(changes(EXI.encode(delivery.installed(SESSION), strict=False)))
    with contextlib.suppress(Undecodable, NotAccepted):
        came = EXI.decode(exi)
        if isinstance(came, common.CertificateInstallationRes):
            received = iso20.receive(came, tree.vehicle.recipient, tree.operator.judge)
            assert received.chain == tuple(chain_of(delivery.data.ContractCertificateChain))
            assert received.emaid == EMAID


SENT: dict[Path, Delivery] = {}
"""One delivery of each tree, changed again and again."""


def test_all_checks_go_on_after_one_failed(tree: Tree) -> None:
    delivery = replace(good(tree), signature=None, provider=common.CertificateChain(Certificate=b"\x30\x00"))
    trust = Trust(verify=tree.operator.judge)
    examination = iso20.examination(delivery.installed(SESSION), tree.vehicle.recipient, trust)
    assert [check.holds for check in examination.all()] == [False, False, True, True, True]
    assert examination.opened is not None
    with pytest.raises(NotAccepted):
        examination.receive()


def test_keys_that_do_not_go_together(trees: Path) -> None:
    p521, ed448 = stage(trees / "iso20"), stage(trees / "iso20-ed448")
    ours = p521.operator.new_contract(EMAID)
    with pytest.raises(ValueError, match="cannot be delivered to a receiver on X448"):
        deliver(ours, receiver_key(ed448.vehicle.leaf), p521.operator.provider, "PCID", EXPERIMENT)
    with pytest.raises(ValueError, match="has no X448 key beside its secp521r1 key"):
        receiver_key(p521.vehicle.leaf, second=True)
    assert P521.fits(receiver_key(p521.vehicle.leaf))
