"""`pki contract issue`: makes the delivery of a contract, right or wrong on purpose."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pki.cli.told import DEFAULT_OUT, PATH, TREE, told

if TYPE_CHECKING:
    from pki.options import Options

_PAIR = (PATH, PATH)
_LIST = "list"


@click.command()
@click.option("--edition", type=click.Choice(["iso2", "iso20", "iso20-ed448"]), help="That of the tree, if left out.")
@click.option(
    "--tree", type=TREE, help=f"The folder of a tree; {DEFAULT_OUT}/iso2, or that of the edition, if left out."
)
@click.option("--config", type=PATH, help="The pki.toml the tree was made by, for its [options].")
@click.option("--emaid", help="The account; if left out, that of the receiver in the tree.")
@click.option("--pcid", help="The receiver, by its provisioning certificate; in -20 also what is protected.")
@click.option("--leaf", metavar="ID", help="The receiver, by its id in the tree.")
@click.option("--receiver", type=PATH, help="The receiver, by a PEM file with its certificate.")
@click.option("--contract", type=_PAIR, metavar="CHAIN KEY", help="Deliver this contract instead of a new one.")
@click.option("--provider", type=_PAIR, metavar="CHAIN KEY", help="Sign as this provider instead of the tree's.")
@click.option("--request", type=PATH, help="Answer this request, - for stdin: EXI, V2GTP, hex, base64, JSON, XML.")
@click.option("--update", is_flag=True, help="A CertificateUpdateRes (-2), for the key of the old contract.")
@click.option("--session", default="00" * 8, metavar="HEX", help="The session id in the header; of a request, its own.")
@click.option(
    "--format", "form", type=click.Choice(["exi", "hex", "base64", "xml", "json"]), help="exi, or hex on a terminal."
)
@click.option("-o", "--output", type=PATH, help="Write here instead of stdout.")
@click.option("--kdf", metavar="NAME", help="Derive the key of the cipher by another variant; `list` tells all.")
@click.option("--aad", metavar="NAME", help="Protect other additional data (-20); `list` tells all.")
@click.option("--padded", is_flag=True, help="Fill an X448 key up to the 133 bytes of the schema (-20).")
@click.option(
    "--experimental", type=click.Choice(["short", "whole"]), help="Allow an Ed448 contract (-20), in a form of ours."
)
@click.option("--deviate", "deviations", multiple=True, metavar="NAME", help="Do something wrong; `list` tells all.")
@told
def issue(
    edition: str | None,
    tree: Path | None,
    config: Path | None,
    form: str | None,
    output: Path | None,
    request: Path | None,
    session: str,
    deviations: tuple[str, ...],
    kdf: str | None,
    aad: str | None,
    experimental: str | None,
    *,
    padded: bool,
    **wishes: Any,
) -> None:
    """Make the delivery of a contract, signed: for a vehicle of a tree, or for the one that sent --request.

    A request that is refused is answered so; the reason goes to stderr and the exit status is 1.
    """
    from pki.contract.document import Form
    from pki.contract.order import Order
    from pki.contract.variants import listed, manner_of

    if _LIST in (kdf, aad, *deviations):
        click.echo("\n".join(listed()))
        return
    chosen = Form(form or ("hex" if output is None and sys.stdout.isatty() else "exi"))
    if chosen is Form.EXI and output is None and sys.stdout.isatty():
        raise click.UsageError("exi is bytes; name a file with -o, or redirect the output")
    folder = tree or DEFAULT_OUT / (edition or "iso2")
    order = Order(
        tree=folder,
        options=_options(config, folder.resolve().name),
        edition=edition or "",
        session_id=_session(session),
        manner=manner_of(kdf, aad, experimental, deviations, padded=padded),
        **wishes,
    )
    document, refused = (order.delivered(), "") if request is None else order.answered(request)
    data = document.written(chosen)
    if output is None:
        click.echo(data, nl=False)
    else:
        from pki.store import write

        write(output, data)
    if refused:
        raise click.ClickException(f"the request is refused: {refused}")


def _options(config: Path | None, name: str) -> Options:
    """The options of the tree of this name."""
    from pki.options import DEFAULT
    from pki.tree import read

    if config is None:
        return DEFAULT
    trees = read(config)
    if name not in trees:
        raise ValueError(f"{config}: declares no tree {name!r}, only {', '.join(trees)}; name the folder of one")
    return trees[name].options


def _session(text: str) -> bytes:
    """Read a session id of up to 8 bytes."""
    try:
        session = bytes.fromhex(text)
    except ValueError:
        session = bytes(9)
    if len(session) > 8:
        raise click.BadParameter(f"{text!r}: up to 16 hexadecimal digits", param_hint="--session")
    return session.ljust(8, b"\0")
