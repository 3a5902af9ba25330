"""The only place that calls OpenSSL past pyOpenSSL's public interface.

pyOpenSSL sets neither groups nor signature algorithms, sends no extension of our own, and tells neither the chain that
came nor the alerts; the library below it does. Every return value is checked, so that a setting is in force or an
exception is raised. OpenSSL is given no anchor and judges no chain: it asks, and the answer chooses the alert.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from OpenSSL import SSL
from OpenSSL._util import exception_from_error_queue, ffi, lib

from v2g.errors import Undecodable
from v2g.tls.alerts import RECORD_ALERT, Alert
from v2g.tls.certificates import MESSAGE_CERTIFICATE, Entry, entries
from v2g.tls.client_hello import RECORD_HANDSHAKE
from v2g.tls.identity import BadIdentity, Key, TokenUri
from v2g.tls.session import Judge
from v2g.tls.suites import Generation, generation_of
from v2g.trust import Rule

_HELD = int(lib.X509_V_OK)
_TABLE: dict[Rule, int] = {
    Rule.DEPTH: lib.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,  # unknown_ca
    Rule.PARSE: lib.X509_V_ERR_CERT_REJECTED,  # bad_certificate
    Rule.ORDER: lib.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
    Rule.PROFILE: lib.X509_V_ERR_CERT_REJECTED,
    Rule.SIGNATURE: lib.X509_V_ERR_CERT_REJECTED,
    Rule.ANCHOR: lib.X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
    Rule.NOT_YET_VALID: lib.X509_V_ERR_CERT_HAS_EXPIRED,  # certificate_expired: also "not currently valid"
    Rule.EXPIRED: lib.X509_V_ERR_CERT_HAS_EXPIRED,
    Rule.REVOKED: lib.X509_V_ERR_CERT_REVOKED,  # certificate_revoked
    Rule.REVOCATION: lib.X509_V_ERR_CRL_PATH_VALIDATION_ERROR,  # certificate_unknown
    Rule.CHECK: lib.X509_V_ERR_OUT_OF_MEM,  # internal_error: the fault is ours
}
"""What to tell OpenSSL so that it sends the alert that fits a rule (RFC 8446 section 6.2)."""


def _demand(result: int) -> None:
    """Raise `SSL.Error` with the library's own words unless `result` is 1, OpenSSL's "done"."""
    if result != 1:
        exception_from_error_queue(SSL.Error)


class Context(SSL.Context):
    """An SSL context that can also be held to groups, signature schemes and a ClientHello extension."""

    def __init__(self, method: int) -> None:
        super().__init__(method)
        self._kept_alive: list[Any] = []

    def set_groups(self, names: str) -> None:
        """Allow these groups only: OpenSSL's names, colon between them."""
        _demand(lib.SSL_CTX_set1_curves_list(self._context, names.encode()))

    def set_signature_schemes(self, names: str) -> None:
        """Allow these signature schemes only: names of the TLS registry, colon between them."""
        _demand(lib.SSL_CTX_set1_sigalgs_list(self._context, names.encode()))

    def add_client_extension(self, number: int, body: bytes) -> None:
        """Send extension `number` with `body` in every ClientHello; an answer of the server to it is ignored."""
        content = ffi.new("unsigned char[]", body)

        def add(_ssl: Any, _number: Any, out: Any, size: Any, _alert: Any, _argument: Any) -> int:
            out[0] = content
            size[0] = len(body)
            return 1

        callback = ffi.callback("custom_ext_add_cb", add, error=-1)
        self._kept_alive += [content, callback]  # OpenSSL holds bare pointers to both
        null = ffi.NULL
        _demand(lib.SSL_CTX_add_client_custom_ext(self._context, number, callback, null, null, null, null))

    def use_key(self, key: Key) -> None:
        """Sign with a private key, or with the one in a secure element that a PEM file names."""
        if isinstance(key, TokenUri):
            raise BadIdentity('OpenSSL takes no key by a URI; set backend = "gnutls" for ISO 15118-20, or give a file')
        if isinstance(key, Path):
            self.use_privatekey_file(str(key))
        else:
            self.use_privatekey(key)

    def overhear(self) -> None:
        """Let every `Connection` keep the chain and the alerts that pass."""
        lib.SSL_CTX_set_msg_callback(self._context, _overheard)


class Connection(SSL.Connection):
    """One end on memory buffers, which knows what its peer sent; its context has to `overhear`."""

    def __init__(self, context: Context) -> None:
        super().__init__(context, None)
        _CONNECTIONS[_address(self._ssl)] = self
        self.shown: tuple[Entry, ...] = ()
        self.sent: Alert | None = None
        self.received: Alert | None = None
        self.given = ""
        self.on_staple: Callable[[bytes], bool] | None = None
        self._judge: Judge | None = None

    @property
    def generation(self) -> Generation:
        """The generation that the version negotiated belongs to."""
        return generation_of(self.get_protocol_version())

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates as the peer sent them, DER."""
        return tuple(entry.der for entry in self.shown)

    def demand_certificate(self, judge: Judge) -> None:
        """Go on only with a peer that shows a chain which `judge` approves; asked once or more in the handshake."""
        self._judge = judge
        lib.SSL_set_verify(self._ssl, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _asked)

    def fault(self) -> int:
        """Ask the judge; return OpenSSL's number for what is wrong, X509_V_OK for nothing."""
        rule = Rule.CHECK if self._judge is None else self._judge(self.chain, self.generation)
        return _HELD if rule is None else _TABLE[rule]

    def staple(self, response: bytes) -> bytes:
        """Send an OCSP response along, to a vehicle that asked for one; b"" sends none."""
        self.given = "sent" if response else "none"
        return response

    def stapled(self, response: bytes) -> bool:
        """Tell whether to go on with the OCSP response that came, b"" for none."""
        return self.on_staple is None or self.on_staple(response)

    def heard(self, data: bytes, *, alert: bool, sent: bool) -> None:
        """Keep an alert, or the chain of the peer's Certificate message; OpenSSL refuses a malformed one itself."""
        if alert and sent:
            self.sent = Alert.of(data)
        elif alert:
            self.received = Alert.of(data)
        elif not sent and data[:1] == bytes([MESSAGE_CERTIFICATE]):
            try:
                self.shown = entries(data, second=self.get_protocol_version() > SSL.TLS1_2_VERSION)
            except Undecodable:
                self.shown = ()


_CONNECTIONS: WeakValueDictionary[int, Connection] = WeakValueDictionary()


def _address(ssl: Any) -> int:
    return int(ffi.cast("uintptr_t", ssl))


def _overhear(sent: int, _version: int, kind: int, data: Any, size: int, ssl: Any, _argument: Any) -> None:
    """Take each message and alert from OpenSSL, which calls it for headers of records too."""
    if kind in (RECORD_ALERT, RECORD_HANDSHAKE) and (connection := _CONNECTIONS.get(_address(ssl))):
        connection.heard(bytes(ffi.buffer(data, size)), alert=kind == RECORD_ALERT, sent=bool(sent))


def _ask(_held: int, store: Any) -> int:
    """Answer OpenSSL, which asks for each certificate and each fault it finds; a fault of ours is a no."""
    ssl = lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx())
    connection = _CONNECTIONS.get(_address(ssl))
    fault = _TABLE[Rule.CHECK] if connection is None else connection.fault()
    lib.X509_STORE_CTX_set_error(store, fault)
    return int(fault == _HELD)


_overheard = ffi.callback("void (*)(int, int, int, const void *, size_t, SSL *, void *)", _overhear)
_asked = ffi.callback("int (*)(int, X509_STORE_CTX *)", _ask, error=0)
