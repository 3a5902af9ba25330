"""The conformance cases: each passes against our station or vehicle, each pattern fails for one that is wrong."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lab.cases.page import page, read
from lab.cases.registry import MODES, NOT_APPLICABLE, cases, catalogue, modes
from lab.cases.verdict import Verdict
from tests.endurance import count
from tests.lab.conformance import run_all, told
from tests.lab.mutant_table import MUTANTS
from tests.lab.mutants import Mutant, judge

PAGE = Path(__file__).parent.parent.parent / "docs" / "conformance.md"
Verdicts = dict[str, list[Verdict]]


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, certificates: Path) -> Verdicts:
    """What came of all cases that are asked for, run side by side."""
    specs = (getattr(item, "callspec", None) for item in request.session.items if item.path == request.path)
    names = {spec.params["case"] for spec in specs if spec is not None and "case" in spec.params}
    return asyncio.run(run_all(sorted(names) or cases(), certificates, most_modes=count(1, len(MODES))))


@pytest.mark.parametrize("case", cases())
def test_case(case: str, verdicts: Verdicts) -> None:
    assert not told(verdicts[case])


def test_every_id_has_a_case_or_a_reason() -> None:
    assert cases().keys() | NOT_APPLICABLE.keys() == catalogue().keys()
    assert not cases().keys() & NOT_APPLICABLE.keys()


def test_every_case_has_a_mode_to_run_in() -> None:
    assert all(modes(name) for name in cases())


def test_the_page_is_what_the_run_says(verdicts: Verdicts) -> None:
    """Of cases that were not asked for, what the page says is taken; the rest of it has to be the generated one."""
    written = PAGE.read_text(encoding="utf-8")
    passed = {name for name, row in read(written).items() if row[-1] == "pass"}
    before = {name: [Verdict(outcome="pass" if name in passed else "fail")] for name in cases()}
    assert page({**before, **verdicts}) == written


def test_a_case_that_fails_is_told_on_the_page() -> None:
    found = {name: [Verdict(outcome="pass")] for name in cases()}
    first, second = list(cases())[:2]
    found |= {first: [Verdict(outcome="pass"), Verdict(outcome="fail")], second: [Verdict(outcome="inconclusive")]}
    table = read(page(found))
    assert {table[first][-1], table[second][-1]} == {"fail"}


@pytest.mark.parametrize(
    ("name", "mutant"), [pytest.param(name, mutant, id=f"{name} {why}") for name, why, mutant in MUTANTS]
)
async def test_a_wrong_system_does_not_pass(name: str, mutant: Mutant, certificates: Path, tmp_path: Path) -> None:
    verdict = await judge(name, mutant, certificates, tmp_path)
    assert verdict.outcome == "fail", verdict


def test_every_pattern_fails_for_a_wrong_system() -> None:
    patterns = {case.pattern for case in cases().values()}
    assert {cases()[name].pattern for name, _, _ in MUTANTS} == patterns
