from __future__ import annotations

import pytest

from pki.fit import Check
from pki.lint.linter import lint
from pki.lint.rules import RULES
from tests.pki.lint.cases import CASES

pytestmark = pytest.mark.usefixtures("_second_reader")


@pytest.fixture
def _second_reader() -> None:
    pytest.importorskip("pyasn1_modules", reason="pyasn1 is missing: pip install 'plugcharge[lab]'")


def test_every_rule_has_a_case() -> None:
    assert set(CASES) == set(RULES)


@pytest.mark.parametrize("rule", CASES)
def test_a_rule_finds_its_case_and_nothing_else(rule: str) -> None:
    case = CASES[rule]()
    report = lint([case.source()], case.asked())
    found = {finding.rule for finding in report.findings}
    assert found == {rule, *case.also}, [(one.rule, str(one.place), one.text) for one in report.findings]


def test_every_check_of_a_profile_has_a_rule() -> None:
    assert {f"profile-{check}" for check in Check} <= set(RULES)
