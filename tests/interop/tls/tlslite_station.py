"""A station by tlslite-ng, which shows any bytes as its certificates and hears what vehicles say to that."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from tlslite.errors import TLSAbruptCloseError, TLSLocalAlert, TLSRemoteAlert
from tlslite.handshakesettings import HandshakeSettings
from tlslite.tlsconnection import TLSConnection

from lab.tls.vehicle import Shown, credential
from v2g.tls.alerts import Alert

PATIENCE_S = 10.0


@dataclass
class Heard:
    """What came of the one connection: an alert of the vehicle, or the handshake and what it said then."""

    port: int = 0
    alert: str = ""
    shaken: bool = False
    suite: int = 0
    shown: list[bytes] = field(default_factory=list)
    said: bytes = b""


def settings(version: tuple[int, int]) -> HandshakeSettings:
    """One version, no tickets, nothing compressed."""
    made = HandshakeSettings()
    made.minVersion = made.maxVersion = version
    made.versions = [version]
    made.ticket_count = 0
    made.eccCurves = ["secp521r1", "x448", "secp256r1"]
    made.keyShares = ["secp521r1"]
    made.certificate_compression_receive = made.certificate_compression_send = []
    made.cipherNames = ["aes256gcm", "chacha20-poly1305", "aes128"]
    return made


def serve(listener: socket.socket, heard: Heard, identity: Shown, how: HandshakeSettings, demands: Any) -> None:
    """Take one connection, shake hands and hear what the vehicle says."""
    with suppress(OSError):
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(PATIENCE_S)
            station = TLSConnection(accepted)
            try:
                chain, key = credential(identity)
                station.handshakeServer(certChain=chain, privateKey=key, reqCert=demands, settings=how)
                heard.shaken, heard.suite = True, station.session.cipherSuite
                if peer := station.session.clientCertChain:
                    heard.shown = [bytes(each.bytes) for each in peer.x509List]
                heard.said = bytes(station.read(max=64, min=1))
                station.write(heard.said)
            except TLSRemoteAlert as alert:
                heard.alert = Alert.of(bytes([alert.level, alert.description])).label
            except (TLSAbruptCloseError, TLSLocalAlert):
                return


@asynccontextmanager
async def station(identity: Shown, version: tuple[int, int] = (3, 4)) -> AsyncIterator[Heard]:
    """Serve one connection on 127.0.0.1; what came of it is known at the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_S)
        heard = Heard(port=listener.getsockname()[1])
        how = settings(version)
        serving = asyncio.create_task(asyncio.to_thread(serve, listener, heard, identity, how, version == (3, 4)))
        try:
            yield heard
        finally:
            await serving
