"""The alerts of TLS, by number and by the names of the registry."""

from __future__ import annotations

from enum import IntEnum

RECORD_ALERT = 21


class Alert(IntEnum):
    """Why a connection ended (RFC 8446 section 6, RFC 5246 section 7.2); UNKNOWN is none of the registry."""

    UNKNOWN = -1
    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    RECORD_OVERFLOW = 22
    HANDSHAKE_FAILURE = 40
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120

    @classmethod
    def of(cls, body: bytes) -> Alert:
        """Read the two bytes of an alert, level and number."""
        number = body[1] if len(body) == 2 else -1
        return next((alert for alert in cls if alert.value == number), cls.UNKNOWN)

    @property
    def label(self) -> str:
        """The registry's name, such as `unknown_ca`."""
        return self.name.lower()

    def record(self) -> bytes:
        """The alert as a fatal one in a record of its own, in clear."""
        return bytes([RECORD_ALERT, 3, 3, 0, 2, 2, self.value])
