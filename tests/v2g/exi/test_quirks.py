"""What vehicles, stations and other codecs are known to send: read as written down, and noted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from tests.endurance import count
from tests.random_messages import Messages
from v2g.exi.explain import Reading
from v2g.exi.fields import Field, fields
from v2g.exi.library import READING
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk
from v2g.exi.types import Mark, Octets, Simple, Text, Whole
from v2g.protocols import SCHEMAS, schema

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


Place = tuple[str, Simple, Callable[[Any], Message]]
"""The path of a value, its type, and how to put another value there."""


def _places(message: Message, path: str) -> Iterator[Place]:
    """Tell all single values of a message."""
    for field in fields(type(message)):
        value = getattr(message, field.name)
        if isinstance(field.type, type):
            for number, part in enumerate(value if field.many else [] if value is None else [value]):
                group = field.type.group
                step = f"{part.element if group else field.name}{f'[{number}]' if field.many else ''}"
                for inner, where, put in _places(part, f"{path}/{step}"):
                    yield inner, where, partial(_put_part, message, field, number, put)
        elif value is not None and not field.many:
            step = "" if field.mark is Mark.CONTENT else f"/{'@' * (field.mark is Mark.ATTRIBUTE)}{field.name}"
            yield path + step, field.type, partial(_put, message, field)


def _put(message: Message, field: Field, value: Any) -> Message:
    return msgspec.structs.replace(message, **{field.name: value})


def _put_part(message: Message, field: Field, number: int, put: Callable[[Any], Message], value: Any) -> Message:
    part = put(value)
    if field.many:
        parts = getattr(message, field.name)
        return _put(message, field, [*parts[:number], part, *parts[number + 1 :]])
    return _put(message, field, part)


def _out_of_range(kind: Simple) -> tuple[Any, int] | None:
    """Tell a value that a declaration does not allow and that can be sent all the same, and what is noted of it."""
    match kind:
        case Whole(int(low), int(high), bits=int(bits)):
            return (high + 1, high + 1) if high + 1 - low < 1 << bits else None
        case Whole(high=int(high)):
            return (high + 1, high + 1) if high + 1 < 1 << 64 else None
        case Text(most=int(most)):
            return "\u20ac" * (most + 1), most + 1
        case Octets(most=int(most)):
            return bytes(most + 1), most + 1
    return None


@pytest.mark.parametrize("name", SCHEMAS)
def test_any_value_out_of_range_is_read_and_noted(name: str) -> None:
    codec = schema(name)
    random = Random(f"out of range in {name}")
    messages = Messages(codec.grammar, random)
    kinds = set[type]()
    for _ in range(count(100, 2_000)):
        message = messages.root()
        places = [(path, kind, put, _out_of_range(kind)) for path, kind, put in _places(message, message.element)]
        wrong = [(path, kind, put(told[0]), told[1]) for path, kind, put, told in places if told]
        wanted = random.choice([kind for kind in (Text, Whole, Octets) if kind not in kinds] or [Text, Whole, Octets])
        wrong = [place for place in wrong if isinstance(place[1], wanted)] or wrong
        if not wrong:
            continue
        path, kind, changed, value = random.choice(wrong)
        with pytest.raises(ValueError, match="not within"):
            codec.encode(changed)
        decoded = codec.read(codec.encode(changed, strict=False))
        assert decoded.message == changed
        assert [(note.quirk, note.path, note.value) for note in decoded.notes] == [(Quirk.FACET, path, value)]
        kinds.add(type(kind))
    assert kinds >= {"xmldsig": set(), "sap": {Text, Whole}}.get(name, {Whole, Octets})
