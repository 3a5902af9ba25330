"""Every variant of the default trees, made once per run."""

from __future__ import annotations

import pytest

from tests.pki.faults.cases import Case, Trees


@pytest.fixture(scope="session")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def case(request: pytest.FixtureRequest, broken: Trees) -> Case:
    """The variant that the test is about, "<edition>:<name>", as it lies in its folder."""
    edition, _, name = str(request.param).partition(":")
    return Case(broken[edition] / "broken" / name)
