"""The only place that calls OpenSSL past pyOpenSSL's public interface.

pyOpenSSL sets neither groups nor signature algorithms, and sends no extension of our own; the library below it does.
Every return value is checked, so that a setting is in force or an exception is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

from OpenSSL import SSL
from OpenSSL._util import exception_from_error_queue, ffi, lib


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


class Fault(IntEnum):
    """What OpenSSL calls a fault of the peer's chain (x509_vfy.h), named after the alert that it sends for it."""

    NONE = 0
    CERTIFICATE_EXPIRED = 10
    UNKNOWN_CA = 20
    CERTIFICATE_REVOKED = 23
    BAD_CERTIFICATE = 28
    CERTIFICATE_UNKNOWN = 75


class Connection(SSL.Connection):
    """A connection whose verification is somebody else's, down to the alert that a refusal is told with."""

    def set_judge(self, mode: int, judge: Callable[[SSL.Connection], Fault]) -> None:
        """Ask `judge` in place of OpenSSL, for each certificate and fault that it finds; what it raises is a no."""

        def verify(_ok: int, store: Any) -> int:
            fault = judge(self)
            lib.X509_STORE_CTX_set_error(store, int(fault))
            return int(fault is Fault.NONE)

        self._judge = ffi.callback("int (*)(int, X509_STORE_CTX *)", verify, error=0)  # OpenSSL holds a bare pointer
        lib.SSL_set_verify(self._ssl, mode, self._judge)
