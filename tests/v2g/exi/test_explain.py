"""Bytes that are not as they should be: read all the same, or refused with the place; never anything else."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.exi.codec import Schema
from v2g.exi.notes import Decoded, Quirk
from v2g.messages import iso2
from v2g.protocols import SCHEMAS, schema

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
    ((18, 8, 24), "24 octets", "V2G_Message/Header/SessionID", 18, "what the bytes hold"),
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
