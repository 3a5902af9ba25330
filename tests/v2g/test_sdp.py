"""SDP datagrams against bytes written by hand, and which answers a vehicle may follow."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2g.errors import Undecodable
from v2g.sdp import SdpRequest, SdpResponse, Security, Transport, Unusable, attempts, usable

REQUEST = bytes.fromhex("01fe9000000000021000")
RESPONSE = bytes.fromhex("01fe900100000014fe8000000000000000aabbfffeccddeec35d0000")
STATION = SdpResponse(address=IPv6Address("fe80::aa:bbff:fecc:ddee"), port=50_013, security=Security.TLS)


def test_a_request_is_ten_bytes() -> None:
    assert SdpRequest(security=Security.NONE).encode() == REQUEST
    assert SdpRequest.parse(REQUEST) == SdpRequest(security=Security.NONE, transport=Transport.TCP)


def test_a_response_is_28_bytes() -> None:
    assert STATION.encode() == RESPONSE
    assert SdpResponse.parse(RESPONSE) == STATION


def test_a_scope_id_stays_at_home() -> None:
    scoped = SdpResponse(address=IPv6Address("fe80::1%eth0"), port=1, security=Security.NONE)
    assert SdpResponse.parse(scoped.encode()).address == IPv6Address("fe80::1")


@pytest.mark.parametrize("place", range(8))
@pytest.mark.parametrize("datagram", [REQUEST, RESPONSE])
def test_each_byte_of_the_header_counts(datagram: bytes, place: int) -> None:
    bad = bytes(byte ^ (0x04 if at == place else 0) for at, byte in enumerate(datagram))
    for read in (SdpRequest.parse, SdpResponse.parse):
        with pytest.raises(Undecodable, match="V2GTP"):
            read(bad)


@pytest.mark.parametrize("tail", ["", "10", "100000", "0100", "1001", "ffff", "0020"])
def test_other_requests_are_undecodable(tail: str) -> None:
    payload = bytes.fromhex(tail)
    with pytest.raises(Undecodable):
        SdpRequest.parse(bytes.fromhex("01fe9000") + len(payload).to_bytes(4, "big") + payload)


@pytest.mark.parametrize("tail", ["0100", "0001", "00", "000000"])
def test_other_responses_are_undecodable(tail: str) -> None:
    payload = RESPONSE[8:-2] + bytes.fromhex(tail)
    with pytest.raises(Undecodable):
        SdpResponse.parse(bytes.fromhex("01fe9001") + len(payload).to_bytes(4, "big") + payload)


@given(st.binary(max_size=40) | st.binary(min_size=2, max_size=2).map(lambda tail: REQUEST[:8] + tail))
def test_any_datagram_is_a_request_or_undecodable(datagram: bytes) -> None:
    try:
        request = SdpRequest.parse(datagram)
    except Undecodable:
        return
    assert request.encode() == datagram


@given(st.binary(max_size=40) | st.binary(min_size=20, max_size=20).map(lambda tail: RESPONSE[:8] + tail))
def test_any_datagram_is_a_response_or_undecodable(datagram: bytes) -> None:
    try:
        response = SdpResponse.parse(datagram)
    except Undecodable:
        return
    assert response.encode() == datagram


@given(
    st.integers(0, 2**128 - 1).map(IPv6Address),
    st.integers(0, 65_535),
    st.sampled_from(Security),
    st.sampled_from(Transport),
)
def test_every_response_survives_the_wire(address: IPv6Address, port: int, how: Security, over: Transport) -> None:
    response = SdpResponse(address=address, port=port, security=how, transport=over)
    assert SdpResponse.parse(response.encode()) == response


def test_a_port_that_does_not_exist_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="65536"):
        SdpResponse(address=STATION.address, port=65_536, security=Security.TLS)


def answer(
    address: str = "fe80::1", port: int = 50_000, how: Security = Security.TLS, over: Transport = Transport.TCP
) -> SdpResponse:
    return SdpResponse(address=IPv6Address(address), port=port, security=how, transport=over)


def verdict(response: SdpResponse, asked: Security = Security.TLS, **options: bool) -> str:
    try:
        usable(response, asked, **{"loopback": False, **options})
    except Unusable as error:
        return error.reason
    return "usable"


FOREIGN = ["2001:db8::1", "fd00::2"]
NEVER = ["::", "ff02::1", "::1", "::ffff:192.0.2.1"]


@pytest.mark.parametrize(
    ("address", "expected"), [("fe80::1", "usable"), ("febf::1", "usable"), ("fec0::1", "address")]
)
def test_link_local_addresses_are_usable(address: str, expected: str) -> None:
    assert verdict(answer(address)) == expected


@pytest.mark.parametrize("address", [*FOREIGN, *NEVER])
def test_no_address_off_the_link_is_usable(address: str) -> None:
    assert verdict(answer(address)) == "address"


@pytest.mark.parametrize("address", FOREIGN)
def test_a_laboratory_may_admit_other_addresses(address: str) -> None:
    assert verdict(answer(address), anywhere=True) == "usable"
    assert verdict(answer("fe80::1"), anywhere=True) == "usable"


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_usable(address: str) -> None:
    assert verdict(answer(address), anywhere=True) == "address"


@pytest.mark.parametrize("anywhere", [False, True])
def test_on_loopback_only_its_own_address_is_usable(anywhere: bool) -> None:
    assert verdict(answer("::1"), loopback=True, anywhere=anywhere) == "usable"
    for address in ("fe80::1", "::", "fd00::2", "::2"):
        assert verdict(answer(address), loopback=True, anywhere=anywhere) == "address"


def test_port_and_transport_must_be_usable() -> None:
    assert verdict(answer(port=0)) == "port"
    assert verdict(answer(over=Transport.UDP)) == "transport"


def test_less_security_than_asked_is_the_vehicles_own_choice() -> None:
    assert verdict(answer(how=Security.NONE), Security.TLS) == "security"
    assert verdict(answer(how=Security.NONE), Security.TLS, plain=True) == "usable"
    assert verdict(answer(how=Security.NONE), Security.NONE) == "usable"
    assert verdict(answer(how=Security.TLS), Security.NONE) == "usable"


def test_fifty_requests_each_with_its_own_wait() -> None:
    moments = [0.0, 0.3, 5.0, *range(6, 53)]
    clock = iter(moments)
    assert list(attempts(0.25, lambda: next(clock))) == [moment + 0.25 for moment in moments]
    assert len(moments) == 50
