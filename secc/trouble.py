"""The reasons why no power may flow, apart from what the session itself finds."""

from __future__ import annotations

from secc.api import ChargerState
from secc.charger import Trouble

BROKER_LOST = Trouble(kind="broker_lost", emergency=True, detail="not connected to the MQTT broker")
CONTROLLER_SILENT = Trouble(
    kind="controller_silent", emergency=True, detail="no sign of life of the charger controller"
)
CONTROLLER_RESTARTED = Trouble(kind="controller_restarted", emergency=True, detail="the charger controller began anew")
STATE_UNKNOWN = Trouble(kind="state_unknown", emergency=True, detail="the charger controller tells no state")
MEASUREMENT_LOST = Trouble(kind="measurement_lost", emergency=True, detail="no new measurement while power is on")
PILOT_LEFT = Trouble(kind="pilot_left", emergency=True, detail="the control pilot left C and D for a moment")


def emergency_stop(reason: str) -> Trouble:
    """The charger's own wish to end at once."""
    return Trouble(kind="emergency_stop", emergency=True, detail=reason)


def fault(state: ChargerState) -> Trouble | None:
    """The gravest fault a state tells of; `detail` names them all."""
    faults = sorted(state.faults, key=lambda fault: fault.severity != "emergency")
    if not faults:
        return None
    return Trouble(
        kind=faults[0].kind,
        emergency=faults[0].severity == "emergency",
        detail=", ".join(fault.kind for fault in faults),
    )


class Passing:
    """Notices a danger that is over before a session saw it: what was said in a row may be read in one go."""

    def __init__(self) -> None:
        self._before: ChargerState | None = None

    def look(self, now: ChargerState | None, *, live: bool) -> Trouble | None:
        """Compare each state with the one before; `live`: the contactor is ordered closed, or the cable is tested."""
        before, self._before = self._before, now
        if not live or before is None or now is None:
            return None
        if before.plug not in "CD" and now.plug in "CD":
            return PILOT_LEFT
        gravest = fault(before)
        return gravest if gravest is not None and gravest.emergency and fault(now) is None else None
