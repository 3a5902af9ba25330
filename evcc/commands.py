"""The commands of the vehicle: `evcc run`."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from v2g.signals import until_signal

if TYPE_CHECKING:
    from evcc.client import Result
    from v2g.journal import Entry


@click.group()
def evcc() -> None:
    """Emulate an electric vehicle."""


@evcc.command()
@click.option("--config", type=click.Path(path_type=Path), default="evcc.toml", show_default=True)
@click.option("--connect", metavar="[HOST]:PORT", help="Skip SDP and connect here.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the result here.")
@click.option("--ladder", is_flag=True, help="Print every message as one JSON line as it happens.")
@click.option("-v", "--verbose", count=True, help="Log the session; twice: every message.")
def run(config: Path, connect: str | None, json_file: Path | None, verbose: int, *, ladder: bool) -> None:
    """Charge once as evcc.toml plans; the exit status is 0 only if that went well."""
    import msgspec

    from evcc import client
    from evcc import config as configuration

    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(name)s %(message)s")
    if json_file is not None and not json_file.parent.is_dir():
        raise click.ClickException(f"--json {json_file}: there is no folder {json_file.parent}; make it first")
    if connect is not None:
        try:
            configuration.address(connect)
        except ValueError as error:
            raise click.ClickException(f"--connect {error}") from error
    try:
        settings = configuration.load(config)
        if connect is not None:
            network = msgspec.structs.replace(settings.network, connect=connect)
            settings = msgspec.structs.replace(settings, network=network)
        result = asyncio.run(until_signal(client.charge(settings, see=_print if ladder else None)))
    except configuration.ConfigurationError as error:
        raise click.ClickException(str(error)) from error
    except (ValueError, OSError) as error:
        raise click.ClickException(f"{config}: {error}") from error
    if result is None:
        raise click.ClickException("interrupted before the charge was over; the cable was unplugged")
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    if not ladder:
        click.echo(_summary(result), err=not result.ok)
    sys.exit(0 if result.ok else 1)


def _summary(result: Result) -> str:
    """One line for people."""
    if not result.ok:
        return f"failed: {result.reason or 'no energy flowed'}"
    return (
        f"charged {result.energy_wh:.1f} Wh at {result.evse_id} by {result.payment} ({result.energy}, "
        f"{result.tls or 'no TLS'}), now at {result.soc_percent:.2f} %"
    )


def _print(entry: Entry) -> None:
    """One journal entry as a JSON line; of whole messages only the name."""
    facts = {name: value for name, value in entry.facts.items() if isinstance(value, str | int | float)}
    click.echo(json.dumps({"at": round(entry.at, 6), "kind": entry.kind, **facts}))
