"""Grammars against three independent facts: EXIficient's, the public tables, and digests that CI keeps."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.grammar_text import event_text, slips
from tests.reference import REFERENCE, needs_reference
from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar, Row, Start
from v2g.exi.message import Message
from v2g.exi.relaxed import Relaxed
from v2g.exi.types import Enumeration, Listed, Octets, Text, Whole
from v2g.protocols import SCHEMAS, schema

REFERENCES = [
    # set, dump, pairs of states
    ("sap", "sap", 37),
    ("xmldsig", "dsig", 105),
    ("din", "din", 456),
    ("iso2", "iso2", 2865),
    ("iso20.common", "c20", 8004),
    ("iso20.ac", "ac20", 384),
    ("iso20.dc", "dc20", 358),
    ("iso20.wpt", "wpt20", 1852),
    ("iso20.acdp", "acdp20", 240),
]


@dataclass(frozen=True)
class Production:
    """One production of the reference: its event, the number of the element's grammar, and of the next state."""

    event: str
    element: int
    following: int


@dataclass(frozen=True)
class State:
    """One state of the reference."""

    bits: int
    second_level: int
    productions: list[Production]


class Dump:
    """The grammars of one schema set as EXIficient builds them."""

    def __init__(self, path: Path) -> None:
        self.states: dict[int, State] = {}
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            words = next(lines).split()
            for line in lines:
                self._add(line.rstrip("\n"))
        self.documents = self._roots(int(words[1]))
        self.fragments = self._roots(int(words[3]))

    def _add(self, line: str) -> None:
        head, _, rest = line.partition(" :")
        found = re.match(r"G (\d+) \S+ n=\d+ w=(-?\d+) second=(-?\d+)", head)
        assert found, line
        productions = []
        for text in rest.split(" | ")[1:]:
            event, _, following = text.rpartition(" ->")
            name, _, element = event.rpartition(">") if event.startswith("SE{") else (event, "", "-1")
            productions.append(Production(name, int(element), int(following)))
        self.states[int(found[1])] = State(int(found[2]), int(found[3]), productions)

    def _roots(self, number: int) -> State:
        return self.states[self.states[number].productions[0].following]


def _differences(grammar: Grammar, dump: Dump) -> tuple[int, list[str]]:
    """Walk both from all their roots; tell how many pairs of states were met, and where they differ."""
    found = []
    todo: list[tuple[Row, int, str]] = []
    for ours, theirs in ((grammar.documents, dump.documents), (grammar.fragments, dump.fragments)):
        names = [f"SE{{{root.namespace}}}{root.name}" for root in ours]
        others = [production.event for production in theirs.productions if production.event.startswith("SE{")]
        if names != others:
            found.append(f"roots: {sorted(set(names) ^ set(others))}")
        for root, production in zip(ours, theirs.productions, strict=False):
            if len(root.types) == 1:
                todo.append((grammar.first(root.types[0]), production.element, root.name))
    seen = set()
    while todo:
        row, number, path = todo.pop()
        if (id(row), number) in seen:
            continue
        seen.add((id(row), number))
        state = dump.states[number]
        mine = [row.bits, row.second_level, *map(event_text, row.events)]
        wanted = [state.bits, state.second_level, *(production.event for production in state.productions)]
        if mine != wanted:
            found.append(f"{path}: {mine} instead of {wanted}")
            continue
        for code, (event, production) in enumerate(zip(row.events, state.productions, strict=True)):
            if production.event != "END_ELEMENT":
                todo.append((row.after(code), production.following, path))
            if isinstance(event, Start):
                todo.append((grammar.first(event.type), production.element, event.name))
    return len(seen), found


@needs_reference
@pytest.mark.parametrize(("name", "dump", "pairs"), REFERENCES)
def test_every_state_is_exificients(name: str, dump: str, pairs: int) -> None:
    met, differences = _differences(schema(name).grammar, Dump(REFERENCE / "exi-grammars" / f"{dump}.txt.gz"))
    assert differences == []
    assert met == pairs


def test_all_states_of_all_sets_were_compared() -> None:
    amendment = {"iso20.ac_der_iec", "iso20.ac_der_sae"}  # no schema of it is public
    assert {name for name, _, _ in REFERENCES} == set(SCHEMAS) - amendment
    assert sum(pairs for _, _, pairs in REFERENCES) == 14_301


@needs_reference
def test_the_comparison_sees_a_slip() -> None:
    _, differences = _differences(
        schema("iso2").grammar,
        Dump(REFERENCE / "exi-grammars" / "iso2-builtin.txt.gz"),
    )
    assert any(difference.startswith("ParameterSet:") for difference in differences)


@needs_reference
def test_looped_lists_are_those_of_exificients_compiled_grammars() -> None:
    looped = schema("iso2").looped[0].grammar
    _, differences = _differences(looped, Dump(REFERENCE / "exi-grammars" / "iso2-builtin.txt.gz"))
    assert differences == []


@needs_reference
def test_the_relaxed_grammar_is_exificients() -> None:
    dump = Dump(REFERENCE / "exi-grammars" / "iso2.txt.gz")
    grammar = schema("iso2").grammar
    code = next(code for code, root in enumerate(grammar.fragments) if len(root.types) > 1)
    state = dump.states[dump.fragments.productions[code].element]
    events = [production.event for production in state.productions]
    codes = Relaxed(grammar)
    assert [f"AT{{{ns}}}{name}:STRING" for ns, name in codes.attributes] == events[: len(codes.attributes)]
    assert (events.index("END_ELEMENT"), events.index("CHARACTERS_GENERIC")) == (codes.end, codes.characters)
    assert state.bits == codes.bits
    content = dump.states[state.productions[codes.characters].following]
    assert content.bits == codes.content_bits
    assert [production.event for production in content.productions].index("END_ELEMENT") == codes.content_end


@pytest.mark.parametrize("name", SCHEMAS)
def test_no_class_has_slipped_since_the_comparison(name: str) -> None:
    slipped = slips(name, schema(name).grammar)
    assert slipped == [], f"these are not what they were when all was equal to EXIficient: {slipped}"


Fields = tuple[Field, ...]


def _without(field: str) -> Callable[[Fields], Fields]:
    return lambda declared: tuple(each for each in declared if each.name != field)


def _swapped(field: str) -> Callable[[Fields], Fields]:
    """Put a field before the one it follows."""

    def swapped(declared: Fields) -> Fields:
        at = [each.name for each in declared].index(field)
        return (*declared[: at - 1], declared[at], declared[at - 1], *declared[at + 1 :])

    return swapped


def _changed(field: str, **changes: Any) -> Callable[[Fields], Fields]:
    return lambda declared: tuple(replace(each, **changes) if each.name == field else each for each in declared)


class Reordered(Enumeration):
    """What a vehicle wants of the power, with the first two in the wrong order."""

    Stop = "Stop"
    Start = "Start"
    Standby = "Standby"
    ScheduleRenegotiation = "ScheduleRenegotiation"


SLIPS = {
    # slip: set, class, change
    "a field is missing": ("iso20.dc", "DC_ChargeLoopRes", _without("EVSEPresentVoltage")),
    "two fields are swapped": ("din", "DC_EVStatus", _swapped("EVRESSSOC")),
    "an optional field is required": ("iso20.wpt", "WPT_LF_TransmitterData", _changed("TxPackageSpecData", least=1)),
    "a required attribute is optional": ("din", "SalesTariff", _changed("Id", least=0)),
    "a short list is longer": ("iso20.common", "PriceRuleStack", _changed("PriceRule", most=9)),
    "a long list is shorter": ("iso20.common", "PowerScheduleEntryList", _changed("PowerScheduleEntry", most=1023)),
    "a list has no bound": ("iso2", "ChargingProfile", _changed("ProfileEntry", most=None)),
    "a choice is a sequence": ("iso20.common", "EVPowerProfile", _changed("Scheduled_EVPPTControlMode", choice=None)),
    "an enumeration has another order": (
        "iso20.common",
        "PowerDeliveryReq",
        _changed("ChargeProgress", type=Listed(Reordered)),
    ),
    "an attribute's enumeration is another": ("din", "Parameter", _changed("ValueType", type=Listed(Reordered))),
    "a range of the same width is another": (
        "iso20.common",
        "ScheduleExchangeReq",
        _changed("MaximumSupportingPoints", type=Whole(13, 1024)),
    ),
    "a range that the wire does not show is another": (
        "iso20.common",
        "ScheduleTuple",
        _changed("ScheduleTupleID", type=Whole(0, 2**32 - 1)),
    ),
    "a text is shorter": ("iso20.acdp", "MeterInfo", _changed("MeterID", type=Text(most=31))),
    "an attribute's text is longer": ("iso20.common", "Parameter", _changed("Name", type=Text(most=81))),
    "a value has more octets": (
        "iso2",
        "ContractSignatureEncryptedPrivateKey",
        _changed("value", type=Octets("base64", most=49)),
    ),
}


@pytest.mark.parametrize(("name", "slipping", "slip"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_told_with_set_and_class(
    name: str,
    slipping: str,
    slip: Callable[[Fields], Fields],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def slipped(cls: type[Message]) -> Fields:
        return slip(fields(cls)) if cls.__name__ == slipping else fields(cls)

    monkeypatch.setattr("v2g.exi.grammar.fields", slipped)
    assert slips(name, schema.__wrapped__(name).grammar) == [f"{name}: {slipping}"]


ROOTS = [
    # set, document roots, bits, fragment names, bits
    ("sap", 2, 2, 9, 4),
    ("din", 81, 7, 245, 8),
    ("iso2", 80, 7, 243, 8),
    ("iso20.common", 54, 6, 281, 9),
    ("iso20.dc", 48, 6, 149, 8),
    ("iso20.ac", 42, 6, 154, 8),
    ("iso20.wpt", 38, 6, 193, 8),
    ("iso20.acdp", 34, 6, 129, 8),
    ("xmldsig", 24, 5, 45, 6),
]


@pytest.mark.parametrize(("name", "documents", "document_bits", "fragments", "fragment_bits"), ROOTS)
def test_root_tables_have_the_public_sizes(
    name: str,
    documents: int,
    document_bits: int,
    fragments: int,
    fragment_bits: int,
) -> None:
    grammar = schema(name).grammar
    assert (len(grammar.documents), len(grammar.documents).bit_length()) == (documents, document_bits)
    assert (len(grammar.fragments), (len(grammar.fragments) + 1).bit_length()) == (fragments, fragment_bits)


def test_of_all_that_is_signed_only_emaid_needs_the_relaxed_grammar() -> None:
    relaxed = {(name, root.name) for name in SCHEMAS for root in schema(name).grammar.fragments if len(root.types) > 1}
    assert relaxed == {("iso2", "eMAID"), ("iso20.ac_der_iec", "IntentionalDelayPowerControl")}


def test_a_body_may_hold_any_of_34_messages() -> None:
    grammar = schema("iso2").grammar
    body = next(cls for cls in grammar.classes if cls.__name__ == "Body")
    row = grammar.first(body)
    assert (len(row.events), row.bits) == (36, 6)
    names = [event.name for event in row.events if isinstance(event, Start)]
    assert names == sorted(names)
    assert names.index("SessionSetupReq") == 29
    assert names.index("PreChargeReq") == 23
