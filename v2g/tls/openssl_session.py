"""A TLS connection by OpenSSL, on memory buffers."""

from __future__ import annotations

from OpenSSL import SSL

from v2g.errors import HandshakeFailed, PeerGone
from v2g.tls._openssl import Connection
from v2g.tls.identity import Identity
from v2g.tls.select import Selection
from v2g.tls.session import Negotiated
from v2g.tls.staple import StapleRefused, Stapling, State
from v2g.tls.suites import PRESCRIBED, Generation, standard_name

_PIECE = 65_536


def _words(error: SSL.Error) -> str:
    """Turn an OpenSSL error into words; it carries a list of (library, function, reason), or nothing of use."""
    reasons = error.args[0] if error.args else ()
    words = "; ".join(str(entry[-1]) for entry in reasons) if isinstance(reasons, list) else ""
    return words or repr(error)


class OpenSslSession:
    """See `v2g.tls.session.Session`. `selection` is None on the vehicle's side; `identity` is what we show."""

    def __init__(
        self,
        connection: Connection,
        selection: Selection | None,
        identity: Identity | None,
        stapling: Stapling | None = None,
    ) -> None:
        self._connection = connection
        self._selection = selection
        self._identity = identity
        self._stapling = stapling
        self._refusal: StapleRefused | None = None
        self._staple: State | None = None
        self._answered = False
        if stapling is not None:
            connection.on_staple = self._look

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
            raise self._failed("the peer sent close_notify in the middle of it") from error
        except SSL.Error as error:
            if self._refusal is not None:
                self._refusal.sent = self._failed("").sent
                raise self._refusal from error
            raise self._failed(_words(error)) from error
        self._check_group()
        return True

    def read(self) -> bytes | None:
        """Decrypt one record: b"" when the peer has said close_notify, None when more bytes are needed first.

        Raises `PeerGone` when the record is broken or the peer sent an alert, `HandshakeFailed` for a late refusal.
        """
        try:
            data = self._connection.recv(_PIECE)
        except SSL.WantReadError:
            return None
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            if self._unconfirmed and self._connection.received is not None:
                raise self._failed(f"the station refuses us: {_words(error)}") from error
            raise PeerGone(f"TLS ended: {_words(error)}") from error
        self._answered = True
        return data

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
    def negotiated(self) -> Negotiated:
        """What was agreed; only after the handshake."""
        generation = self._connection.generation
        shown = self._identity if PRESCRIBED[generation].mutual or self._selection is not None else None
        return Negotiated(
            version=self._connection.get_protocol_version_name(),
            suite=standard_name(self._connection.get_cipher_name() or ""),
            group=standard_name(self._connection.get_group_name() or ""),
            generation=generation,
            chain="" if shown is None else shown.subject,
            chain_by="" if self._selection is None else self._selection.by,
            staple=self._connection.given if self._staple is None else self._staple,
        )

    @property
    def _unconfirmed(self) -> bool:
        """Whether we are a vehicle that does not know yet what the station thinks of its certificate."""
        return self._selection is None and not self._answered and self._connection.generation is Generation.ISO20

    def _check_group(self) -> None:
        """Refuse a group of the other generation, which a vehicle that offers both cannot help offering."""
        negotiated = self.negotiated
        if negotiated.group not in [code.name for code in PRESCRIBED[negotiated.generation].groups]:
            raise self._failed(f"the peer chose {negotiated.group} with {negotiated.version}")

    def _failed(self, reason: str) -> HandshakeFailed:
        sent, received = self._connection.sent, self._connection.received
        return HandshakeFailed(
            reason,
            sent="" if sent is None else sent.label,
            received="" if received is None else received.label,
        )

    def _look(self, response: bytes) -> bool:
        """Judge what was stapled, to the leaf and to others; the answer to OpenSSL is whether to go on."""
        if self._stapling is None:
            return True
        chain = self._connection.chain
        if self._connection.generation is Generation.ISO20:
            response = self._connection.shown[0].staple  # OpenSSL hands over the first there is, be it a Sub-CA's
        try:
            self._staple = self._stapling.look(response, chain)
            for place, entry in enumerate(self._connection.shown[1:], 1):
                if entry.staple:
                    self._stapling.look(entry.staple, chain[place:])
        except StapleRefused as refusal:
            self._refusal = refusal
        return self._refusal is None
