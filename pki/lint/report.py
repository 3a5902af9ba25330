"""What a run of the linter found: the certificates, what each was taken for, and the findings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from pki.lint.finding import Finding, Severity
from v2g.record import Record


class Described(Record):
    """One certificate: `role` and `edition` are what it was taken for, "" where nothing told, `why` what did."""

    number: int
    subject: str
    role: str
    edition: str
    why: str
    size: int
    sha256: str
    not_after: datetime | None


class Examined(Record):
    """One file or connection with its certificates."""

    name: str
    certificates: tuple[Described, ...]


class Report(Record):
    """Everything there is to tell; findings by file and certificate, the worst first."""

    examined: tuple[Examined, ...]
    findings: tuple[Finding, ...]

    def placed(self) -> Mapping[tuple[str, int], list[Finding]]:
        """Return the findings by file and number of the certificate, 0 for those of the file."""
        found: dict[tuple[str, int], list[Finding]] = defaultdict(list)
        for finding in self.findings:
            found[finding.place.file, finding.place.certificate].append(finding)
        return found

    @property
    def counts(self) -> Mapping[Severity, int]:
        """How many findings of each severity there are, the worst first."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in Severity}

    def failing(self, least: Severity | None) -> bool:
        """Tell whether there is a finding at least as bad as `least`; None is never reached."""
        if least is None:
            return False
        bad = list(Severity)[: list(Severity).index(least) + 1]
        return any(finding.severity in bad for finding in self.findings)
