"""Certificates for the sessions that are judged, made once per run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.certificates import make_tree


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the default -2 tree; not to be changed."""
    return make_tree(tmp_path_factory.mktemp("certificates"))
