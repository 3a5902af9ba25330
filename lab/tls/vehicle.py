"""A vehicle's TLS by tlslite-ng, which lets us say anything: for laboratories, never for a charger.

It judges no station, and its arithmetic leaks what it computes with.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed448
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tlslite.constants import GroupName
from tlslite.extensions import SignatureAlgorithmsExtension, SupportedGroupsExtension, TLSExtension
from tlslite.handshakesettings import HandshakeSettings
from tlslite.messages import ClientHello, Message
from tlslite.tlsconnection import TLSConnection
from tlslite.utils.keyfactory import parsePEMKey
from tlslite.x509 import X509
from tlslite.x509certchain import X509CertChain

from lab.tls.deviation import Deviation, Offer, Sending, Shows
from v2g.tls.client_hello import Extension

_KEPT = frozenset({11, 23, 43, 44, 45, 51})
"""What tlslite-ng may say by itself: point formats, master secret, versions, cookie, modes of keys, key shares."""
_SCSV = 0x00FF
_WHOLE = 16_384
"""The most that a record holds."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A chain, DER, leaf first and without its root, and the leaf's key."""

    chain: tuple[bytes, ...]
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey


@dataclass(frozen=True, slots=True)
class Material:
    """What a vehicle has: something to show in each way, and extensions by number that name the roots it trusts."""

    shown: Mapping[Shows, Shown]
    roots: tuple[tuple[int, bytes], ...] = ()


class Slowly:
    """A socket that hands out what is sent in small segments until told otherwise; a socket in every other way."""

    def __init__(self, below: socket.socket, sending: Sending) -> None:
        self._below = below
        self._sending: Sending | None = sending

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    def hurry(self) -> None:
        """Send the rest as it comes."""
        self._sending = None

    def send(self, data: bytes) -> int:
        """Send all of it."""
        self.sendall(data)
        return len(data)

    def sendall(self, data: bytes) -> None:
        """Send it in segments, with pauses; later all at once, and to nobody once the station has closed.

        What it said before it closed is still to be read then, and tlslite-ng has to come to that.
        """
        how = self._sending
        if how is None:
            with suppress(ConnectionError):
                self._below.sendall(data)
            return
        size = how.segment or len(data)
        for start in range(0, len(data), size):
            if start:
                time.sleep(how.pause_s)
            self._below.sendall(data[start : start + size])


class Vehicle(TLSConnection):
    """A connection whose ClientHello is what the offer says, and nothing else."""

    def __init__(self, connected: socket.socket, deviation: Deviation, material: Material) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._slowly = Slowly(connected, deviation.sending)
        super().__init__(self._slowly)
        self._deviation = deviation
        self._material = material
        self._hello: ClientHello | None = None

    def shake_hands(self) -> None:
        """Do the handshake; raises what tlslite-ng and sockets raise."""
        chain, key = self._credential()
        self.handshakeClientCert(chain, key, settings=settings(self._deviation.offer))

    def hello_again(self) -> None:
        """Say hello a second time, in the connection."""
        for _ in super()._sendMsg(self._hello, update_hashes=False):
            continue

    def _credential(self) -> tuple[X509CertChain | None, Any]:
        shown = self._material.shown.get(self._deviation.shows)
        if shown is None:
            return None, None
        return credential(shown, self._deviation.chain_times)

    def _sendMsg(self, msg: Any, randomizeFirstBlock: bool = True, update_hashes: bool = True) -> Iterator[int]:
        if not isinstance(msg, ClientHello):
            yield from super()._sendMsg(msg, randomizeFirstBlock, update_hashes)
            return
        self._hello = msg = self._rewritten(msg)
        if tail := self._deviation.offer.tail:
            msg = Message(msg.contentType, _longer(msg.write(), tail))
        self.recordSize = self._deviation.sending.record or _WHOLE
        yield from super()._sendMsg(msg, randomizeFirstBlock, update_hashes)
        self.recordSize = _WHOLE
        self._slowly.hurry()
        if self._deviation.sending.after:
            self._slowly.sendall(self._deviation.sending.after)

    def _rewritten(self, hello: ClientHello) -> ClientHello:
        """Make a hello say what the offer says; tlslite-ng holds the station to it."""
        offer = self._deviation.offer
        hello.cipher_suites = [*offer.suites, _SCSV]
        kept = [each for each in hello.extensions if each.extType in _KEPT - offer.without]
        made = [*_lists(offer), *self._named(), *(_raw(number, body) for number, body in offer.added)]
        hello.extensions = [*kept, *made]
        return hello

    def _named(self) -> Sequence[TLSExtension]:
        """The roots, in the way of the generation, unless the offer does that itself."""
        offer = self._deviation.offer
        wanted = Extension.CERTIFICATE_AUTHORITIES if offer.second else Extension.TRUSTED_CA_KEYS
        taken = {number for number, _ in offer.added} | offer.without
        return [_raw(number, body) for number, body in self._material.roots if number == wanted and number not in taken]


def settings(offer: Offer) -> HandshakeSettings:
    """Let tlslite-ng be able to do what an offer says, which is more than it is to say."""
    made = HandshakeSettings()
    versions = [(number >> 8, number & 0xFF) for number in offer.versions]
    made.minVersion, made.maxVersion = min(versions), max(versions)
    made.versions = sorted(versions, reverse=True)
    made.keyShares = [GroupName.toRepr(number) for number in offer.shares]
    made.keyExchangeNames = ["ecdhe_ecdsa"]
    made.eccCurves = ["secp521r1", "x448", "secp256r1", "secp384r1", "x25519"]
    made.certificate_compression_receive = made.certificate_compression_send = []
    made.use_heartbeat_extension = made.useEncryptThenMAC = False
    made.record_size_limit = None
    return made


def credential(shown: Shown, times: int = 1) -> tuple[X509CertChain, Any]:
    """Turn a chain, its issuers so many times, and its key into what tlslite-ng shows."""
    leaf, *issuers = shown.chain
    pem = shown.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = parsePEMKey(pem.decode(), private=True, implementations=["python"])
    certificates = [_as_is(der) for der in (leaf, *issuers * times)]
    certificates[0].certAlg = "Ed448" if isinstance(shown.key, ed448.Ed448PrivateKey) else "ecdsa"
    certificates[0].publicKey = key  # of which it asks for the curve alone
    return X509CertChain(certificates), key


def _lists(offer: Offer) -> Iterator[TLSExtension]:
    if Extension.SUPPORTED_GROUPS not in offer.without:
        yield SupportedGroupsExtension().create(list(offer.groups))
    if Extension.SIGNATURE_ALGORITHMS not in offer.without:
        yield SignatureAlgorithmsExtension().create([(number >> 8, number & 0xFF) for number in offer.schemes])


def _raw(number: int, body: bytes) -> TLSExtension:
    return TLSExtension(extType=number).create(bytearray(body))


def _longer(message: bytes, tail: bytes) -> bytearray:
    """Add bytes to a handshake message, its length with them."""
    body = message[4:] + tail
    return bytearray(message[:1] + len(body).to_bytes(3) + body)


def _as_is(der: bytes) -> X509:
    """A certificate to be shown, which nobody reads on our side: it may be anything."""
    certificate = X509()
    certificate.bytes = bytearray(der)
    return certificate
