"""`pki contract request`: makes a vehicle's request for a contract, to be sent to anybody's provisioning service."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pki.cli.told import DEFAULT_OUT, PATH, TREE, told


@click.command()
@click.option("--tree", type=TREE, default=DEFAULT_OUT / "iso2", show_default=True, help="The folder of a tree.")
@click.option("--leaf", metavar="ID", default="car1", show_default=True, help="The vehicle, by its id in the tree.")
@click.option("--vehicle", type=(PATH, PATH), metavar="CHAIN KEY", help="The vehicle, by files instead.")
@click.option(
    "--trust", type=PATH, multiple=True, help="PEM files of the roots it knows; the tree's V2G roots if left out."
)
@click.option(
    "--format", "form", type=click.Choice(["exi", "hex", "base64", "xml", "json"]), help="exi, or hex on a terminal."
)
@click.option("-o", "--output", type=PATH, help="Write here instead of stdout.")
@told
def request(
    tree: Path,
    leaf: str,
    vehicle: tuple[Path, Path] | None,
    trust: tuple[Path, ...],
    form: str | None,
    output: Path | None,
) -> None:
    """Make the CertificateInstallationReq of a vehicle, signed: of -2 or -20, as its provisioning key is."""
    from pki.contract.document import Form
    from pki.contract.request import installation
    from pki.credentials import load_anchors, load_credential
    from pki.store import Store, write

    chosen = Form(form or ("hex" if output is None and sys.stdout.isatty() else "exi"))
    if chosen is Form.EXI and output is None and sys.stdout.isatty():
        raise click.UsageError("exi is bytes; name a file with -o, or redirect the output")
    store, place = Store(tree), f"leaf/oem-provisioning/{leaf}"
    credential = load_credential(*(vehicle or (store.chain(place), store.key(place))))
    roots = [anchor for file in trust or sorted(tree.glob("trust/v2g.pem")) for anchor in load_anchors(file)]
    if not roots:
        raise ValueError(f"{tree}: has no trust/v2g.pem, and a request names the roots it knows; give one with --trust")
    data = installation(credential, roots).written(chosen)
    if output is None:
        click.echo(data, nl=False)
    else:
        write(output, data)
