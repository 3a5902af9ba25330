"""Fetches the certificates a TLS server sends, of whatever kind they are: nothing is trusted, only read.

A station may show one chain in TLS 1.2 (-2) and another in TLS 1.3 (-20), so each is asked for. A server that wants
a certificate of ours sends its own before it notices that we have none.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL

from pki.lint.contents import Piece
from pki.lint.source import Source, Unreachable

VERSIONS = {"1.2": SSL.TLS1_2_VERSION, "1.3": SSL.TLS1_3_VERSION}
_ADDRESS = re.compile(
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.-]+)?)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>\d{1,5})"
)
_MOST = 1 << 20
_ONCE = 16_384
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """Where a TLS server listens; an IPv6 host may have a scope, `fe80::1%eth0`."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address(text: str) -> Address | None:
    """Read HOST:PORT or [IPv6%scope]:PORT; None if it is neither."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= _HIGHEST_PORT:
        return None
    return Address(found["literal"] or found["host"], int(found["port"]))


def served(server: Address, timeout: float) -> Iterator[Source]:
    """Yield the chain a server sends in each TLS version, once where it is the same; raise `Unreachable`.

    `timeout` seconds bound each handshake.
    """
    seen: list[list[bytes]] = []
    reasons: list[str] = []
    for version, number in VERSIONS.items():
        try:
            chain = _chain(server, number, timeout)
        except (OSError, SSL.Error) as error:
            reasons.append(f"TLS {version}: {_said(error)}")
            continue
        if chain not in seen:
            seen.append(chain)
            yield Source(f"{server} (TLS {version})", [Piece(der) for der in chain], chain=True)
    if not seen:
        raise Unreachable(f"{server}: sent no certificate; {'; '.join(reasons)}")


def _chain(server: Address, version: int, timeout: float) -> list[bytes]:
    """Shake hands in one version and return the certificates that were sent, DER; raise OSError or SSL.Error."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    # A server is to be read, not trusted: also one whose keys and suites OpenSSL would not use by itself.
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_verify(SSL.VERIFY_NONE)
    connection = SSL.Connection(context, None)
    connection.set_connect_state()
    deadline = time.monotonic() + timeout
    with socket.create_connection((server.host, server.port), timeout) as plain:
        failure = _shake(connection, plain, deadline)
    found = connection.get_peer_cert_chain(as_cryptography=True) or []
    if not found:
        raise failure or ConnectionError("the server has no certificate")
    return [certificate.public_bytes(Encoding.DER) for certificate in found]


def _shake(connection: SSL.Connection, plain: socket.socket, deadline: float) -> OSError | SSL.Error | None:
    """Go as far in the handshake as the server lets us; return what ended it early."""
    arrived = 0
    while arrived < _MOST:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            return error
        else:
            return None
        try:
            _flush(connection, plain)
            left = deadline - time.monotonic()
            if left <= 0:
                return TimeoutError("timed out")
            plain.settimeout(left)
            data = plain.recv(_ONCE)
        except OSError as error:
            return error
        if not data:
            return ConnectionError("the server closed the connection")
        arrived += len(data)
        connection.bio_write(data)
    return ConnectionError(f"the server sent more than {_MOST} bytes")


def _flush(connection: SSL.Connection, plain: socket.socket) -> None:
    while True:
        try:
            plain.sendall(connection.bio_read(_ONCE))
        except SSL.WantReadError:
            return


def _said(error: Exception) -> str:
    """Return what went wrong, in OpenSSL's words or the system's."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        return ", ".join(entry[-1] for entry in error.args[0]) or "handshake failed"
    return str(error) or type(error).__name__
