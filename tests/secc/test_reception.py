"""What a listener for TLS makes of a connection it has no certificate for: nothing goes on in clear."""

from __future__ import annotations

import pytest

from secc.reception import Speaks, receive
from tests.v2g.tls.wire import tcp_pair
from v2g.errors import HandshakeFailed

MESSAGE = bytes.fromhex("01fe800100000000")


@pytest.mark.parametrize(("speaks", "said"), [("tls", MESSAGE), ("either", b"\x16\x03\x01")])
async def test_without_a_certificate_tls_does_not_become_plain(speaks: Speaks, said: bytes) -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(said)
        with pytest.raises(HandshakeFailed, match="no certificate"):
            await receive(station, speaks, None, None, 5)


@pytest.mark.parametrize("speaks", ["tcp", "either"])
async def test_plain_where_it_is_spoken(speaks: Speaks) -> None:
    async with tcp_pair() as (vehicle, station):
        await vehicle.send(MESSAGE)
        stream = await receive(station, speaks, None, None, 5)
        assert not stream.facts.secure
        assert await stream.receive() == MESSAGE
