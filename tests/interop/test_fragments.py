"""Fragments of every signed element through our codec and a live EXIficient: the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from xml.etree import ElementTree as ET

import pytest

from tests.endurance import count
from tests.interop.exificient import Exificient
from tests.random_messages import Messages
from tests.signed_elements import SIGNED, SIGNED_INFO, Signed
from tests.xml_of import xml_of
from v2g.messages import iso2
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "fragments.json").read_text())
pytestmark = pytest.mark.interop

MESSAGES = count(30, 1_000)


@pytest.mark.parametrize("signed", [*SIGNED, *SIGNED_INFO], ids=lambda signed: f"{signed.schema} {signed.element}")
def test_fragments_are_the_same_bytes(signed: Signed, exificient: Exificient) -> None:
    codec = schema(signed.schema)
    messages = Messages(codec.grammar, Random(15118), tame=True)
    namespace = codec.grammar.fragments[signed.code].namespace
    for _ in range(MESSAGES):
        message = messages.message(signed.cls)
        data = codec.encode_fragment(message, signed.element)
        xml = xml_of(message, signed.element, namespace)
        assert exificient.encode(signed.schema, xml, "fragment").hex() == data.hex(), message
        assert codec.decode_fragment(data) == message


def test_empty_values_are_as_one_of_our_forms(exificient: Exificient) -> None:
    """EXIficient ends an element where it has no value to write; a signature of such a peer is over those bits."""
    codec = schema("iso2")
    receipt = iso2.MeteringReceiptReq(
        Id="id1",
        SessionID=b"",
        MeterInfo=iso2.MeterInfo(MeterID="", MeterReading=1, SigMeterReading=b"", TMeter=1),
    )
    key = iso2.DiffieHellmanPublickey(Id="id3", value=b"")
    for message in (receipt, key, iso2.EMAID(Id="id4", value="")):
        element = codec.grammar.fragments[codec.grammar.fragment.code(type(message))]
        data = exificient.encode("iso2", xml_of(message, element.name, element.namespace), "fragment")
        assert codec.fragment_forms(message)[data] == "gaps"
        assert codec.decode_fragment(data) == message


@pytest.mark.parametrize("vector", VECTORS, ids=[f"{each['schema']} {each['element']}" for each in VECTORS])
def test_it_reads_our_vectors_as_we_do(vector: dict[str, str], exificient: Exificient) -> None:
    codec, element, data = schema(vector["schema"]), vector["element"], bytes.fromhex(vector["hex"])
    message = codec.decode_fragment(data)
    namespace = codec.grammar.fragments[codec.grammar.fragment.code(type(message), element)].namespace
    theirs = exificient.decode(vector["schema"], data, "fragment")
    ours = xml_of(message, element, namespace)
    assert ET.canonicalize(theirs, rewrite_prefixes=True) == ET.canonicalize(ours, rewrite_prefixes=True)
