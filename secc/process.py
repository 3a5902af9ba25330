"""The SECC process: configuration to running stations, one controller and one station per EVSE."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from functools import partial
from pathlib import Path

import v2g
from secc import config, keyring, receipts, spoken, staple_sources
from secc.controller import Controller
from secc.keyring import Keyring
from secc.rereading import reread, state
from secc.staples import Staples
from secc.station import Station
from v2g import protocols
from v2g.capture import Recorder
from v2g.messages.app_protocol import SupportedAppProtocolReq, SupportedAppProtocolRes
from v2g.messages.xmldsig import SignedInfo
from v2g.signals import hangups
from v2g.timing import Timing
from v2g.toml import ConfigurationError, place

log = logging.getLogger(__name__)


async def run(path: Path, *, time_scale: float = 1.0, lab: bool = False) -> None:
    """Read secc.toml and serve until cancelled; without `lab`, nothing that tells secrets.

    Raises ValueError or OSError, with file, key and remedy, for what cannot be used at start-up.
    """
    settings = config.load(path)
    if settings.capture and not lab:
        raise ConfigurationError(f"{path}: [capture]: whoever has these files reads every session: add --lab")
    with place(path, "[capture]"):
        recorder = Recorder(settings.capture)
    with contextlib.closing(recorder), hangups() as hangup:
        await _run(path, settings, time_scale, recorder, hangup)


async def _run(
    path: Path, settings: config.SeccConfig, time_scale: float, recorder: Recorder, hangup: asyncio.Event
) -> None:
    """Make the stations and serve; what they show and trust is read anew when `hangup` is set."""
    with place(path, "[staples]"):
        staples = _staples(settings.staples, time_scale)
    read = partial(keyring.load, path, settings, recorder.keylog, staples)
    files = keyring.files(settings)
    since = state(files)
    keys = read()
    if staples is not None:
        staples.keep(keys.identities)
        staples.look()
    if settings.receipts.folder is not None:
        with place(path, "[receipts] folder"):
            receipts.check_folder(Path(settings.receipts.folder))
    stations = []
    for evse in settings.evse:
        with place(path, f"[[evse]] {evse.id}"):
            station, controller = _station(evse, settings, keys, Timing(time_scale), recorder)
            await station.start()
        stations.append((station, controller))
    _warm(settings)
    gc.freeze()  # what is there from the start stays; looking through it would hold up every session for tens of ms

    def renew(keys: Keyring) -> None:
        for station, _ in stations:
            station.renew(keys.tls, keys.verify, keys.vehicles)
        if staples is not None:
            staples.keep(keys.identities)

    def tell(kind: str, reason: str) -> None:
        for _, controller in stations:
            controller.event(kind, reason)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reread(files, since, hangup, read, renew, tell))
        if staples is not None:
            staples.sources = staple_sources.sources(settings.staples, [each for _, each in stations])
            staples.tell = tell
            tasks.create_task(staples.run())
        for station, controller in stations:
            tasks.create_task(_serve(station, controller))


def _staples(settings: config.StapleSettings, time_scale: float) -> Staples | None:
    """Make what is stapled, to no certificate yet; None where it would come from nowhere."""
    if settings == config.StapleSettings():
        return None
    return Staples(folder=None if settings.folder is None else Path(settings.folder), scale=time_scale)


def _warm(settings: config.SeccConfig) -> None:
    """Make the code of all messages a session may need, so that no car waits for it."""
    protocols.schema("sap").warm(SupportedAppProtocolReq, SupportedAppProtocolRes)
    protocols.schema("xmldsig").warm(SignedInfo)
    for each in spoken.possible(settings).values():
        protocols.schema(each.dialect.protocol.schema).warm(*each.dialect.messages)


def _station(
    evse: config.Evse, settings: config.SeccConfig, keys: Keyring, timing: Timing, recorder: Recorder
) -> tuple[Station, Controller]:
    controller = Controller(
        settings.mqtt,
        evse.id,
        settings.controller,
        version=v2g.__version__,
        protocols=list(spoken.possible(settings)),
        interface=evse.interface,
    )
    station = Station(
        evse,
        settings,
        controller,
        tls=keys.tls,
        verify=keys.verify,
        vehicles=keys.vehicles,
        timing=timing,
        recorder=recorder,
    )
    return station, controller


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
