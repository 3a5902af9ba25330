"""The vehicle's side of SECC discovery: asks until a usable answer comes, and reports what contradicts it.

Whoever shares the link can answer. So an answer that is not usable costs neither time nor a request, and after the
first usable one others are still heard for a moment: a second endpoint is reported, never obeyed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from v2g.errors import Silence, Undecodable
from v2g.interface import Interface
from v2g.journal import Journal
from v2g.sdp import GROUP, LOOPBACK, MAX_REQUESTS, PORT, SdpRequest, SdpResponse, Security, Unusable, attempts, usable
from v2g.timing import Timing

MAX_REPORTS = 16  # entries that strangers' datagrams may cause in one discovery
REMEDIES = {
    "security": "with `accept_plain = true` in [network] the car goes on without TLS, and then with a contract only "
    "where [plan] has `accept_external = true`",
    "address": "the SECC has to name an address of the link that it is asked on: see its interface, or leave SDP out "
    "by `connect` in [network]",
}


Witness = Callable[[tuple[str, int], tuple[str, int], bytes], None]
"""Is told of every datagram on the link: sender, receiver, bytes."""
Heard = Callable[[tuple[str, int], bytes], None]
"""Is told of the other end and the bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to connect. `scope_id` is 0 unless the host is link-local; `rivals` are other endpoints answers named."""

    host: str
    port: int
    scope_id: int
    security: Security
    rivals: tuple[str, ...] = ()

    @property
    def target(self) -> tuple[str, int]:
        """Host, with its scope id where it has one, and port: as `asyncio.open_connection` takes them."""
        return f"{self.host}%{self.scope_id}" if self.scope_id else self.host, self.port


class Unanswered(Silence):
    """Nobody answered, or not so that it could be used, for which `flaw` gives reason and remedy.

    A silent station may be there all the same, and have its reasons.
    """

    def __init__(self, seconds: float, flaw: str = "") -> None:
        self.flaw = flaw
        super().__init__("SDP response", seconds)

    def __str__(self) -> str:
        if self.flaw:
            return f"no usable SDP response in {self.seconds:g} s, the last one came {self.flaw}"
        return (
            f"{super().__str__()}; a station that is there is silent too while its controller is not, "
            "or while nobody is plugged in: see the log of the SECC"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the vehicle asks for, and what it admits besides (see `v2g.sdp.usable`)."""

    security: Security
    anywhere: bool = False
    plain: bool = False


async def discover(
    interface: Interface,
    wanted: Wanted,
    *,
    port: int = PORT,
    timing: Timing | None = None,
    journal: Journal | None = None,
    witness: Witness = lambda *_: None,
) -> Endpoint:
    """Find the station on an interface; takes at most 50 waits of 250 ms, after the interface has its address.

    Raises `Unanswered` after the last request, `InterfaceError` when the interface cannot be used.
    """
    timing = timing or Timing()
    address = await interface.address()
    opened = interface.speak()
    ours = str(address), opened.getsockname()[1]
    seeker = Seeker(interface, wanted, journal or Journal(), lambda sender, data: witness(sender, ours, data))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: seeker, sock=opened)
    try:
        first = await _ask(seeker, transport, port, timing, lambda station, data: witness(ours, station, data))
        await asyncio.sleep(timing.sdp_linger)
    finally:
        transport.close()
    host, number, _, scope = interface.sockaddr(first.address, first.port)
    return Endpoint(host=host, port=number, scope_id=scope, security=first.security, rivals=tuple(seeker.rivals))


async def _ask(
    seeker: Seeker, transport: asyncio.DatagramTransport, port: int, timing: Timing, sent: Heard
) -> SdpResponse:
    interface = seeker.interface
    station = interface.sockaddr(LOOPBACK if interface.loopback else GROUP, port)
    request = SdpRequest(security=seeker.wanted.security).encode()
    loop = asyncio.get_running_loop()
    for number, until in enumerate(attempts(timing.sdp_wait, loop.time), start=1):
        seeker.journal.record("sdp_request", number=number, security=seeker.wanted.security.name)
        transport.sendto(request, station)
        sent(station[:2], request)
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(seeker.answer)
        except TimeoutError:
            continue
    raise Unanswered(MAX_REQUESTS * timing.sdp_wait, seeker.flaw)


class Seeker(asyncio.DatagramProtocol):
    """Hears answers: `answer` is the first usable one, `rivals` what other endpoints later ones named.

    `flaw` says what was wrong with the last unusable one, from whom it came, and what helps.
    """

    def __init__(self, interface: Interface, wanted: Wanted, journal: Journal, heard: Heard = lambda *_: None) -> None:
        self.interface = interface
        self.wanted = wanted
        self.journal = journal
        self.answer: asyncio.Future[SdpResponse] = asyncio.get_running_loop().create_future()
        self.rivals: list[str] = []
        self.flaw = ""
        self._heard = heard
        self._reports = 0

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        """Take one answer; what is wrong with it is reported and otherwise forgotten."""
        if not self.interface.on_link((addr[0], addr[1], addr[2], addr[3])):
            self._reject(addr, "the sender is not on this link")
            return
        self._heard((addr[0], addr[1]), data)
        try:
            response = SdpResponse.parse(data)
            usable(
                response,
                self.wanted.security,
                loopback=self.interface.loopback,
                anywhere=self.wanted.anywhere,
                plain=self.wanted.plain,
            )
        except Unusable as error:
            self._reject(addr, str(error), REMEDIES.get(error.reason, ""))
            return
        except Undecodable as error:
            self._reject(addr, str(error))
            return
        self._take(response, addr)

    def error_received(self, exc: Exception) -> None:
        """Report what the network said, such as no route yet; the next request may fare better."""
        self._report("sdp_unsent", ("?",), str(exc))

    def _take(self, response: SdpResponse, addr: tuple[Any, ...]) -> None:
        if not self.answer.done():
            self.journal.record("sdp_response", endpoint=_name(response), security=response.security.name)
            self.answer.set_result(response)
        elif response != self.answer.result() and _name(response) not in self.rivals:
            if len(self.rivals) < MAX_REPORTS:
                self.rivals.append(_name(response))
            self._report("sdp_rival", addr, f"{_name(response)}; staying with {_name(self.answer.result())}")

    def _reject(self, addr: tuple[Any, ...], reason: str, remedy: str = "") -> None:
        self.flaw = f"from {addr[0]}: {reason}" + (f"; {remedy}" if remedy else "")
        self._report("sdp_unusable", addr, reason)

    def _report(self, kind: str, addr: tuple[Any, ...], reason: str) -> None:
        self._reports += 1
        if self._reports <= MAX_REPORTS:
            self.journal.record(kind, sender=str(addr[0]), reason=reason)


def _name(response: SdpResponse) -> str:
    return f"[{response.address}]:{response.port} {response.security.name}"
