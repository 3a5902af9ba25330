"""The default tree, made once per run; tests that change files copy it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read


@pytest.fixture(scope="session")
def trees(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the default trees, one of each edition; not to be changed."""
    folder = tmp_path_factory.mktemp("pki")
    for name, tree in read().items():
        bring_up_to_date(tree, Store(folder / name))
    return folder


@pytest.fixture(scope="session")
def pristine(trees: Path) -> Path:
    """The folder of the default -2 tree; not to be changed."""
    return trees / "iso2"


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Path:
    """A copy of the default tree, `<out>/iso2`, to be changed at will."""
    copy = tmp_path / "out" / "iso2"
    shutil.copytree(pristine, copy)
    return copy
