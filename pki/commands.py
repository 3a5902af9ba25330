"""Which `pki` commands there are, and where they live."""

from __future__ import annotations

import click

from v2g.mounts import Mount, Mounted

MOUNTS = {
    "init": Mount("pki.cli.init", "init", "Make the trees that pki.toml declares; what is still good stays."),
    "renew": Mount("pki.cli.init", "renew", "Make anew what ends soon; the rest stays as it is."),
    "show": Mount("pki.cli.show", "show", "Print the certificates that are there, with the days left."),
    "report": Mount("pki.cli.report", "report", "Write what is there as one HTML page, and the tree as a picture."),
    "doctor": Mount("pki.cli.doctor", "doctor", "Say what is wrong with certificates, and what to do."),
    "verify": Mount("pki.cli.verify", "verify", "Check a chain as a SECC or EVCC would."),
    "lint": Mount("pki.cli.lint", "lint", "Judge certificates of anybody: files, folders, what a server sends."),
    "break": Mount("pki.cli.break_", "break_", "Make certificates that are wrong in one point."),
    "revoke": Mount("pki.cli.revoke", "revoke", "Revoke a certificate, or lift a hold."),
    "crl": Mount("pki.cli.crl", "crl", "Write the revocation lists of a tree."),
    "export": Mount("pki.cli.export", "export", "Write a tree as another stack wants it."),
    "import": Mount("pki.cli.import_", "import_", "Make a tree of what another stack has."),
    "serve": Mount("pki.cli.serve", "serve", "Serve OCSP, CRLs, EST and contracts, for laboratories.", "serve"),
    "contract": Mount("pki.cli.contract", "contract", "Make and open deliveries of contracts."),
    "id": Mount("pki.cli.id", "identifier", "Tell what an identifier is, and if its check character is right."),
}


@click.command(cls=Mounted, mounts=MOUNTS)
def pki() -> None:
    """The test PKI: make, check and export certificates."""
