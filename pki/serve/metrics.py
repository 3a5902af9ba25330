"""What the servers count, in the text format of Prometheus."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "plugcharge_pki_"


class Metrics:
    """Requests by service and outcome, and the time their answers took."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._requests: Counter[tuple[str, str]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def count(self, service: str, outcome: str, seconds: float = 0.0) -> None:
        """Count an answer that took so long to make."""
        self._requests[service, outcome] += 1
        self._seconds[service] += seconds

    def text(self, gauges: Mapping[str, float]) -> str:
        """Return everything counted, and what else is to be told."""
        lines = [
            *_family("requests_total", "counter", "Answers by service and outcome.", self._request_rows()),
            *_family("answer_seconds_total", "counter", "Time it took to make them.", self._second_rows()),
            *_family("uptime_seconds", "gauge", "", [("", time.monotonic() - self._began)]),
        ]
        for name, value in gauges.items():
            lines += _family(name, "gauge", "", [("", value)])
        return "\n".join([*lines, ""])

    def _request_rows(self) -> Iterable[tuple[str, float]]:
        for (service, outcome), number in sorted(self._requests.items()):
            yield f'{{service="{service}",outcome="{outcome}"}}', number

    def _second_rows(self) -> Iterable[tuple[str, float]]:
        for service, seconds in sorted(self._seconds.items()):
            yield f'{{service="{service}"}}', seconds


def _family(name: str, kind: str, summary: str, rows: Iterable[tuple[str, float]]) -> list[str]:
    head = [f"# HELP {_PREFIX}{name} {summary}"] if summary else []
    return [
        *head,
        f"# TYPE {_PREFIX}{name} {kind}",
        *(f"{_PREFIX}{name}{labels} {value:.12g}" for labels, value in rows),
    ]
