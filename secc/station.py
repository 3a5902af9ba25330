"""One EVSE's network side: SDP responder, listeners, one vehicle at a time, and its session from accept to end.

Nothing a peer does ends the station. A session that ends, however it ends, leaves the charger ordered open, off and
zero, and the station ready for the next vehicle at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv6Address

from secc import api, config, discovery, spoken, tls_facts
from secc.arrival import Arrival
from secc.charger import Charger
from secc.doorway import TAKEN, Doorway
from secc.limits import AuthorisedLimits
from secc.pause import Berth
from secc.reception import Speaks, receive
from secc.vehicles import Vehicles
from secc.visit import PilotLeft, Visit
from v2g.capture import Recorder
from v2g.ending import Ending, alert_of, kind_of
from v2g.errors import PeerGone, Refused, V2GError
from v2g.interface import Interface
from v2g.journal import Journal
from v2g.link import SeccLink
from v2g.packets import Name, Side
from v2g.sdp import SdpRequest, SdpResponse
from v2g.stream import Stream, TcpStream
from v2g.timing import Budget, Timing
from v2g.tls.context import ServerContext
from v2g.tls.turns import turn
from v2g.trust import Verify

WATCH_S = 0.05
FINAL: dict[str, str] = {"terminated": "session_ended", "paused": "session_paused"}
"""The events of good ends; all others are called by their kind."""
HOUR_S = 3600.0

log = logging.getLogger(__name__)


class Station:
    """One EVSE. `tls` is None where only plain TCP is served; `verify` judges contract chains, `vehicles` cars."""

    def __init__(
        self,
        evse: config.Evse,
        settings: config.SeccConfig,
        charger: Charger,
        *,
        tls: ServerContext | None,
        verify: Verify,
        vehicles: Vehicles | None = None,
        timing: Timing | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.evse = evse
        self.tls_port: int | None = None
        self.tcp_port: int | None = None
        self.sdp_port = 0
        self.last: Ending | None = None
        self._settings = settings
        self._charger = charger
        self._tls = tls
        self._verify = verify
        self._vehicles = vehicles
        self._timing = timing or Timing()
        self._recorder = recorder or Recorder()
        self._interface = Interface.named(evse.interface)
        self._address: IPv6Address | None = None
        self._servers: list[asyncio.Server] = []
        self._responder = discovery.Responder(self._interface, self._offer, self._found)
        self._door = Doorway()
        self._discovered: asyncio.TimerHandle | None = None
        self._arrival = Arrival(self._timing)
        self._berth = Berth(charger)
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def used(self) -> bool:
        """Whether a vehicle is here or on the way in."""
        return self._door.used

    async def start(self) -> None:
        """Bind listeners and SDP; raises `InterfaceError` with a remedy where that is not possible."""
        address = self._address = await self._interface.address()
        plain, evse = not self._settings.tls.required, self.evse
        shared = plain and evse.tls_port == evse.tcp_port != 0
        if self._tls is not None:
            self.tls_port = await self._listen(address, evse.tls_port, "either" if shared else "tls")
            self.tcp_port = self.tls_port if shared else None
        if plain and self.tcp_port is None:
            self.tcp_port = await self._listen(address, evse.tcp_port, "tcp")
        await self._responder.start(self.evse.sdp_port)
        self.sdp_port = self._responder.port
        log.info("%s: SDP %s, TLS %s, TCP %s", self.evse.id, self.sdp_port, self.tls_port, self.tcp_port)

    async def close(self) -> None:
        """Stop listening and end the session that runs, the charger made safe; may be called twice."""
        self._responder.close()
        self._arrived()
        for server in self._servers:
            server.close()
        for connection in self._connections:
            connection.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        self._berth.close()

    def renew(self, tls: ServerContext | None, verify: Verify, vehicles: Vehicles | None) -> None:
        """Show and trust something else from the next connection on; a session that runs keeps what it began with."""
        self._tls = tls
        self._verify = verify
        self._vehicles = vehicles

    async def _listen(self, address: IPv6Address, port: int, speaks: Speaks) -> int:
        opened = self._interface.serve(address, port)
        self._servers.append(await asyncio.start_server(partial(self._connected, speaks=speaks), sock=opened))
        return int(opened.getsockname()[1])

    def reluctance(self) -> str:
        """Why no vehicle is answered now, apart from one that is here already; empty when one may come."""
        obstacle = self._obstacle()
        self._arrival.look(absent=self._absent(), ready=not obstacle)
        late = "the vehicle did not come in time; waiting for charger/link to be matched anew"
        return obstacle or (late if self._arrival.over else "")

    def _absent(self) -> bool:
        """Whether a controller that reports its data link says that no vehicle is on it."""
        state, told = self._charger.state, self._charger.link_reported
        return told and state is not None and (state.plug not in "BCD" or not self._charger.linked)

    def _obstacle(self) -> str:
        """What is missing at the charger; empty when all is there."""
        state = self._charger.state
        if self._charger.setup is None:
            return "there is no charger/setup from a living controller"
        if state is None:
            return "there is no charger/state from a living controller"
        if state.plug not in "BCD":
            return f"the plug is in state {state.plug}, nobody is plugged in"
        return "" if self._charger.linked else "charger/link is not matched"

    async def look_out(self) -> None:
        """Say, for as long as the station runs, whether vehicles are answered, and why not."""
        while True:
            told = self.reluctance()
            log.info("%s: %s", self.evse.id, f"not answering vehicles: {told}" if told else "ready for a vehicle")
            if self._arrival.over:
                self._nobody_came()
            await self._reluctance_changes(told)

    async def _reluctance_changes(self, told: str) -> None:
        """Wait until vehicles are treated otherwise; time alone may bring that."""
        while self.reluctance() == told:
            await self._charger.until(lambda: self.reluctance() != told, self._arrival.left() or HOUR_S)

    def _nobody_came(self) -> None:
        """Tell that the setup time ran out, so that the controller lets go of the data link [V2G2-723]."""
        reason = "V2G_SECC_CommunicationSetup_Performance_Time ran out, no vehicle connected"
        self._arrived()
        self._charger.event("silence", reason)
        self._charger.session(api.Session(stage="failed", reason=reason))

    def _offer(self, request: SdpRequest) -> SdpResponse | None:
        """Answer SDP with an endpoint, or not at all."""
        if self._door.occupied or self._address is None or self.reluctance():
            return None
        response = discovery.choose(request, self._address, tls_port=self.tls_port, plain_port=self.tcp_port)
        if response is not None:
            self._expect_connection()
        return response

    def _found(self, vehicle: Name, request: bytes, response: bytes) -> None:
        """Remember a discovery that was answered."""
        station = str(self._address), self.sdp_port
        self._recorder.discovered(vehicle, station, request)
        self._recorder.discovered(station, vehicle, response)

    def _expect_connection(self) -> None:
        """Say once that a vehicle found us, and that it did not come when it has not for the setup time."""
        if self._discovered is None:
            self._charger.session(api.Session(stage="discovered"))
        self._arrived()
        self._discovered = asyncio.get_running_loop().call_later(self._timing.setup_secc, self._stayed_away)

    def _stayed_away(self) -> None:
        self._discovered = None
        self._charger.session(api.Session(stage="idle" if self._berth.paused is None else "paused"))

    def _arrived(self) -> None:
        """Wait for the connection no longer."""
        if self._discovered is not None:
            self._discovered.cancel()
            self._discovered = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, speaks: Speaks) -> None:
        """Serve a connection in a task of our own, which `close` can wait for."""
        connection = asyncio.create_task(self._accept(reader, writer, speaks=speaks))
        self._connections.add(connection)
        connection.add_done_callback(self._disconnected)

    def _disconnected(self, connection: asyncio.Task[None]) -> None:
        self._connections.discard(connection)
        if not connection.cancelled() and (error := connection.exception()) is not None:
            log.error("a connection failed by a fault of ours", exc_info=error)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, speaks: Speaks) -> None:
        """Serve one connection; a second one while a vehicle is here, or without a charger, is closed at once."""
        stream = TcpStream(reader, writer)
        try:
            await turn()
            setup = self._charger.setup
            if self._door.occupied or setup is None or self._arrival.over:
                why = TAKEN if self._door.occupied else self.reluctance() or "there is no charger"
                self._charger.event("connection_refused", why)
                return
            self._arrived()
            await self._attend(stream, setup, self._arrival.came(), speaks)
        finally:
            with contextlib.suppress(V2GError):
                await stream.close()

    async def _attend(self, stream: TcpStream, setup: api.Setup, within: Budget, speaks: Speaks) -> None:
        """Bring the link up `within` the setup time, run the session, and leave the charger safe whatever happens."""
        journal = Journal(self.evse.id)
        visit = self._visit(setup, journal, secure=speaks != "tcp")
        ending = Ending(kind="gone", reason="the connection came to nothing")
        link: SeccLink | None = None
        passage = self._door.passage()
        try:
            spoken_on = await self._received(stream, journal, within, speaks)
            passage.enter()
            link = SeccLink(
                spoken_on,
                journal,
                self._timing,
                setup=within,
                undecodable=self._settings.session.undecodable,
            )
            facts = spoken_on.facts
            visit.secure, visit.generation = facts.secure, facts.generation
            visit.stage("connected", tls=facts.tls, tls_details=tls_facts.details(facts), started=_now())
            ending = await self._converse(link, visit)
        except V2GError as error:
            ending = Ending(kind=kind_of(error), reason=str(error), alert=alert_of(error))
        except asyncio.CancelledError as error:
            ending = Ending(kind="gone", reason=str(error) or "the station stops")
            raise
        finally:
            with passage:  # a peer that is slow to close keeps nobody else out
                self._conclude(visit, ending, elsewhere=passage.elsewhere)
            if link is not None:
                await link.close()

    async def _received(self, plain: TcpStream, journal: Journal, within: Budget, speaks: Speaks) -> Stream:
        """Bring up TLS where it is spoken, and note what it came to."""
        async with self._recorder.tapped(plain, Side.STATION, self.evse.id) as below:
            within_s = min(self._settings.tls.handshake_s, within.left())
            try:
                stream = await receive(below, speaks, self._tls, self._vehicles, within_s)
            except V2GError as error:
                journal.record("tls_refused", reason=str(error), alert=alert_of(error) or "none")
                raise
        if stream.facts.secure:
            journal.record("tls", **stream.facts.told)
        return stream

    def _visit(self, setup: api.Setup, journal: Journal, *, secure: bool) -> Visit:
        return Visit(
            charger=self._charger,
            setup=setup,
            config=self._settings,
            timing=self._timing,
            journal=journal,
            verify=self._verify,
            secure=secure,
            limits=AuthorisedLimits(charger=self._charger),
            berth=self._berth,
        )

    async def _converse(self, link: SeccLink, visit: Visit) -> Ending:
        """Run the session, its limits and the watch over it side by side; the session's end ends all three."""
        beside = (visit.limits.keep, partial(self._watch, link, visit))
        helpers = [asyncio.ensure_future(self._guarded(link, visit, work)) for work in beside]
        try:
            return await link.conduct(_speak(link, visit))
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)

    async def _guarded(self, link: SeccLink, visit: Visit, work: Callable[[], Awaitable[None]]) -> None:
        """Do work beside the session; a fault of ours in it ends the session, which would go on unwatched."""
        try:
            await work()
        except Exception as error:
            log.exception("the watch over the session failed by a fault of ours")
            visit.make_safe("internal error")
            failure = Refused("FAILED", f"internal error, {type(error).__name__}")
            link.doom(failure, within=self._timing.last_request)

    async def _watch(self, link: SeccLink, visit: Visit) -> None:
        """Open everything the moment there is danger, and let the session end with it."""
        while True:
            danger = await self._danger(link, visit)
            visit.make_safe(str(danger))
            link.refusing.status = "EVSE_EmergencyShutdown"
            link.doom(
                danger,
                within=self._timing.last_request if isinstance(danger, Refused) else 0.0,
                pardon=visit.pardons if isinstance(danger, PilotLeft) else None,
            )
            if not isinstance(danger, PilotLeft):
                return

    async def _danger(self, link: SeccLink, visit: Visit) -> V2GError:
        """Wait for danger, keeping an eye on vehicle and contactor meanwhile."""
        visit.observe()
        while (danger := visit.danger()) is None:
            if link.deserted:
                return PeerGone("the vehicle closed the connection before it was answered")
            await self._charger.until(lambda: visit.danger() is not None, WATCH_S)
            visit.observe()
        return danger

    def _conclude(self, visit: Visit, ending: Ending, *, elsewhere: bool) -> None:
        """Tell how the session ended and forget it; the charger is not ours where a vehicle is here `elsewhere`."""
        if elsewhere:
            visit.journal.record("ended", ending=ending.kind, reason=ending.reason)
            self._charger.event("connection_refused", _short(ending.reason))
            return
        self.last = ending
        good = ending.kind in ("terminated", "paused")
        visit.journal.record("ended", ending=ending.kind, reason=ending.reason)
        log.log(
            logging.INFO if good else logging.WARNING,
            "%s: session %s %s%s",
            *(self.evse.id, visit.session or "(none)", ending.kind, f": {ending.reason}" if ending.reason else ""),
        )
        visit.make_safe("the session ended")
        try:
            self._charger.event(
                FINAL.get(ending.kind, ending.kind),
                _short(ending.reason),
                message=ending.last_message,
                response_code=ending.response_code,
            )
        finally:
            visit.leave(
                api.Session(
                    stage="paused" if ending.kind == "paused" else "stopping" if good else "failed",
                    reason=_short(f"{ending.kind}: {ending.reason}" if ending.reason else ending.kind),
                    last_message=ending.last_message or None,
                    response_code=ending.response_code or None,
                    alert=ending.alert or None,
                )
            )


async def _speak(link: SeccLink, visit: Visit) -> None:
    """Agree on a protocol and hold its session."""
    sessions = spoken.now(visit)
    dialect = await link.negotiate(list(sessions))
    visit.stage("connected", protocol=dialect.protocol.key)
    await sessions[dialect](link, visit)


def _short(text: str) -> str:
    return text if len(text) <= 500 else text[:497] + "..."


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
