"""`pki contract open`: opens a delivery with the receiver's key and tells the outcome of every check."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pki.cli.told import PATH, told

if TYPE_CHECKING:
    from pki.contract.opening import Findings
    from pki.keys import PrivateKey


@click.command("open")
@click.argument("file", type=PATH)
@click.option(
    "--key", type=PATH, required=True, help="The receiver's private key: of its provisioning, or the old contract."
)
@click.option("--password", help="The password of the key.")
@click.option("--certificate", type=PATH, help="The receiver's certificate; cert.pem beside the key if left out.")
@click.option("--pcid", help="The receiver's PCID, for -20; the CN of its certificate if left out.")
@click.option(
    "--trust", type=PATH, multiple=True, help="PEM files of trust anchors; those of the key's tree if left out."
)
@click.option("--tolerant", is_flag=True, help="Accept what opens by a variant that is not the standard's, too.")
@click.option("--rooted", is_flag=True, help="Demand that the root of the contract is known, too.")
@click.option("--at", type=click.DateTime(), help="The time to judge by, UTC; now if left out.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option("--key-out", type=PATH, help="Write the contract's key here, readable by you alone.")
@click.pass_context
@told
def open_(
    context: click.Context,
    file: Path,
    key: Path,
    password: str | None,
    certificate: Path | None,
    pcid: str | None,
    trust: tuple[Path, ...],
    at: datetime | None,
    key_out: Path | None,
    *,
    rooted: bool,
    tolerant: bool,
    as_json: bool,
) -> None:
    """Open the delivery in FILE, or - for stdin, and make every check of a vehicle, whatever the others say.

    FILE holds a CertificateInstallationRes or CertificateUpdateRes as EXI, V2GTP, hex, base64, JSON or XML. All known
    variants of key derivation and additional data are tried, and which fitted is told. The exit status is 1 unless
    all checks hold and, but for --tolerant, the variants are the standard's. A key that is not that of the contract
    certificate is never written.
    """
    from pki.contract import document
    from pki.contract.opening import open_delivery
    from pki.contract.recipient import Recipient, load_receiver_key
    from pki.credentials import load_anchors
    from v2g.keywrap.derivation import DERIVATIONS

    receiver = load_receiver_key(key, password.encode() if password else None)
    recipient = Recipient(
        key=receiver, pcid=_pcid(key, certificate) if pcid is None else pcid, derivations=DERIVATIONS, experimental=True
    )
    trust = trust or tuple(sorted(key.resolve().parent.parent.parent.parent.glob("trust/*.pem")))
    anchors = [anchor for each in trust for anchor in load_anchors(each)]
    opening = open_delivery(
        document.load(file), recipient, anchors, rooted=rooted, at=at.replace(tzinfo=UTC) if at else None
    )
    findings = opening.findings
    accepted = findings.tolerable if tolerant else findings.accepted
    if as_json:
        import msgspec

        told = {"deviations": findings.deviations, "accepted": accepted}
        click.echo(json.dumps(msgspec.to_builtins(findings) | told, indent=2))
    else:
        click.echo("\n".join(_lines(findings, tolerant=tolerant)))
    if key_out is not None and opening.key is not None:
        _write(key_out, opening.key)
    if not accepted or (key_out is not None and opening.key is None):
        context.exit(1)


def _pcid(key: Path, certificate: Path | None) -> str:
    """The CN of the receiver's certificate; empty where there is none."""
    from pki.certificate import read
    from pki.credentials import load_chain

    beside = key.with_name("cert.pem")
    if certificate is None and not beside.is_file():
        return ""
    return read(load_chain(certificate or beside)[0]).common_name


def _lines(findings: Findings, *, tolerant: bool) -> list[str]:
    """What to tell people."""
    size = f", {findings.size} bytes" if findings.size else ""
    lines = [f"{findings.message} of {findings.schema}{size}, {findings.code}"]
    lines += [f"{'ok' if check.holds else 'FAILED':8}{check.check:16}{check.detail}" for check in findings.checks]
    if findings.form:
        lines.append(f"{'note':8}{'form':16}{findings.form}: an experiment, as no free source tells the standard's")
    if findings.accepted:
        return [*lines, "accepted: a vehicle may take it"]
    if findings.tolerable:
        other = ", ".join(findings.deviations)
        verdict = "accepted, as --tolerant says" if tolerant else "not accepted, unless with --tolerant"
        return [*lines, f"{verdict}: it has {other}, and a vehicle that knows the standard alone refuses it"]
    first = next((str(check.check) for check in findings.checks if not check.holds), findings.code)
    return [*lines, f"not accepted: a vehicle stops at {first}"]


def _write(path: Path, key: PrivateKey) -> None:
    """Write a key that is not there yet."""
    from pki.keys import pkcs8
    from pki.store import PRIVATE, write

    if path.exists():
        raise ValueError(f"{path}: exists; name another file, or remove it")
    write(path, pkcs8(key), PRIVATE)
    click.echo(f"{path}: the contract's private key, readable by you alone", err=True)
