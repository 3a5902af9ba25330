"""The station's side of SECC discovery: hears the vehicles' requests on one interface and answers them.

It keeps no state between requests: what is offered is asked anew each time, so that silence (no charger, no data link,
setup time over) is one `None` away. A malformed datagram, a sender off the link and a request that gets no offer are
counted and change nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Any

from v2g.errors import Undecodable
from v2g.interface import Interface
from v2g.sdp import PORT, SdpRequest, SdpResponse, Security, Transport

Offer = Callable[[SdpRequest], SdpResponse | None]
Witness = Callable[[tuple[str, int], bytes, bytes], None]
"""Is told of a request that was answered: from whom it came, its bytes, those of the answer."""

_log = logging.getLogger(__name__)


def choose(
    request: SdpRequest, address: IPv6Address, *, tls_port: int | None, plain_port: int | None
) -> SdpResponse | None:
    """Answer a request out of the listeners there are; None is silence.

    The security asked for comes first [V2G2-626], then whichever there is: plain TCP for a vehicle that asked for TLS
    [V2G2-627], and TLS for one that did not where plain TCP is refused.
    """
    if request.transport is not Transport.TCP:
        return None
    ports = {Security.TLS: tls_port, Security.NONE: plain_port}
    for security in (request.security, *Security):
        port = ports[security]
        if port is not None:
            return SdpResponse(address=address, port=port, security=security)
    return None


class Responder(asyncio.DatagramProtocol):
    """Answers SDP on one interface from `start` to `close`; nothing a sender does ends it."""

    def __init__(self, interface: Interface, offer: Offer, witness: Witness = lambda *_: None) -> None:
        self.interface = interface
        self.port = 0
        self.counts: Counter[str] = Counter()
        self._offer = offer
        self._witness = witness
        self._transport: asyncio.DatagramTransport | None = None
        self._congested = False

    async def start(self, port: int = PORT) -> None:
        """Listen on a UDP port of the interface, 0 = any free one; raises `InterfaceError` with a remedy."""
        opened = self.interface.listen(port)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=opened)
        self.port = opened.getsockname()[1]

    def close(self) -> None:
        """Stop listening; may be called twice."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def pause_writing(self) -> None:
        """Drop answers from now on: the network does not take them, and a storm must not fill memory."""
        self._congested = True

    def resume_writing(self) -> None:
        """Answer again."""
        self._congested = False

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Answer one datagram, to where it came from and from the port it came in on [V2G2-151]."""
        if self._transport is None or not self.interface.on_link((addr[0], addr[1], addr[2], addr[3])):
            self._count("off the link", addr)
            return
        try:
            request = SdpRequest.parse(data)
        except Undecodable as error:
            self._count("malformed", addr, error)
            return
        response = self._offer(request)
        if response is None:
            self._count("not answered", addr, request)
        elif self._congested:
            self._count("dropped", addr)
        else:
            answer = response.encode()
            self._transport.sendto(answer, addr)
            self._witness((addr[0], addr[1]), data, answer)
            self._count("answered", addr, response)

    def error_received(self, exc: Exception) -> None:
        """Count what the network reports, such as an interface that went down; the socket lives on."""
        self._count("network error", ("?",), exc)

    def _count(self, what: str, addr: tuple[Any, ...], detail: object = "") -> None:
        self.counts[what] += 1
        _log.debug("SDP on %s: %s from %s %s", self.interface.name, what, addr[0], detail)
