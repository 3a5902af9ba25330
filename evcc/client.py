"""One charge, from the plug to the unplugged cable: discovery, connection, TLS, protocol, session, result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from evcc import config, iso2, wallet
from evcc.cable import Cable, MqttCable, NoCable
from evcc.discovery import Wanted, discover
from evcc.iso2 import Trip
from evcc.vehicle import Vehicle
from pki import credentials
from pki.validate import validate
from v2g.errors import PeerGone, Silence, V2GError
from v2g.interface import Interface
from v2g.iso2 import ISO2
from v2g.journal import Entry, Journal
from v2g.link import EvccLink
from v2g.record import Record
from v2g.sdp import Security
from v2g.stream import Stream, TcpStream
from v2g.timing import Timing
from v2g.tls import stream as tls
from v2g.tls.context import ClientContext, client_context
from v2g.trust import Verify

DIALECTS = (ISO2,)
SECURITY = {"tls": Security.TLS, "none": Security.NONE}

SeeEntry = Callable[[Entry], None]


class Result(Record):
    """What came of a charge; `messages` are [name, ms since the start], requests and responses in order."""

    ok: bool
    reason: str
    protocol: str
    energy: str
    payment: str | None
    evse_id: str
    tls: str
    ended_by: str
    energy_wh: float
    soc_percent: float
    messages: list[tuple[str, float]]
    loop_ms: list[float]


async def charge(settings: config.EvccConfig, *, see: SeeEntry | None = None, timing: Timing | None = None) -> Result:
    """Charge once as planned; `see` is called with every journal entry as it happens.

    A session that fails is a result with `ok` false. Raises ValueError or OSError for what cannot be used at
    start-up: certificates, interface, the cable's broker.
    """
    journal = Journal("evcc")
    if see is not None:
        journal.subscribe(see)
    trip = _trip(settings)
    context = _tls_context(settings)
    _check(settings.network)
    timing = timing or Timing(timeouts=settings.timeouts)
    link: EvccLink | None = None
    reason = ""
    try:
        await trip.cable.plug()
        stream = await _reach(settings, context, journal, timing)
        link = EvccLink(stream, journal, timing)
        journal.record("connected", peer=stream.facts.peer, tls=stream.facts.tls or "none")
        await link.negotiate(DIALECTS)
        await iso2.drive(link, trip)
    except V2GError as error:
        reason = f"{type(error).__name__}: {error}"
        journal.record("failed", reason=reason)
    finally:
        if link is not None:
            await link.close()
        await trip.cable.unplug()
    return _result(settings, trip, link, journal, reason)


def _trip(settings: config.EvccConfig) -> Trip:
    contract = None
    if settings.plan.payment == "contract" and settings.contract is not None:
        contract = wallet.load(settings.contract)
    cable: Cable = NoCable() if settings.cable is None else MqttCable(settings.cable)
    return Trip(vehicle=Vehicle(settings), cable=cable, contract=contract)


def _tls_context(settings: config.EvccConfig) -> tuple[ClientContext, Verify] | None:
    if settings.network.security == "none":
        return None
    anchors = [der for name in settings.tls.roots for der in credentials.load_anchors(name)]
    return client_context(anchors), lambda chain, role: validate(chain, role, anchors)


async def _reach(
    settings: config.EvccConfig, context: tuple[ClientContext, Verify] | None, journal: Journal, timing: Timing
) -> Stream:
    """Connect within the time for setting up the communication; raises `Silence` after it."""
    try:
        async with asyncio.timeout(timing.setup_evcc):
            return await _connect(settings, context, journal)
    except TimeoutError:
        raise Silence("V2G_EVCC_CommunicationSetup_Timeout", timing.setup_evcc) from None


async def _connect(
    settings: config.EvccConfig, context: tuple[ClientContext, Verify] | None, journal: Journal
) -> Stream:
    """Find the station and connect, with TLS where it was agreed."""
    host, port, security = await _endpoint(settings, journal)
    if security is Security.TLS and context is None:
        raise PeerGone("the station speaks TLS only, and this vehicle was told to speak plain TCP")
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError as error:
        raise PeerGone(f"no connection to [{host}]:{port}: {error.strerror or error}") from error
    stream = TcpStream(reader, writer)
    if security is Security.NONE or context is None:
        return stream
    client, verify = context
    return await tls.connect(stream, client, verify, timeout=settings.tls.handshake_s)


async def _endpoint(settings: config.EvccConfig, journal: Journal) -> tuple[str, int, Security]:
    """Tell host, port and security, from the configuration or by SDP."""
    network = settings.network
    if network.connect is not None:
        return *config.address(network.connect), SECURITY[network.security]
    wanted = Wanted(security=SECURITY[network.security], plain=network.accept_plain)
    endpoint = await discover(Interface.named(network.interface), wanted, port=network.sdp_port, journal=journal)
    host, number = endpoint.target
    return host, number, endpoint.security


def _check(network: config.Network) -> None:
    """Raise ValueError for a network that cannot be used, before the cable is plugged."""
    if network.connect is not None:
        config.address(network.connect)
        return
    try:
        Interface.named(network.interface)
    except OSError as error:
        raise ValueError(f"[network] interface: {error}") from error


def _result(settings: config.EvccConfig, trip: Trip, link: EvccLink | None, journal: Journal, reason: str) -> Result:
    entries = [entry for entry in journal.entries if entry.kind == "response"]
    loop = [
        round(float(entry.facts["took_ms"]), 3)
        for entry in entries
        if entry.facts.get("name") in ("CurrentDemandRes", "ChargingStatusRes")
    ]
    facts = None if link is None else link.stream.facts
    return Result(
        ok=not reason and trip.vehicle.energy_wh > 0,
        reason=reason,
        protocol="iso2",
        energy=settings.plan.energy,
        payment=trip.payment,
        evse_id=trip.evse_id,
        tls="" if facts is None or facts.tls is None else f"{facts.tls} {facts.suite}",
        ended_by=trip.ended_by,
        energy_wh=round(trip.vehicle.energy_wh, 3),
        soc_percent=round(trip.vehicle.soc_percent, 3),
        messages=[(name, round(at, 3)) for name, at in journal.messages()],
        loop_ms=loop,
    )
