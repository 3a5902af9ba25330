"""The sans-IO core: any chunking of its bytes, any damage to them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.v2g.tls.chains import chain
from v2g.errors import HandshakeFailed, PeerGone
from v2g.tls.client_hello import parse
from v2g.tls.context import Fault, client_context, server_context
from v2g.tls.session import Session

GOOD = chain()
SERVER = server_context(GOOD.identity)
CLIENT = client_context([GOOD.root])


def pair() -> tuple[Session, Session]:
    """Start both ends; the vehicle's hello has reached the station."""
    vehicle = Session(CLIENT.connection(lambda _: Fault.NONE))
    assert not vehicle.handshake()
    greeting = vehicle.take()
    hello = parse(greeting)
    assert hello is not None
    station = Session(SERVER.connection(hello))
    station.feed(greeting)
    assert not station.handshake()
    return vehicle, station


def opened() -> tuple[Session, Session]:
    """Finish the handshake."""
    vehicle, station = pair()
    vehicle.feed(station.take())
    assert not vehicle.handshake()
    station.feed(vehicle.take())
    assert station.handshake()
    vehicle.feed(station.take())
    assert vehicle.handshake()
    return vehicle, station


def read_all(session: Session) -> bytes:
    data = b""
    while more := session.read():
        data += more
    return data


@given(st.lists(st.binary(max_size=100), max_size=5), st.lists(st.integers(1, 500), max_size=20))
def test_the_network_may_cut_anywhere(messages: list[bytes], cuts: list[int]) -> None:
    vehicle, station = opened()
    for message in messages:
        if message:
            vehicle.write(message)
    wire, got = vehicle.take(), b""
    for size in [*cuts, len(wire)]:
        station.feed(wire[:size])
        wire = wire[size:]
        got += read_all(station)
    assert got == b"".join(messages)
    assert station.read() is None


def damaged(data: bytes, damage: list[tuple[int, int]]) -> bytes:
    out = bytearray(data)
    for at, value in damage:
        out[at % len(out)] = value
    return bytes(out)


DAMAGE = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=5)


@given(DAMAGE, st.booleans())
def test_a_damaged_flight_never_ends_in_a_connection(damage: list[tuple[int, int]], by_station: bool) -> None:
    """Both Finished messages cover the whole handshake: either it is as sent, or it fails."""
    vehicle, station = pair()
    flight = station.take()
    if by_station:
        changed = damaged(flight, damage)
        same = changed == flight
        vehicle.feed(changed)
        done = went_on(vehicle)
        station.feed(vehicle.take())
        done = went_on(station)
    else:
        vehicle.feed(flight)
        assert not vehicle.handshake()
        flight = vehicle.take()
        changed = damaged(flight, damage)
        same = changed == flight
        station.feed(changed)
        done = went_on(station)
    assert done == same


def went_on(session: Session) -> bool:
    """Go on with the handshake; failing is as good as waiting for ever."""
    try:
        return session.handshake()
    except HandshakeFailed:
        return False


@given(DAMAGE)
def test_a_damaged_record_is_never_read(damage: list[tuple[int, int]]) -> None:
    vehicle, station = opened()
    vehicle.write(b"a message")
    wire = vehicle.take()
    changed = damaged(wire, damage)
    station.feed(changed)
    try:
        got = station.read()
    except PeerGone:
        got = None
    assert got == (b"a message" if changed == wire else None)


def test_taking_leave_before_and_after() -> None:
    vehicle, station = pair()
    vehicle.close()  # nothing to say yet, and no error
    vehicle, station = opened()
    vehicle.close()
    station.feed(vehicle.take())
    assert station.read() == b""
    assert station.read() == b""
    station.close()
    assert station.take()[0] == 21
    with pytest.raises(PeerGone, match="protocol is shutdown"):
        station.write(b"too late")
