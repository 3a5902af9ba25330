"""Changed bytes of every schema set: generated code and the interpreter come to the same verdict and message."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.endurance import count
from tests.fuzz.mutations import BENDINGS
from tests.random_messages import Messages, understood
from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.explain import Reading
from v2g.exi.library import READING
from v2g.exi.notes import Decoded, Note, Quirk
from v2g.exi.trace import Form
from v2g.protocols import SCHEMAS, schema

MUTATIONS = count(100, 10_000)
PREFIXES = count(50, 400)


def _verdict(codec: Schema, data: bytes, form: Form = "document") -> Decoded | str:
    """Read, or tell why not."""
    try:
        return codec.read(data) if form == "document" else codec.read_fragment(data)
    except Undecodable as error:
        return str(error)


def _slow_verdict(codec: Schema, data: bytes) -> Decoded | str:
    """Do the same without any generated code."""
    reading = Reading(codec.grammar, data)
    verdict: Decoded | str
    try:
        verdict = reading.document()
    except Undecodable as error:
        verdict = str(error)
    bad = isinstance(verdict, str) or any(note.quirk in (Quirk.SPARE, Quirk.PADDING) for note in verdict.notes)
    for library in codec.looped if bad and reading.full else ():
        with contextlib.suppress(Undecodable):
            again = Reading(library.grammar, data).document()
            if not again.notes:
                return Decoded(message=again.message, notes=(Note(Quirk.FULL_LIST),))
    return verdict


def _changed(name: str, purpose: str, form: Form = "document") -> Iterator[bytes]:
    """Make random messages of a schema set and change their bytes."""
    codec = schema(name)
    random = Random(f"{purpose} {name}")
    messages = Messages(codec.grammar, random)
    frame = codec.grammar.fragment
    parts = [(code, cls) for code, cls in frame.classes.items() if understood(cls)]

    def fresh() -> bytes:
        if form == "document":
            return codec.encode(messages.root())
        code, cls = random.choice(parts)
        return codec.library.write(frame, code, messages.message(cls))

    pool = [fresh() for _ in range(20)]
    for number in range(MUTATIONS):
        if number % 5 == 0:
            pool[random.randrange(len(pool))] = fresh()
        data = random.choice(pool)
        for _ in range(random.choice((1, 1, 2))):
            data = random.choice(BENDINGS)(random, data, pool)
        yield data


@pytest.mark.parametrize("name", SCHEMAS)
def test_generated_code_and_interpreter_agree(name: str) -> None:
    codec = schema(name)
    verdicts = Counter[type]()
    for data in _changed(name, "mutations of"):
        verdict = _verdict(codec, data)
        assert verdict == _slow_verdict(codec, data), data.hex()
        verdicts[type(verdict)] += 1
        assert _straight(codec, data) is (isinstance(verdict, Decoded) and not verdict.notes)
    assert min(verdicts[Decoded], verdicts[str]) > MUTATIONS / 10, verdicts


def _straight(codec: Schema, data: bytes) -> bool:
    """Tell whether generated code reads all of it."""
    try:
        _, left, tail = codec.library.read(codec.grammar.document, data)
    except READING:
        return False
    return left < 8 and not tail


@given(st.sampled_from(SCHEMAS), st.randoms(use_true_random=True), st.data())
def test_both_agree_on_any_bits_after_a_good_beginning(name: str, random: Any, data: st.DataObject) -> None:
    codec = schema(name)
    good = codec.encode(Messages(codec.grammar, random).root())
    cut = data.draw(st.integers(1, len(good)))
    bad = good[:cut] + data.draw(st.binary(max_size=100))
    assert _verdict(codec, bad) == _slow_verdict(codec, bad)


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_was_read_can_be_written_and_read_again(name: str) -> None:
    codec = schema(name)
    for data in _changed(name, "back from"):
        verdict = _verdict(codec, data)
        if isinstance(verdict, Decoded):
            assert codec.read(codec.encode(verdict.message, strict=False)).message == verdict.message


@pytest.mark.parametrize("form", ["document", "fragment"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_all_bits_are_explained(name: str, form: Form) -> None:
    codec = schema(name)
    for data in _changed(name, f"steps through {form} of", form):
        explained = codec.explain(data, form)
        assert "".join(step.bits for step in explained.steps) == "".join(f"{octet:08b}" for octet in data)
        places = accumulate((len(step.bits) for step in explained.steps), initial=0)
        assert [step.bit for step in explained.steps] == list(places)[:-1]
        assert all(step.meaning for step in explained.steps)
        assert (explained.decoded or str(explained.error)) == _verdict(codec, data, form)
        assert explained.steps[-1].meaning.startswith("not read: ") is (explained.error is not None)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_beginning_of_a_message_is_refused_with_its_place(name: str) -> None:
    codec = schema(name)
    random = Random(f"beginnings of {name}")
    messages = Messages(codec.grammar, random)
    for _ in range(count(5, 500)):
        data = codec.encode(messages.root())
        root = codec.explain(data).steps[1]
        for length in random.sample(range(len(data)), min(len(data), PREFIXES)):
            with pytest.raises(Undecodable) as caught:
                codec.read(data[:length])
            error = caught.value
            assert error.bit is not None
            assert 0 <= error.bit <= 8 * length
            assert error.expected
            known = 8 * length >= root.bit + len(root.bits)
            assert error.path.startswith(type(codec.decode(data)).element) if known else not error.path
