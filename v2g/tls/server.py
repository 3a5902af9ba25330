"""The station's side: identities of both generations on one port, and what is demanded of the vehicle that comes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from v2g.tls._openssl import Connection, Context
from v2g.tls.client_hello import ClientHello
from v2g.tls.identity import BadIdentity, Identity
from v2g.tls.limits import Backend
from v2g.tls.openssl_session import OpenSslSession
from v2g.tls.restriction import Keylog, restricted, show
from v2g.tls.select import Selection, missing, select
from v2g.tls.session import Judge, Session
from v2g.tls.suites import PRESCRIBED, Generation

Staples = Callable[[Identity], Sequence[bytes]]
"""Gives the newest OCSP responses of an identity's chain, DER, in its order, b"" where there is none; never waits."""

Serve = Callable[[ClientHello, Selection, Judge], Session]
"""Starts the station's end of a connection."""

log = logging.getLogger(__name__)


def server_context(
    identity: Identity,
    *more: Identity,
    client_anchors: Sequence[bytes] = (),
    staple: Staples | None = None,
    keylog: Keylog | None = None,
    backend: Backend = Backend.OPENSSL,
) -> ServerContext:
    """Make the station's side; of each generation the first identity is shown to a vehicle that names no root.

    `client_anchors` are the roots, DER, that the station names when it asks for a vehicle's certificate
    [V2G20-2401]; whom to trust is not decided here. `backend` serves -20, OpenSSL always -2. Raises `BadIdentity`, and
    ValueError for an anchor that is none or a library that is not there.
    """
    return ServerContext((identity, *more), client_anchors, staple, keylog, backend)


class ServerContext:
    """One or more identities, checked and loaded; it never changes, so a new one takes its place at run time."""

    def __init__(
        self,
        identities: Sequence[Identity],
        client_anchors: Sequence[bytes] = (),
        staple: Staples | None = None,
        keylog: Keylog | None = None,
        backend: Backend = Backend.OPENSSL,
    ) -> None:
        self.identities = tuple(identities)
        for identity in self.identities:
            identity.check()
        self._roots_known = all(identity.root for identity in self.identities)
        self._client_anchors = tuple(map(_authority, client_anchors))
        self._staple = staple
        self._serve = [self._serving(identity, keylog, backend) for identity in self.identities]

    @property
    def generations(self) -> frozenset[Generation]:
        """The generations that are served."""
        return frozenset(identity.generation for identity in self.identities)

    def select(self, hello: ClientHello) -> Selection:
        """Say which identity a vehicle gets, and log it where that is none it named."""
        selection = select(hello, self.identities)
        if not selection.matched:
            # A root that we do not know of may be among them.
            level = logging.WARNING if self._roots_known else logging.INFO
            named = len(hello.trusted_ca_keys or hello.certificate_authorities)
            log.log(
                level,
                "none of the %d roots the vehicle names is known here: it gets the first chain of %s",
                named,
                selection.generation,
            )
        return selection

    def missing(self, hello: ClientHello) -> str:
        """Name what the vehicle would have to offer besides, with commas; empty when nothing is missing."""
        return missing(hello, select(hello, self.identities).generation)

    def session(self, hello: ClientHello, judge: Judge) -> Session:
        """Start the station's end of a connection; `judge` is asked where the generation wants a vehicle's chain."""
        selection = self.select(hello)
        return self._serve[selection.index](hello, selection, judge)

    def _serving(self, identity: Identity, keylog: Keylog | None, backend: Backend) -> Serve:
        """Make what starts connections that show one identity."""
        if backend is Backend.GNUTLS and identity.generation is Generation.ISO20:
            from v2g.tls.gnutls import GnuTlsStation  # loads the library, which only who configured it needs

            anchors = [anchor.public_bytes(Encoding.DER) for anchor in self._client_anchors]
            return GnuTlsStation(identity, anchors, self._staple, keylog).session
        context = self._context(identity, keylog)

        def serve(_hello: ClientHello, selection: Selection, judge: Judge) -> Session:
            connection = Connection(context)
            connection.set_accept_state()
            if PRESCRIBED[selection.generation].mutual:
                connection.demand_certificate(judge)
            return OpenSslSession(connection, selection, identity)

        return serve

    def _context(self, identity: Identity, keylog: Keylog | None) -> Context:
        """Make the context that shows one identity."""
        context = restricted(SSL.TLS_SERVER_METHOD, {identity.generation}, keylog)
        try:
            show(context, identity)
        except SSL.Error as error:
            raise BadIdentity(f"OpenSSL does not take the key of {identity.subject}: {error}") from error
        for anchor in self._client_anchors if PRESCRIBED[identity.generation].mutual else ():
            context.add_client_ca(anchor)
        staple = self._staple
        if staple is not None:
            context.set_ocsp_server_callback(lambda connection, _: connection.staple(next(iter(staple(identity)), b"")))
        return context


def _authority(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"a root of vehicles is no X.509 certificate in DER: {error}") from error
