"""All trees of the default declaration, and servers on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read
from tests.pki.serve.postgres import Cluster, cluster, programs
from tests.pki.serve.serving import Served, serving


@pytest.fixture(scope="session")
def grove(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all default trees; not to be changed."""
    out = tmp_path_factory.mktemp("grove")
    for name, tree in read().items():
        bring_up_to_date(tree, Store(out / name))
    return out


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    found = programs()
    if found is None:
        pytest.skip("PostgreSQL is not installed (apt-get install postgresql)")
    with cluster(found) as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """A kind of database; what uses it is tested on both."""
    kind: str = request.param
    return kind


@pytest.fixture
def database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    return _database(kind, request, tmp_path)


@pytest.fixture(scope="module")
def running(
    kind: str, grove: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server of all trees, for a whole module."""
    folder = tmp_path_factory.mktemp("state")
    with serving(grove, _database(kind, request, folder), folder) as served:
        yield served


@pytest.fixture
def served(running: Served) -> Iterator[Served]:
    """The server of the module, put back in order after each test."""
    yield running
    assert running.client.delete("/admin/misbehaviour").status_code == 200
    assert running.client.put("/admin/clock", json={"offset_s": 0}).status_code == 200


def _database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'state.sqlite3'}"
    running: Cluster = request.getfixturevalue("postgres")
    return running.new()
