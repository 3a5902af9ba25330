"""The SECC process: configuration to running stations, one controller and one station per EVSE."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import v2g
from pki import credentials
from pki.relying_party import RelyingParty
from secc import config, receipts, spoken
from secc.controller import Controller
from secc.station import Station
from v2g import protocols
from v2g.messages.app_protocol import SupportedAppProtocolReq, SupportedAppProtocolRes
from v2g.messages.xmldsig import SignedInfo
from v2g.timing import Timing
from v2g.tls.context import BadIdentity, ServerContext, Identity, server_context
from v2g.toml import ConfigurationError
from v2g.trust import Verify

log = logging.getLogger(__name__)


async def run(path: Path, *, time_scale: float = 1.0) -> None:
    """Read secc.toml and serve until cancelled.

    Raises ValueError or OSError, with file, key and remedy, for what cannot be used at start-up.
    """
    settings = config.load(path)
    with _place(path, "[tls]"):
        tls = server_tls(settings.tls)
    with _place(path, "[trust] contract"):
        anchors = _anchors(settings.trust.contract)
    with _place(path, "[trust]"):
        verify = RelyingParty(anchors, settings.trust).verify
    if settings.receipts.folder is not None:
        with _place(path, "[receipts] folder"):
            receipts.check_folder(Path(settings.receipts.folder))
    stations = []
    for evse in settings.evse:
        with _place(path, f"[[evse]] {evse.id}"):
            station, controller = _station(evse, settings, tls, verify, Timing(time_scale))
            await station.start()
        stations.append((station, controller))
    _warm(settings)
    async with asyncio.TaskGroup() as tasks:
        for station, controller in stations:
            tasks.create_task(_serve(station, controller))


def _warm(settings: config.SeccConfig) -> None:
    """Make the code of all messages a session may need, so that no car waits for it."""
    protocols.schema("sap").warm(SupportedAppProtocolReq, SupportedAppProtocolRes)
    protocols.schema("xmldsig").warm(SignedInfo)
    for each in spoken.possible(settings).values():
        protocols.schema(each.dialect.protocol.schema).warm(*each.dialect.messages)


@contextlib.contextmanager
def _place(path: Path, where: str) -> Iterator[None]:
    """Say where in which file the values stand that cannot be used."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise ConfigurationError(f"{path}: {where}: {error}") from error


def server_tls(settings: config.TlsSettings) -> ServerContext | None:
    """Load the SECC certificate; None where none is configured. Raises ValueError for one that no vehicle accepts."""
    if settings.chain is None or settings.key is None:
        return None
    credential = credentials.load_credential(settings.chain, settings.key, settings.password)
    root = None if settings.root is None else credentials.load_root(settings.root, credential.chain)
    try:
        return server_context(Identity.of(credential.chain, credential.key, root))
    except BadIdentity as error:
        raise BadIdentity(f"{settings.chain}: {error}") from error


def _anchors(files: Sequence[str]) -> list[bytes]:
    return [der for name in files for der in credentials.load_anchors(name)]


def _station(
    evse: config.Evse, settings: config.SeccConfig, tls: ServerContext | None, verify: Verify, timing: Timing
) -> tuple[Station, Controller]:
    controller = Controller(
        settings.mqtt,
        evse.id,
        settings.controller,
        version=v2g.__version__,
        protocols=list(spoken.possible(settings)),
        interface=evse.interface,
    )
    return Station(evse, settings, controller, tls=tls, verify=verify, timing=timing), controller


async def _serve(station: Station, controller: Controller) -> None:
    """Keep one EVSE running; it is online once the broker is there, the listener being bound before.

    The session ends first, so that the controller's last words are the last.
    """
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(controller.run())
        try:
            await controller.ready()
            controller.online()
            await station.look_out()
        finally:
            await station.close()
