"""The seeds: of our own making, small, proper, and showing every class."""

from __future__ import annotations

import pytest

from tests.fuzz.corpus import FOLDER, generate, seeds, showable, shown
from tests.fuzz.invariants import CodecInvariants
from v2g.errors import Undecodable
from v2g.protocols import SCHEMAS, schema

LARGEST = 300_000
"""Characters of all sets together."""


def test_every_set_has_seeds_and_they_are_small() -> None:
    files = sorted(FOLDER.iterdir())
    assert [path.stem for path in files] == sorted(SCHEMAS)
    assert sum(path.stat().st_size for path in files) < LARGEST


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_seeds_show_every_class_and_are_proper(name: str) -> None:
    codec = schema(name)
    check = CodecInvariants(name)
    found = set()
    for data in seeds(name):
        check(data)
        messages = []
        for read in (codec.read, codec.read_fragment):
            try:
                decoded = read(data)
            except Undecodable:
                continue
            if not decoded.notes:
                messages.append(decoded.message)
        assert messages, data.hex()
        found |= set().union(*map(shown, messages))
    wanted = showable(codec.grammar, codec.grammar.fragment)
    assert len(wanted) > 2
    assert not {cls.__name__ for cls in wanted - found}


def test_the_generator_makes_the_same_seeds_again() -> None:
    assert generate("sap") == generate("sap")
    assert len(generate("sap")) > 10


def test_a_set_without_seeds_is_told() -> None:
    with pytest.raises(ValueError, match=r"run python -m tests.fuzz.corpus nowhere"):
        seeds("nowhere")
