"""Random messages through our codec and a live EXIficient: the same bytes, both ways."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import msgspec
import pytest

from tests.endurance import count
from tests.interop.exificient import SCHEMAS, Exificient
from tests.random_messages import FULL_LIST, Messages, travelling, understood
from tests.xml_of import xml_of
from v2g.errors import Undecodable
from v2g.exi.fields import Field, fields
from v2g.exi.frame import Root
from v2g.exi.grammar import Grammar
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Note, Quirk
from v2g.messages import iso2, xmldsig
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "exi.json").read_text())
pytestmark = pytest.mark.interop

MESSAGES = count(500, 5_000)
WORDS = ("", "a", "of three", "words again", "\u00e4\u03a9\u20ac\u4e2d")
NOT_IN_XML = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")
"""Characters that XML cannot hold, or that XML tools change."""

LONG_LISTS = {
    "iso2": {"PMaxScheduleEntry 1024", "ParameterSet 255", "SalesTariffEntry 1024"},
    "iso20.common": {
        "EVPowerProfileEntry 2048",
        "EVPowerScheduleEntry 1024",
        "EVPriceRuleStack 1024",
        "Parameter 32",
        "ParameterSet 32",
        "PowerScheduleEntry 1024",
        "PriceLevelScheduleEntry 1024",
        "PriceRuleStack 1024",
        "ProviderID 128",
    },
    "iso20.wpt": {"PulseSequenceOrder 255", "RxSpecData 255", "TxSpecData 255"},
}


def _same_xml(one: bytes, other: bytes) -> bool:
    return ET.canonicalize(one, rewrite_prefixes=True) == ET.canonicalize(other, rewrite_prefixes=True)


@pytest.mark.parametrize("name", SCHEMAS)
def test_documents_are_the_same_bytes(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(15118), tame=True)
    classes = travelling(codec.grammar)
    for number in range(MESSAGES):
        message = messages.message(classes[number % len(classes)])
        data = codec.encode(message)
        xml = xml_of(message)
        assert exificient.encode(name, xml).hex() == data.hex(), message
        assert _same_xml(exificient.decode(name, data), xml), message
        assert codec.read(data) == Decoded(message=message)
    assert messages.missed(classes) == []


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_element_is_the_same_bytes_as_a_fragment(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(8), tame=True)
    names = Counter(root.name for root in codec.grammar.fragments)
    for root in codec.grammar.fragments:
        cls = root.types[0]
        told_by_name = names[root.name] == 1 == len(root.types)
        if told_by_name and isinstance(cls, type) and understood(cls) and not cls.abstract:
            message = messages.message(cls)
            data = codec.encode_fragment(message, root.name)
            xml = xml_of(message, root.name, root.namespace)
            assert exificient.encode(name, xml, "fragment").hex() == data.hex(), message
            assert codec.read_fragment(data) == Decoded(message=message)


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_we_find_nothing_wrong_with_it_reads_as_the_same(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    random = Random(75)
    messages = Messages(codec.grammar, random, tame=True)
    classes = travelling(codec.grammar)
    faultless = 0
    for number in range(count(150, 3_000)):
        data = bytearray(codec.encode(messages.message(classes[number % len(classes)])))
        data[random.randrange(1, len(data))] ^= 1 << random.randrange(8)
        with contextlib.suppress(Undecodable):
            decoded = codec.read(bytes(data))
            xml = xml_of(decoded.message)
            if not decoded.notes and not NOT_IN_XML.search(xml.decode()):
                assert _same_xml(exificient.decode(name, bytes(data)), xml), data.hex()
                faultless += 1
    assert faultless > number / 3


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_its_compiled_grammars_write_is_understood(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(20), tame=True)
    classes = travelling(codec.grammar)
    for number in range(count(100, 1_000)):
        message = messages.message(classes[number % len(classes)])
        data = exificient.encode(name, xml_of(message), compiled=True)
        decoded = codec.read(data)
        assert decoded.message == message
        assert decoded.notes == (() if data == codec.encode(message) else (Note(Quirk.FULL_LIST),))


@pytest.mark.parametrize("tables", [False, True])
@pytest.mark.parametrize("name", SCHEMAS)
def test_empty_values_and_repeated_texts_of_any_message_are_understood(
    name: str, *, tables: bool, exificient: Exificient
) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(73), tame=True, words=WORDS)
    classes = travelling(codec.grammar)
    met: set[Quirk] = set()
    for number in range(count(100, 1_000)):
        message = messages.message(classes[number % len(classes)])
        decoded = codec.read(exificient.encode(name, xml_of(message), tables=tables))
        assert decoded.message == message
        met |= {note.quirk for note in decoded.notes}
    assert met - {Quirk.FACET} == ({Quirk.EMPTY, Quirk.TABLE} if tables else {Quirk.EMPTY})


@pytest.mark.parametrize("name", LONG_LISTS)
def test_long_lists_are_the_same_bytes_full_or_nearly_so(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(4), tame=True)
    met = set()
    for root, cls, field in _long_lists(codec.grammar):
        several = [messages.message(cls) for _ in range(20)]
        item = min((getattr(message, field.name)[0] for message in several), key=lambda value: len(str(value)))
        assert field.most
        for size in (field.most - 1, field.most):
            message = msgspec.structs.replace(several[0], **{field.name: [item] * size})
            data = codec.encode_fragment(message, root.name)
            xml = xml_of(message, root.name, root.namespace)
            assert exificient.encode(name, xml, "fragment").hex() == data.hex()
            assert codec.read_fragment(data) == Decoded(message=message)
            compiled = exificient.encode(name, xml, "fragment", compiled=True)
            assert compiled in codec.fragment_forms(message, root.name)
            notes = () if compiled == data else (Note(Quirk.FULL_LIST),)
            assert codec.read_fragment(compiled) == Decoded(message=message, notes=notes)
        met.add(f"{field.name} {field.most}")
    assert met == LONG_LISTS[name]


def _long_lists(grammar: Grammar) -> Iterator[tuple[Root, type[Message], Field]]:
    """Tell the elements with a list that random messages do not fill."""
    for root in grammar.fragments:
        cls = root.types[0]
        if isinstance(cls, type):
            yield from ((root, cls, field) for field in fields(cls) if (field.most or 0) > FULL_LIST)


def test_empty_values_and_repeated_texts_are_understood(exificient: Exificient) -> None:
    codec = schema("iso2")
    signature = xmldsig.SignedInfo(
        CanonicalizationMethod=xmldsig.CanonicalizationMethod(Algorithm="same"),
        SignatureMethod=xmldsig.SignatureMethod(Algorithm="same"),
        Reference=[
            xmldsig.Reference(
                URI="same",
                DigestMethod=xmldsig.DigestMethod(Algorithm="same"),
                DigestValue=b"",
            ),
        ],
    )
    message = iso2.V2G_Message(
        Header=iso2.MessageHeader(
            SessionID=b"",
            Notification=iso2.Notification(FaultCode=iso2.FaultCode.UnknownError, FaultMsg=""),
            Signature=xmldsig.Signature(
                SignedInfo=signature,
                SignatureValue=xmldsig.SignatureValue(Id="same", value=b""),
            ),
        ),
        Body=iso2.Body(BodyElement=iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK, EVSEID="same")),
    )
    xml = xml_of(message)
    plain = codec.read(exificient.encode("iso2", xml))
    assert plain.message == message
    assert [note.quirk for note in plain.notes] == [Quirk.EMPTY] * 4 + [Quirk.FACET]
    tables = codec.read(exificient.encode("iso2", xml, tables=True))
    assert tables.message == message
    assert [note.quirk for note in tables.notes].count(Quirk.TABLE) == 5


def test_texts_repeated_across_list_items_are_understood(exificient: Exificient) -> None:
    codec = schema("iso2")
    names = ["one", "two", "one", "three", "", "two", "one"]
    services = [
        iso2.Service(
            ServiceID=number,
            ServiceName=name,
            ServiceCategory=iso2.ServiceCategory.Internet,
            ServiceScope=name[::-1],
            FreeService=True,
        )
        for number, name in enumerate(names)
    ]
    message = iso2.ServiceList(Service=services)
    element = codec.grammar.fragments[codec.grammar.fragment.code(iso2.ServiceList)]
    xml = xml_of(message, element.name, element.namespace)
    decoded = codec.read_fragment(exificient.encode("iso2", xml, "fragment", tables=True))
    assert decoded.message == message
    assert [note.quirk for note in decoded.notes].count(Quirk.TABLE) == 6


@pytest.mark.parametrize("name", sorted({vector["schema"] for vector in VECTORS}))
def test_it_reads_our_vectors_as_we_do(name: str, exificient: Exificient) -> None:
    ordinary = [vector for vector in VECTORS if vector["schema"] == name and not vector["notes"]]
    readable = [vector for vector in ordinary if "\\u000" not in json.dumps(vector["message"])]
    codec = schema(name)
    for vector in readable:
        data = bytes.fromhex(vector["hex"])
        if vector["stream"] == "document":
            message = codec.decode(data)
            assert _same_xml(exificient.decode(name, data), xml_of(message)), vector["name"]
        else:
            assert _same_xml(exificient.decode(name, data, "fragment"), xml_of(codec.decode_fragment(data)))
    assert readable
