"""The page of sequence diagrams shows what the code does now."""

from __future__ import annotations

from pathlib import Path

from tests.lab.sequences import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "sequences.md"


async def test_the_page_is_what_the_sessions_do(certificates: Path) -> None:
    drawn = await page(certificates)
    assert drawn == PAGE.read_text(encoding="utf-8"), "run: python -m tests.lab.sequences > docs/sequences.md"
