"""What vehicles, stations and other codecs are known to send: read as written down, and noted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from v2g.exi.explain import Reading
from v2g.exi.library import READING
from v2g.exi.notes import Decoded, Quirk
from v2g.protocols import schema

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "quirks.json").read_text())
NEVER_WRITTEN = {Quirk.COOKIE, Quirk.SPARE, Quirk.EMPTY, Quirk.TABLE, Quirk.FULL_LIST}
every_vector = pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])


def _read(vector: dict[str, Any]) -> Decoded:
    codec = schema(vector["schema"])
    data = bytes.fromhex(vector["hex"])
    return codec.read(data) if vector["stream"] == "document" else codec.read_fragment(data)


def _told(value: Any) -> Any:
    """Leave out what is not there."""
    if isinstance(value, dict):
        return {name: _told(part) for name, part in value.items() if part is not None and part != []}
    return [_told(part) for part in value] if isinstance(value, list) else value


@every_vector
def test_a_quirk_is_read_and_noted(vector: dict[str, Any]) -> None:
    decoded = _read(vector)
    assert type(decoded.message).__name__ == vector["root"]
    assert _told(msgspec.to_builtins(decoded.message)) == vector["message"]
    assert [str(note) for note in decoded.notes] == vector["notes"]


@every_vector
def test_what_is_not_noted_is_read_by_generated_code_and_written_the_same(vector: dict[str, Any]) -> None:
    codec = schema(vector["schema"])
    data = bytes.fromhex(vector["hex"])
    decoded = _read(vector)
    again = codec.encode(decoded.message, strict=False)
    assert (again == data) is not bool({note.quirk for note in decoded.notes} & NEVER_WRITTEN)
    assert codec.decode(again) == decoded.message
    if not decoded.notes:
        assert codec.library.read(codec.grammar.document, data)[0] == decoded.message


@every_vector
def test_what_is_noted_is_not_taken_for_ordinary_by_either_reader(vector: dict[str, Any]) -> None:
    codec = schema(vector["schema"])
    data = bytes.fromhex(vector["hex"])
    decoded = _read(vector)
    if Quirk.FULL_LIST not in {note.quirk for note in decoded.notes}:
        assert Reading(codec.grammar, data).document() == decoded
    try:
        _, left, tail = codec.library.read(codec.grammar.document, data)
    except READING:
        assert decoded.notes
    else:
        assert bool(decoded.notes) is (left >= 8 or tail != 0)


def test_a_value_out_of_range_is_told_with_its_limit() -> None:
    facets = [note for vector in VECTORS for note in _read(vector).notes if note.quirk is Quirk.FACET]
    assert {(note.path.rpartition("/")[2], note.value, note.limit) for note in facets} == {
        ("ChargingProfileEntryMaxNumberOfPhasesInUse", 4, "a number from 1 to 3"),
        ("EVRESSSOC", 111, "a number from 0 to 100"),
        ("eMAID", 0, "a text of 14 to 15 characters"),
    }


def test_every_quirk_has_a_vector() -> None:
    assert {note.quirk for vector in VECTORS for note in _read(vector).notes} >= set(Quirk) - {Quirk.PADDING}
    assert {vector["schema"] for vector in VECTORS} >= {"sap", "din", "iso2", "iso20.common"}


def test_the_first_references_are_noted_with_what_they_stand_for() -> None:
    references = [note for vector in VECTORS for note in _read(vector).notes if note.quirk is Quirk.TABLE]
    assert {note.detail for note in references} >= {"'urn:iso:15118:2:2013:MsgDef'", "'http'", "'ControlMode'"}
