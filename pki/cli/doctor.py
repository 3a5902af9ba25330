"""`pki doctor`: says what is wrong with certificates, and what to do."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import DEFAULT_OUT, PATH, told

if TYPE_CHECKING:
    from pki.doctor.finding import Finding

_MOST = 5  # findings of one check told in full, in text


@click.command()
@click.argument("path", type=PATH, required=False)
@click.option("--config", "configs", type=PATH, multiple=True, help="A secc.toml or evcc.toml whose files to check.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@click.option("--strict", is_flag=True, help="Let warnings count as errors for the exit status.")
@click.option("--list", "listed", is_flag=True, help="Print what is checked, and check nothing.")
@click.option("--json", "as_json", is_flag=True, help="For machines: a list of findings.")
@told
def doctor(
    path: Path | None, configs: tuple[Path, ...], at: datetime | None, *, strict: bool, listed: bool, as_json: bool
) -> None:
    """Find what keeps certificates from being used, in a folder or a file, and say what to do.

    Without PATH it is certs/out, or the files of --config alone. Exit status 1 tells of errors.
    """
    from pki.doctor.examination import diagnose

    if listed:
        _print_checks()
        return
    place = path or (None if configs else DEFAULT_OUT)
    findings = diagnose(place, configs, at.replace(tzinfo=UTC) if at else None)
    if as_json:
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(findings), indent=2))
    else:
        for line in as_text(findings):
            click.echo(line)
    counted = ("error", "warning") if strict else ("error",)
    if any(finding.severity in counted for finding in findings):
        click.get_current_context().exit(1)


def as_text(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield findings as lines for people; of many alike only the first."""
    alike: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        alike[finding.severity, finding.check].append(finding)
    for (severity, check), group in alike.items():
        for finding in group[:_MOST]:
            yield f"{severity}: {finding.place}: {finding.what}"
            yield f"    {finding.remedy}"
        if len(group) > _MOST:
            yield f"{severity}: … {len(group) - _MOST:,} more of {check}; --json has them all"
    counts = Counter(finding.severity for finding in findings)
    told = [f"{count:,} {severity}{'s' if count > 1 else ''}" for severity, count in counts.items()]
    yield ", ".join(told) if told else "nothing wrong"


def _print_checks() -> None:
    from pki.doctor.examination import CHECKS, name_of

    for check in CHECKS:
        click.echo(f"{name_of(check):<16}{(check.__doc__ or '').partition(chr(10))[0]}")
