"""What TLS of ISO 15118-2 is made of: version, suite, group, signatures, certificates.

TLS 1.2, one suite, secp256r1, ECDSA with SHA-256, a certificate on the station's side only. Known gaps: the static
ECDH suite, which OpenSSL has no more, and OCSP stapling per certificate (RFC 6961), which OpenSSL never had; hence
the client does not ask for it [V2G2-871, V2G2-873] (unverified).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from cryptography import x509
from OpenSSL import SSL

from v2g.tls._openssl import Connection, Context, Fault
from v2g.tls.client_hello import MAX_AUTHORITIES, TLS_1_2, ClientHello, Extension, Identifier, parse
from v2g.tls.identity import BadIdentity, ServerIdentity, cert_sha1

__all__ = ["BadIdentity", "ClientContext", "Fault", "Keylog", "ServerContext", "ServerIdentity"]

SUITE = 0xC023
SUITE_NAME = "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"
GROUP = 23
SCHEME = 0x0403
RENEGOTIATION_SIGNAL = 0x00FF
"""Stands among the suites of a ClientHello without being one (RFC 5746)."""

Keylog = Callable[[bytes], None]
"""Takes one line in the format of SSLKEYLOGFILE: for labs, whoever has it reads the session."""

log = logging.getLogger(__name__)


def server_context(identity: ServerIdentity, *more: ServerIdentity, keylog: Keylog | None = None) -> ServerContext:
    """Make the station's side; the first identity is the one shown to a vehicle that names no root.

    Raises `BadIdentity`.
    """
    return ServerContext((identity, *more), keylog)


def client_context(anchors: Sequence[bytes], *, keylog: Keylog | None = None) -> ClientContext:
    """Make the vehicle's side; `anchors` are its V2G roots in DER, which it names to the station [V2G2-651].

    Raises `ValueError` for anchors that cannot be sent, `RuntimeError` when this OpenSSL would not say what it has to.
    """
    return ClientContext(anchors, keylog)


def missing(hello: ClientHello) -> str:
    """Name what ISO 15118-2 needs and the client does not offer, with commas; empty when nothing is missing."""
    offers = (
        ("TLS 1.2", TLS_1_2 in hello.versions),
        (SUITE_NAME, SUITE in hello.suites),
        ("secp256r1", GROUP in hello.groups),
        ("ecdsa_secp256r1_sha256", SCHEME in hello.signature_schemes),
    )
    return ", ".join(name for name, offered in offers if not offered)


class ServerContext:
    """The station's side: one or more identities, checked and loaded."""

    def __init__(self, identities: Sequence[ServerIdentity], keylog: Keylog | None) -> None:
        for identity in identities:
            identity.check()
        self._roots_known = all(identity.root for identity in identities)
        self._choices = [(identity.authorities(), _serving(identity, keylog)) for identity in identities]

    def connection(self, hello: ClientHello) -> SSL.Connection:
        """Start the station's end of a connection, with the chain the vehicle can trust if we have it."""
        connection = SSL.Connection(self._choices[self.choose(hello)][1], None)
        connection.set_accept_state()
        return connection

    def choose(self, hello: ClientHello) -> int:
        """Say which identity, by position, has a root that the vehicle names; the first if none has."""
        named = {entry for entry in hello.trusted_ca_keys if entry.identifier is not Identifier.PRE_AGREED}
        for position, (authorities, _) in enumerate(self._choices):
            if named & authorities:
                return position
        if named:
            level = logging.WARNING if self._roots_known else logging.INFO  # a root we do not know may be among them
            log.log(level, "none of the %d roots the vehicle names is known here: it gets the first chain", len(named))
        return 0


class ClientContext:
    """The vehicle's side: no certificate, a list of trusted roots."""

    def __init__(self, anchors: Sequence[bytes], keylog: Keylog | None) -> None:
        if len(anchors) > MAX_AUTHORITIES:
            raise ValueError(f"{len(anchors)} V2G roots do not fit in a ClientHello; give at most {MAX_AUTHORITIES}")
        self._trusted = tuple(cert_sha1(_certificate(anchor)) for anchor in anchors)
        self._context = _restricted(Context(SSL.TLS_CLIENT_METHOD), keylog)
        if self._trusted:
            entries = b"".join(bytes([entry.identifier]) + entry.value for entry in self._trusted)
            self._context.add_client_extension(Extension.TRUSTED_CA_KEYS, len(entries).to_bytes(2) + entries)
        self._check()

    def connection(self, judge: Callable[[SSL.Connection], Fault]) -> SSL.Connection:
        """Start the vehicle's end of a connection; `judge` says what is wrong with the chain, inside the handshake.

        OpenSSL knows no anchor and judges nothing itself: it asks `judge` at least once, and stops at the first fault.
        """
        connection = Connection(self._context, None)
        connection.set_judge(SSL.VERIFY_PEER, judge)
        connection.set_connect_state()
        return connection

    def _check(self) -> None:
        """Raise `RuntimeError` unless the ClientHello says what ISO 15118-2 prescribes, and no more."""
        connection = self.connection(lambda _: Fault.UNKNOWN_CA)
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            hello = parse(connection.bio_read(65_536))
        said = hello and (
            hello.versions,
            tuple(suite for suite in hello.suites if suite != RENEGOTIATION_SIGNAL),
            hello.groups,
            hello.signature_schemes,
            hello.trusted_ca_keys,
        )
        if said != ((TLS_1_2,), (SUITE,), (GROUP,), (SCHEME,), self._trusted):
            library = SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()
            raise RuntimeError(
                f"{library} says another ClientHello than ISO 15118-2 wants: {hello}; change its version"
            )


def _certificate(der: bytes) -> bytes:
    """Return `der` if it is a certificate. Raises `ValueError`."""
    try:
        x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise ValueError(f"a V2G root is no X.509 certificate in DER: {error}") from error
    return der


def _restricted(context: Context, keylog: Keylog | None) -> Context:
    """Hold a context to what ISO 15118-2 prescribes."""
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"ECDHE-ECDSA-AES128-SHA256")
    context.set_groups("P-256")
    context.set_signature_schemes("ecdsa_secp256r1_sha256")
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    if keylog is not None:
        write = keylog
        context.set_keylog_callback(lambda _, line: write(line))
    return context


def _serving(identity: ServerIdentity, keylog: Keylog | None) -> Context:
    """Make the context that shows one identity; the root is not sent."""
    context = _restricted(Context(SSL.TLS_SERVER_METHOD), keylog)
    leaf, *authorities = identity.certificates()
    context.use_certificate(leaf)
    for authority in authorities:
        context.add_extra_chain_cert(authority)
    context.use_privatekey(identity.key)
    context.check_privatekey()
    return context
