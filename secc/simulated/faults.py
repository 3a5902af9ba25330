"""The faults of the simulated charger: which stand, which lie in wait, what clears them."""

from __future__ import annotations

from typing import get_args

from secc import api

KINDS: tuple[api.FaultKind, ...] = get_args(api.FaultKind)

# Only these let the SECC stop in order and go away with their cause; all others are latched emergencies.
STOPS: frozenset[api.FaultKind] = frozenset({"temperature", "malfunction", "secc_silent"})

# A defect shows only when the part is used: a weld at the next opening, a weak insulation when it is measured.
DEFECTS: frozenset[api.FaultKind] = frozenset({"contactor", "welded", "isolation"})


class Faults:
    """Standing faults by kind, in the order they came; an `emergency` opens everything at once."""

    def __init__(self) -> None:
        self.defects: set[api.FaultKind] = set()
        self._standing: dict[api.FaultKind, api.Fault] = {}
        self._causes: set[api.FaultKind] = set()

    @property
    def standing(self) -> list[api.Fault]:
        """What is reported."""
        return list(self._standing.values())

    @property
    def emergency(self) -> str:
        """The first fault with which nothing may be closed, or nothing."""
        return next((f.kind for f in self.standing if f.severity == "emergency"), "")

    def provoke(self, kind: api.FaultKind) -> None:
        """Break something; a defect is reported when it shows, everything else at once."""
        if kind in DEFECTS:
            self.defects.add(kind)
        else:
            self._causes.add(kind)
            self.report(kind)

    def report(self, kind: api.FaultKind) -> None:
        """Add a fault to those standing."""
        stop = kind in STOPS
        fault = api.Fault(kind=kind, severity="stop" if stop else "emergency", latched=not stop)
        self._standing.setdefault(kind, fault)

    def mend(self, kind: api.FaultKind) -> None:
        """Take the cause away; a latched fault stands until the plug is drawn as well."""
        self.defects.discard(kind)
        self._causes.discard(kind)
        if kind in STOPS:
            self._standing.pop(kind, None)

    def unplugged(self) -> None:
        """Clear what stands and has no cause any more."""
        for kind in [kind for kind in self._standing if kind not in self._causes | self.defects]:
            del self._standing[kind]
