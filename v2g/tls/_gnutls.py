"""The only place that calls GnuTLS: libgnutls.so.30 of the distribution, by ctypes, loaded by the first who asks.

Every return value is checked. The library is given no say in trust: who comes is judged by whoever holds the `Wire`.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import CDLL, CFUNCTYPE, POINTER, byref, c_char_p, c_int, c_size_t, c_ssize_t, c_uint, c_void_p
from functools import cache
from typing import Any
from weakref import WeakValueDictionary, finalize

NAME = "libgnutls.so.30"
AGAIN = -28
ALERTS_RECEIVED = (-12, -16)
NO_CERTIFICATE = (-49, -112)
CERTIFICATE_ERROR = -43
_NOT_AVAILABLE = -56
_EAGAIN = 11
_DER = 0
_FATAL = 2
_WRITE_END = 1
_CERTIFICATES = 1
_REQUIRE = 2
_STATION, _VEHICLE = 1, 1 << 1
_NONBLOCK = 1 << 3
_SHOW_WHOEVER_ASKS = 1 << 9
_NO_TICKETS = 1 << 10 | 1 << 21
_EXTENSION_OF_TLS = 2
_IN_HELLO = 1 << 1 | 1 << 4
_MOST_HANDSHAKE = 65_536
_PIECE = 16_384


class Unavailable(ValueError):
    """The library is not on this machine, or too old; the text says what to do about it."""


class Fault(ValueError):
    """The library refused a call, in its own words."""


class _Datum(ctypes.Structure):
    _fields_ = (("data", c_void_p), ("size", c_uint))

    def __bytes__(self) -> bytes:
        """Copy what it points at."""
        return ctypes.string_at(self.data, self.size) if self.size else b""


class _Certificate(ctypes.Structure):
    _fields_ = (("public_key", c_void_p), ("der", _Datum), ("kind", c_int))


_Ask = CFUNCTYPE(c_int, c_void_p)
_Move = CFUNCTYPE(c_ssize_t, c_void_p, c_void_p, c_size_t)
_Wait = CFUNCTYPE(c_int, c_void_p, c_uint)
_Log = CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(_Datum))
_Send = CFUNCTYPE(c_int, c_void_p, c_void_p)
_Receive = CFUNCTYPE(c_int, c_void_p, c_void_p, c_size_t)

_DATUM = POINTER(_Datum)
_OUT = POINTER(c_void_p)
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "alert_get": (c_int, (c_void_p,)),
    "alert_send": (c_int, (c_void_p, c_int, c_int)),
    "buffer_append_data": (c_int, (c_void_p, c_char_p, c_size_t)),
    "bye": (c_int, (c_void_p, c_int)),
    "certificate_allocate_credentials": (c_int, (_OUT,)),
    "certificate_free_credentials": (None, (c_void_p,)),
    "certificate_get_peers": (_DATUM, (c_void_p, POINTER(c_uint))),
    "certificate_server_set_request": (None, (c_void_p, c_int)),
    "certificate_set_key": (c_int, (c_void_p, c_void_p, c_int, POINTER(_Certificate), c_int, c_void_p)),
    "certificate_set_ocsp_status_request_mem": (c_int, (c_void_p, _DATUM, c_uint, c_int)),
    "certificate_set_verify_function": (None, (c_void_p, _Ask)),
    "certificate_set_x509_trust_mem": (c_int, (c_void_p, _DATUM, c_int)),
    "check_version": (c_char_p, (c_char_p,)),
    "cipher_get": (c_int, (c_void_p,)),
    "cipher_get_name": (c_char_p, (c_int,)),
    "credentials_set": (c_int, (c_void_p, c_int, c_void_p)),
    "deinit": (None, (c_void_p,)),
    "error_to_alert": (c_int, (c_int, POINTER(c_int))),
    "group_get": (c_int, (c_void_p,)),
    "group_get_name": (c_char_p, (c_int,)),
    "handshake": (c_int, (c_void_p,)),
    "handshake_set_max_packet_length": (None, (c_void_p, c_size_t)),
    "init": (c_int, (_OUT, c_uint)),
    "ocsp_status_request_get2": (c_int, (c_void_p, c_uint, _DATUM)),
    "pcert_deinit": (None, (POINTER(_Certificate),)),
    "pcert_import_x509_raw": (c_int, (POINTER(_Certificate), _DATUM, c_int, c_uint)),
    "priority_set_direct": (c_int, (c_void_p, c_char_p, _OUT)),
    "privkey_deinit": (None, (c_void_p,)),
    "privkey_import_url": (c_int, (c_void_p, c_char_p, c_uint)),
    "privkey_import_x509_raw": (c_int, (c_void_p, _DATUM, c_int, c_char_p, c_uint)),
    "privkey_init": (c_int, (_OUT,)),
    "record_recv": (c_ssize_t, (c_void_p, c_char_p, c_size_t)),
    "record_send": (c_ssize_t, (c_void_p, c_char_p, c_size_t)),
    "session_ext_register": (c_int, (c_void_p, c_char_p, c_int, c_int, _Receive, _Send, *[c_void_p] * 3, c_uint)),
    "session_get_random": (None, (c_void_p, _DATUM, _DATUM)),
    "session_set_keylog_function": (None, (c_void_p, _Log)),
    "strerror": (c_char_p, (c_int,)),
    "transport_set_errno": (None, (c_void_p, c_int)),
    "transport_set_ptr": (None, (c_void_p, c_void_p)),
    "transport_set_pull_function": (None, (c_void_p, _Move)),
    "transport_set_pull_timeout_function": (None, (c_void_p, _Wait)),
    "transport_set_push_function": (None, (c_void_p, _Move)),
}
"""What is called, without the prefix `gnutls_`: result and arguments as the headers declare them."""


class _Library:
    """The functions of the library by their names without prefix. Raises `Unavailable`."""

    def __init__(self) -> None:
        try:
            loaded = CDLL(NAME)
            for name, (result, arguments) in _SIGNATURES.items():
                function = getattr(loaded, f"gnutls_{name}")
                function.restype, function.argtypes = result, arguments
                setattr(self, name, function)
        except (OSError, AttributeError) as error:
            text = f'TLS by GnuTLS needs {NAME} (apt-get install libgnutls30), or set backend = "openssl": {error}'
            raise Unavailable(text) from error

    def __getattr__(self, name: str) -> Any:
        """Only for names that are not declared above."""
        raise AttributeError(f"gnutls_{name} is not declared")

    def demand(self, result: int) -> int:
        """Return `result` unless it is negative, the library's way to refuse. Raises `Fault`."""
        if result < 0:
            raise Fault(self.words(result))
        return result

    def words(self, result: int) -> str:
        """Say what a negative result means."""
        return bytes(self.strerror(result)).decode()


@cache
def library() -> _Library:
    """Load the library, once. Raises `Unavailable`."""
    return _Library()


def version() -> str:
    """Name the library with its version. Raises `Unavailable`."""
    return f"GnuTLS {bytes(library().check_version(None)).decode()}"


def _datum(data: bytes) -> _Datum:
    """Point at bytes; whoever calls keeps them."""
    return _Datum(ctypes.cast(c_char_p(data), c_void_p), len(data))


class Credentials:
    """What a side shows and whom it asks for; several `Wire` may use one, which none changes any more."""

    def __init__(self) -> None:
        self._lib = library()
        self.handle = c_void_p()
        self._lib.demand(self._lib.certificate_allocate_credentials(byref(self.handle)))
        finalize(self, self._lib.certificate_free_credentials, self.handle)
        self._lib.certificate_set_verify_function(self.handle, _ask)

    def show(self, chain: Sequence[bytes], key: bytes | str) -> None:
        """Show a chain, DER, leaf first; `key` is PKCS#8 in DER, or the URI of one in a token. Raises `Fault`."""
        private = self._private(key)
        certificates = (_Certificate * len(chain))()
        done = 0
        try:
            for place, der in enumerate(chain):
                self._lib.demand(self._lib.pcert_import_x509_raw(byref(certificates[place]), byref(_datum(der)), 0, 0))
                done += 1
        except Fault:
            for place in range(done):
                self._lib.pcert_deinit(byref(certificates[place]))
            self._lib.privkey_deinit(private)
            raise
        # From here on they belong to the credentials, which free them, even when the key does not fit.
        self._lib.demand(self._lib.certificate_set_key(self.handle, None, 0, certificates, len(chain), private))

    def ask_for(self, anchor: bytes) -> None:
        """Name a root, DER, when asking for a certificate. Raises `Fault`."""
        self._lib.demand(self._lib.certificate_set_x509_trust_mem(self.handle, byref(_datum(anchor)), _DER))

    def staple(self, response: bytes) -> None:
        """Send an OCSP response with the certificate of the chain that it is about. Raises `Fault` if with none."""
        staple = _datum(response)
        self._lib.demand(self._lib.certificate_set_ocsp_status_request_mem(self.handle, byref(staple), 0, _DER))

    def _private(self, key: bytes | str) -> c_void_p:
        private = c_void_p()
        self._lib.demand(self._lib.privkey_init(byref(private)))
        try:
            if isinstance(key, str):
                self._lib.demand(self._lib.privkey_import_url(private, key.encode(), 0))
            else:
                self._lib.demand(self._lib.privkey_import_x509_raw(private, byref(_datum(key)), _DER, None, 0))
        except Fault:
            self._lib.privkey_deinit(private)
            raise
        return private


class Wire:
    """One end on memory buffers; `on_chain` says yes or no to the peer's chain inside the handshake."""

    def __init__(self, credentials: Credentials, priorities: str, *, station: bool) -> None:
        self._lib = library()
        self._credentials = credentials
        self.words = self._lib.words
        self.arrived = bytearray()
        self.due = bytearray()
        self.on_chain: Callable[[], bool] | None = None
        self.keylog: Callable[[bytes], None] | None = None
        self.extension = b""
        handle = c_void_p()
        role = _STATION if station else _VEHICLE | _SHOW_WHOEVER_ASKS
        self._lib.demand(self._lib.init(byref(handle), role | _NONBLOCK | _NO_TICKETS))
        self._handle = handle
        finalize(self, _free, self._lib, handle, credentials)
        _WIRES[int(handle.value or 0)] = self
        self._connect(priorities)
        if station:
            self._lib.certificate_server_set_request(handle, _REQUIRE)

    def _connect(self, priorities: str) -> None:
        lib, handle = self._lib, self._handle
        lib.demand(lib.priority_set_direct(handle, priorities.encode(), None))
        lib.demand(lib.credentials_set(handle, _CERTIFICATES, self._credentials.handle))
        lib.handshake_set_max_packet_length(handle, _MOST_HANDSHAKE)
        lib.transport_set_ptr(handle, handle)
        lib.transport_set_push_function(handle, _push)
        lib.transport_set_pull_function(handle, _pull)
        lib.transport_set_pull_timeout_function(handle, _wait)

    def log_keys(self, write: Callable[[bytes], None]) -> None:
        """Write the secrets of the session, line by line as in SSLKEYLOGFILE."""
        self.keylog = write
        self._lib.session_set_keylog_function(self._handle, _log)

    def say(self, name: str, number: int, body: bytes) -> None:
        """Send an extension in the ClientHello, one at most. Raises `Fault`."""
        self.extension = body
        registered = self._lib.session_ext_register(
            self._handle, name.encode(), number, _EXTENSION_OF_TLS, _receive, _send, None, None, None, _IN_HELLO
        )
        self._lib.demand(registered)

    def handshake(self) -> int:
        """Go on with the handshake: 0 when done, AGAIN for more bytes, else why it failed."""
        return int(self._lib.handshake(self._handle))

    def receive(self) -> bytes | int:
        """Decrypt: b"" at the end, or the number of what is wrong, AGAIN for more bytes."""
        buffer = ctypes.create_string_buffer(_PIECE)
        size, before = AGAIN, -1
        while size == AGAIN and len(self.arrived) != before:  # a session ticket ends a call, more may stand behind it
            before = len(self.arrived)
            size = int(self._lib.record_recv(self._handle, buffer, _PIECE))
        return size if size < 0 else buffer.raw[:size]

    def send(self, data: bytes) -> None:
        """Encrypt all of `data`. Raises `Fault`."""
        for place in range(0, len(data), _PIECE):
            piece = data[place : place + _PIECE]
            if self._lib.demand(self._lib.record_send(self._handle, piece, len(piece))) != len(piece):
                raise Fault("a record went out in part")

    def end(self) -> None:
        """Say close_notify. Raises `Fault`."""
        self._lib.demand(self._lib.bye(self._handle, _WRITE_END))

    def alert(self, number: int) -> None:
        """Send a fatal alert. Raises `Fault`."""
        self._lib.demand(self._lib.alert_send(self._handle, _FATAL, number))

    def alert_of(self, fault: int) -> int:
        """The number of the alert that fits a fault."""
        return int(self._lib.error_to_alert(fault, byref(c_int())))

    @property
    def alert_received(self) -> int:
        """The number of the last alert that came."""
        return int(self._lib.alert_get(self._handle))

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates that the peer showed, DER."""
        count = c_uint()
        peers = self._lib.certificate_get_peers(self._handle, byref(count))
        return tuple(bytes(peers[place]) for place in range(count.value)) if peers else ()

    def staple(self, place: int) -> bytes:
        """The OCSP response that came with a certificate of the chain, b"" for none. Raises `Fault`."""
        response = _Datum()
        result = self._lib.ocsp_status_request_get2(self._handle, place, byref(response))
        if result == _NOT_AVAILABLE:
            return b""
        self._lib.demand(result)
        return bytes(response)

    @property
    def suite(self) -> str:
        """The cipher agreed upon, by the library's name."""
        return bytes(self._lib.cipher_get_name(self._lib.cipher_get(self._handle)) or b"").decode()

    @property
    def group(self) -> str:
        """The group agreed upon, by the library's name."""
        return bytes(self._lib.group_get_name(self._lib.group_get(self._handle)) or b"").decode()

    def pull(self, most: int) -> bytes | None:
        """Hand bytes that arrived to the library; None where there are none yet."""
        if not self.arrived:
            self._lib.transport_set_errno(self._handle, _EAGAIN)
            return None
        piece = bytes(self.arrived[:most])
        del self.arrived[:most]
        return piece

    def log(self, label: bytes, secret: bytes) -> None:
        """Pass a secret on to the key log."""
        client, server = _Datum(), _Datum()
        self._lib.session_get_random(self._handle, byref(client), byref(server))
        if self.keylog is not None:
            self.keylog(b"%s %s %s" % (label, bytes(client).hex().encode(), secret.hex().encode()))

    def append_extension(self, buffer: int) -> int:
        """Write the body of the extension into the ClientHello."""
        return int(self._lib.buffer_append_data(buffer, self.extension, len(self.extension)))


_WIRES: WeakValueDictionary[int, Wire] = WeakValueDictionary()


def _free(lib: _Library, handle: c_void_p, _credentials: Credentials) -> None:
    """Free a session; until then its credentials stay."""
    lib.deinit(handle)


def _asked(handle: int) -> int:
    """Ask whoever holds the wire; a no ends the handshake."""
    wire = _WIRES.get(handle)
    return 0 if wire is not None and wire.on_chain is not None and wire.on_chain() else -1


def _pushed(handle: int, data: int, size: int) -> int:
    wire = _WIRES.get(handle)
    if wire is None:
        return -1
    wire.due += ctypes.string_at(data, size)
    return size


def _pulled(handle: int, data: int, most: int) -> int:
    wire = _WIRES.get(handle)
    piece = None if wire is None else wire.pull(most)
    if piece is None:
        return -1
    ctypes.memmove(data, piece, len(piece))
    return len(piece)


def _waited(handle: int, _milliseconds: int) -> int:
    """Tell whether bytes are there, without any waiting."""
    wire = _WIRES.get(handle)
    return int(wire is not None and bool(wire.arrived))


def _logged(handle: int, label: bytes, secret: Any) -> int:
    if wire := _WIRES.get(handle):
        wire.log(label, bytes(secret[0]))
    return 0


def _sent(handle: int, buffer: int) -> int:
    wire = _WIRES.get(handle)
    return -1 if wire is None else min(0, wire.append_extension(buffer))


def _received(_handle: int, _data: int, _size: int) -> int:
    """Ignore what a station answers to the extension."""
    return 0


_ask = _Ask(_asked)
_push = _Move(_pushed)
_pull = _Move(_pulled)
_wait = _Wait(_waited)
_log = _Log(_logged)
_send = _Send(_sent)
_receive = _Receive(_received)
