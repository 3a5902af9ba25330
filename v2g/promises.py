"""What a station promised to be quick at and was not: told once, at a session's end. Nobody enforces it."""

from __future__ import annotations

from collections import Counter

from v2g.journal import Journal
from v2g.timing import Timing


class Promises:
    """Compares answers with V2G_SECC_Msg_Performance_Time."""

    def __init__(self, timing: Timing) -> None:
        self.broken: Counter[str] = Counter()
        self._timing = timing
        self._most_s = 0.0

    def answered(self, protocol_key: str, response_name: str, took_s: float) -> None:
        """Note how long an answer such as `CurrentDemandRes` took."""
        request = response_name.removesuffix("Res") + "Req"
        if took_s > self._timing.message_performance(protocol_key, request):
            self.broken[request] += 1
            self._most_s = max(self._most_s, took_s)

    def tell(self, journal: Journal) -> None:
        """Record which answers were late, how often, and how long the slowest took."""
        if self.broken:
            late = ", ".join(f"{name} {count}x" for name, count in self.broken.items())
            journal.record("late", messages=late, most_s=self._most_s)
