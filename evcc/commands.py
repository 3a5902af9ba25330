"""The commands of the vehicle: `evcc run`."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from evcc.config import EvccConfig
    from evcc.result import Result
    from v2g.journal import Entry

STANDARD_OUTPUT = Path("-")
TERMINAL_S = 1.0
ELSEWHERE_S = 30.0


@click.group()
def evcc() -> None:
    """Emulate an electric vehicle."""


@evcc.command()
@click.option("--config", type=click.Path(path_type=Path), default="evcc.toml", show_default=True)
@click.option("--connect", metavar="[HOST]:PORT", help="Skip SDP and connect here.")
@click.option("--lab", is_flag=True, help="Allow what tells secrets: [capture].")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the result here; - is stdout.")
@click.option("--ladder", is_flag=True, help="Print every message as one JSON line as it happens.")
@click.option("-v", "--verbose", count=True, help="Log the session; twice: every message.")
def run(config: Path, connect: str | None, json_file: Path | None, verbose: int, *, lab: bool, ladder: bool) -> None:
    """Charge once as evcc.toml plans; the exit status is 0 only if that went well."""
    from evcc import config as configuration

    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(name)s %(message)s")
    _check(json_file, ladder=ladder)
    try:
        settings = _settings(config, connect, lab=lab)
        result = asyncio.run(_charge(settings, ladder=ladder))
    except configuration.ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{config}: {error}") from error
    if not ladder:
        click.echo(result.summary, err=json_file == STANDARD_OUTPUT)
    if json_file is not None:
        _write(json_file, result)
    sys.exit(0 if result.ok else 1)


def _check(json_file: Path | None, *, ladder: bool) -> None:
    """Find out before the charge whether its result can be written."""
    if json_file is None:
        return
    if json_file == STANDARD_OUTPUT:
        if ladder:
            raise click.ClickException("--json -: --ladder writes to stdout too; name a file")
        return
    folder = json_file.parent
    if not folder.is_dir():
        raise click.ClickException(f"--json {json_file}: there is no folder {folder}; make it first")
    if json_file.is_dir():
        raise click.ClickException(f"--json {json_file}: that is a folder; name a file in it")
    if not os.access(json_file if json_file.exists() else folder, os.W_OK):
        raise click.ClickException(f"--json {json_file}: it cannot be written; name another file")


def _settings(config: Path, connect: str | None, *, lab: bool) -> EvccConfig:
    import msgspec

    from evcc import config as configuration

    if connect is not None:
        try:
            configuration.address(connect)
        except ValueError as error:
            raise click.ClickException(f"--connect {error}") from error
    settings = configuration.load(config)
    if settings.capture and not lab:
        raise click.ClickException(f"{config}: [capture]: whoever has these files reads every session: add --lab")
    if connect is None:
        return settings
    return msgspec.structs.replace(settings, network=msgspec.structs.replace(settings.network, connect=connect))


async def _charge(settings: EvccConfig, *, ladder: bool) -> Result:
    """Charge until it is over, or until SIGINT or SIGTERM ask for its end; SIGUSR1 and SIGUSR2 tell other wishes."""
    from evcc import client
    from evcc.progress import Progress
    from evcc.wishes import Wishes

    interrupt, wishes, loop = asyncio.Event(), Wishes(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt.set)
    loop.add_signal_handler(signal.SIGUSR1, wishes.change)
    loop.add_signal_handler(signal.SIGUSR2, wishes.rest_or_wake)
    if ladder:
        return await client.charge(settings, see=_print, interrupt=interrupt, wishes=wishes)
    progress = Progress(_tell, TERMINAL_S if sys.stderr.isatty() else ELSEWHERE_S)
    return await client.charge(settings, progress=progress, interrupt=interrupt, wishes=wishes)


def _write(json_file: Path, result: Result) -> None:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"
    if json_file == STANDARD_OUTPUT:
        click.echo(text, nl=False)
        return
    try:
        json_file.write_bytes(text)
    except OSError as error:
        raise click.ClickException(f"--json {json_file}: {error.strerror}; the result is lost") from error


def _tell(line: str) -> None:
    click.echo(line, err=True)


def _print(entry: Entry) -> None:
    """One journal entry as a JSON line; of whole messages only the name."""
    facts = {name: value for name, value in entry.facts.items() if isinstance(value, str | int | float)}
    click.echo(json.dumps({"at": round(entry.at, 6), "kind": entry.kind, **facts}))
