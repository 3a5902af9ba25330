"""Random messages of every schema set: what is written is read, by generated code and by the interpreter alike."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endurance import count
from tests.random_messages import Messages, travelling
from v2g.exi.codec import Schema
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.exi.message import Message
from v2g.exi.notes import Decoded
from v2g.protocols import SCHEMAS, schema

MESSAGES = count(500, 5_000)


def _both_ways(codec: Schema, message: Message) -> None:
    """See that both ways write a message as the same bytes, and that both read it."""
    frame = codec.grammar.document
    code = frame.code(type(message))
    data = codec.library.write(frame, code, message)
    assert Writing(codec.grammar).document(code, message) == data
    assert codec.library.read(frame, data)[0] == message
    assert codec.read(data) == Decoded(message=message)
    assert Reading(codec.grammar, data).document() == Decoded(message=message)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_message_comes_back_with_every_field(name: str) -> None:
    codec = schema(name)
    messages = Messages(codec.grammar, Random(118))
    classes = travelling(codec.grammar)
    for number in range(MESSAGES):
        _both_ways(codec, messages.message(classes[number % len(classes)]))
    assert messages.missed(classes) == []


@given(st.sampled_from(SCHEMAS), st.randoms(use_true_random=True))
def test_every_root_comes_back(name: str, random: Random) -> None:
    codec = schema(name)
    _both_ways(codec, Messages(codec.grammar, random).root())
