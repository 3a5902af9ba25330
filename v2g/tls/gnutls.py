"""Both sides of ISO 15118-20 by GnuTLS; loaded only where a configuration asks for it, ISO 15118-2 stays with OpenSSL.

The station staples an OCSP response to each certificate [V2G20-2388] and sends no session tickets; the vehicle names
its roots in the ClientHello [V2G20-1006]. Keys may be in a token that a PKCS#11 URI names.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from v2g.tls._gnutls import Credentials, Fault, Wire
from v2g.tls.client_hello import ClientHello, Extension, parse
from v2g.tls.gnutls_session import GnuTlsSession, priorities
from v2g.tls.identity import BadIdentity, Identity, TokenUri
from v2g.tls.restriction import Keylog
from v2g.tls.select import Selection
from v2g.tls.session import Judge
from v2g.tls.staple import Stapling
from v2g.tls.suites import PRESCRIBED, Generation

Newest = Callable[[Identity], Sequence[bytes]]

log = logging.getLogger(__name__)


class GnuTlsStation:
    """Shows one identity of -20. Raises `BadIdentity`, ValueError for a library that is not there."""

    def __init__(
        self, identity: Identity, anchors: Sequence[bytes], staple: Newest | None, keylog: Keylog | None
    ) -> None:
        self._identity = identity
        self._anchors = tuple(anchors)
        self._staple = staple
        self._keylog = keylog
        self._stapled: tuple[bytes, ...] = ()
        self._credentials = self._showing(())

    def session(self, hello: ClientHello, selection: Selection, judge: Judge) -> GnuTlsSession:
        """Start the station's end of a connection, with the newest staples."""
        newest = () if self._staple is None else tuple(self._staple(self._identity))
        if newest != self._stapled:
            self._credentials, self._stapled = self._showing(newest), newest
        wire = Wire(self._credentials, priorities(), station=True)
        if self._keylog is not None:
            wire.log_keys(self._keylog)
        given = ""
        if self._staple is not None and Extension.STATUS_REQUEST in hello.extensions:
            given = "sent" if newest and newest[0] else "none"
        return GnuTlsSession(wire, judge, shown=self._identity.subject, by=selection.by, given=given)

    def _showing(self, staples: Sequence[bytes]) -> Credentials:
        credentials = _credentials(self._identity)
        for anchor in self._anchors:
            credentials.ask_for(anchor)
        for place, response in enumerate(staples, 1):
            try:
                if response:
                    credentials.staple(response)
            except Fault as error:
                log.warning("no staple for certificate %d of %s: %s", place, self._identity.subject, error)
        return credentials


class GnuTlsVehicle:
    """What a vehicle of -20 offers and shows. Raises ValueError, `RuntimeError` for a ClientHello not as prescribed."""

    def __init__(
        self, anchors: Sequence[bytes], identity: Identity | None, stapling: Stapling | None, keylog: Keylog | None
    ) -> None:
        if identity is None:
            raise ValueError("ISO 15118-20 wants a vehicle certificate; give one, or do not offer it")
        if identity.generation is not Generation.ISO20:
            raise BadIdentity(f"the vehicle certificate is of {identity.generation}; ISO 15118-20 wants P-521 or Ed448")
        identity.check()
        self._names = tuple(_name(anchor) for anchor in anchors)
        self._subject = identity.subject
        self._stapling = stapling
        self._keylog = keylog
        self._credentials = _credentials(identity)
        self._check()

    def session(self, judge: Judge) -> GnuTlsSession:
        """Start the vehicle's end of a connection; `judge` is asked inside the handshake whether the chain holds."""
        wire = Wire(self._credentials, priorities(), station=False)
        if self._names:
            names = b"".join(len(name).to_bytes(2) + name for name in self._names)
            body = len(names).to_bytes(2) + names
            wire.say("certificate_authorities", Extension.CERTIFICATE_AUTHORITIES, body)
        if self._keylog is not None:
            wire.log_keys(self._keylog)
        return GnuTlsSession(wire, judge, shown=self._subject, stapling=self._stapling)

    def _check(self) -> None:
        """Raise `RuntimeError` unless the ClientHello says what -20 prescribes, and no more."""
        session = self.session(lambda *_: None)
        session.handshake()
        hello = parse(session.take())
        if hello is None or not self._as_prescribed(hello):
            raise RuntimeError(
                f"GnuTLS says another ClientHello than ISO 15118-20 wants: {hello}; change its version, "
                'or set backend = "openssl"'
            )

    def _as_prescribed(self, hello: ClientHello) -> bool:
        prescribed = PRESCRIBED[Generation.ISO20]
        said = (hello.suites, hello.groups, hello.signature_schemes)
        wanted = tuple(
            tuple(code.number for code in codes) for codes in (prescribed.suites, prescribed.groups, prescribed.schemes)
        )
        return (
            said == wanted
            and hello.versions == (prescribed.version,)
            and hello.certificate_authorities == self._names
            and Extension.STATUS_REQUEST in hello.extensions
        )


def _credentials(identity: Identity) -> Credentials:
    """Load a chain and its key. Raises `BadIdentity`."""
    credentials = Credentials()
    try:
        credentials.show(identity.chain, _key(identity))
    except Fault as error:
        raise BadIdentity(f"GnuTLS does not take the key of {identity.subject}: {error}") from error
    return credentials


def _key(identity: Identity) -> bytes | str:
    if isinstance(identity.key, TokenUri):
        return identity.key.uri
    if hasattr(identity.key, "private_bytes"):
        return identity.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    raise BadIdentity(f'{identity.key} is for OpenSSL; for GnuTLS give the key as "pkcs11:..."')


def _name(anchor: bytes) -> bytes:
    try:
        return x509.load_der_x509_certificate(anchor).subject.public_bytes()
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"a V2G root is no X.509 certificate in DER: {error}") from error
