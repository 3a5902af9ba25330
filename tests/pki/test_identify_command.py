"""`pki id`: the answer for people and for machines."""

from __future__ import annotations

import json

from click.testing import CliRunner

from pki.commands import pki


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(pki, ["id", *arguments])
    return result.exit_code, result.output


def test_a_wrong_check_character_is_told_and_does_no_harm() -> None:
    code, output = run("UKSWI123456791A")
    assert code == 0
    assert "EMAID: UK-SWI-123456791-A (UKSWI123456791A); check character is wrong, 5 would be right" in output


def test_the_other_form_of_an_account() -> None:
    code, output = run("NL-TNM-000122045-U")
    assert (code, "  as contract id of DIN 91286: NLTNM0122045" in output) == (0, True)


def test_for_machines() -> None:
    code, output = run("--json", "NL-TNM-012204-5")
    found = json.loads(output)
    assert code == 0
    assert found[0]["kind"] == "contract id of DIN 91286"
    assert found[0]["others"] == {"EMAID": "NLTNM000122045U"}


def test_nothing_of_the_kind() -> None:
    code, output = run("no-such-thing!")
    assert (code, "'no-such-thing!' is no EMAID" in output) == (1, True)
