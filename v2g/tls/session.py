"""One TLS connection without a socket: bytes in, bytes out, and what the peer said."""

from __future__ import annotations

from OpenSSL import SSL

from v2g.errors import HandshakeFailed, PeerGone

_PIECE = 65_536
_STANDARD_NAMES = {"ECDHE-ECDSA-AES128-SHA256": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"}


def _words(error: SSL.Error) -> str:
    """Turn an OpenSSL error into words; it carries a list of (library, function, reason), or nothing of use."""
    reasons = error.args[0] if error.args else ()
    words = "; ".join(str(entry[-1]) for entry in reasons) if isinstance(reasons, list) else ""
    return words or repr(error)


class Session:
    """The sans-IO core: `feed` what arrived, then `take` and send what is due."""

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection

    def feed(self, data: bytes) -> None:
        """Give bytes from the wire to TLS."""
        if data:
            self._connection.bio_write(data)

    def take(self) -> bytes:
        """Return the bytes to put on the wire; b"" when there are none."""
        pieces = []
        try:
            while True:
                pieces.append(self._connection.bio_read(_PIECE))
        except SSL.WantReadError:
            return b"".join(pieces)

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises `HandshakeFailed` with OpenSSL's reason."""
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.ZeroReturnError as error:
            raise HandshakeFailed("the peer sent close_notify in the middle of it") from error
        except SSL.Error as error:
            raise HandshakeFailed(_words(error)) from error
        return True

    def read(self) -> bytes | None:
        """Decrypt one record: b"" when the peer has said close_notify, None when more bytes are needed first.

        Raises `PeerGone` when the record is broken or the peer sent an alert.
        """
        try:
            return self._connection.recv(_PIECE)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            raise PeerGone(f"TLS ended: {_words(error)}") from error

    def write(self, data: bytes) -> None:
        """Encrypt `data` as one record, or as few as 16 384 bytes each allow. Raises `PeerGone` after the end."""
        try:
            self._connection.sendall(data)
        except SSL.Error as error:
            raise PeerGone(f"TLS ended: {_words(error)}") from error

    def close(self) -> None:
        """Say close_notify, if the connection still can."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            return  # broken or never opened: there is nobody to take leave of

    @property
    def version(self) -> str:
        """The negotiated version, as in "TLSv1.2"."""
        return self._connection.get_protocol_version_name()

    @property
    def suite(self) -> str:
        """The negotiated suite by its name in the standard; empty before the handshake."""
        name = self._connection.get_cipher_name() or ""
        return _STANDARD_NAMES.get(name, name)
