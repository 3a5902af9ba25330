"""The certificates all end-to-end tests share, and bays to charge at."""

from __future__ import annotations

from pathlib import Path

import pytest

from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the default -2 tree; not to be changed."""
    folder = tmp_path_factory.mktemp("certs") / "iso2"
    bring_up_to_date(read()["iso2"], Store(folder))
    return folder
