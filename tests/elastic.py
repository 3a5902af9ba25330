"""Time that a test speeds up at the moment it has to wait, so that nothing before it has to be quick."""

from __future__ import annotations

from v2g.timing import Timing


class Elastic(Timing):
    """Times whose scale may change; what waits already keeps its own."""

    def stretch(self, scale: float) -> None:
        """Multiply all times from now on."""
        object.__setattr__(self, "scale", scale)
