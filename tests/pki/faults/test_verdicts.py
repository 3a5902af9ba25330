"""What `pki.validate` says of every variant is what the catalogue expects, in each edition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pki.cache import Cache
from pki.faults.catalogue import variants
from pki.faults.folder import write_all
from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.revocation import Checked, Mode, Revocation
from pki.store import Store
from pki.tree import built_in, read
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


# Trees that somebody may declare: the text of the built-in -2 tree, changed.
SHAPES = {
    "one Sub-CA": ('under = "', 'subs = 1\nunder = "'),
    "Josev's": ('edition = "iso2"', 'edition = "josev"'),
    "all under one root": ('under = "mo"', 'under = "v2g"'),
    "no addresses": ("ocsp = ", "# "),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_trees_of_other_shapes(tmp_path: Path, shape: str) -> None:
    """What cannot be made of them is left out, and the rest is what it says."""
    text = built_in().read_text(encoding="utf-8")
    text = text[: text.index("# ISO 15118-20")].replace(*SHAPES[shape])
    (tmp_path / "pki.toml").write_text(text, encoding="utf-8")
    declared, tree = read(tmp_path / "pki.toml")["iso2"], Store(tmp_path / "iso2")
    bring_up_to_date(declared, tree)
    made = write_all(tree, declared.edition)
    assert len(made) > 350
    found, expected = {}, {}
    for told in made:
        case = Case(tree.folder / "broken" / told.variant)
        verdict = validate(case.chain, told.role, case.anchors, policy=policy(declared.edition, case.trust))
        found[told.variant] = (verdict.broken or "", verdict.tier)
        expected[told.variant] = (told.expected.rule, told.expected.tier)
    assert found == expected
