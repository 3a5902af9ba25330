"""How long the station waits for the vehicle at its plug: V2G_SECC_CommunicationSetup_Performance_Time.

1. It runs from D-LINK_READY, where that was seen: the controller told that nobody was linked or plugged in, and then
   that somebody is [V2G2-716]. Of a link that was there when we began, or when the controller did, nobody knows.
2. While it runs, a connection has what is left of it; when nobody has come in it, nobody is answered any more until
   the link is matched anew.
3. Once a vehicle was here it is over with that: another try, of the same vehicle or the next, always has the whole
   time from its connection. So has every connection where the controller tells of no link.
"""

from __future__ import annotations

from v2g.timing import Budget, Timing


class Arrival:
    """The setup time of one plug. `look` must be called whenever the charger may have said something new."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._absent = False
        self._awaited: Budget | None = None

    def look(self, *, absent: bool, ready: bool) -> None:
        """Note whether the controller says that nobody is on its data link, and whether a vehicle may come now.

        Neither holds while the controller is silent, or tells of no link.
        """
        if absent:
            self._absent, self._awaited = True, None
        elif ready and self._absent:
            self._absent, self._awaited = False, Budget(self._timing.setup_secc)

    def came(self) -> Budget:
        """A vehicle connects: return the time it has, up to SessionSetupRes."""
        awaited, self._awaited = self._awaited, None
        return awaited or Budget(self._timing.setup_secc)

    def left(self) -> float | None:
        """Return the seconds left for a vehicle to come, None while there is no hurry."""
        return None if self._awaited is None else self._awaited.left()

    @property
    def over(self) -> bool:
        """Whether the time ran out with nobody here."""
        return self._awaited is not None and self._awaited.over
