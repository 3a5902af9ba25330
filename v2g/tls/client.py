"""The vehicle's side: which generations it offers, the roots it names, and the certificate it shows in -20.

Known gaps of OpenSSL: the static ECDH suite of -2, OCSP stapling per certificate by RFC 6961 [V2G2-871], and
`certificate_authorities` in the ClientHello [V2G20-1006]; the extensions are not sent, rather than sent wrongly.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from OpenSSL import SSL

from v2g.tls._openssl import Connection
from v2g.tls.client_hello import MAX_AUTHORITIES, ClientHello, Extension, parse
from v2g.tls.identity import BadIdentity, Identity, cert_sha1
from v2g.tls.limits import Backend
from v2g.tls.openssl_session import OpenSslSession
from v2g.tls.restriction import Keylog, every, newest_first, restricted, show
from v2g.tls.session import Caller, Judge, Session
from v2g.tls.staple import Stapling
from v2g.tls.suites import PRESCRIBED, Generation

RENEGOTIATION_SIGNAL = 0x00FF
"""Stands among the suites of a ClientHello without being one (RFC 5746)."""


def client_context(
    anchors: Sequence[bytes],
    *,
    identity: Identity | None = None,
    generations: Sequence[Generation] = (Generation.ISO2,),
    staple: Stapling | None = None,
    keylog: Keylog | None = None,
    backend: Backend = Backend.OPENSSL,
) -> Caller:
    """Make the vehicle's side; `anchors` are its V2G and private roots, DER, which it names to the station [V2G2-651].

    `identity` is the vehicle's, shown in -20. Raises `BadIdentity`, ValueError for anchors that cannot be sent or -20
    without a vehicle certificate, `RuntimeError` when this OpenSSL would not say what it has to.
    """
    offered = newest_first(generations)
    if backend is Backend.GNUTLS and Generation.ISO20 in offered:
        if len(offered) > 1:
            raise ValueError('GnuTLS offers ISO 15118-20 alone: set generations = ["iso20"], or backend = "openssl"')
        from v2g.tls.gnutls import GnuTlsVehicle  # loads the library, which only who configured it needs

        return GnuTlsVehicle(anchors, identity, staple, keylog)
    return ClientContext(anchors, identity, generations, staple, keylog)


class ClientContext:
    """What the vehicle offers, and what it shows."""

    def __init__(
        self,
        anchors: Sequence[bytes],
        identity: Identity | None = None,
        generations: Sequence[Generation] = (Generation.ISO2,),
        staple: Stapling | None = None,
        keylog: Keylog | None = None,
    ) -> None:
        if len(anchors) > MAX_AUTHORITIES:
            raise ValueError(f"{len(anchors)} V2G roots do not fit in a ClientHello; give at most {MAX_AUTHORITIES}")
        self.generations = newest_first(generations)
        first = Generation.ISO2 in self.generations
        self._trusted = tuple(cert_sha1(_certificate(anchor)) for anchor in anchors) if first else ()
        self._stapling = staple
        # In -20 it is always asked for [V2G20-2372], whatever the policy makes of the answer.
        self._asks = Generation.ISO20 in self.generations or (staple is not None and staple.asks)
        self._context = restricted(SSL.TLS_CLIENT_METHOD, self.generations, keylog)
        self._identity = self._shown(identity)
        if self._trusted:
            entries = b"".join(bytes([entry.identifier]) + entry.value for entry in self._trusted)
            self._context.add_client_extension(Extension.TRUSTED_CA_KEYS, len(entries).to_bytes(2) + entries)
        if self._asks:
            self._context.set_ocsp_client_callback(lambda connection, response, _: connection.stapled(response))
        self._check()

    def session(self, judge: Judge) -> Session:
        """Start the vehicle's end of a connection; `judge` is asked inside the handshake whether the chain holds."""
        connection = self._connection(judge)
        return OpenSslSession(connection, None, self._identity, self._stapling)

    def _connection(self, judge: Judge) -> Connection:
        connection = Connection(self._context)
        connection.demand_certificate(judge)
        connection.set_connect_state()
        if self._asks:
            connection.request_ocsp()
        return connection

    def _shown(self, identity: Identity | None) -> Identity | None:
        """Load the vehicle's identity where -20 is offered; without one there is none of -20."""
        if Generation.ISO20 not in self.generations:
            return None
        if identity is None:
            raise ValueError("ISO 15118-20 wants a vehicle certificate; give one, or do not offer it")
        if identity.generation is not Generation.ISO20:
            raise BadIdentity(f"the vehicle certificate is of {identity.generation}; ISO 15118-20 wants P-521 or Ed448")
        identity.check()
        try:
            show(self._context, identity)
        except SSL.Error as error:
            raise BadIdentity(f"OpenSSL does not take the key of {identity.subject}: {error}") from error
        return identity

    def _check(self) -> None:
        """Raise `RuntimeError` unless the ClientHello says what the generations prescribe, and no more."""
        connection = self._connection(lambda *_: None)
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            hello = parse(connection.bio_read(65_536))
        if hello is None or not self._as_prescribed(hello):
            library = SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()
            standards = " and ".join(
                {"iso2": "ISO 15118-2", "iso20": "ISO 15118-20"}[each] for each in self.generations
            )
            raise RuntimeError(
                f"{library} says another ClientHello than {standards} wants: {hello}; change its version"
            )

    def _as_prescribed(self, hello: ClientHello) -> bool:
        said = (
            hello.versions,
            tuple(suite for suite in hello.suites if suite != RENEGOTIATION_SIGNAL),
            hello.groups,
            hello.signature_schemes,
            hello.trusted_ca_keys,
            Extension.STATUS_REQUEST in hello.extensions,
        )
        prescribed = [
            tuple(code.number for code in every(self.generations, field)) for field in ("suites", "groups", "schemes")
        ]
        versions = tuple(PRESCRIBED[generation].version for generation in self.generations)
        return said == (versions, *prescribed, self._trusted, self._asks)


def _certificate(der: bytes) -> bytes:
    """Return `der` if it is a certificate. Raises `ValueError`."""
    try:
        x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"a V2G root is no X.509 certificate in DER: {error}") from error
    return der
