"""Blocks of pcapng, byte by byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.capture_reader import PACKET, SECRETS, blocks
from v2g import pcapng


def test_a_section() -> None:
    assert pcapng.section("ab") == bytes.fromhex(
        "0a0d0d0a 28000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0200 61620000 0000 0000 28000000"
    )


def test_an_interface_of_raw_packets_with_nanoseconds() -> None:
    assert pcapng.interface("lo") == bytes.fromhex(
        "01000000 28000000 6500 0000 00000000 0200 0200 6c6f0000 0900 0100 09000000 0000 0000 28000000"
    )


def test_secrets() -> None:
    assert pcapng.secrets(b"A B C\n") == bytes.fromhex("0a000000 1c000000 4b534c54 06000000 41204220430a0000 1c000000")


def test_a_packet_and_its_time() -> None:
    assert pcapng.packet(0x0102030405060708, b"\x60") == bytes.fromhex(
        "06000000 24000000 00000000 04030201 08070605 01000000 01000000 60000000 24000000"
    )


@given(st.lists(st.binary(max_size=40)), st.integers(0, 2**63))
def test_what_is_written_can_be_read(payloads: list[bytes], at: int) -> None:
    packets = [pcapng.packet(at, each) for each in payloads]
    secrets = [pcapng.secrets(each) for each in payloads]
    found = blocks(b"".join([pcapng.section("x"), *packets, *secrets]))[1:]
    assert [each.kind for each in found] == [PACKET] * len(packets) + [SECRETS] * len(secrets)
    assert [each.packet for each in found[: len(packets)]] == payloads
    assert {each.at_ns for each in found[: len(packets)]} <= {at}
