"""A TLS 1.3 connection by GnuTLS, on memory buffers: ISO 15118-20 with what the OpenSSL below pyOpenSSL cannot do."""

from __future__ import annotations

from v2g.errors import HandshakeFailed, PeerGone
from v2g.tls._gnutls import AGAIN, ALERTS_RECEIVED, CERTIFICATE_ERROR, NO_CERTIFICATE, Fault, Wire
from v2g.tls.alerts import RECORD_ALERT, Alert
from v2g.tls.session import Judge, Negotiated
from v2g.tls.staple import StapleRefused, Stapling
from v2g.tls.suites import AES_256_GCM, CHACHA20, ECDSA_P521, ED448, P521, PRESCRIBED, X448, Code, Generation
from v2g.trust import Rule

NAMES: dict[Code, str] = {
    AES_256_GCM: "AES-256-GCM",
    CHACHA20: "CHACHA20-POLY1305",
    P521: "SECP521R1",
    X448: "X448",
    ECDSA_P521: "ECDSA-SECP521R1-SHA512",
    ED448: "EDDSA-ED448",
}
"""GnuTLS's names for what ISO 15118-20 prescribes."""

_ALERTS: dict[Rule, Alert] = {
    Rule.DEPTH: Alert.UNKNOWN_CA,
    Rule.PARSE: Alert.BAD_CERTIFICATE,
    Rule.ORDER: Alert.UNKNOWN_CA,
    Rule.PROFILE: Alert.BAD_CERTIFICATE,
    Rule.SIGNATURE: Alert.BAD_CERTIFICATE,
    Rule.ANCHOR: Alert.UNKNOWN_CA,
    Rule.NOT_YET_VALID: Alert.CERTIFICATE_EXPIRED,
    Rule.EXPIRED: Alert.CERTIFICATE_EXPIRED,
    Rule.REVOKED: Alert.CERTIFICATE_REVOKED,
    Rule.REVOCATION: Alert.CERTIFICATE_UNKNOWN,
    Rule.CHECK: Alert.INTERNAL_ERROR,
}
"""The alert that fits a rule (RFC 8446 section 6.2)."""


_ALERT_IN_CLEAR = bytes([RECORD_ALERT, 3, 3, 0, 2])
"""What an alert of a vehicle by OpenSSL begins with that refuses our chain; GnuTLS takes it for a broken record."""


def priorities() -> str:
    """Write what ISO 15118-20 prescribes as GnuTLS wants it: this and nothing else."""
    prescribed = PRESCRIBED[Generation.ISO20]
    words = ["NONE", "+VERS-TLS1.3", "+AEAD", "+CTYPE-X509", "%SERVER_PRECEDENCE"]
    words += [f"+{NAMES[code]}" for code in prescribed.suites]
    words += [f"+GROUP-{NAMES[code]}" for code in prescribed.groups]
    words += [f"+SIGN-{NAMES[code]}" for code in prescribed.schemes]
    return ":".join(words)


class GnuTlsSession:
    """See `v2g.tls.session.Session`. `by` is None on the vehicle's side; `given` what the station staples."""

    def __init__(
        self,
        wire: Wire,
        judge: Judge,
        *,
        shown: str,
        by: str | None = None,
        given: str = "",
        stapling: Stapling | None = None,
    ) -> None:
        self._wire = wire
        self._judge = judge
        self._shown = shown
        self._by = by
        self._staple = given
        self._stapling = stapling
        self._approved = False
        self._alert: Alert | None = None
        self._refusal: StapleRefused | None = None
        self._answered = False
        self._in_clear = b""
        self._end: HandshakeFailed | StapleRefused | PeerGone | None = None
        wire.on_chain = self._look

    def feed(self, data: bytes) -> None:
        """Give bytes from the wire to TLS."""
        self._wire.arrived += data
        if data[-7:-2] == _ALERT_IN_CLEAR:
            self._in_clear = data[-2:]

    def take(self) -> bytes:
        """Return the bytes to put on the wire; b"" when there are none."""
        due = bytes(self._wire.due)
        self._wire.due.clear()
        return due

    def handshake(self) -> bool:
        """Go on with the handshake; True once it is done. Raises `HandshakeFailed` with GnuTLS's reason."""
        if self._end is not None:
            raise self._end
        result = self._wire.handshake()
        if result == AGAIN:
            return False
        if result == 0 and not self._approved:
            result = CERTIFICATE_ERROR
        if result < 0:
            self._end = self._failed(result)
            raise self._end
        return True

    def read(self) -> bytes | None:
        """Decrypt one record: b"" when the peer has said close_notify, None when more bytes are needed first.

        Raises `PeerGone` when the record is broken or the peer sent an alert, `HandshakeFailed` for a late refusal.
        """
        if self._end is not None:
            raise self._end
        data = self._wire.receive()
        if data == AGAIN:
            return None
        if isinstance(data, int):
            self._end = self._broken(data)
            raise self._end
        self._answered = True
        return data

    def write(self, data: bytes) -> None:
        """Encrypt `data` as one record, or as few as 16 384 bytes each allow. Raises `PeerGone` after the end."""
        try:
            self._wire.send(data)
        except Fault as error:
            raise PeerGone(f"TLS ended: {error}") from error

    def close(self) -> None:
        """Say close_notify, if the connection still can."""
        try:
            self._wire.end()
        except Fault:
            return  # broken or never opened: there is nobody to take leave of

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed; only after the handshake."""
        return Negotiated(
            version="TLSv1.3",
            suite=_standard(self._wire.suite),
            group=_standard(self._wire.group),
            generation=Generation.ISO20,
            chain=self._shown,
            chain_by=self._by or "",
            staple=self._staple,
        )

    @property
    def _received(self) -> str:
        return Alert.of(bytes([0, self._wire.alert_received])).label

    def _look(self) -> bool:
        """Judge the chain that came, and what was stapled to it; the answer is whether to go on."""
        chain = self._wire.chain
        rule = self._judge(chain, Generation.ISO20)
        if rule is not None:
            self._alert = _ALERTS[rule]
            return False
        try:
            self._look_at_staples(chain)
        except StapleRefused as refusal:
            self._refusal, self._alert = refusal, Alert.BAD_CERTIFICATE_STATUS_RESPONSE
            return False
        self._approved = True
        return True

    def _look_at_staples(self, chain: tuple[bytes, ...]) -> None:
        """Judge the leaf's staple, and those of the Sub-CAs that have one."""
        if self._stapling is None:
            return
        for place in range(len(chain)):
            staple = self._wire.staple(place)
            if place == 0:
                self._staple = self._stapling.look(staple, chain)
            elif staple:
                self._stapling.look(staple, chain[place:])

    def _broken(self, result: int) -> HandshakeFailed | PeerGone:
        """Send the alert that fits, unless the peer sent one; return what a reader is to be told."""
        words = self._wire.words(result)
        if result not in ALERTS_RECEIVED:
            self._tell(self._wire.alert_of(result))
        elif self._by is None and not self._answered:
            return HandshakeFailed(f"the station refuses us: {words}", received=self._received)
        return PeerGone(f"TLS ended: {words}")

    def _failed(self, result: int) -> HandshakeFailed | StapleRefused:
        """Send the alert that fits, unless the peer sent one; return the exception."""
        words = self._wire.words(result)
        if result in ALERTS_RECEIVED:
            return HandshakeFailed(words, received=self._received)
        if self._in_clear and self._alert is None:
            received = Alert.of(self._in_clear).label
            return HandshakeFailed(f"the peer ended it with an alert in clear: {received}", received=received)
        fitting = Alert.CERTIFICATE_REQUIRED if result in NO_CERTIFICATE else self._wire.alert_of(result)
        sent = self._tell(self._alert or fitting)
        if self._refusal is not None:
            self._refusal.sent = sent
            return self._refusal
        return HandshakeFailed(words, sent=sent)

    def _tell(self, number: int) -> str:
        """Send an alert; return its name."""
        try:
            self._wire.alert(number)
        except Fault:
            return ""  # the connection is past telling
        return Alert.of(bytes([0, number])).label


def _standard(name: str) -> str:
    """Turn GnuTLS's name of a suite or group into the registry's; one that is not prescribed stays as it is."""
    return next((code.name for code, known in NAMES.items() if known == name), name)
