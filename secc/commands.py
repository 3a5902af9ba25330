"""The commands of the charging station: `secc simulate` and what else belongs to one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

import click

from v2g.signals import until_signal


@click.group()
def secc() -> None:
    """Run the charging station's parts."""


@secc.command()
@click.option("--config", type=click.Path(path_type=Path), default="secc.toml", show_default=True)
@click.option("--lab", is_flag=True, help="Allow what no charger in the field may do.")
@click.option("--time-scale", type=click.FloatRange(0.001, 1_000), default=1.0, help="Multiply all timers (--lab).")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@click.option("-v", "--verbose", count=True, help="Log what happens in sessions; twice: every message.")
def run(config: Path, time_scale: float, verbose: int, *, lab: bool, quiet: bool) -> None:
    """Run the SECC for all EVSEs of secc.toml until interrupted."""
    from secc import process

    if time_scale != 1.0 and not lab:
        raise click.UsageError("--time-scale is for laboratories: add --lab")
    level = (logging.WARNING, logging.INFO, logging.DEBUG)[min(verbose, 2)]
    logging.basicConfig(level=level, format="%(asctime)s %(name)s %(message)s")
    if not quiet and not verbose:
        for name in ("secc.station", "secc.rereading"):  # one line for each car and each change of heart
            logging.getLogger(name).setLevel(logging.INFO)
    try:
        asyncio.run(until_signal(process.run(config, time_scale=time_scale, lab=lab)))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@secc.command()
@click.option("--config", type=click.Path(path_type=Path), default="secc.toml", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, for machines.")
def check(config: Path, *, as_json: bool) -> None:
    """Say what the TLS of secc.toml can do: whom each certificate serves, what is stapled, what is impossible.

    Ends with 1 where the station would not start, or vehicles that trust its root would refuse a certificate.
    """
    import msgspec

    from secc import check_text
    from secc.check import check as examine

    try:
        report = examine(config)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(msgspec.json.format(msgspec.json.encode(report)) if as_json else "\n".join(check_text.lines(report)))
    if not report.ok:
        raise click.exceptions.Exit(1)


@secc.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML file; options win over it.")
@click.option("--broker", help="HOST:PORT of the MQTT broker.")
@click.option("--mqtt-version", type=click.Choice(["3.1.1", "5"]), help="Version of MQTT.")
@click.option("--prefix", help="First levels of all topics.")
@click.option("--evse", help="Name of the EVSE in the topics.")
@click.option("--evse-id", help="EVSE id that the vehicle is told.")
@click.option("--energy", type=click.Choice(["ac", "dc", "both"]), help="What the charge point offers.")
@click.option("--cable", type=click.Choice(["mqtt", "none"]), help="none: play the car's part for a foreign vehicle.")
@click.option("--card", type=click.Choice(["accept", "reject", "none"]), help="What the card reader says.")
@click.option("--card-delay-s", type=click.FloatRange(0), help="Seconds until a card is shown.")
@click.option("--speed", type=click.FloatRange(0.001, 1_000), help="Pace of ramps and cable check; 1 is quick.")
@click.option("--stop-after", "stop_after_s", type=click.FloatRange(0), help="Ask to stop after S seconds of current.")
@click.option("--record", type=click.Path(dir_okay=False), help="File for received limits and the sums, JSON lines.")
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND@SECONDS",
    help="Break something, S seconds after the start (KIND@charge+SECONDS: after current first flows). Repeatable.",
)
@click.option("--plan", help="Power over time, such as '11040 3600:4140 / 22080', for sessions that ask for it.")
@click.option("--console", is_flag=True, default=None, help="Read fault, mend, card, request, limit, plan from stdin.")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens.")
def simulate(config: Path | None, broker: str | None, mqtt_version: str | None, prefix: str | None,
             faults: tuple[str, ...], *, verbose: bool, **options: object) -> None:  # fmt: skip
    """Simulate a charger controller over MQTT until interrupted."""
    from secc import simulator
    from secc.simulated import config as simulator_config

    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(name)s %(message)s")
    try:
        changes = _changes(broker, mqtt_version, prefix, options)
        if faults:
            changes["faults"] = [simulator_config.PlannedFault.parse(text) for text in faults]
        asyncio.run(until_signal(simulator.run(simulator_config.read(config, changes))))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


@secc.command()
@click.option("--config", type=click.Path(path_type=Path), help="TOML file; options win over it.")
@click.option("--broker", help="HOST:PORT of the MQTT broker.")
@click.option("--mqtt-version", type=click.Choice(["3.1.1", "5"]), help="Version of MQTT.")
@click.option("--prefix", help="First levels of all topics.")
@click.option("--evse", help="Name of the EVSE in the topics.")
@click.option("--tree", type=click.Path(file_okay=False), help="PKI of the provisioning service: certs/out/iso2.")
@click.option(
    "--certificates",
    type=click.Choice(["answer", "late", "silent", "failed", "garbage", "other-session"]),
    help="How requests for certificates are answered.",
)
@click.option(
    "--ocsp",
    type=click.Choice(["answer", "late", "silent", "failed", "garbage"]),
    help="How OCSP requests of the station are answered.",
)
@click.option("--authorization", type=click.Choice(["accept", "reject", "silent"]), help="The word on each request.")
@click.option("--plan", help="Power over time, such as '11040 3600:4140 / 22080'; with --tree, signed tariffs too.")
@click.option("--delay-s", type=click.FloatRange(0), help="Seconds that every answer takes.")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens.")
def simulate_backend(config: Path | None, broker: str | None, mqtt_version: str | None, prefix: str | None,
                     *, verbose: bool, **options: object) -> None:  # fmt: skip
    """Simulate the operator's side over MQTT until interrupted: certificates, authorization, plans, OCSP."""
    from secc import backend_simulator

    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(name)s %(message)s")
    try:
        changes = _changes(broker, mqtt_version, prefix, options)
        settings = backend_simulator.read(config, changes)
        asyncio.run(until_signal(backend_simulator.run(settings, lambda: click.echo("connected to the broker"))))
    except ValueError as error:
        raise click.ClickException(str(error)) from error


def _changes(
    broker: str | None, mqtt_version: str | None, prefix: str | None, options: Mapping[str, object]
) -> dict[str, object]:
    """What options change in a configuration with a broker; those not given change nothing. Raises ValueError."""
    changes = {key: value for key, value in options.items() if value is not None}
    bus = _address(broker) | {
        key: value for key, value in (("version", mqtt_version), ("prefix", prefix)) if value is not None
    }
    return changes | ({"broker": bus} if bus else {})


def _address(text: str | None) -> dict[str, object]:
    """Split HOST:PORT, an IPv6 host in brackets. Raises ValueError."""
    if text is None:
        return {}
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"--broker {text!r}: write HOST:PORT, for instance 127.0.0.1:1883")
    return {"host": host.removeprefix("[").removesuffix("]"), "port": int(port)}
