"""What the station asks of the vehicle by the status in its responses, and until when."""

from __future__ import annotations

from dataclasses import dataclass, field

from v2g.messages import din, iso2
from v2g.timing import Budget

FAULTS = ("EVSE_Malfunction", "EVSE_EmergencyShutdown", "EVSE_UtilityInterruptEvent")
SHUTDOWN = "EVSE_Shutdown"
TRIPPED = "its RCD has tripped"
STOP, RENEGOTIATE = "StopCharging", "ReNegotiation"

Status = iso2.EVSEStatus | din.DC_EVSEStatus


def fault_of(status: Status) -> str:
    """The fault that a status reports, empty if it reports none; in AC nobody does."""
    if isinstance(status, iso2.DC_EVSEStatus | din.DC_EVSEStatus) and status.EVSEStatusCode in FAULTS:
        return status.EVSEStatusCode
    return ""


def status_in(parameter: iso2.EVSEChargeParameter) -> iso2.EVSEStatus | None:
    """The status that comes with what an outlet can give."""
    if isinstance(parameter, iso2.AC_EVSEChargeParameter):
        return parameter.AC_EVSEStatus
    return parameter.DC_EVSEStatus if isinstance(parameter, iso2.DC_EVSEChargeParameter) else None


@dataclass(slots=True)
class Notice:
    """The station's wish: a stop, which stands to the session's end, or a renegotiation, as long as it is said."""

    scale: float = 1.0
    """What the seconds of the station are multiplied by."""
    stop: bool = False
    said: str = ""
    """In which words the stop was asked for; empty while it was not."""
    renegotiate: bool = False
    _until: Budget = field(default_factory=lambda: Budget(0.0))

    def hear(self, status: Status, *, live: bool) -> None:
        """Note what a status asks for, and by when; a tripped RCD is of concern to a vehicle with power on alone."""
        at_once = ""
        if isinstance(status, iso2.DC_EVSEStatus | din.DC_EVSEStatus):
            at_once = SHUTDOWN if status.EVSEStatusCode == SHUTDOWN else ""
        elif isinstance(status, iso2.AC_EVSEStatus):
            at_once = TRIPPED if status.RCD and live else ""
        if at_once:
            self.stop, self.said, self._until = True, at_once, Budget(0.0)
        elif status.EVSENotification == STOP and not self.stop:
            self.stop, self.said, self._until = True, STOP, Budget(status.NotificationMaxDelay * self.scale)
        self.renegotiate = status.EVSENotification == RENEGOTIATE

    @property
    def due(self) -> bool:
        """Whether the stop asked for cannot wait any longer."""
        return self.stop and self._until.over
