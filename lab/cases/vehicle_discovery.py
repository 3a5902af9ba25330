"""What a vehicle does before its session: SDP, V2GTP headers, the choice of a protocol."""

from __future__ import annotations

import asyncio
from ipaddress import IPv6Address

from lab.cases import responses
from lab.cases import vehicle_checks as check
from lab.cases.host import Host, receive
from lab.cases.peer import HEADER, framed
from lab.cases.pixit import Pixit
from lab.cases.station_discovery import PLAIN, SDP_REQUEST, SDP_RESPONSE, SILENT_S, TLS, broken_header
from lab.cases.vehicle import HOST, Discovery, VehiclePeer, discovery
from lab.cases.vehicle_patterns import MESSAGE, Vehicle, gives_up, vehicle
from lab.cases.verdict import Unmet, demand
from v2g.messages import iso2
from v2g.protocols import schema

ATTEMPTS = 50
HURRIED = {"sdp_wait": 1 / 10}
STARTS_S = 5.0


def response(port: int, security: int) -> bytes:
    """The payload of an SDP response."""
    return IPv6Address(HOST).packed + port.to_bytes(2) + bytes([security, 0x00])


async def ask(at: Discovery, within: float = STARTS_S) -> bytes:
    """The vehicle's next SDP request; raises `Unmet` where none comes, or one that is none."""
    datagram = await at.hear(within)
    if datagram is None:
        raise Unmet(f"no SDP request comes within {within:.3g} s")
    head, payload = datagram[: HEADER.size], datagram[HEADER.size :]
    demand(HEADER.unpack(head) == (1, 0xFE, SDP_REQUEST, 2), f"the header is {head.hex()}")
    demand(len(payload) == 2 and payload[1] == 0x00, f"the request is {payload.hex()}")
    return payload


def sdp_request(security: int | None, told: int, *features: str) -> Vehicle:
    """The vehicle asks with the security it is set to, and comes to where the answer says."""

    @vehicle("sdp_request", "sdp", *features, hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        async with discovery(peer) as at:
            port = await peer.listen(tls=told == TLS)
            peer.controls.start(sdp_port=at.port)
            await found(at, security, told, port)
            await Host(peer, pixit, await peer.comes()).negotiation()

    return case


async def found(at: Discovery, security: int | None, told: int, port: int) -> None:
    """Be asked for and answer; raises `Unmet`."""
    asked = (await ask(at))[0]
    demand(security in (None, asked), f"the vehicle asks for security {asked:#04x}")
    demand(asked in (TLS, PLAIN), f"the vehicle asks for security {asked:#04x}")
    await at.say(framed(response(port, told), SDP_RESPONSE))


def sdp_response_ignored(flaw: str) -> Vehicle:
    """An SDP response with a wrong header changes nothing: the request is repeated."""

    @vehicle("sdp_response_ignored", "sdp", hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        async with discovery(peer) as at:
            port = await peer.listen(tls=pixit.tls)
            peer.controls.start(sdp_port=at.port)
            await ask(at)
            await at.say(broken_header(flaw, response(port, TLS if pixit.tls else PLAIN), SDP_RESPONSE))
            await ask(at)
            await found(at, None, TLS if pixit.tls else PLAIN, port)
            await peer.comes()

    return case


def unheard() -> Vehicle:
    """Nobody answers: fifty requests, each after its wait, and none after them [V2G2-159] [V2G2-161]."""

    @vehicle("unheard", "sdp", hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        clock, wait = asyncio.get_running_loop(), pixit.seconds("sdp_wait")
        async with discovery(peer) as at:
            peer.controls.start(sdp_port=at.port)
            await ask(at)
            began = clock.time()
            for _ in range(ATTEMPTS - 1):
                await ask(at)
            demand(clock.time() - began >= (ATTEMPTS - 2) * wait, f"they came faster than every {wait:.3g} s")
            demand(await at.hear(3 * wait + SILENT_S) is None, f"more than {ATTEMPTS} requests came")

    return case


def late() -> Vehicle:
    """The answer to the first request comes after the second one was sent, and again: the vehicle comes once."""

    @vehicle("late", "sdp", hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        async with discovery(peer) as at:
            port = await peer.listen(tls=pixit.tls)
            peer.controls.start(sdp_port=at.port)
            await ask(at)
            security = TLS if pixit.tls else PLAIN
            await found(at, None, security, port)
            await at.say(framed(response(port, security), SDP_RESPONSE))
            await Host(peer, pixit, await peer.comes()).negotiation()
            try:
                await peer.comes(SILENT_S)
            except Unmet:
                return
            raise Unmet("the vehicle comes a second time")

    return case


def mute() -> Vehicle:
    """The vehicle is no SDP server: a request is not answered [V2G2-145]."""

    @vehicle("mute", "sdp", hurry=HURRIED)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        async with discovery(peer) as at:
            peer.controls.start(sdp_port=at.port)
            await ask(at)
            await at.say(framed(bytes([TLS if pixit.tls else PLAIN, 0x00]), SDP_REQUEST))
            for _ in range(3):
                await ask(at)

    return case


def response_ignored(flaw: str) -> Vehicle:
    """A response with a wrong header is none: the message timeout runs on, and ends it [V2G2-800]."""

    @vehicle("response_ignored", hurry=MESSAGE)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        await host.reach("SessionSetup")
        header = iso2.MessageHeader(SessionID=host.session_id)
        body = iso2.Body(BodyElement=responses.session_setup())
        payload = schema("iso2").encode(iso2.V2G_Message(Header=header, Body=body))
        host.line.say(broken_header(flaw, b"" if flaw == "length" else payload, 0x8001), f"wrong {flaw}")
        await host.left(pixit.waits("SessionSetup") + pixit.seconds("close"))

    return case


def no_protocol() -> Vehicle:
    """The station has no protocol in common: the vehicle leaves [V2G2-178]."""

    @vehicle("no_protocol")
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        await host.reach("SupportedAppProtocol")
        host.agree("Failed_NoNegotiation")
        await host.left()

    return case


def protocol_unanswered() -> Vehicle:
    """The offer of protocols is not answered: the vehicle leaves after its timeout."""

    @vehicle("protocol_unanswered", hurry=MESSAGE)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        await host.reach("SupportedAppProtocol")
        await gives_up(host, pixit.waits("SupportedAppProtocol"))

    return case


def protocol_offered(*features: str) -> Vehicle:
    """ISO 15118-2 is offered, and taken up when it is accepted."""

    @vehicle("protocol_offered", *features)
    async def case(peer: VehiclePeer, pixit: Pixit) -> None:
        host = await receive(peer, pixit)
        check.offers(host, await host.reach("SupportedAppProtocol"))
        host.agree()
        demand(isinstance((await host.hear()).body, iso2.SessionSetupReq), "no SessionSetupReq follows")

    return case
