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
