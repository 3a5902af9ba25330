"""How a connection becomes one that a session can run on: TLS or plain V2GTP, and in -20 a vehicle that is trusted."""

from __future__ import annotations

from typing import Literal

from secc.vehicles import Vehicles
from v2g.errors import HandshakeFailed
from v2g.stream import Stream
from v2g.timing import Budget
from v2g.tls import first_byte
from v2g.tls.context import ServerContext
from v2g.tls.stream import accept

Speaks = Literal["tls", "tcp", "either"]
"""What a listener takes; with "either" the first byte of a connection decides."""


async def receive(
    stream: Stream, speaks: Speaks, tls: ServerContext | None, vehicles: Vehicles | None, within_s: float
) -> Stream:
    """Bring TLS up where the listener speaks it, within so many seconds.

    Raises what `v2g.tls.stream.accept` does; `Untrusted` also for a vehicle that turns out to be revoked.
    """
    until = Budget(within_s)
    if speaks == "either":
        stream, plain = await first_byte.plain(stream, within_s)
        speaks = "tcp" if plain else "tls"
    if speaks == "tcp":
        return stream
    if tls is None:
        raise HandshakeFailed("there is no certificate to show; what was to be TLS does not go on in clear")
    if vehicles is None:
        return await accept(stream, tls, timeout=until.left())
    vehicle = vehicles.handshake()
    secured = await accept(stream, tls, vehicle.verify, timeout=until.left())
    try:
        await vehicle.settle(until.left())
    except BaseException:
        await secured.close()
        raise
    return secured
