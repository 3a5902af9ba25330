"""What comes before a session at a station: SDP, V2GTP headers, the choice of a protocol, and the setup time."""

from __future__ import annotations

import asyncio

from lab.cases.peer import HEADER, framed
from lab.cases.pixit import Pixit
from lab.cases.station import StationPeer
from lab.cases.station_patterns import EARLY, Station, hang_up, station
from lab.cases.verdict import Unclear, Unmet, demand
from lab.cases.visitor import visit
from v2g.messages import iso2
from v2g.protocols import schema

TLS, PLAIN = 0x00, 0x10
SDP_REQUEST, SDP_RESPONSE = 0x9000, 0x9001
SDP_SIZE = 20
UNASSIGNED = 0x7000
SILENT_S = 0.1
ANSWER_S = 2.0
STRANGE = "urn:iso:15118:2:2099:MsgDef"


def request(security: int) -> bytes:
    """An SDP request."""
    return framed(bytes([security, 0x00]), SDP_REQUEST)


def broken_header(flaw: str, payload: bytes, payload_type: int) -> bytes:
    """A frame whose header is wrong in one field."""
    match flaw:
        case "length":
            return HEADER.pack(1, 0xFE, payload_type, 0) + payload
        case "type":
            return framed(payload, UNASSIGNED)
        case "version":
            return framed(payload, payload_type, version=0xFF)
    return framed(payload, payload_type, inverse=0xFF)


def sdp(asked: int, told: int, *features: str) -> Station:
    """An SDP request is answered with the security that there is, and the endpoint exists [V2G2-626] [V2G2-627]."""

    @station("sdp", *features)
    async def case(peer: StationPeer, _: Pixit) -> None:
        answer = await peer.discover(request(asked), ANSWER_S)
        if answer is None:
            raise Unmet("the SDP request was not answered [V2G2-144]")
        demand(len(answer) == HEADER.size + SDP_SIZE, f"the SDP response has {len(answer)} bytes")
        security, transport = answer[-2:]
        demand((security, transport) == (told, 0), f"security {security:#04x}, transport {transport:#04x}")
        port = int.from_bytes(answer[-4:-2], "big")
        demand(port == peer.controls.port(tls=told == TLS), f"port {port} is none that listens that way")

    return case


def sdp_header() -> Station:
    """The header of an SDP response is right."""

    @station("sdp_header")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        answer = await peer.discover(request(PLAIN if pixit.payment == "EIM" else TLS), ANSWER_S)
        if answer is None:
            raise Unmet("the SDP request was not answered")
        header = HEADER.unpack(answer[: HEADER.size])
        demand(header == (1, 0xFE, SDP_RESPONSE, SDP_SIZE), f"the header is {answer[: HEADER.size].hex()}")

    return case


def sdp_ignored(flaw: str) -> Station:
    """An SDP request with a wrong header is not answered, the next right one is [V2G2-800]."""

    @station("sdp_ignored")
    async def case(peer: StationPeer, _: Pixit) -> None:
        answer = await peer.discover(broken_header(flaw, bytes([PLAIN, 0x00]), SDP_REQUEST), SILENT_S)
        demand(answer is None, "it was answered")
        demand(await peer.discover(request(PLAIN), ANSWER_S) is not None, "after it a right one is not answered")

    return case


def sdp_over(security: int) -> Station:
    """Nobody came in the setup time: SDP is not answered any more [V2G2-716] [V2G2-723]."""

    @station("sdp_over", hurry={"setup_secc": 1 / 60})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        peer.controls.link()
        if await peer.discover(request(security), ANSWER_S) is None:
            raise Unclear("SDP was never answered")
        await asyncio.sleep(1.1 * pixit.seconds("setup_secc"))
        answer = await peer.discover(request(security), SILENT_S)
        demand(answer is None, "SDP is answered after the setup time")

    return case


def tcp_over() -> Station:
    """Nobody came in the setup time: no connection is served any more."""

    @station("tcp_over", hurry={"setup_secc": 1 / 60})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        peer.controls.link()
        if await peer.discover(request(PLAIN), ANSWER_S) is None:
            raise Unclear("SDP was never answered")
        await asyncio.sleep(1.1 * pixit.seconds("setup_secc"))
        try:
            line = await peer.connect(pixit)
        except Unclear:
            return
        demand(await line.closed(pixit.seconds("setup_secc")), "a connection is served after the setup time")

    return case


def setup_over(at: str) -> Station:
    """The vehicle connects and comes no further: the setup time ends that, not the longer sequence timeout."""

    @station("setup_over", hurry={"setup_secc": 1 / 60, "close": 1 / 20})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach(at)
        clock, most = asyncio.get_running_loop(), pixit.seconds("setup_secc")
        began = clock.time()
        demand(await visitor.line.closed(most + pixit.seconds("close")), "TCP is open after the setup time")
        demand(clock.time() - began >= EARLY * most - SILENT_S, "TCP was closed before the setup time")

    return case


def message_header() -> Station:
    """The header of a response in a session is right."""

    @station("message_header")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach("SessionSetup")
        await visitor.exchange("SessionSetup")
        version, inverse, kind, length = HEADER.unpack(visitor.line.header)
        demand((version, inverse, kind) == (1, 0xFE, 0x8001) and length > 0, visitor.line.header.hex())

    return case


def message_ignored(flaw: str) -> Station:
    """A message with a wrong header is ignored, or ends the connection; it is never answered [V2G2-800]."""

    @station("message_ignored", hurry={"sequence": 1 / 200})
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        await visitor.reach("SessionSetup")
        header = iso2.MessageHeader(SessionID=visitor.session_id)
        body = iso2.Body(BodyElement=visitor.request("SessionSetup"))
        payload = schema("iso2").encode(iso2.V2G_Message(Header=header, Body=body))
        visitor.line.say(broken_header(flaw, b"" if flaw == "length" else payload, 0x8001), f"wrong {flaw}")
        within = pixit.seconds("sequence") + pixit.seconds("close")
        demand(await visitor.line.closed(within), "the connection stays open for ever")

    return case


def no_negotiation() -> Station:
    """No protocol in common: told, and TCP closed [V2G2-172]."""

    @station("no_negotiation")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        response = await visitor.negotiate(STRANGE)
        demand(str(response.ResponseCode) == "Failed_NoNegotiation", f"it says {response.ResponseCode}")
        demand(response.SchemaID is None, "a SchemaID stands beside Failed_NoNegotiation")
        await hang_up(visitor)

    return case


def negotiated(minor: int, code: str) -> Station:
    """The protocol is known, perhaps in another minor version: the session may begin [V2G2-170]."""

    @station("negotiated")
    async def case(peer: StationPeer, pixit: Pixit) -> None:
        visitor = await visit(peer, pixit)
        response = await visitor.negotiate(minor=minor)
        demand(str(response.ResponseCode) == code, f"it says {response.ResponseCode}, not {code}")
        demand(response.SchemaID == 7, f"SchemaID {response.SchemaID} is not the one that was offered")
        await visitor.exchange("SessionSetup")

    return case
