"""Brings evidence of revocation over HTTP, from the responder or the list that a certificate names.

Whom a certificate names is asked only if the caller allows the host, only by plain HTTP (what comes is signed), and
within bounds of size and time. No redirection is followed and no proxy used. What arrives is judged before it is kept.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from pki import crl, ocsp
from pki.cache import Cache
from pki.certificate import Certificate
from pki.evidence import ISO2, Status, Terms, Unusable
from pki.revocation import Question
from v2g.errors import V2GError

logger = logging.getLogger(__name__)
ANY = "*"
_MOST_ADDRESSES = 2
_MOST_AT_ONCE = 8
_PATIENCE_S = 30.0
_NONCE_BYTES = 16
_OK = 200
_HTTP_PORT = 80
_LONGEST_ADDRESS = 1024
E = TypeVar("E", bound=x509.ExtensionType)


class Failure(StrEnum):
    """Why nothing was brought."""

    NO_ADDRESS = "no-address"
    ADDRESS = "address"
    NOT_ALLOWED = "not-allowed"
    UNREACHABLE = "unreachable"
    TIME = "time"
    REDIRECTED = "redirected"
    STATUS = "status"
    SIZE = "size"
    PROTOCOL = "protocol"


class FetchFailed(V2GError):
    """Nothing came from an address, or it was not asked; `failure` says why."""

    def __init__(self, failure: Failure, detail: str) -> None:
        self.failure = failure
        self.detail = detail
        super().__init__(f"{failure}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Whom to ask and how long to wait.

    `hosts` are "host" or "host:port" as they stand in addresses, or `ANY`; `seconds` bounds one exchange from its
    beginning to its end; with `nonce` a responder has to prove that its answer is fresh.
    """

    hosts: frozenset[str]
    seconds: float = 5.0
    nonce: bool = True

    def allows(self, address: SplitResult) -> bool:
        """Tell whether an address may be asked."""
        named = {address.hostname, f"{_bracketed(address.hostname or '')}:{address.port or _HTTP_PORT}"}
        return ANY in self.hosts or bool(self.hosts & named)


# --- addresses --------------------------------------------------------------------------------------------------------


def responders(certificate: x509.Certificate) -> list[str]:
    """Return the addresses of OCSP responders a certificate names, as they stand there."""
    access = _extension(certificate, x509.AuthorityInformationAccess)
    return list(
        _addresses(
            each.access_location for each in access or () if each.access_method == AuthorityInformationAccessOID.OCSP
        )
    )


def lists(certificate: x509.Certificate) -> list[str]:
    """Return the addresses of complete revocation lists of its issuer that a certificate names."""
    points = _extension(certificate, x509.CRLDistributionPoints)
    whole = (point for point in points or () if point.reasons is None and point.crl_issuer is None)
    return list(_addresses(name for point in whole for name in point.full_name or ()))


def _addresses(names: Iterable[x509.GeneralName]) -> Iterator[str]:
    return (name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _split(url: str, reach: Reach) -> SplitResult:
    """Take an address apart; raise `FetchFailed` if it is none of ours to ask."""
    try:
        address = urlsplit(url)
        port = address.port
    except ValueError as error:
        raise FetchFailed(Failure.ADDRESS, f"{url[:80]!r} is no address: {error}") from error
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_ADDRESS
    if not plain or address.scheme != "http" or not address.hostname or port == 0:
        raise FetchFailed(Failure.ADDRESS, f"{url[:80]!r} is no plain http address")
    if address.username is not None or not reach.allows(address):
        raise FetchFailed(Failure.NOT_ALLOWED, f"{address.hostname} is not among the hosts that may be asked")
    return address


def _bracketed(host: str) -> str:
    try:
        return f"[{host}]" if ipaddress.ip_address(host).version == 6 else host
    except ValueError:
        return host


# --- one exchange -----------------------------------------------------------------------------------------------------


def fetch(url: str, reach: Reach, *, most: int, body: bytes | None = None) -> bytes:
    """Return what lies at an address, `most` bytes at the most; with a `body` it is posted as an OCSP request.

    Blocks, for no longer than the reach allows (but for the look-up of the name). Raises `FetchFailed`.
    """
    address = _split(url, reach)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or _HTTP_PORT, timeout=reach.seconds)
    began = time.monotonic()
    try:
        connection.connect()
        with _ending(connection.sock, reach.seconds):
            data = _exchange(connection, address, most, body)
        if time.monotonic() - began >= reach.seconds:
            # Cut off, a body without a length looks like one that is complete.
            raise TimeoutError
    except UnicodeError as error:
        raise FetchFailed(Failure.ADDRESS, f"{url[:80]!r} names a host that no look-up takes") from error
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, TimeoutError) or time.monotonic() - began >= reach.seconds:
            raise FetchFailed(Failure.TIME, f"{url} did not answer within {reach.seconds:g} s") from error
        if isinstance(error, http.client.HTTPException):
            raise FetchFailed(Failure.PROTOCOL, f"{url} broke off or speaks no HTTP: {type(error).__name__}") from error
        raise FetchFailed(Failure.UNREACHABLE, f"{url}: {error}") from error
    else:
        return data
    finally:
        connection.close()


@contextmanager
def _ending(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End a connection from outside after a while: its own timeout starts anew with every byte that comes."""
    timer = threading.Timer(seconds, _cut, [connected])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _cut(connected: socket.socket) -> None:
    try:
        connected.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("the connection had ended by itself")


def _exchange(connection: http.client.HTTPConnection, address: SplitResult, most: int, body: bytes | None) -> bytes:
    target = (address.path or "/") + (f"?{address.query}" if address.query else "")
    if body is None:
        connection.request("GET", target)
    else:
        headers = {"Content-Type": "application/ocsp-request", "Accept": "application/ocsp-response"}
        connection.request("POST", target, body, headers)
    with connection.getresponse() as response:
        return _body(response, address.geturl(), most)


def _body(response: http.client.HTTPResponse, url: str, most: int) -> bytes:
    if response.getheader("Location") is not None:
        raise FetchFailed(Failure.REDIRECTED, f"{url} sends elsewhere, which is not followed")
    if response.status != _OK:
        raise FetchFailed(Failure.STATUS, f"{url} answers {response.status}")
    data = response.read(most + 1)
    if len(data) > most:
        raise FetchFailed(Failure.SIZE, f"{url} answers with more than {most} bytes")
    if response.length:
        raise http.client.IncompleteRead(data, response.length)
    return data


# --- one certificate --------------------------------------------------------------------------------------------------


def inquire(question: Question, cache: Cache, reach: Reach, terms: Terms = ISO2) -> None:
    """Ask the responder of a certificate, or for the list of its issuer where that tells nothing; keep what holds.

    Blocks. Raises the first `FetchFailed` or `Unusable` if nothing came that may be relied upon.
    """
    certificate = question.certificate.parsed
    ways: list[tuple[Callable[[Question, str, Reach, Terms], tuple[bytes, Status]], str]] = [
        *((_ask, url) for url in responders(certificate)[:_MOST_ADDRESSES]),
        *((_bring, url) for url in lists(certificate)[:_MOST_ADDRESSES]),
    ]
    first: V2GError | None = None
    kept = False
    for way, url in ways:
        try:
            data, status = way(question, url, reach, terms)
        except (FetchFailed, Unusable) as error:
            first = first or error
            continue
        cache.add(data)
        kept = True
        if status is not Status.UNKNOWN:
            return
    if not ways:
        raise FetchFailed(Failure.NO_ADDRESS, "the certificate names neither a responder nor a revocation list")
    if first is not None and not kept:
        raise first


def _ask(question: Question, url: str, reach: Reach, terms: Terms) -> tuple[bytes, Status]:
    certificate, issuer = question.certificate, question.issuer
    nonce = secrets.token_bytes(_NONCE_BYTES) if reach.nonce else None
    request = ocsp.ask(certificate.parsed, issuer.parsed, nonce=nonce)
    data = fetch(url, reach, most=ocsp.MOST_BYTES, body=request)
    return data, ocsp.judge(data, certificate, issuer, datetime.now(UTC), terms, nonce=nonce).standing.status


def _bring(question: Question, url: str, reach: Reach, terms: Terms) -> tuple[bytes, Status]:
    data = fetch(url, reach, most=crl.MOST_BYTES)
    word = crl.read(data).judge(question.certificate, question.issuer, datetime.now(UTC), terms)
    return data, word.standing.status


# --- off the loop -----------------------------------------------------------------------------------------------------


class Fetcher:
    """Inquires in threads of its own, each certificate once at a time and not again at once after a failure."""

    def __init__(self, cache: Cache, reach: Reach, terms: Terms = ISO2) -> None:
        self._cache = cache
        self._reach = reach
        self._terms = terms
        self.begun = 0
        """How many inquiries were begun."""
        self._running: set[bytes] = set()
        self._ended: dict[bytes, float] = {}
        self._watchers: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def want(self, question: Question) -> None:
        """Start an inquiry about a certificate, unless one is under way or was made a moment ago. Returns at once."""
        der, now = question.certificate.der, time.monotonic()
        with self._lock:
            self._ended = {each: moment for each, moment in self._ended.items() if now - moment < _PATIENCE_S}
            if der in self._running or der in self._ended:
                return
            if len(self._running) >= _MOST_AT_ONCE:
                logger.warning("%d inquiries about revocation are under way; no more is begun", len(self._running))
                return
            self._running.add(der)
            self.begun += 1
        threading.Thread(target=self._run, args=[question], daemon=True, name="revocation").start()

    def busy(self, chain: Sequence[bytes]) -> bool:
        """Tell whether an inquiry about a certificate of this chain (DER) is under way."""
        with self._lock:
            return not self._running.isdisjoint(chain)

    @contextmanager
    def watched(self, ended: Callable[[], object]) -> Iterator[None]:
        """Have `ended` called, in another thread, whenever an inquiry has ended; it must return at once."""
        with self._lock:
            self._watchers.append(ended)
        try:
            yield
        finally:
            with self._lock:
                self._watchers.remove(ended)

    def _run(self, question: Question) -> None:
        der = question.certificate.der
        try:
            inquire(question, self._cache, self._reach, self._terms)
        except (FetchFailed, Unusable) as error:
            logger.warning("whether a certificate of %s is revoked stays open: %s", _named(question.issuer), error)
        finally:
            with self._lock:
                self._running.discard(der)
                self._ended[der] = time.monotonic()
                for ended in self._watchers:
                    ended()


def _named(issuer: Certificate) -> str:
    return issuer.common_name or "a CA without a name"
