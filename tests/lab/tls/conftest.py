"""Certificates of both generations, made once per run."""

from __future__ import annotations

import pytest

from tests.lab.tls.material import Trees


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Trees:
    return Trees.make(tmp_path_factory.mktemp("trees"))
