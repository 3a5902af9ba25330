"""docs/pki-break.md says what the catalogue holds."""

from __future__ import annotations

from pathlib import Path

from tests.pki.faults.page import page

FILE = Path(__file__).parents[3] / "docs" / "pki-break.md"


def test_the_page_is_what_the_catalogue_says() -> None:
    wanted = page() + "\n"
    assert FILE.read_text(encoding="utf-8") == wanted, "run: python -m tests.pki.faults.page > docs/pki-break.md"
