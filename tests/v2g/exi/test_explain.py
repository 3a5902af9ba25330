"""Bytes that are not as they should be: read all the same, or refused with the place; never anything else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.fields import fields
from v2g.exi.message import Message
from v2g.exi.notes import Decoded, Quirk
from v2g.exi.runtime import MOST_ITEMS
from v2g.messages import din, iso2
from v2g.protocols import SCHEMAS, schema
from v2g.v2gtp import LIMIT

REFUSED = json.loads((Path(__file__).parents[2] / "vectors" / "undecodable.json").read_text())
PRECHARGE = bytes.fromhex("80980137ab6fbbd171001c818812006041880800")


def _verdict(codec: Schema, data: bytes) -> Decoded | str:
    """Read, or tell why not."""
    try:
        return codec.read(data)
    except Undecodable as error:
        return str(error)


@given(st.sampled_from(SCHEMAS), st.binary(max_size=300))
def test_any_bytes_are_read_or_undecodable(name: str, data: bytes) -> None:
    codec = schema(name)
    bits = []
    for read in (codec.read, codec.read_fragment):
        try:
            read(data)
        except Undecodable as error:
            bits.append(error.bit)
    assert all(bit is not None and 0 <= bit <= 8 * len(data) for bit in bits)


def _flip(data: bytes, bit: int, width: int, value: int) -> bytes:
    """Put `value` into the bits from `bit` on."""
    size = 8 * len(data)
    shift = size - bit - width
    number = int.from_bytes(data, "big") & ~(((1 << width) - 1) << shift) | value << shift
    return number.to_bytes(len(data), "big")


WRONG = [
    # bits, what is put there, what is said, the path, the bit, a part of what was expected
    ((0, 8, 0x24), "unknown EXI header", "", 0, "0x80"),
    ((8, 7, 127), "unknown root element", "", 8, ""),
    ((8, 7, 5), "BodyElement is abstract", "BodyElement", 15, ""),
    ((15, 1, 1), "V2G_Message ends too early", "V2G_Message", 15, "Header"),
    ((17, 1, 1), "deviation", "V2G_Message/Header/Notification", 23, "FaultCode"),
    ((18, 8, 24), "24 octets", "V2G_Message/Header/SessionID", 18, "at most 16, no more"),
    ((18, 8, 120), "length 120", "V2G_Message/Header/SessionID", 18, "0 to 8 octets"),
    ((62, 6, 63), "unknown event", "V2G_Message/Body", 62, "AuthorizationReq"),
    ((62, 6, 2), "BodyElement is abstract", "V2G_Message/Body/BodyElement", 68, ""),
    ((75, 4, 15), "number 15 of 12 DC_EVErrorCode", "V2G_Message/Body/PreChargeReq/DC_EVStatus/EVErrorCode", 75, ""),
]


@pytest.mark.parametrize(("change", "what", "path", "bit", "expected"), WRONG)
def test_refusals_name_the_place(change: tuple[int, int, int], what: str, path: str, bit: int, expected: str) -> None:
    with pytest.raises(Undecodable) as caught:
        schema("iso2").decode(_flip(PRECHARGE, *change))
    error = caught.value
    assert what in error.what
    assert (error.path, error.bit) == (path, bit)
    assert expected in error.expected


@pytest.mark.parametrize("vector", REFUSED, ids=[f"{vector['schema']}, {vector['name']}" for vector in REFUSED])
def test_a_refusal_names_the_path_the_bit_and_what_was_expected(vector: dict[str, Any]) -> None:
    codec = schema(vector["schema"])
    with pytest.raises(Undecodable) as caught:
        codec.read(bytes.fromhex(vector["hex"]))
    error = caught.value
    assert {name: getattr(error, name) for name in ("what", "path", "bit", "expected")} == {
        name: vector[name] for name in ("what", "path", "bit", "expected")
    }
    steps = codec.explain(bytes.fromhex(vector["hex"])).steps
    assert steps[-1].meaning == f"not read: {error.what}; expected {error.expected}"


NOT_IN_SIGNATURES = {"a member beyond the last", "a number of too many octets", "a number of too many bits"}
NOT_IN_HANDSHAKES = {
    "an element below a wildcard",
    "text between elements",
    "content of KeyInfo",
    "bytes that end in octets",
}


def test_every_schema_set_is_refused_in_every_way() -> None:
    ways = {vector["name"] for vector in REFUSED} - {"an abstract element", "bytes that end in a number"}
    assert len(ways) == 20
    for name in SCHEMAS:
        missing = ways - {vector["name"] for vector in REFUSED if vector["schema"] == name}
        assert missing == {"sap": NOT_IN_HANDSHAKES, "xmldsig": NOT_IN_SIGNATURES}.get(name, set())


def test_a_list_without_a_bound_ends_at_ours() -> None:
    codec = schema("din")
    options = din.PaymentOptions(PaymentOption=[din.PaymentOption.Contract] * MOST_ITEMS)
    explained = codec.explain(codec.encode_fragment(options), "fragment")
    assert explained.decoded == Decoded(message=options)
    *items, end, close, _padding = (step.bits for step in explained.steps)
    assert (end, close) == ("01", f"{codec.grammar.fragment.end:08b}")
    digits = "".join(items) + "00" + "000" + end + close
    data = int(digits + "0" * (-len(digits) % 8), 2).to_bytes(-(-len(digits) // 8), "big")
    with pytest.raises(Undecodable, match=f"more than {MOST_ITEMS} items") as caught:
        codec.read_fragment(data)
    assert (caught.value.path, caught.value.bit) == ("PaymentOptions", len("".join(items)))
    assert caught.value.expected == "the end of the list"


@pytest.mark.parametrize("name", SCHEMAS)
def test_nothing_nests_without_end(name: str) -> None:
    grammar = schema(name).grammar
    parts = {cls: {kind for field in fields(cls) if isinstance(kind := field.type, type)} for cls in grammar.classes}
    depth: dict[type[Message], int] = {}

    def measured(cls: type[Message], above: tuple[type[Message], ...]) -> int:
        assert cls not in above
        if cls not in depth:
            inner = {start.type for part in parts.get(cls, ()) for start in grammar.members(part)} | parts.get(
                cls, set()
            )
            kinds = [part for part in inner if isinstance(part, type)]
            depth[cls] = 1 + max((measured(part, (*above, cls)) for part in kinds), default=0)
        return depth[cls]

    assert max(measured(cls, ()) for cls in grammar.classes) <= 12


def test_a_cookie_before_the_header_is_noted() -> None:
    decoded = schema("iso2").read(b"$EXI" + PRECHARGE)
    assert decoded.message == schema("iso2").decode(PRECHARGE)
    assert [note.quirk for note in decoded.notes] == [Quirk.COOKIE]
    for data in (b"$EXI", b"$EXI\xa0" + PRECHARGE[1:], b"$EXJ" + PRECHARGE, b"$EXI$EXI" + PRECHARGE):
        with pytest.raises(Undecodable):
            schema("iso2").read(data)


HOSTILE = {
    "a length of 2^48": bytes.fromhex("809800") + b"\xff" * 6 + b"\x7f" * 8,
    "a number without end": bytes.fromhex("809800") + b"\xff" * 8_000,
    "one byte": b"\x80",
    "nothing": b"",
    "only ones": b"\xff" * 60_000,
    "zeros": b"\x80" + b"\x00" * 60_000,
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_lengths_cost_nothing(name: str, data: bytes) -> None:
    codec = schema(name)
    _verdict(codec, data)
    times = []
    for _ in range(3):
        start = time.thread_time()
        _verdict(codec, data)
        times.append(time.thread_time() - start)
    assert min(times) < 0.005 * max(1, len(data) / 4096)


def test_bits_of_a_spare_byte_are_counted() -> None:
    notes = schema("iso2").read(PRECHARGE + b"\x01\x02").notes
    assert [(note.quirk, note.detail) for note in notes] == [(Quirk.SPARE, "2 after 20")]


def test_padding_that_is_not_zero_is_noted() -> None:
    decoded = schema("iso2").read(PRECHARGE[:-1] + bytes([PRECHARGE[-1] | 1]))
    assert [note.quirk for note in decoded.notes] == [Quirk.PADDING]


def test_a_number_beyond_its_type_is_noted_and_one_beyond_64_bits_refused() -> None:
    codec = schema("iso2")
    wide = iso2.SelectedService(ServiceID=70_000)
    decoded = codec.read_fragment(codec.encode_fragment(wide))
    assert decoded.message == wide
    assert [note.quirk for note in decoded.notes] == [Quirk.FACET]
    with pytest.raises(ValueError, match="ServiceID"):
        codec.encode_fragment(iso2.SelectedService(ServiceID=1 << 64))


def test_two_parts_in_one_fragment_are_refused() -> None:
    data = schema("iso2").encode_fragment(iso2.SelectedService(ServiceID=1))
    with pytest.raises(Undecodable, match="end of the fragment"):
        schema("iso2").decode_fragment(data[:-1] + b"\x01\x00")


def test_more_than_a_frame_holds_is_explained_in_one_step() -> None:
    data = PRECHARGE + bytes(LIMIT)
    explained = schema("iso2").explain(data)
    assert [len(step.bits) for step in explained.steps] == [8 * len(data)]
    assert f"at most {LIMIT}" in explained.steps[0].meaning


# Taken apart by hand: the bits behind the header, each with what it begins or is.
PRECHARGE_STEPS = [
    ("010111", "SE PreChargeReq"),
    ("0", "SE DC_EVStatus"),
    ("0", "SE EVReady"),
    ("0", "CH"),
    ("1", "true"),
    ("0", "EE"),
    ("0", "SE EVErrorCode"),
    ("0", "CH"),
    ("0000", "NO_ERROR (0 of 12)"),
    ("0", "EE"),
    ("0", "SE EVRESSSOC"),
    ("0", "CH"),
    ("0111001", "57"),
    ("0", "EE"),
    ("0", "EE"),
    ("0", "SE EVTargetVoltage"),
    ("0", "SE Multiplier"),
    ("0", "CH"),
    ("011", "0 (sent as 3)"),
    ("0", "EE"),
    ("0", "SE Unit"),
    ("0", "CH"),
    ("100", "V (4 of 7)"),
    ("0", "EE"),
    ("0", "SE Value"),
    ("0", "CH"),
    ("01001000000000011", "400"),
    ("0", "EE"),
    ("0", "EE"),
]


def test_a_message_is_explained_as_by_hand() -> None:
    steps = schema("iso2").explain(PRECHARGE).steps
    first = next(number for number, step in enumerate(steps) if step.bit == 62)
    told = [(step.bits, step.meaning.partition(" (code")[0]) for step in steps[first : first + len(PRECHARGE_STEPS)]]
    assert told == PRECHARGE_STEPS
    assert steps[-1].meaning == "padding"
    assert [step.path for step in steps[:3]] == ["", "", "V2G_Message"]
