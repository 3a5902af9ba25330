"""Both ends of a link on streams in memory: what needs no station and no vehicle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from v2g.ending import Ending
from v2g.errors import HandshakeFailed, PeerGone, Refused, Silence, Undecodable, Untrusted, V2GError
from v2g.exi.message import Message
from v2g.iso2 import ISO2
from v2g.journal import Journal
from v2g.link import EvccLink, SeccLink
from v2g.messages import app_protocol, iso2
from v2g.protocols import schema
from v2g.stream import Facts
from v2g.timing import Budget, Timing
from v2g.v2gtp import frame

SCALE = 0.002
SESSION = b"\x01\x02\x03\x04\x05\x06\x07\x08"


class Wire:
    """A stream in memory: what `come` holds arrives, what is sent is kept."""

    def __init__(self, *come: bytes) -> None:
        self.facts = Facts(peer="memory")
        self.sent: list[bytes] = []
        self.come: asyncio.Queue[bytes] = asyncio.Queue()
        self.stuck = False
        self.ended = False
        for data in come:
            self.come.put_nowait(data)

    async def receive(self) -> bytes:
        return await self.come.get()

    async def send(self, data: bytes) -> None:
        if self.stuck:
            await asyncio.Event().wait()
        self.sent.append(data)

    async def close(self) -> None:
        return

    def answers(self) -> list[Message]:
        return [schema("iso2").decode(data[8:]) for data in self.sent]


def exi(body: iso2.BodyElement, session_id: bytes = SESSION) -> bytes:
    header = iso2.MessageHeader(SessionID=session_id)
    return frame(0x8001, schema("iso2").encode(iso2.V2G_Message(Header=header, Body=iso2.Body(BodyElement=body))))


SETUP = exi(iso2.SessionSetupReq(EVCCID=b"\x02\0\0\0\0\x01"), bytes(8))
DISCOVERY = exi(iso2.ServiceDiscoveryReq())
STOP = exi(iso2.SessionStopReq(ChargingSession=iso2.ChargingSession.Terminate))


def station(wire: Wire, scale: float = SCALE) -> SeccLink:
    link = SeccLink(wire, Journal(), Timing(scale))
    link._dialect = ISO2
    return link


async def serve(link: SeccLink, after: Callable[[], Awaitable[None]] | None = None) -> None:
    """A session of two exchanges."""
    await link.first(iso2.SessionSetupReq)
    link.open(SESSION)
    setup = iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK_NewSessionEstablished, EVSEID="ZZ00000")
    await link.answer(setup, iso2.ServiceDiscoveryReq)
    if after is not None:
        await after()
    await link.answer(iso2.SessionStopRes(ResponseCode=iso2.ResponseCode.OK), iso2.SessionStopReq)


async def ended(link: SeccLink, after: Callable[[], Awaitable[None]] | None = None) -> Ending:
    async with asyncio.timeout(5):
        return await link.conduct(serve(link, after))


async def test_a_peer_that_does_not_read_its_answers() -> None:
    """It holds the session no longer than one that does not write."""
    wire = Wire(SETUP)
    wire.stuck = True
    began = time.monotonic()
    ending = await ended(station(wire))
    assert ending.kind == "gone"
    assert "does not read" in ending.reason
    assert 0.1 < time.monotonic() - began < 2


async def test_what_was_promised_and_not_kept_is_told_once() -> None:
    """V2G_SECC_Msg_Performance_Time: SessionSetupRes is due after 1.5 s, which are 3 ms here."""
    journal = Journal()
    link = SeccLink(Wire(SETUP, DISCOVERY), journal, Timing(SCALE))
    link._dialect = ISO2

    async def session() -> None:
        await link.first(iso2.SessionSetupReq)
        link.open(SESSION)
        await asyncio.sleep(0.02)
        setup = iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK_NewSessionEstablished, EVSEID="ZZ00000")
        await link.answer(setup, iso2.ServiceDiscoveryReq)

    await link.conduct(session())
    (late,) = [entry.facts for entry in journal.entries if entry.kind == "late"]
    assert late["messages"] == "SessionSetupReq 1x"
    assert 0.02 <= late["most_s"] < 2


# --- the vehicle's end ----------------------------------------------------------------------------------------------

SETUP_RES = exi(iso2.SessionSetupRes(ResponseCode=iso2.ResponseCode.OK_NewSessionEstablished, EVSEID="ZZ00000"))


def car_end(wire: Wire, scale: float = 1.0, setup_s: float = 20.0) -> EvccLink:
    link = EvccLink(wire, Journal(), Timing(scale), setup=Budget(setup_s))
    link._dialect = ISO2
    return link


async def test_the_setup_time_bounds_every_exchange_up_to_session_setup() -> None:
    """What was spent before, on the way to the station, is missing [V2G2-446]."""
    link = car_end(Wire(), setup_s=0.1)
    began = time.monotonic()
    with pytest.raises(Silence, match="V2G_EVCC_CommunicationSetup_Timeout"):
        await link.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    assert 0.08 < time.monotonic() - began < 1


async def test_the_setup_time_is_over_with_session_setup() -> None:
    link = car_end(Wire(SETUP_RES), scale=0.1, setup_s=0.1)
    await link.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    with pytest.raises(Silence, match="V2G_EVCC_Msg_Timeout"):
        await link.ask(iso2.ServiceDiscoveryReq())


async def test_a_late_request_is_told() -> None:
    """V2G_EVCC_Sequence_Performance_Time: 40 s, which are 80 ms here."""
    wire = Wire(SETUP_RES)
    link = car_end(wire, scale=SCALE)
    await link.ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    await asyncio.sleep(0.1)
    with pytest.raises(Silence):
        await link.ask(iso2.ServiceDiscoveryReq())
    (late,) = [entry.facts for entry in link.journal.entries if entry.kind == "late"]
    assert late["messages"] == "ServiceDiscoveryReq"


FEEDS: dict[str, Callable[[int], bytes]] = {
    "an answer byte by byte": lambda turn: frame(0x8001, bytes(1_000))[turn : turn + 1],
    "frames of another payload type": lambda _: frame(0x8002, b"\0\0"),
    "empty frames": lambda _: bytes.fromhex("01fe800100000000"),
    "frames of another version": lambda _: bytes.fromhex("02fd80010000000178"),
}


@pytest.mark.parametrize("feed", FEEDS)
async def test_what_is_no_answer_extends_no_wait(feed: str) -> None:
    """V2G_EVCC_Msg_Timeout(SessionSetupReq): 2 s, which are 0.2 s here."""
    wire = Wire()

    async def come() -> None:
        for turn in range(1_000):
            wire.come.put_nowait(FEEDS[feed](turn))
            await asyncio.sleep(0.01)

    coming = asyncio.create_task(come())
    began = time.monotonic()
    with pytest.raises(Silence, match="V2G_EVCC_Msg_Timeout"):
        await car_end(wire, scale=0.1).ask(iso2.SessionSetupReq(EVCCID=bytes(6)))
    assert 0.18 < time.monotonic() - began < 1
    coming.cancel()


# --- doom -----------------------------------------------------------------------------------------------------------


async def test_doom_while_waiting_ends_the_wait() -> None:
    wire = Wire(SETUP)
    link = station(wire, scale=1)
    asyncio.get_running_loop().call_later(0.02, link.doom, PeerGone("unplugged"))
    assert (await ended(link)).kind == "gone"


async def test_doom_before_the_wait_shortens_it() -> None:
    wire = Wire(SETUP, DISCOVERY)
    link = station(wire, scale=1)

    async def doom() -> None:
        link.doom(Refused("FAILED", "a fault"), within=0.05)

    ending = await ended(link, doom)
    assert (ending.kind, ending.response_code) == ("refused", "FAILED")
    assert len(wire.sent) == 2


async def test_the_first_doom_stands() -> None:
    wire = Wire(SETUP, DISCOVERY, STOP)
    link = station(wire, scale=0.01)

    async def doom() -> None:
        link.doom(Refused("FAILED", "first"), within=0.5)
        link.doom(PeerGone("second"))

    assert "first" in (await ended(link, doom)).reason


async def test_a_pardoned_request_lifts_the_doom() -> None:
    wire = Wire(SETUP, DISCOVERY, STOP)
    link = station(wire, scale=0.01)

    async def doom() -> None:
        link.doom(Refused("FAILED", "left C"), within=0.5, pardon=lambda body: isinstance(body, iso2.SessionStopReq))

    assert (await ended(link, doom)).kind == "terminated"


async def test_what_is_not_pardoned_is_refused() -> None:
    wire = Wire(SETUP, DISCOVERY, DISCOVERY)
    link = station(wire, scale=0.01)

    async def doom() -> None:
        link.doom(Refused("FAILED", "left C"), within=0.5, pardon=lambda body: isinstance(body, iso2.SessionStopReq))

    assert (await ended(link, doom)).response_code == "FAILED"


async def test_an_answer_that_cannot_be_expressed_is_a_failure_and_not_silence() -> None:
    wire = Wire(SETUP, DISCOVERY)
    link = station(wire, scale=0.01)

    async def breaks() -> None:
        await link.answer(iso2.ServiceDetailRes(ResponseCode=iso2.ResponseCode.OK, ServiceID=-1), iso2.SessionStopReq)

    ending = await ended(link, breaks)
    assert ending.kind == "internal"
    last = wire.answers()[-1]
    assert isinstance(last, iso2.V2G_Message)
    assert isinstance(last.Body.BodyElement, iso2.ServiceDiscoveryRes)
    assert last.Body.BodyElement.ResponseCode == "FAILED"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Silence("timer", 1), "silence"),
        (Undecodable("x"), "undecodable"),
        (PeerGone("x"), "gone"),
        (HandshakeFailed("x"), "handshake"),
        (Untrusted("x"), "untrusted"),
        (Refused("FAILED"), "refused"),
    ],
)
async def test_how_errors_are_called(error: V2GError, kind: str) -> None:
    async def breaks() -> None:
        raise error

    link = station(Wire(SETUP, DISCOVERY))
    assert (await ended(link, breaks)).kind == kind


# --- the vehicle's end ----------------------------------------------------------------------------------------------


def vehicle(wire: Wire) -> EvccLink:
    return EvccLink(wire, Journal(), Timing(0.01))


def sap(message: Message) -> bytes:
    return frame(0x8001, schema("sap").encode(message))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (app_protocol.SupportedAppProtocolRes(ResponseCode=app_protocol.ResponseCode.Failed_NoNegotiation), Refused),
        (
            app_protocol.SupportedAppProtocolRes(
                ResponseCode=app_protocol.ResponseCode.OK_SuccessfulNegotiation, SchemaID=99
            ),
            Undecodable,
        ),
        (
            app_protocol.SupportedAppProtocolRes(ResponseCode=app_protocol.ResponseCode.OK_SuccessfulNegotiation),
            Undecodable,
        ),
        (None, Silence),
    ],
)
async def test_negotiation_that_fails(answer: Message | None, error: type[V2GError]) -> None:
    wire = Wire() if answer is None else Wire(sap(answer))
    with pytest.raises(error):
        await vehicle(wire).negotiate([ISO2])


async def test_a_request_in_answer_to_the_offer() -> None:
    offer = app_protocol.SupportedAppProtocolReq(
        AppProtocol=[
            app_protocol.AppProtocol(
                ProtocolNamespace="x", VersionNumberMajor=2, VersionNumberMinor=0, SchemaID=1, Priority=1
            )
        ]
    )
    with pytest.raises(Undecodable, match="in place of a response"):
        await vehicle(Wire(sap(offer))).negotiate([ISO2])


async def test_asking_before_negotiating_is_our_mistake() -> None:
    with pytest.raises(ValueError, match="no protocol"):
        await vehicle(Wire()).ask(iso2.ServiceDiscoveryReq())
