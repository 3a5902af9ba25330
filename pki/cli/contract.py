"""`pki contract`: the commands about delivered contracts, a module each."""

from __future__ import annotations

import click

from v2g.mounts import Mount, Mounted

MOUNTS = {
    "request": Mount("pki.cli.contract_request", "request", "Make a vehicle's CertificateInstallationReq, signed."),
    "issue": Mount(
        "pki.cli.contract_issue", "issue", "Make a delivery: CertificateInstallationRes or UpdateRes, signed."
    ),
    "open": Mount("pki.cli.contract_open", "open_", "Open a delivery with the receiver's key, and check all of it."),
}


@click.command(cls=Mounted, mounts=MOUNTS)
def contract() -> None:
    """Contracts delivered to vehicles: ask for them, make them, right or wrong in one point, and open anybody's."""
