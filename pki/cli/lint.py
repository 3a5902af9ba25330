"""`pki lint`: judges certificates of anybody against the profiles."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import PATH
from pki.shown import printable

if TYPE_CHECKING:
    from pki.lint.finding import Severity
    from pki.lint.report import Report
    from pki.lint.source import Search, Source

_MANY = 500  # certificates; fewer take a second or two
_EDITIONS = click.Choice(["iso2", "iso20", "iso20-ed448", "josev"])
_LEAST = click.Choice(["error", "warning", "note", "never"])
_FORMS = click.Choice(["text", "json", "sarif", "junit"])


class Unusable(click.ClickException):
    """Nothing could be judged, or not all of it."""

    exit_code = 2


def _print_rules(ctx: click.Context, _option: click.Parameter, value: object) -> None:
    from pki.lint.text import listed

    if value and not ctx.resilient_parsing:
        click.echo("\n".join(listed()))
        ctx.exit()


def _print_rule(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    from pki.lint.rules import rule
    from pki.lint.text import explained

    if value is None or ctx.resilient_parsing:
        return
    try:
        click.echo("\n".join(explained(rule(value))))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    ctx.exit()


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="FILE|DIR|HOST:PORT|-...")
@click.option("--edition", type=_EDITIONS, help="The standard to ask for; by the kind of each key if left out.")
@click.option("--role", help="What the leaves, or all CAs, are: secc, contract, mo-sub2, ...; guessed if left out.")
@click.option("--hubject", is_flag=True, help="Also ask what Hubject demands of what it signs.")
@click.option("--strict", is_flag=True, help="Also refuse what only a profile forbids.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Files and folders below a DIR to leave out.")
@click.option("--quick", is_flag=True, help="Have each certificate read once, not by a second reader as well.")
@click.option("--trust", type=PATH, multiple=True, help="PEM files of trust anchors that chains have to hang on.")
@click.option("--private", type=PATH, multiple=True, help="The same for roots of private operators.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@click.option("--password", default="", help="Of PKCS#12 files.")
@click.option("--timeout", type=click.FloatRange(0.1, 300), default=10.0, show_default=True, help="For HOST:PORT, s.")
@click.option("--format", "form", type=_FORMS, default="text", show_default=True, help="How findings are told.")
@click.option("--output", type=PATH, help="The file to write them to; standard output if left out.")
@click.option("--fail-on", type=_LEAST, default="error", show_default=True, help="What ends in exit status 1.")
@click.option("--all", "every", is_flag=True, help="In text, also list certificates without a finding.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_print_rules, help="Print all rules.")
@click.option("--explain", metavar="RULE", is_eager=True, expose_value=False, callback=_print_rule, help="Explain one.")
def lint(
    targets: tuple[str, ...],
    *,
    edition: str | None,
    role: str | None,
    hubject: bool,
    strict: bool,
    exclude: tuple[str, ...],
    quick: bool,
    trust: tuple[Path, ...],
    private: tuple[Path, ...],
    at: datetime | None,
    password: str,
    timeout: float,
    form: str,
    output: Path | None,
    fail_on: str,
    every: bool,
) -> None:
    """Judge certificates and chains of anybody: files, folders, what a server sends, or - for standard input.

    Exit status: 0 if nothing is found, 1 if something is, 2 if something could not be read or asked.
    """
    from pki.lint.finding import Severity
    from pki.lint.linter import Demand
    from pki.lint.linter import lint as examine
    from pki.options import Options
    from pki.profiles import Edition

    least = None if fail_on == "never" else Severity(fail_on)
    sources, failures = _gathered(targets, password.encode(), timeout, exclude)
    try:
        demand = Demand(
            edition=Edition(edition) if edition else None,
            role=role,
            options=Options(strict=strict),
            hubject=hubject,
            at=at.replace(tzinfo=UTC) if at else datetime.now(UTC),
            anchors=_anchors(trust),
            private=_anchors(private),
            second=not quick,
        )
        report = examine(sources, demand, _progress)
        _write(_told(report, form, least, every=every), output)
    except (ValueError, OSError) as error:
        raise Unusable(printable(str(error))) from error
    if failures:
        raise Unusable(printable("; ".join(failures)))
    if report.failing(least):
        raise click.exceptions.Exit(1)


def _progress(numbers: Sequence[int]) -> Iterator[int]:
    """Go through certificates with a bar on stderr, where there are many and somebody watches."""
    if len(numbers) < _MANY or not sys.stderr.isatty():
        yield from numbers
        return
    with click.progressbar(numbers, label="judging", show_pos=True, file=sys.stderr) as bar:
        yield from bar


def _skipped(folder: Path) -> None:
    from pki.shown import shown

    click.echo(f"{shown(str(folder), 300)}: made from a tree and left out; name it to have it judged", err=True)


def _gathered(
    targets: tuple[str, ...], password: bytes, timeout: float, exclude: tuple[str, ...]
) -> tuple[list[Source], list[str]]:
    """Return what could be read, and why the rest could not."""
    from pki.lint.source import Search, Unreachable

    search = Search(exclude, _skipped)
    sources: list[Source] = []
    failures: list[str] = []
    for target in targets:
        try:
            sources.extend(_sources(target, password, timeout, search))
        except Unreachable as error:
            failures.append(str(error))
    return sources, failures


def _sources(target: str, password: bytes, timeout: float, search: Search) -> Iterator[Source]:
    from pki.lint.source import gather

    if not Path(target).exists():
        from pki.lint.served import address, served

        server = address(target)
        if server is not None:
            yield from served(server, timeout)
            return
    yield from gather(Path(target), password, search)


def _anchors(files: tuple[Path, ...]) -> tuple[bytes, ...]:
    from pki.credentials import load_anchors

    return tuple(anchor for file in files for anchor in load_anchors(file))


def _told(report: Report, form: str, least: Severity | None, *, every: bool) -> str:
    match form:
        case "json":
            import msgspec

            return json.dumps(
                msgspec.to_builtins({**msgspec.structs.asdict(report), "counts": report.counts}), indent=2
            )
        case "sarif":
            from pki.lint.sarif import as_sarif

            return json.dumps(as_sarif(report), indent=2)
        case "junit":
            from pki.lint.junit import as_junit

            return as_junit(report, least)
    from pki.lint.text import as_text

    return "\n".join(as_text(report, every=every))


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text)
    else:
        output.write_text(f"{text}\n")
