"""The framer against hand-made headers: any cut of the stream, what is skipped, what ends it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.v2gtp import LIMIT, Frame, Framer, Header, PayloadType, frame, header_of, unframe

REAL = bytes.fromhex("01fe800100000008") + b"\x80\x98\x00\x00\x00\x00\x00\x00"
SKIPPED = {
    "wrong version": bytes.fromhex("00fe80010000000411223344"),
    "wrong inverse": bytes.fromhex("010080010000000411223344"),
    "another version": bytes.fromhex("02fd80010000000411223344"),
    "manufacturer type": bytes.fromhex("01fea0000000000411223344"),
    "type of -20": bytes.fromhex("01fe80020000000411223344"),
    "SDP on TCP": bytes.fromhex("01fe9000000000021000"),
    "length 0": bytes.fromhex("01fe800100000000"),
    "length 0 of a foreign type": bytes.fromhex("01fe777700000000"),
}
GARBAGE = {
    "plain text": b"GET / HTTP/1.1\r\n\r\n",
    "TLS ClientHello": bytes.fromhex("160301020001000c"),
    "zeros": bytes(8),
    "one over the cap": bytes.fromhex("01fe800100010001"),
    "length that wraps with the header": bytes.fromhex("01fe8001ffffffff"),
    "foreign type over the cap": bytes.fromhex("01fea0007fffffff"),
}


def frames(framer: Framer) -> list[Frame]:
    found = []
    while (each := framer.next()) is not None:
        found.append(each)
    return found


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(each % (len(data) + 1) for each in at), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def test_frame_puts_the_header_of_the_standard_first() -> None:
    assert frame(PayloadType.EXI, REAL[8:]) == REAL


@pytest.mark.parametrize(("payload_type", "payload"), [(0x8001, b""), (-1, b"x"), (0x10000, b"x")])
def test_frame_refuses_what_no_receiver_would_take(payload_type: int, payload: bytes) -> None:
    with pytest.raises(ValueError, match="payload"):
        frame(payload_type, payload)


@pytest.mark.parametrize("head", SKIPPED.values(), ids=SKIPPED)
@pytest.mark.parametrize("step", [1, 3, 8, 64])
def test_a_frame_not_ours_is_skipped_and_the_next_one_read(head: bytes, step: int) -> None:
    framer, found = Framer({PayloadType.EXI}), []
    stream = head + REAL
    for start in range(0, len(stream), step):
        framer.feed(stream[start : start + step])
        found += frames(framer)
    assert found == [Frame(0x8001, REAL[8:])]
    assert framer.skipped == 1
    assert not framer.pending


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_ends_the_stream_for_ever(data: bytes) -> None:
    framer = Framer({PayloadType.EXI})
    framer.feed(data)
    for _ in range(2):
        with pytest.raises(Undecodable):
            framer.next()
        framer.feed(REAL)


def test_a_good_frame_before_garbage_is_still_given() -> None:
    framer = Framer({PayloadType.EXI})
    framer.feed(REAL + b"GET / HT")
    assert framer.next() == Frame(0x8001, REAL[8:])
    with pytest.raises(Undecodable, match="47 45"):
        framer.next()


def test_a_frame_as_large_as_the_cap_is_accepted() -> None:
    framer = Framer({PayloadType.EXI})
    framer.feed(frame(0x8001, bytes(LIMIT)))
    assert framer.next() == Frame(0x8001, bytes(LIMIT))


def test_a_skipped_payload_is_not_collected() -> None:
    framer = Framer({PayloadType.EXI})
    framer.feed(bytes.fromhex("01fea00000010000"))
    assert framer.next() is None
    for _ in range(LIMIT // 1024):
        assert framer.pending
        framer.feed(bytes(1024))
        assert not framer._buffer
    assert not framer.pending
    framer.feed(REAL)
    assert frames(framer) == [Frame(0x8001, REAL[8:])]


def test_pending_tells_of_bytes_behind_a_frame() -> None:
    framer = Framer({PayloadType.EXI})
    assert not framer.pending
    framer.feed(REAL + REAL[:3])
    assert framer.next() is not None
    assert framer.pending


PIECES = st.one_of(
    st.sampled_from(sorted(SKIPPED.values())).map(lambda data: (data, None)),
    st.binary(min_size=1, max_size=300).map(lambda payload: (frame(0x8001, payload), payload)),
)


@given(st.lists(PIECES, max_size=12), st.lists(st.integers(min_value=0), max_size=20))
def test_the_cut_of_the_stream_does_not_matter(pieces: list[tuple[bytes, bytes | None]], at: list[int]) -> None:
    framer, found = Framer({PayloadType.EXI}), []
    for piece in cut(b"".join(data for data, _ in pieces), at):
        framer.feed(piece)
        found += frames(framer)
    assert [each.payload for each in found] == [payload for _, payload in pieces if payload is not None]
    assert framer.skipped == sum(payload is None for _, payload in pieces)
    assert not framer.pending


HOSTILE = st.lists(
    st.one_of(st.binary(max_size=12), st.sampled_from([b"\x01\xfe", b"\x80\x01", bytes(3), b"\x40", REAL])),
    max_size=20,
).map(b"".join)


@given(HOSTILE, st.lists(st.integers(min_value=0), max_size=5))
def test_hostile_bytes_give_frames_or_undecodable(data: bytes, at: list[int]) -> None:
    framer = Framer({PayloadType.EXI}, limit=64)
    try:
        for piece in cut(data, at):
            framer.feed(piece)
            assert all(0 < len(each.payload) <= 64 for each in frames(framer))
    except Undecodable:
        return
    assert len(framer._buffer) < 64 + 8


@pytest.mark.parametrize(
    ("datagram", "says"),
    [
        (b"", "0 bytes"),
        (REAL[:7], "7 bytes"),
        (b"\x02\xfd" + REAL[2:], "version 02 fd"),
        (b"\x01\x00" + REAL[2:], "version 01 00"),
        (REAL + b"\x00", "length 8"),
        (REAL[:-1], "length 8"),
        (b"\x01\xfe\x90\x00" + REAL[4:], "payload type 0x9000"),
    ],
)
def test_unframe_wants_exactly_one_frame(datagram: bytes, says: str) -> None:
    assert unframe(REAL, PayloadType.EXI) == REAL[8:]
    with pytest.raises(Undecodable, match=says):
        unframe(datagram, PayloadType.EXI)


def test_a_header_is_read_where_a_frame_can_follow() -> None:
    assert header_of(REAL) == Header(0x01, 0xFE, PayloadType.EXI, 8)
    assert header_of(REAL).is_ours
    assert not header_of(SKIPPED["another version"]).is_ours


@pytest.mark.parametrize("data", [*GARBAGE.values(), b"", REAL[:7]])
def test_no_header_is_read_where_nothing_can_follow(data: bytes) -> None:
    with pytest.raises(Undecodable):
        header_of(data)
