"""docs/pki-break.md says what the catalogue holds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from pki.faults.folder import Expectation
from pki.faults.reaction import Expected
from tests.pki.faults.page import page

FILE = Path(__file__).parents[3] / "docs" / "pki-break.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    wanted = page() + "\n"
    assert FILE.read_text(encoding="utf-8") == wanted, "run: python -m tests.pki.faults.page > docs/pki-break.md"


def test_every_field_of_expect_json_is_explained() -> None:
    fields = [field.name for kind in (Expectation, Expected) for field in msgspec.structs.fields(kind)]
    assert [name for name in fields if f"`{name}`" not in page()] == []
