"""Identifiers against published check characters and the forms seen in the field."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import V2GError
from v2g.identifiers import (
    BadIdentifier,
    check_character,
    contract_id_din,
    din_of_emaid,
    emaid,
    emaid_of_din,
    evcc_id,
    evcc_id_iso20,
    evcc_text,
    evse_bytes_din,
    evse_id,
    evse_id_din,
    evse_text_din,
    pcid,
    same_emaid,
    secc_id,
)

# Published with the ISO form of the check character, and two samples of other stacks with their right character.
PUBLISHED = {
    "NN123ABCDEFGHI": "T", "FRXYZ123456789": "2", "ITA1B2C3E4F5G6": "4", "ESZU8WOX834H1D": "R",
    "PT73902837ABCZ": "Z", "DE83DUIEN83QGZ": "D", "DE83DUIEN83ZGQ": "M", "DE8AA001234567": "0",
    "NLTNM000122045": "U", "UKSWI123456791": "5", "DEVANC00000001": "Z",
}  # fmt: skip

EMAIDS = st.from_regex(r"[A-Z]{2}[A-Z0-9]{12}", fullmatch=True)


@pytest.mark.parametrize(("text", "character"), PUBLISHED.items())
def test_check_characters_are_the_published_ones(text: str, character: str) -> None:
    assert check_character(text) == character
    assert emaid(text + character, check=True) == text + character


def test_a_wrong_check_character_matters_only_when_asked() -> None:
    assert emaid("UKSWI123456791A") == "UKSWI123456791A"
    with pytest.raises(BadIdentifier, match="check character 5"):
        emaid("UKSWI123456791A", check=True)


@given(EMAIDS, st.integers(0, 13), st.sampled_from("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
def test_one_changed_character_changes_the_check_character(text: str, place: int, other: str) -> None:
    changed = text[:place] + other + text[place + 1 :]
    if changed != text and changed[:2].isalpha():
        assert check_character(changed) != check_character(text)


@pytest.mark.parametrize("text", ["DE-ABC-C12345678", "deabcc12345678", " DE-abc-C12345678\n"])
def test_an_emaid_has_one_form_on_the_wire(text: str) -> None:
    assert emaid(text) == "DEABCC12345678"


@pytest.mark.parametrize(
    "text",
    ["", "DE", "DEABCC1234567", "DEABCC12345678XY", "D1ABCC12345678", "DE*ABC*C12345678", "DEABCC1234567ß", "\0" * 14],
)
def test_a_bad_emaid_is_named(text: str) -> None:
    with pytest.raises(BadIdentifier, match=r"EMAID .* expected") as caught:
        emaid(text)
    assert isinstance(caught.value, V2GError)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("DE-ABC-C12345678", "deabcC12345678", True),
        ("DEABCC12345678", "DEABCC12345678X", True),
        ("DEABCC12345678X", "DEABCC12345678Y", False),
        ("DEABCC12345678", "DEABCC12345679", False),
        ("DEABCC1234567", "DEABCC12345678", False),
        ("", "", False),
        ("-", "", False),
        ("lab contract", "LAB CONTRACT", True),
        ("\u0131TABCC12345678", "ITABCC12345678", False),
    ],
)
def test_accounts_are_compared_without_case_and_separators(one: str, other: str, same: bool) -> None:
    assert same_emaid(one, other) is same
    assert same_emaid(other, one) is same


@given(st.text(), st.text())
def test_comparing_anything_never_fails(one: str, other: str) -> None:
    assert same_emaid(one, other) == same_emaid(other, one)


@pytest.mark.parametrize("text", ["DE*ABC*E1234", "DEABCE1234", "ZZ00000", "FR*A23*E45B*78C", "DE*ABC*E" + "1" * 29])
def test_evse_ids_are_left_as_they_are(text: str) -> None:
    assert evse_id(text) == text


@pytest.mark.parametrize("text", ["", "DE*ABC", "DE*ABC*F1234", "DE*ABC*E" + "1" * 30, "49*89*6360", "DE*ABC*E12\n"])
def test_a_bad_evse_id_is_named(text: str) -> None:
    with pytest.raises(BadIdentifier, match="EVSEID"):
        evse_id(text)


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ("49*89*6360", "49A89A6360"),  # the example of the standard
        ("49*80737*45678", "49A80737A45678"),  # seen in the field
        ("49*89*63601", "49A89A63601B"),
        ("DE*PNX*E12345*1", b"DE*PNX*E12345*1".hex().upper()),  # seen in the field, though no form of DIN 91286
        ("DE*123*E4444", b"DE*123*E4444".hex().upper()),
    ],
)
def test_evse_ids_of_din(text: str, wire: str) -> None:
    assert evse_bytes_din(text) == bytes.fromhex(wire)
    assert evse_text_din(bytes.fromhex(wire)) == text


def test_evse_ids_of_din_as_configured() -> None:
    assert evse_id_din("49*89*6360") == "49*89*6360"
    for text in ("", "DE*ABC*E1", "49-89", "1" * 65):
        with pytest.raises(BadIdentifier, match="DIN 91286"):
            evse_id_din(text)
    assert len(evse_bytes_din("DE*ABC*E" + "1" * 29)) == len(evse_bytes_din("1" * 64)) == 32


@given(wire=st.binary(max_size=32))
def test_any_evse_id_of_din_can_be_shown(wire: bytes) -> None:
    assert evse_text_din(wire).isprintable()


@pytest.mark.parametrize("text", ["00:7d:fa:01:02:0F", "007DFA01020f", "00-7D-FA-01-02-0F"])
def test_an_evcc_id_is_a_mac_address(text: str) -> None:
    assert evcc_id(text) == bytes.fromhex("007dfa01020f")
    assert evcc_text(evcc_id(text)) == "00:7D:FA:01:02:0F"


@pytest.mark.parametrize(
    "text", ["", "00:7d:fa:01:02", "00:7d:fa:01:02:0g", "00:7d:fa:01:02:0f:00", "WMIV1234567890ABCDEX"]
)
def test_a_bad_evcc_id_is_named(text: str) -> None:
    with pytest.raises(BadIdentifier, match="EVCCID"):
        evcc_id(text)


def test_pcids_have_17_or_18_characters() -> None:
    assert pcid("vin-12345678901234") == "VIN12345678901234"
    assert pcid("WMI12345678901234X") == "WMI12345678901234X"
    for text in ("", "WMI1234567890123", "WMI12345678901234XY", "WMI1234567890123*"):
        with pytest.raises(BadIdentifier, match="PCID"):
            pcid(text)


READERS = [
    *(emaid, evse_id, evse_id_din, evcc_id, evcc_id_iso20, pcid, secc_id, check_character),
    *(contract_id_din, emaid_of_din),
]


@pytest.mark.parametrize("read", READERS)
@given(text=st.text(max_size=80))
def test_any_text_is_a_name_or_a_named_error(read: Callable[[str], object], text: str) -> None:
    with contextlib.suppress(BadIdentifier):
        assert read(text)


def test_contract_ids_of_din() -> None:
    assert contract_id_din("nl*tnm*122045*0", check=True) == "NLTNM1220450"
    assert contract_id_din("NL-TNM-122045-1") == "NLTNM1220451"
    with pytest.raises(BadIdentifier, match="check character 0"):
        contract_id_din("NL-TNM-122045-1", check=True)
    for text in ("NLTNM12204", "NLTNM122045Y", "NLTNM12204500", "1LTNM122045"):
        with pytest.raises(BadIdentifier, match="DIN 91286"):
            contract_id_din(text)


@given(st.from_regex(r"[A-Z]{2}[A-Z0-9]{9}", fullmatch=True))
def test_a_contract_id_of_din_comes_back(text: str) -> None:
    whole = emaid(emaid_of_din(text), check=True)
    assert din_of_emaid(whole) == whole[:5] + whole[7:14]
    assert contract_id_din(whole[:5] + whole[7:14], check=True)[:11] == text
