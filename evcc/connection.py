"""The way to the station: discovery or a given address, TCP, and TLS with a certificate that is judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from evcc import config
from evcc.discovery import Wanted, discover
from pki import credentials
from pki.handshake import Handshake
from pki.relying_party import EDITIONS, RelyingParty
from v2g.capture import Recorder
from v2g.ending import alert_of
from v2g.errors import PeerGone, Silence, V2GError
from v2g.interface import Interface
from v2g.journal import Journal
from v2g.packets import Side
from v2g.sdp import Security
from v2g.stream import Stream, TcpStream
from v2g.timing import Budget, Timing
from v2g.tls import stream as tls
from v2g.tls.context import BadIdentity, Generation, Identity, client_context
from v2g.tls.identity import TokenUri, in_secure_element
from v2g.tls.staple import Policy, Stapling

SECURITY = {"tls": Security.TLS, "none": Security.NONE}


class Connection:
    """Connects, once per session; `station` is then the chain the station showed, DER, leaf first, trusted or not.

    Raises ValueError for trust anchors, an interface or an address that cannot be used.
    """

    def __init__(self, settings: config.EvccConfig, journal: Journal, timing: Timing) -> None:
        self.station: Sequence[bytes] = ()
        self._network = settings.network
        self._handshake_s = settings.tls.handshake_s
        self._journal = journal
        self._timing = timing
        self._client = None
        self._recorder = Recorder(settings.capture)
        if self._network.security == "tls":
            anchors = [der for name in settings.tls.roots for der in credentials.load_anchors(name)]
            private = [der for name in settings.tls.private for der in credentials.load_anchors(name)]
            generations = [Generation(name) for name in settings.tls.generations]
            editions = tuple(edition for each in generations for edition in EDITIONS[each])
            self._party = RelyingParty(anchors, settings.trust, editions=editions, private=private)
            self._stapling = Stapling(Policy(settings.tls.staple), self._party.stapled, self._party.excuses)
            self._client = client_context(
                [*anchors, *private],
                identity=_identity(settings.vehicle),
                generations=generations,
                staple=self._stapling,
                keylog=self._recorder.keylog,
                backend=settings.tls.backend,
            )
        _check(self._network)

    async def reach(self, setup: Budget) -> Stream:
        """Connect within the time for setting up the communication; raises `Silence` after it."""
        try:
            async with asyncio.timeout(setup.left()):
                return await self._connect()
        except TimeoutError:
            raise Silence("V2G_EVCC_CommunicationSetup_Timeout", self._timing.setup_evcc) from None

    def close(self) -> None:
        """End what is written down about connections; may be called twice."""
        self._recorder.close()

    async def _connect(self) -> Stream:
        """Find the station and connect, with TLS where it was agreed."""
        host, port, security = await self._endpoint()
        if security is Security.TLS and self._client is None:
            raise PeerGone("the station speaks TLS only, and this vehicle was told to speak plain TCP")
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError as error:
            raise PeerGone(f"no connection to [{host}]:{port}: {error.strerror or error}") from error
        async with self._recorder.tapped(TcpStream(reader, writer), Side.VEHICLE, "evcc") as stream:
            if security is Security.NONE or self._client is None:
                return stream
            handshake = Handshake(self._party, stapled=self._stapling.asks)
            try:
                secured = await tls.connect(stream, self._client, handshake.verify, timeout=self._handshake_s)
            except V2GError as error:
                self._journal.record("tls_refused", reason=str(error), alert=alert_of(error) or "none")
                raise
            finally:
                self.station = handshake.chain
        self._journal.record("tls", **secured.facts.told)
        try:
            await self._settle(handshake, secured.facts.staple)
        except BaseException:
            await secured.close()
            raise
        return secured

    async def _endpoint(self) -> tuple[str, int, Security]:
        """Tell host, port and security, from the configuration or by SDP."""
        network = self._network
        if network.connect is not None:
            return *config.address(network.connect), SECURITY[network.security]
        wanted = Wanted(security=SECURITY[network.security], plain=network.accept_plain)
        interface = Interface.named(network.interface)
        endpoint = await discover(
            interface,
            wanted,
            port=network.sdp_port,
            timing=self._timing,
            journal=self._journal,
            witness=self._recorder.discovered,
        )
        return *endpoint.target, endpoint.security

    async def _settle(self, handshake: Handshake, staple: str) -> None:
        """Find out what the handshake left open about the station's being revoked; raises `Untrusted`."""
        if self._stapling.wants(staple):
            await self._party.inquire(handshake.chain, self._handshake_s)
        await handshake.settle(self._handshake_s)


def _identity(settings: config.VehicleCertificate | None) -> Identity | None:
    """Read the vehicle certificate. Raises ValueError naming the file."""
    if settings is None:
        return None
    try:
        if uri := TokenUri.of(settings.key):
            return Identity.of(credentials.load_chain(settings.chain), uri)
        if in_secure_element(key := Path(settings.key)):
            return Identity.of(credentials.load_chain(settings.chain), key)
        credential = credentials.load_credential(settings.chain, settings.key, settings.password)
        return Identity.of(credential.chain, credential.key)
    except BadIdentity as error:
        raise BadIdentity(f"{settings.chain}: {error}") from error


def _check(network: config.Network) -> None:
    """Raise ValueError for a network that cannot be used, before the cable is plugged."""
    if network.connect is not None:
        config.address(network.connect)
        return
    try:
        Interface.named(network.interface)
    except OSError as error:
        raise ValueError(f"[network] interface: {error}") from error
