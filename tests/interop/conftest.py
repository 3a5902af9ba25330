"""What tests of peers share: one running EXIficient."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.exificient import Exificient, obstacle


@pytest.fixture(scope="session")
def exificient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exificient]:
    """EXIficient on all schema sets; starting it is what costs."""
    if reason := obstacle():
        pytest.skip(reason)
    with Exificient(tmp_path_factory.mktemp("exificient")) as running:
        yield running
