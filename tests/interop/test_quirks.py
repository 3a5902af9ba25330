"""Our vectors of quirks against a live EXIficient: it does with each what the vector says it does."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.endurance import count
from tests.interop.exificient import SCHEMAS, Exificient
from tests.random_messages import Messages
from tests.xml_of import xml_of
from v2g.exi.notes import Quirk
from v2g.exi.values import MOST_REFERENCES_NOTED
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "quirks.json").read_text())
CHECKED = [vector for vector in VECTORS if vector["checked"].startswith("EXIficient")]
pytestmark = pytest.mark.interop

MESSAGES = count(50, 500)


def _same_xml(one: bytes, other: bytes) -> bool:
    return ET.canonicalize(one, rewrite_prefixes=True) == ET.canonicalize(other, rewrite_prefixes=True)


@pytest.mark.parametrize("vector", CHECKED, ids=[vector["name"] for vector in CHECKED])
def test_exificient_does_as_the_vector_says(vector: dict[str, Any], exificient: Exificient) -> None:
    name, data = vector["schema"], bytes.fromhex(vector["hex"])
    xml = xml_of(schema(name).decode(data))
    match vector["checked"]:
        case "EXIficient reads it":
            assert _same_xml(exificient.decode(name, data), xml)
        case "EXIficient reads and writes it":
            assert _same_xml(exificient.decode(name, data), xml)
            assert exificient.encode(name, xml) == data
        case "EXIficient writes it":
            assert exificient.encode(name, exificient.decode(name, data)) == data
        case "EXIficient with value tables writes it":
            assert exificient.encode(name, xml, tables=True) == data
        case "EXIficient by its compiled grammars writes it":
            assert exificient.encode(name, xml, compiled=True) == data
        case other:
            pytest.fail(f"nobody knows how to check {other!r}")


@pytest.mark.parametrize("name", sorted(set(SCHEMAS) - {"sap"}))
def test_texts_of_the_same_and_of_any_name_are_referred_to(name: str, exificient: Exificient) -> None:
    codec = schema(name)
    messages = Messages(
        codec.grammar, Random(f"references in {name}"), tame=True, words=("one", "two", "three", "four")
    )
    meanings = set[str]()
    for _ in range(MESSAGES):
        message = messages.root()
        explained = codec.explain(exificient.encode(name, xml_of(message), tables=True))
        assert explained.decoded is not None, explained.error
        assert explained.decoded.message == message
        references = sum(step.meaning.startswith("refers") for step in explained.steps)
        quirks = [note.quirk for note in explained.decoded.notes]
        assert quirks.count(Quirk.TABLE) == min(references, MOST_REFERENCES_NOTED)
        meanings |= {step.meaning for step in explained.steps}
    assert "refers to an earlier text of this element (sent as 0)" in meanings
    assert "refers to an earlier text of any element (sent as 1)" in meanings
