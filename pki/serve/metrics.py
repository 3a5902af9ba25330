"""What the servers count, in the text format of Prometheus."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

MEDIA = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "plugcharge_pki_"
_GAUGES = {
    "trouble": "Whether the state or the folders cannot be read at the moment; /health says why.",
    "state_certificates": "Certificates that the state keeps, replaced and expired ones too.",
    "state_revocations": "Revocations by administration; they lie in the database.",
    "listed_revocations": "Revocations by `pki revoke`; they lie in the folders of the trees.",
    "state_secrets": "Secrets for enrolment.",
    "state_misbehaviours": "Misbehaviours that are on.",
    "clock_offset_seconds": "How far the clock of the services is moved.",
}
"""What is told beside the counters, by name."""


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
        """Return everything counted, and the gauges of these names."""
        lines = [
            *_family("requests_total", "counter", "Answers by service and outcome.", self._request_rows()),
            *_family("answer_seconds_total", "counter", "Time it took to make them.", self._second_rows()),
            *_family("uptime_seconds", "gauge", "Since these servers started.", [("", time.monotonic() - self._began)]),
        ]
        for name, value in gauges.items():
            lines += _family(name, "gauge", _GAUGES[name], [("", value)])
        return "\n".join([*lines, ""])

    def _request_rows(self) -> Iterable[tuple[str, float]]:
        for (service, outcome), number in sorted(self._requests.items()):
            yield f'{{service="{service}",outcome="{outcome}"}}', number

    def _second_rows(self) -> Iterable[tuple[str, float]]:
        for service, seconds in sorted(self._seconds.items()):
            yield f'{{service="{service}"}}', seconds


def _family(name: str, kind: str, summary: str, rows: Iterable[tuple[str, float]]) -> list[str]:
    return [
        f"# HELP {_PREFIX}{name} {summary}",
        f"# TYPE {_PREFIX}{name} {kind}",
        *(f"{_PREFIX}{name}{labels} {value:.12g}" for labels, value in rows),
    ]
