"""Random messages through our codec and a live EXIficient: the same bytes, both ways."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from tests.endurance import count
from tests.interop.exificient import SCHEMAS, Exificient
from tests.random_messages import Messages, travelling
from tests.xml_of import xml_of
from v2g.exi.notes import Decoded, Quirk
from v2g.messages import iso2, xmldsig
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "exi.json").read_text())
pytestmark = pytest.mark.interop

MESSAGES = count(500, 10_000)


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
