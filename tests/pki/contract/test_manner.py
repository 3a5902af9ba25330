"""Deliveries that are wrong on purpose: each is found by the check that is meant, and what is right is not blamed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.contract import iso2, iso20
from pki.contract.checks import Check, Trust
from pki.contract.manner import ISO2_ALONE, Deviation, Manner, deviating
from pki.contract.recipient import Recipient, agreeing_key, receiver_key
from pki.contract.variants import listed, manner_of
from pki.keys import PublicKey
from pki.operator import Operator
from pki.store import Store
from tests.provisioning_iso20 import EMAID, PLACE, SESSION, Tree, stage
from v2g.keywrap.additional import READINGS, Reading
from v2g.keywrap.derivation import DERIVATIONS, Derivation
from v2g.keywrap.ed448_secret import Ed448Form

FLAWS = {
    # A vehicle takes the standard's derivation alone.
    Deviation.WRONG_KDF: {"key"},
    Deviation.WRONG_RECIPIENT: {"key"},
    Deviation.WRONG_KEY: {"key"},
    Deviation.WRONG_SIGNER: {"signature"},
    Deviation.UNSIGNED: {"signature"},
    Deviation.THREE_REFERENCES: {"signature"},
    Deviation.OTHER_EMAID: {"emaid"},
    # In -2 nothing notices but the proof of the key; GCM does in -20.
    Deviation.CHANGED: {"signature", "key"},
    Deviation.WRONG_ORDER: {"contract-chain"},
}


def failed(checks: list[Check]) -> set[str]:
    return {check.check.value for check in checks if not check.holds}


def judged_iso2(folder: Path, manner: Manner, recipient: Recipient | None = None) -> list[Check]:
    """The checks of a delivery of -2."""
    operator, vehicle = Operator(Store(folder)), Store(folder).load(PLACE)
    public = vehicle.key.public_key()
    assert isinstance(public, PublicKey)
    delivery = iso2.deliver(operator.new_contract(EMAID), public, operator.provider, manner)
    who = recipient or Recipient(key=agreeing_key(vehicle.key))
    trust = Trust(verify=operator.judge, rooted=True)
    return iso2.examination(delivery.installed(), delivery.signature, who, trust).all()


def judged_iso20(tree: Tree, manner: Manner, recipient: Recipient | None = None) -> list[Check]:
    """The checks of a delivery of -20."""
    operator, leaf = tree.operator, tree.vehicle.leaf
    made = operator.new_contract(EMAID)
    delivery = iso20.deliver(made, receiver_key(leaf), operator.provider, leaf.common_name, manner)
    trust = Trust(verify=operator.judge, rooted=True)
    return iso20.examination(delivery.installed(SESSION), recipient or tree.vehicle.recipient, trust).all()


@pytest.fixture(scope="module", params=["iso20", "iso20-ed448"])
def tree(request: pytest.FixtureRequest, trees: Path) -> Tree:
    return stage(trees / request.param)


@pytest.mark.parametrize("deviation", Deviation)
def test_of_iso2(pristine: Path, deviation: Deviation) -> None:
    assert failed(judged_iso2(pristine, deviating([deviation]))) == FLAWS[deviation]


@pytest.mark.parametrize("deviation", sorted(set(Deviation) - ISO2_ALONE))
def test_of_iso20(tree: Tree, deviation: Deviation) -> None:
    manner = deviating([deviation], Manner(form=Ed448Form.SHORT))
    assert failed(judged_iso20(tree, manner)) == FLAWS[deviation]


def test_several_at_once(pristine: Path) -> None:
    manner = deviating(["unsigned", "other-emaid", "wrong-kdf"])
    assert failed(judged_iso2(pristine, manner)) == {"signature", "emaid", "key"}


@pytest.mark.parametrize("derivation", [each for each in DERIVATIONS if not each.hash], ids=lambda each: each.name)
def test_whoever_tries_all_derivations_opens_all(pristine: Path, derivation: Derivation) -> None:
    key = agreeing_key(Store(pristine).load(PLACE).key)
    manner = manner_of(derivation.name, None, None, [])
    checks = judged_iso2(pristine, manner, Recipient(key=key, derivations=DERIVATIONS))
    assert failed(checks) == set()


@pytest.mark.parametrize("reading", READINGS, ids=lambda each: each.name)
def test_a_vehicle_opens_all_additional_data(tree: Tree, reading: Reading) -> None:
    name = reading.name
    checks = judged_iso20(tree, manner_of(None, name, "short", []))
    assert failed(checks) == set()
    # With an identifier of 8 bytes two readings are one.
    wanted = {"ski8": "ski", "pcid17": "ski", "raw16": "raw16", "raw": "raw16"}.get(name, name)
    assert f"additional data {wanted}" in checks[-1].detail


def test_a_padded_sender_and_a_whole_seed(trees: Path) -> None:
    tree = stage(trees / "iso20-ed448")
    assert failed(judged_iso20(tree, manner_of(None, None, "short", [], padded=True))) == set()
    assert failed(judged_iso20(tree, manner_of(None, None, "whole", []))) == set()
    shy = replace(tree.vehicle.recipient, experimental=False)
    assert failed(judged_iso20(tree, manner_of(None, None, "short", []), shy)) == {"key"}


def test_names_are_told() -> None:
    lines = list(listed())
    assert len(lines) == len(DERIVATIONS) + len(READINGS) + len(Deviation)
    assert all(deviation.summary for deviation in Deviation)


@given(st.text(max_size=20))
def test_names_that_there_are_not(name: str) -> None:
    if name not in {*(each.name for each in DERIVATIONS), *Deviation}:
        with pytest.raises(ValueError, match="known are"):
            manner_of(name, None, None, [])
        with pytest.raises(ValueError, match="there are"):
            manner_of(None, None, None, [name])
