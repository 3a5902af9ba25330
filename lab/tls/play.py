"""Plays a deviation to a station and tells what it did about it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from tlslite.errors import TLSAbruptCloseError, TLSRemoteAlert

from lab.tls.deviation import Deviation, Outcome, Reaction
from lab.tls.table import DEVIATIONS
from lab.tls.vehicle import Material, Vehicle
from v2g.messages import app_protocol
from v2g.protocols import schema
from v2g.tls.alerts import Alert
from v2g.tls.suites import Generation
from v2g.v2gtp import PayloadType, frame

TIMEOUT_S = 10.0
_NAMESPACES = {
    Generation.ISO2: ("urn:iso:15118:2:2013:MsgDef", 2),
    Generation.ISO20: ("urn:iso:std:iso:15118:-20:AC", 1),
}


async def deviate(name: str, host: str, port: int, material: Material, *, patience_s: float = TIMEOUT_S) -> Outcome:
    """Be the vehicle of a deviation, at a station's TLS port; `patience_s` bounds each wait for the station.

    A station that answers SupportedAppProtocolReq, whatever it says, has accepted the vehicle. Raises KeyError for a
    name that is not in the table, OSError where nobody listens, `TLSError` where the station breaks TLS itself.
    """
    return await play(DEVIATIONS[name], host, port, material, patience_s=patience_s)


async def play(
    deviation: Deviation, host: str, port: int, material: Material, *, patience_s: float = TIMEOUT_S
) -> Outcome:
    """Be a vehicle that need not be in the table; as `deviate`."""
    return await asyncio.to_thread(_play, deviation, host, port, material, patience_s)


def _play(deviation: Deviation, host: str, port: int, material: Material, patience_s: float) -> Outcome:
    with socket.create_connection((host, port), patience_s) as connected:
        vehicle = Vehicle(connected, deviation, material)
        try:
            answer = _talk(vehicle, deviation)
        except TLSRemoteAlert as alert:
            return _told(vehicle, Reaction.ALERT, str(alert), Alert.of(bytes([alert.level, alert.description])))
        except (TLSAbruptCloseError, ConnectionError) as error:
            return _closed(vehicle, connected, str(error))
        if not answer:
            return _told(vehicle, Reaction.CLOSED, "closed after the handshake")
        return _told(vehicle, Reaction.ACCEPTED, f"answered with {len(answer)} bytes")


def _talk(vehicle: Vehicle, deviation: Deviation) -> bytes:
    """Shake hands, then ask for a protocol; b"" when the station has closed."""
    vehicle.shake_hands()
    if deviation.again:
        vehicle.hello_again()
    else:
        vehicle.write(_asking(deviation.generation))
    return bytes(vehicle.read(max=8, min=1))


def _closed(vehicle: Vehicle, connected: socket.socket, detail: str) -> Outcome:
    """Look for an alert that came before the end and was not read, as sending had failed first."""
    rest = b""
    with suppress(OSError):
        while piece := connected.recv(4096):
            rest += piece
    alert = Alert.of(rest[5:7]) if rest[:1] == b"\x15" and len(rest) == 7 else None
    return _told(vehicle, Reaction.CLOSED if alert is None else Reaction.ALERT, detail, alert)


def _told(vehicle: Vehicle, reaction: Reaction, detail: str, alert: Alert | None = None) -> Outcome:
    session = vehicle.session
    return Outcome(
        reaction=reaction,
        alert=alert,
        version=vehicle.getVersionName() if session is not None else "",
        suite=session.cipherSuite if session is not None else 0,
        detail=detail,
    )


def _asking(generation: Generation) -> bytes:
    """A SupportedAppProtocolReq for the one protocol of a generation."""
    namespace, major = _NAMESPACES[generation]
    offered = app_protocol.AppProtocol(
        ProtocolNamespace=namespace, VersionNumberMajor=major, VersionNumberMinor=0, SchemaID=1, Priority=1
    )
    return frame(PayloadType.EXI, schema("sap").encode(app_protocol.SupportedAppProtocolReq(AppProtocol=[offered])))
