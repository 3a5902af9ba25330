"""What `pki.validate` says of every variant is what the catalogue expects, in each edition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pki.cache import Cache
from pki.faults.catalogue import variants
from pki.profiles import Edition
from pki.revocation import Checked, Mode, Revocation
from pki.validate import Policy, validate
from tests.pki.faults.cases import Case, Trees
from v2g.trust import Role


def policy(edition: Edition, asked: dict[str, Any]) -> Policy:
    if not asked:
        return Policy(editions=(edition,))
    cache = Cache([Path(asked["evidence"])] if "evidence" in asked else [])
    return Policy(
        editions=(edition,), revocation=Revocation(Mode(asked["revocation"]), cache, checked=Checked(asked["checked"]))
    )


@pytest.mark.parametrize("edition", [Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448])
@pytest.mark.parametrize("role", list(Role))
def test_the_rule_that_is_broken(broken: Trees, edition: Edition, role: Role) -> None:
    found, expected = {}, {}
    for name, variant in variants(edition).items():
        if variant.role is role:
            case = Case(broken[edition] / "broken" / name)
            verdict = validate(case.chain, role, case.anchors, policy=policy(edition, case.trust))
            found[name] = (verdict.broken or "", verdict.tier)
            expected[name] = (case.reaction["rule"], case.reaction["tier"])
    assert found == expected


@pytest.mark.parametrize("edition", [Edition.ISO2, Edition.ISO20])
def test_a_chain_of_one_generation_is_none_of_the_other(broken: Trees, edition: Edition) -> None:
    other = Edition.ISO20 if edition is Edition.ISO2 else Edition.ISO2
    for role in (Role.SECC, Role.CONTRACT, Role.CPS):
        case = Case(broken[edition] / "broken" / f"{role}-leaf-valid")
        assert not validate(case.chain, role, case.anchors, policy=Policy(editions=(other,)))
