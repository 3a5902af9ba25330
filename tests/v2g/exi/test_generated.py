"""Generated code against the interpreter, on shapes that ISO 15118-2 happens not to use (DIN and -20 do)."""

from __future__ import annotations

import re
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import zoo
from tests.endurance import count
from tests.random_messages import Messages
from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.compose import Writing
from v2g.exi.explain import Reading
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Note, Quirk
from v2g.exi.runtime import MOST_ITEMS
from v2g.messages import iso2
from v2g.protocols import schema

ZOO = Schema("zoo", (zoo,))


@given(st.randoms(use_true_random=True))
def test_both_ways_write_and_read_the_same(random: Random) -> None:
    message = Messages(ZOO.grammar, random).root()
    code = ZOO.grammar.document.code(type(message))
    data = ZOO.library.write(ZOO.grammar.document, code, message)
    assert data == Writing(ZOO.grammar).document(code, message)
    assert ZOO.library.read(ZOO.grammar.document, data)[0] == message
    assert Reading(ZOO.grammar, data).document() == Decoded(message=message)


@given(st.randoms(use_true_random=True), st.integers(0, 1))
def test_looped_lists_come_back_both_ways(random: Random, which: int) -> None:
    looped = ZOO.looped[which]
    message = Messages(ZOO.grammar, random).message(zoo.Cage)
    code = looped.grammar.document.code(zoo.Cage)
    data = Writing(looped.grammar).document(code, message)
    assert looped.write(looped.grammar.document, code, message) == data
    assert looped.read(looped.grammar.document, data)[0] == message
    assert Reading(looped.grammar, data).document() == Decoded(message=message)


def assert_written_the_same(message: Message) -> None:
    """Hold the slow way with generated code for its parts to the slow way alone."""
    for library in (ZOO.library, *ZOO.looped):
        code = library.grammar.document.code(type(message))
        for gaps in (False, True):
            alone = Writing(library.grammar, strict=False, gaps=gaps).document(code, message)
            assert Writing(library.grammar, library, strict=False, gaps=gaps).document(code, message) == alone


def test_what_was_written_before_a_deviation_is_taken_back() -> None:
    """Long octets leave for the bytes that are whole before the last one turns out to be too long."""
    codec = schema("iso2")
    subs = iso2.SubCertificates(Certificate=[bytes(700), bytes(700), bytes(801)])
    chain = iso2.CertificateChain(Id="c", Certificate=bytes(700), SubCertificates=subs)
    code = codec.grammar.fragment.code(iso2.CertificateChain, "ContractSignatureCertChain")
    alone = Writing(codec.grammar, strict=False).fragment(code, chain)
    assert codec.encode_fragment(chain, "ContractSignatureCertChain") == alone


def test_mutations_get_the_same_verdict() -> None:
    random = Random(99)
    messages = Messages(ZOO.grammar, random)
    notes: list[Note] = []
    for _ in range(count(500, 20_000)):
        data = bytearray(ZOO.encode(messages.root()))
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        slow: Decoded | str
        fast: Decoded | str
        try:
            slow = Reading(ZOO.grammar, bytes(data)).document()
        except Undecodable as error:
            slow = str(error)
        try:
            fast = ZOO.read(bytes(data))
        except Undecodable as error:
            fast = str(error)
        if isinstance(fast, Decoded) and Quirk.FULL_LIST in {note.quirk for note in fast.notes}:
            continue
        assert fast == slow
        if isinstance(slow, Decoded):
            notes += slow.notes
            assert_written_the_same(slow.message)
    assert {note.quirk for note in notes} >= {Quirk.FACET, Quirk.PADDING}


NUMBERS = zoo.Numbers(A=0, B=1, C=12, D=0, E=0, F=0, G=zoo.Only.one, H=[zoo.Size.large] * 2)


@pytest.mark.parametrize(
    ("field", "lowest", "highest"),
    [("A", -1, 100_000), ("B", 1, 2**32 - 1), ("C", 12, 1024), ("D", -5_000, 5_000), ("E", 0, 10_000)],
)
def test_both_ends_of_a_range_are_kept(field: str, lowest: int, highest: int) -> None:
    for value in (lowest, highest):
        message = msgspec.structs.replace(NUMBERS, **{field: value})
        assert ZOO.decode(ZOO.encode(message)) == message
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ValueError, match=f"Numbers/{field}: {value} is not within {lowest} to {highest}"):
            ZOO.encode(msgspec.structs.replace(NUMBERS, **{field: value}))


def test_numbers_without_bounds_reach_2048_bits() -> None:
    for value in (2**2048 - 1, -(2**2048)):
        message = msgspec.structs.replace(NUMBERS, F=value)
        assert ZOO.decode(ZOO.encode(message)) == message
    with pytest.raises(ValueError, match="Numbers/F"):
        ZOO.encode(msgspec.structs.replace(NUMBERS, F=2**2060))


def test_a_list_without_bounds_has_one() -> None:
    def cage(size: int) -> zoo.Cage:
        return zoo.Cage(Pairs=[zoo.Pair(Third=True)] * 2, Keeper=zoo.Plain(), Data=[b""] * size)

    assert ZOO.decode(ZOO.encode(cage(MOST_ITEMS))) == cage(MOST_ITEMS)
    with pytest.raises(ValueError, match=f"more than {MOST_ITEMS} items of lists without a bound"):
        ZOO.encode(cage(MOST_ITEMS + 1))


def test_what_must_be_there_is_missed() -> None:
    tagged = zoo.Tagged(Beta="b", value=1)
    cage = zoo.Cage(Pairs=[zoo.Pair(Third=True)] * 2, Keeper=zoo.Plain(), Data=[b""])
    for strange, path in (
        (zoo.Pair(), "Cage/Pairs[0]: First or Second or Third or Fourth is missing"),
        (zoo.Pair(First=1, Second=tagged, Third=True), "Cage/Pairs[0]: no place for Second"),
    ):
        with pytest.raises(ValueError, match=re.escape(path)):
            ZOO.encode(msgspec.structs.replace(cage, Pairs=[strange, strange]))
    with pytest.raises(ValueError, match="Cage: Pairs has 1 of 2 items"):
        ZOO.encode(msgspec.structs.replace(cage, Pairs=[zoo.Pair(Third=True)]))
    with pytest.raises(ValueError, match=r"^Cage.*Mode is abstract"):
        ZOO.encode(msgspec.structs.replace(cage, Keeper=zoo.Mode()))
