"""The tables themselves: they name what exists, lead somewhere, and no line is hidden behind another."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from lab.standard import sequence
from lab.standard.din import DIN
from lab.standard.iso2 import ISO2
from lab.standard.sequence import ANYWHERE, DECIDES, END, PAUSED, SERVED, Asked, Served, Standard, stem
from tests.lab.journeys import journeys
from tests.lab.prompts import others
from tests.lab.vehicles import answered
from tests.lab.waits import waits
from v2g.messages import din, iso2

STANDARDS = pytest.mark.parametrize(("standard", "messages"), [(ISO2, iso2), (DIN, din)], ids=["iso2", "din"])
FOLDER = Path(sequence.__file__).parent
UNHEARD = {("iso2", "ServiceDetail", " "): "without TLS our vehicle asks for no service"}
"""Lines for the vehicle that no answer here comes to, and why; each must be taken out once one does."""


def requests(standard: Standard) -> Iterator[str]:
    """Every request that the tables name."""
    for row in standard.station:
        yield row.request
    for asked in standard.vehicle:
        yield from (asked.request, *asked.next.split(), *asked.contested.split())


@STANDARDS
def test_every_request_exists(standard: Standard, messages: ModuleType) -> None:
    for named in set(requests(standard)) - {END}:
        assert hasattr(messages, f"{stem(named)}Req"), named
        decision = named.removeprefix(stem(named)).strip("()")
        kind = getattr(messages, f"{stem(named)}Req")
        if decision and decision not in {"GenChallenge", "True", "False"}:
            (field,) = {DECIDES[kind.__name__]} if isinstance(DECIDES[kind.__name__], str) else {"ChargeProgress"}
            enumeration = {"SelectedPaymentOption": "PaymentOption", "ChargingSession": "ChargingSession"}.get(
                str(field), str(field)
            )
            assert decision in list(getattr(messages, enumeration)), named


@STANDARDS
def test_every_code_exists(standard: Standard, messages: ModuleType) -> None:
    codes = {code for row in standard.station for code in (row.refused + " " + row.instead).split()}
    codes |= {code for each in standard.codes.values() for code in each.split()}
    assert codes - {SERVED} <= set(messages.ResponseCode)
    assert all(hasattr(messages, f"{each}Res") for each in standard.codes)


@STANDARDS
def test_every_word_exists(standard: Standard, messages: ModuleType) -> None:
    """What a line asks for can be said."""
    source = Path(str(messages.__file__)).read_text(encoding="utf-8")
    known = {"TLS", "plain", "offers=AC", "offers=DC"}
    rows: list[Served | Asked] = [*standard.station, *standard.vehicle]
    for word in {word for row in rows for word in f"{row.given} {row.answered}".split()} - known:
        field, _, value = word.partition("=")
        assert re.search(rf"^    {field}: ", source, re.MULTILINE), word
        assert value in {"True", "None"} or value.isdigit() or re.search(rf"\b{value}\b", source), word


@STANDARDS
def test_every_state_leads_on(standard: Standard, messages: ModuleType) -> None:
    reached = {standard.first}
    for _ in standard.states:
        reached |= {row.next for row in standard.station if row.state in reached and not row.refused}
    assert reached - {END, PAUSED} == set(standard.states)


@STANDARDS
def test_every_line_says_where_it_is_from(standard: Standard, messages: ModuleType) -> None:
    rows: list[Served | Asked] = [*standard.station, *standard.vehicle]
    for row in rows:
        assert row.source, row
    for served in standard.station:
        assert served.state != ANYWHERE or served.request.startswith("SessionStop")


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_the_tables_read_no_session(path: Path) -> None:
    """They know messages and each other, and of our code nothing else."""
    found = {
        node.module
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        and node.module
        and node.module.partition(".")[0] in {"v2g", "lab", "secc", "evcc", "pki"}
    }
    assert found <= {"lab.standard.sequence", "v2g.exi.message"}


@STANDARDS
async def test_every_line_of_the_vehicle_is_heard(standard: Standard, messages: ModuleType, certificates: Path) -> None:
    heard = set()
    with waits() as noted:
        for journey in journeys(certificates):
            if journey.standard is standard:
                for wait in await answered(journey, noted):
                    answers = [wait.response, *(each for _, each in others(wait.response))]
                    heard |= {wait.row(each) for each in answers if str(each.ResponseCode).startswith("OK")}
    silent = {(standard.key, row.request, f"{row.given} {row.answered}") for row in set(standard.vehicle) - heard}
    assert silent == {each for each in UNHEARD if each[0] == standard.key}


@STANDARDS
async def test_no_line_of_the_station_is_hidden(standard: Standard, messages: ModuleType, certificates: Path) -> None:
    """Of the lines of a state and request the last is no repetition of one before it."""
    for place, row in enumerate(standard.station):
        for before in standard.station[:place]:
            same = (before.state, before.request) == (row.state, row.request)
            wider = set(before.given.split()) <= set(row.given.split())
            sooner = set(before.answered.split()) <= set(row.answered.split())
            assert not (same and wider and sooner), f"{row} is never reached, {before} comes first"
