"""Packets against packets that others made, and against what tshark says of them."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.capture_reader import needs_tshark, tshark
from v2g import pcapng
from v2g.packets import LARGEST_DATAGRAM, SEGMENT, UDP, Conversation, End, Side, checksum, datagram

CAR = End(IPv6Address("fe80::1"), 50_000)
STATION = End(IPv6Address("fe80::2"), 49_152)
Packets = list[bytes]


def sums_up(packet: bytes) -> bool:
    """RFC 1071: with its checksum in place, everything adds up to all ones."""
    covered = packet[8:40] + struct.pack("!II", len(packet) - 40, packet[6]) + packet[40:]
    covered += bytes(len(covered) % 2)
    total = sum(int.from_bytes(covered[at : at + 2]) for at in range(0, len(covered), 2))
    return total % 0xFFFF == 0


def test_the_checksum_of_a_known_packet() -> None:
    """Summed by hand."""
    total = checksum(IPv6Address("::1"), IPv6Address("::2"), UDP, bytes.fromhex("0003 0000 0008 0000"))
    # ::1, ::2, length 8, next header 0x11, then 3, 0, 8, 0
    assert total == 0xFFFF - (1 + 2 + 8 + 0x11 + 3 + 8)


def test_carries_are_added_back() -> None:
    top = IPv6Address("ffff" + ":ffff" * 7)
    # 16 words of ffff fold to ffff, which is minus zero
    assert checksum(top, top, UDP, b"") == 0xFFFF - UDP


@given(st.binary(max_size=4_000), st.integers(0, 65_535), st.integers(0, 2**128 - 1))
def test_every_packet_sums_up(data: bytes, port: int, address: int) -> None:
    sender = End(IPv6Address(address), port)
    assert sums_up(datagram(sender, STATION, data))
    for packet in Conversation(sender, STATION).say(Side.VEHICLE, data):
        assert sums_up(packet)


def test_a_sum_of_zero_is_written_as_ones() -> None:
    """UDP takes zero for "not summed" (RFC 768), which IPv6 forbids."""
    bare = datagram(CAR, STATION, bytes(2))
    data = bytes(bare[46:48])  # what was the sum makes the next one zero
    assert datagram(CAR, STATION, data)[46:48] == b"\xff\xff"


def test_a_datagram_has_its_place() -> None:
    packet = datagram(CAR, STATION, b"SDP")
    assert packet[:8] == bytes.fromhex("60000000 000b 11 40")
    assert (packet[8:24], packet[24:40]) == (CAR.address.packed, STATION.address.packed)
    assert packet[40:46] == struct.pack("!HHH", 50_000, 49_152, 11)
    assert packet[48:] == b"SDP"
    with pytest.raises(ValueError, match="do not fit in a UDP datagram"):
        datagram(CAR, STATION, bytes(LARGEST_DATAGRAM + 1))


def numbers(packet: bytes) -> tuple[int, int, int, int]:
    """Sequence number, acknowledgement, flags and payload of a segment."""
    sequence, acknowledged, offset, flags = struct.unpack_from("!IIBB", packet, 44)
    assert offset == 0x50
    return sequence, acknowledged, flags, len(packet) - 60


def test_a_conversation_counts() -> None:
    talk = Conversation(CAR, STATION)
    told = [
        *talk.begin(),
        *talk.say(Side.VEHICLE, bytes(SEGMENT + 1)),
        *talk.say(Side.STATION, b"yes"),
        *talk.end(Side.VEHICLE),
        *talk.end(Side.VEHICLE),
        *talk.say(Side.VEHICLE, b"too late"),
        *talk.end(Side.STATION),
    ]
    syn, ack, fin, psh = 2, 16, 1, 8
    assert [numbers(each) for each in told] == [
        (0, 0, syn, 0),
        (0, 1, syn | ack, 0),
        (1, 1, ack, 0),
        (1, 1, psh | ack, SEGMENT),
        (1 + SEGMENT, 1, psh | ack, 1),
        (1, 2 + SEGMENT, psh | ack, 3),
        (2 + SEGMENT, 4, fin | ack, 0),
        (4, 3 + SEGMENT, ack, 0),
        (4, 3 + SEGMENT, fin | ack, 0),
        (3 + SEGMENT, 5, ack, 0),
    ]


def test_sequence_numbers_begin_anew_after_four_gigabytes() -> None:
    talk = Conversation(CAR, STATION, _next=[2**32 - 1, 0])
    first, second = [*talk.say(Side.VEHICLE, b"ab"), *talk.say(Side.VEHICLE, b"c")]
    assert (numbers(first)[0], numbers(second)[0]) == (2**32 - 1, 1)


@pytest.mark.parametrize(
    ("name", "address"), [("fe80::1%eth1", "fe80::1"), ("127.0.0.1", "::ffff:127.0.0.1"), ("::1", "::1")]
)
def test_names_of_sockets(name: str, address: str) -> None:
    assert End.named((name, 1)) == End(IPv6Address(address), 1)


def test_no_address() -> None:
    with pytest.raises(ValueError, match="eth1"):
        End.named(("eth1", 1))


@needs_tshark
def test_tshark_finds_nothing_wrong(tmp_path: Path) -> None:
    """Checksums, numbers, lengths; and no loss, retransmission or window that its analysis would tell."""
    talk = Conversation(CAR, STATION)
    packets: Packets = [datagram(CAR, STATION, b"\x01\xfe\x90\x00\x00\x00\x00\x02\x00\x00"), *talk.begin()]
    for number in range(20):
        packets += talk.say(Side.VEHICLE, bytes(range(256)) * number)
        packets += talk.say(Side.STATION, bytes([number]) * (7 * number))
    packets += [*talk.end(Side.STATION), *talk.end(Side.VEHICLE)]
    at = range(10**18, 10**18 + len(packets))
    file = tmp_path / "talk.pcapng"
    blocks = [pcapng.packet(*each) for each in zip(at, packets, strict=True)]
    file.write_bytes(b"".join([pcapng.section("test"), pcapng.interface("lo"), *blocks]))
    checks = [item for proto in ("tcp", "udp") for item in ("-o", f"{proto}.check_checksum:TRUE")]
    assert tshark(file, *checks, "-Y", "_ws.expert.severity >= warning || tcp.analysis.flags") == []
    good = tshark(file, *checks, "-Y", "tcp.checksum.status == 1 || udp.checksum.status == 1")
    assert len(good) == len(packets)
    (first, *_) = tshark(file, "-T", "fields", "-e", "frame.time_epoch", "-e", "udp.srcport", "-e", "udp.dstport")
    assert first == "1000000000.000000000\t50000\t49152"
    assert tshark(file, "-q", "-z", "io,phs")
