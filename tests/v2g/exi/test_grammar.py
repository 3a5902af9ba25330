"""Grammars against three independent facts: EXIficient's, the public tables, and digests that CI keeps."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.grammar_text import DIGESTS, SETS, digests, event_text
from tests.reference import REFERENCE, needs_reference
from v2g.exi.fields import Field, fields
from v2g.exi.grammar import Grammar, Row, Start
from v2g.exi.message import Message
from v2g.exi.relaxed import Relaxed
from v2g.messages import iso2, xmldsig
from v2g.protocols import schema

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
    assert [name for name, _, _ in REFERENCES] == list(SETS)
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
    looped = schema("iso2")._looped[0].grammar
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


@pytest.mark.parametrize("name", SETS)
def test_no_class_has_slipped_since_the_comparison(name: str) -> None:
    kept = json.loads(DIGESTS.read_text())[name]
    now = digests(schema(name).grammar)
    slipped = sorted(key for key in kept.keys() | now.keys() if kept.get(key) != now.get(key))
    assert slipped == [], f"the grammar of these classes of {name} is not what EXIficient's is: {slipped}"


def test_the_digests_name_the_class_that_slipped(monkeypatch: pytest.MonkeyPatch) -> None:
    def slipped(cls: type[Message]) -> tuple[Field, ...]:
        declared = fields(cls)
        return declared if cls is not iso2.MeterInfo else (replace(declared[0], least=0), *declared[1:])

    monkeypatch.setattr("v2g.exi.grammar.fields", slipped)
    kept = json.loads(DIGESTS.read_text())["iso2"]
    now = digests(Grammar((xmldsig, iso2)))
    assert [key for key in now if kept[key] != now[key]] == ["MeterInfo"]


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


FRAGMENTS = [
    ("xmldsig", "SignedInfo", 32),
    ("iso2", "AuthorizationReq", 4),
    ("iso2", "CertificateInstallationReq", 15),
    ("iso2", "CertificateUpdateReq", 17),
    ("iso2", "MeteringReceiptReq", 121),
    ("iso2", "ContractSignatureCertChain", 33),
    ("iso2", "ContractSignatureEncryptedPrivateKey", 34),
    ("iso2", "DHpublickey", 45),
    ("iso2", "eMAID", 236),
    ("iso2", "SalesTariff", 174),
    ("iso2", "SignedInfo", 208),
    ("iso20.common", "PnC_AReqAuthorizationMode", 151),
    ("iso20.common", "OEMProvisioningCertificateChain", 128),
    ("iso20.common", "CertificateInstallationReq", 27),
    ("iso20.common", "SignedInstallationData", 231),
    ("iso20.common", "SignedMeteringData", 232),
    ("iso20.common", "MeteringConfirmationReq", 119),
    ("iso20.common", "AbsolutePriceSchedule", 0),
    ("iso20.common", "PriceLevelSchedule", 167),
    ("iso20.common", "SignedInfo", 230),
    ("iso20.dc", "SignedInfo", 129),
    ("iso20.ac", "SignedInfo", 135),
]


@pytest.mark.parametrize(("name", "element", "code"), FRAGMENTS)
def test_signed_elements_have_the_public_codes(name: str, element: str, code: int) -> None:
    assert schema(name).grammar.fragments[code].name == element


def test_only_emaid_needs_the_relaxed_grammar() -> None:
    for name in SETS:
        relaxed = [root.name for root in schema(name).grammar.fragments if len(root.types) > 1]
        assert relaxed == (["eMAID"] if name == "iso2" else [])


def test_a_body_may_hold_any_of_34_messages() -> None:
    grammar = schema("iso2").grammar
    body = next(cls for cls in grammar.classes if cls.__name__ == "Body")
    row = grammar.first(body)
    assert (len(row.events), row.bits) == (36, 6)
    names = [event.name for event in row.events if isinstance(event, Start)]
    assert names == sorted(names)
    assert names.index("SessionSetupReq") == 29
    assert names.index("PreChargeReq") == 23
