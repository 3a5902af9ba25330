"""The trees of every edition, made once per run; not to be changed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import read


@pytest.fixture(scope="session")
def editions(trees: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of a tree by its edition: the built-in ones, and one as Josev wants it."""
    josev = tmp_path_factory.mktemp("editions") / "josev"
    bring_up_to_date(msgspec.structs.replace(read()["iso2"], edition=Edition.JOSEV), Store(josev))
    return {"josev": josev, **{name: trees / name for name in ("iso2", "iso20", "iso20-ed448")}}
