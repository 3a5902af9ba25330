"""Check characters against those published with the two algorithms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.check_character import din, iso

# Published by users of DIN SPEC 91286.
DIN = {
    "INTNM000071": "9", "INTNM000110": "X", "INTNM000124": "0", "INTNM000114": "6", "INTNM000191": "5",
    "NLTNM122045": "0", "NLTNM012204": "5",
}  # fmt: skip
ISO = {"NLTNMC00122045": "K", "NLTNM000722345": "X", "NLTNM000122045": "U"}


@pytest.mark.parametrize(("text", "character"), DIN.items())
def test_of_din(text: str, character: str) -> None:
    assert din(text) == character


@pytest.mark.parametrize(("text", "character"), ISO.items())
def test_of_iso(text: str, character: str) -> None:
    assert iso(text) == character


@given(st.from_regex(r"[A-Z]{2}[A-Z0-9]{12}", fullmatch=True), st.integers(0, 12))
def test_two_characters_swapped_change_that_of_iso(text: str, place: int) -> None:
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    if swapped != text:
        assert iso(swapped) != iso(text)
