"""Which subcommands `plugcharge` has, and where they live.

A subcommand's package is loaded when it is run, not before: `plugcharge --help` answers without cryptography or MQTT.
"""

from __future__ import annotations

import click

import v2g
from v2g.mounts import Mount, Mounted

MOUNTS = {
    "demo": Mount(
        "plugcharge.demo", "demo", "Charge a car on this machine: broker, controller, SECC and EVCC.", "demo"
    ),
    "secc": Mount("secc.commands", "secc", "The charging station: run a SECC, simulate its charger controller."),
    "evcc": Mount("evcc.commands", "evcc", "The vehicle: run the EV emulator."),
    "pki": Mount("pki.commands", "pki", "The test PKI: make, check and export certificates."),
    "decode": Mount("v2g.commands", "decode", "Show messages given as bytes: as a tree, JSON, XML, or bit by bit."),
    "encode": Mount("v2g.commands", "encode", "Write messages given as JSON or XML as bytes."),
}


@click.command(cls=Mounted, mounts=MOUNTS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(v2g.__version__, prog_name="plugcharge")
def main() -> None:
    """ISO 15118 Plug & Charge: a SECC, an EVCC emulator and a test PKI."""
