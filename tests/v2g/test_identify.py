"""What a text is taken for: samples of the references, and texts that are nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.identify import identify

SECC = "DE-ABC-S" + "0123456789" * 3 + "ABC"


@pytest.mark.parametrize(
    ("text", "kind", "normal", "written", "check", "expected"),
    [
        ("nl-tnm-000122045-u", "EMAID", "NLTNM000122045U", "NL-TNM-000122045-U", "right", "U"),
        ("UKSWI123456791A", "EMAID", "UKSWI123456791A", "UK-SWI-123456791-A", "wrong", "5"),
        ("DE-VAN-C00000001", "EMAID", "DEVANC00000001", "DE-VAN-C00000001", "absent", "Z"),
        ("NL*TNM*122045*0", "contract id of DIN 91286", "NLTNM1220450", "NL-TNM-122045-0", "right", "0"),
        ("INTNM000110", "contract id of DIN 91286", "INTNM000110", "IN-TNM-000110", "absent", "X"),
        ("WMI12345678901234X", "PCID", "WMI12345678901234X", "WMI-12345678901234-X", "unknown", ""),
        (SECC, "SECCID", SECC.replace("-", ""), SECC, "unknown", ""),
        ("WMIV1234567890ABCDEX", "EVCCID of -20", "WMIV1234567890ABCDEX", "WMIV1234567890ABCDEX", "unknown", ""),
        ("00-7d-fa-01-02-0f", "EVCCID of DIN and -2", "007DFA01020F", "00:7D:FA:01:02:0F", "none", ""),
        ("DE*ABC*E1234", "EVSEID", "DE*ABC*E1234", "DE*ABC*E1234", "none", ""),
        ("49*89*6360", "EVSEID of DIN 91286", "49*89*6360", "49*89*6360", "none", ""),
    ],
)
def test_samples(text: str, kind: str, normal: str, written: str, check: str, expected: str) -> None:
    found = next(each for each in identify(text) if each.kind == kind)
    assert (found.normal, found.written, found.check, found.expected) == (normal, written, check, expected)
    assert found.verdict


def test_a_short_name_of_a_vehicle_has_the_shape_of_an_emaid() -> None:
    assert [each.kind for each in identify("WACME0000000001")] == ["EMAID", "EVCCID of -20"]


def test_an_account_in_the_other_form() -> None:
    """Published: the check character of DIN belongs to what ISO 15118 and eMI3 make of the account."""
    din = next(each for each in identify("NL-TNM-012204-5") if each.kind.startswith("contract"))
    assert din.others == {"EMAID": "NLTNM000122045U"}
    for text in ("NL-TNM-000122045-U", "NLTNMC00122045K"):
        assert identify(text)[0].others == {"contract id of DIN 91286": "NLTNM0122045"}
    for text in ("NLTNM012345678", "NLTNM000122046"):
        assert identify(text)[0].others == {}


def test_a_station_in_other_forms() -> None:
    assert identify("DE*ABC*E1234")[-1].others == {"EVSEID without separators": "DEABCE1234"}
    assert identify("49*89*6360")[-1].others == {"bytes in DIN 70121": "49a89a6360"}


@pytest.mark.parametrize("text", ["", "-", "DE", "DE8AA-", "ÄÖ-ABC-C12345678", "DE*ABC*F1234", "x" * 300])
def test_nothing(text: str) -> None:
    assert identify(text) == []


@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9*-]{1,64}", fullmatch=True))
def test_any_text_is_told(text: str) -> None:
    for found in identify(text):
        assert found.verdict
        again = [each.normal for each in identify(found.normal) if each.kind == found.kind]
        assert again == [found.normal]
