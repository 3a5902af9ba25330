"""The ClientHello parser against bytes written out by hand, another library's hello, and nonsense."""

from __future__ import annotations

import ssl
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.tls import client_hello
from v2g.tls.client_hello import (
    MAX_AUTHORITIES,
    MAX_HELLO,
    MAX_RECORDS,
    ClientHello,
    Identifier,
    Intake,
    TrustedAuthority,
    parse,
)

CERT_HASH = bytes(range(20))
KEY_HASH = bytes(range(100, 120))
NAME = bytes.fromhex("300d 310b 3009 0603550403 1302 4d31")  # CN=M1, 15 bytes

# extension number, length, body; the comments give what the numbers mean
EXTENSIONS = (
    bytes.fromhex("000a 0006 0004 0017 0018")  # supported_groups: secp256r1, secp384r1
    + bytes.fromhex("000d 0006 0004 0403 0503")  # signature_algorithms: ecdsa_secp256r1_sha256, .._secp384r1_sha384
    + bytes.fromhex("0003 003f 003d")  # trusted_ca_keys: 1 + 21 + 18 + 21 = 61 bytes of entries
    + b"\x00"  # pre_agreed
    + b"\x01"  # key_sha1_hash
    + KEY_HASH
    + b"\x02\x00\x0f"  # x509_name
    + NAME
    + b"\x03"  # cert_sha1_hash
    + CERT_HASH
)
BODY = (
    bytes.fromhex("0303")  # client_version: TLS 1.2
    + bytes(32)  # random
    + bytes.fromhex("00")  # session_id: empty
    + bytes.fromhex("0006 c023 c025 00ff")  # cipher_suites
    + bytes.fromhex("01 00")  # compression_methods: null
    + len(EXTENSIONS).to_bytes(2)
    + EXTENSIONS
)
EXPECTED = ClientHello(
    versions=(0x0303,),
    suites=(0xC023, 0xC025, 0x00FF),
    extensions=(10, 13, 3),
    groups=(23, 24),
    signature_schemes=(0x0403, 0x0503),
    trusted_ca_keys=(
        TrustedAuthority(Identifier.PRE_AGREED),
        TrustedAuthority(Identifier.KEY_SHA1, KEY_HASH),
        TrustedAuthority(Identifier.X509_NAME, NAME),
        TrustedAuthority(Identifier.CERT_SHA1, CERT_HASH),
    ),
)


def message(body: bytes) -> bytes:
    """Put the header of a ClientHello before a body."""
    return b"\x01" + len(body).to_bytes(3) + body


def records(data: bytes, size: int = 16_384) -> bytes:
    """Cut a handshake message into TLS records of `size` bytes."""
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


def hello(extensions: bytes) -> bytes:
    """Make the record of a TLS 1.2 hello with one suite and these extensions."""
    body = b"\x03\x03" + bytes(33) + b"\x00\x02\xc0\x23\x01\x00" + len(extensions).to_bytes(2) + extensions
    return records(message(body))


GOOD = records(message(BODY))


def stdlib_hello(context: ssl.SSLContext) -> bytes:
    """Let the standard library say hello into a buffer."""
    out = ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(ssl.MemoryBIO(), out).do_handshake()
    return out.read()


def test_a_hello_written_by_hand() -> None:
    assert parse(GOOD) == EXPECTED


@pytest.mark.parametrize("size", [4, 5, 40, 100])
def test_split_over_records(size: int) -> None:
    assert parse(records(message(BODY), size)) == EXPECTED


@given(st.sampled_from([4, 7, 40, 16_384]), st.lists(st.integers(0, 400)))
def test_pieces_of_any_size_make_the_same_hello(size: int, cuts: list[int]) -> None:
    data = records(message(BODY), size)
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    intake = Intake()
    found = [intake.feed(data[start:end]) for start, end in pairwise(at)]
    assert found == [None] * (len(found) - 1) + [EXPECTED]
    assert bytes(intake.arrived) == data


def test_a_hello_in_single_bytes_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work is that of its records, not of its pieces: 16 kB would cost most of a second."""
    looked: list[int] = []
    size_of = client_hello._message_size

    def counted(message: bytearray) -> int | None:
        looked.append(len(message))
        return size_of(message)

    monkeypatch.setattr(client_hello, "_message_size", counted)
    data = records(message(BODY + bytes(MAX_HELLO - len(BODY))), 257)
    intake = Intake()
    for byte in data[:-1]:
        assert intake.feed(bytes([byte])) is None
    with pytest.raises(Undecodable, match="goes on at ClientHello"):
        intake.feed(data[-1:])
    assert len(looked) == MAX_RECORDS


def test_no_more_authorities_than_a_vehicle_can_trust() -> None:
    most = hello(authorities(MAX_AUTHORITIES))
    found = parse(most)
    assert found is not None
    assert found.trusted_ca_keys == (TrustedAuthority(Identifier.PRE_AGREED),) * MAX_AUTHORITIES
    with pytest.raises(Undecodable, match=r"ClientHello\.trusted_ca_keys\.list, .*expected at most 256 entries"):
        parse(hello(authorities(MAX_AUTHORITIES + 1)))


def authorities(count: int) -> bytes:
    """Make the extension that names as many authorities, each in one byte."""
    return b"\x00\x03" + (count + 2).to_bytes(2) + count.to_bytes(2) + bytes(count)


def test_what_follows_is_left_alone() -> None:
    assert parse(GOOD + b"anything") == EXPECTED


def test_incomplete_until_the_last_byte() -> None:
    assert [parse(GOOD[:size]) for size in range(len(GOOD))] == [None] * len(GOOD)


def test_the_largest_record_is_waited_for() -> None:
    assert parse(b"\x16\x03\x01\x40\x00") is None


def test_without_extensions() -> None:
    body = b"\x03\x01" + bytes(32) + b"\x00\x00\x02\xc0\x23\x01\x00"
    assert parse(records(message(body))) == ClientHello(versions=(0x0301,), suites=(0xC023,))


def test_what_is_not_read_is_listed_still() -> None:
    """Status requests and a number nobody knows."""
    found = parse(hello(b"\x00\x05\x00\x00" + b"\x00\x11\x00\x00" + b"\xfa\xfa\x00\x01\x00"))
    assert found is not None
    assert found.extensions == (5, 17, 0xFAFA)


def test_an_unknown_kind_of_authority_takes_the_rest() -> None:
    found = parse(hello(b"\x00\x03\x00\x06\x00\x04\x00\x09\x01\x02"))
    assert found is not None
    assert found.trusted_ca_keys == (
        TrustedAuthority(Identifier.PRE_AGREED),
        TrustedAuthority(Identifier.UNKNOWN, b"\x09\x01\x02"),
    )


def test_certificate_authorities() -> None:
    names = b"\x00\x01A" + b"\x00\x02BC"
    found = parse(hello(b"\x00\x2f\x00\x09\x00\x07" + names))
    assert found is not None
    assert found.certificate_authorities == (b"A", b"BC")


def test_the_standard_library_says_what_it_was_told() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    context.set_ecdh_curve("secp384r1")
    found = parse(stdlib_hello(context))
    assert found is not None
    assert found.versions == (0x0303,)
    assert [suite for suite in found.suites if suite != 0x00FF] == [0xC023, 0xC02C]
    assert found.groups == (24,)
    assert 0x0403 in found.signature_schemes


def test_supported_versions_of_tls_1_3() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    found = parse(stdlib_hello(context))
    assert found is not None
    assert found.versions == (0x0304,)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x01\xfe\x80\x01", "first byte 0x01"),
        (b"GET / HTTP/1.1", "first byte 0x47"),
        (b"\x16\x02", "major version 2"),
        (b"\x16\x03\x01\x00\x00", "record of 0 bytes"),
        (b"\x16\x03\x01\x40\x01", "record of 16385 bytes"),
        (b"\x16\x03\x01\x00\x01\x02", "handshake message 2"),
        (b"\x16\x03\x01\x00\x04\x01\x00\x40\x01", f"expected at most {MAX_HELLO}"),
        (records(b"\x01\x00\x30\x00" + bytes(MAX_RECORDS), 1), "too many pieces"),
        (records(message(b"\x03\x03")), "ClientHello, bit 16"),
        (records(message(BODY + b"\x00")), "goes on at ClientHello"),
        (hello(b"\x00\x0a\x00\x00\x00\x0a\x00\x00"), "extension 10 twice"),
        (hello(b"\x00\x0a\x00\x05\x00\x02\x00\x17\x00"), "goes on at ClientHello.supported_groups"),
        (hello(b"\x00\x0a\x00\x03\x00\x01\x00"), "ClientHello.supported_groups.list, bit 0"),
        (hello(b"\x00\x03\x00\x05\x00\x03\x01\x01\x02"), "ClientHello.trusted_ca_keys.list, bit 8"),
    ],
)
def test_nonsense_is_named(data: bytes, what: str) -> None:
    with pytest.raises(Undecodable, match=what.replace(".", r"\.")):
        parse(data)


@given(st.binary(max_size=400))
def test_any_bytes_end_in_an_answer_or_the_named_error(data: bytes) -> None:
    for start in (b"", b"\x16\x03\x01", GOOD[:9], GOOD[:60]):
        outcome(start + data)


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@example([(len(GOOD) - len(EXTENSIONS), 255)])
def test_damaged_hellos_end_in_an_answer_or_the_named_error(damage: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for at, value in damage:
        data[at] = value
    outcome(bytes(data))


@given(st.data())
def test_damage_to_the_length_of_a_list_is_noticed(data: st.DataObject) -> None:
    at = GOOD.index(bytes.fromhex("000a0006")) + 5  # low byte of the length of supported_groups' list
    wrong = data.draw(st.integers(0, 255).filter(lambda value: value != 4))
    with pytest.raises(Undecodable):
        parse(GOOD[:at] + bytes([wrong]) + GOOD[at + 1 :])


def outcome(data: bytes) -> ClientHello | None:
    """Parse, letting through nothing but the named error."""
    try:
        return parse(data)
    except Undecodable:
        return None
