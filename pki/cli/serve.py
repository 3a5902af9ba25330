"""`pki serve`: runs the servers around the trees until interrupted."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import click
import uvicorn

from pki.cli.told import DEFAULT_OUT, FOLDER, PATH, mention_own, told
from pki.serve import listener, login
from pki.serve.app import application
from pki.serve.misbehaviour import MISBEHAVIOURS, parse
from pki.serve.server import Server, made
from pki.serve.state import State
from pki.tree import read

HOST = "127.0.0.1"
PORT = 8317
_KEEP_ALIVE_S = 15
_EXPOSED = """\
*** These servers answer at {host}: whoever reaches them is told the status of test certificates at any time he names,
*** and enrols with a secret. Nothing of worth must trust these CAs. Administration stays with this machine."""


@click.command()
@click.option("--config", type=PATH, help="The pki.toml the trees were made by; the built-in one if left out.")
@click.option("--out", type=FOLDER, default=DEFAULT_OUT, show_default=True, help="Where the trees lie.")
@click.option("--host", default=HOST, show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0: any that is free.")
@click.option("--expose", is_flag=True, help="Allow another address than this machine's own.")
@click.option("--database", envvar="PLUGCHARGE_PKI_DATABASE", help="URL of the state; OUT/serve.sqlite3 if left out.")
@click.option("--misbehave", multiple=True, metavar="SERVICE:NAME[@CERTIFICATE]", help="Switch on; may be repeated.")
@click.option("--misbehaviours", is_flag=True, help="Print what can be switched on, and serve nothing.")
@click.option("--delay", "delay_s", type=click.FloatRange(0, 3600), default=5.0, help="Seconds a delayed answer takes.")
@click.option("-v", "--verbose", is_flag=True, help="Log every request.")
@told
def serve(
    config: Path | None,
    out: Path,
    host: str,
    port: int,
    database: str | None,
    misbehave: tuple[str, ...],
    delay_s: float,
    *,
    expose: bool,
    misbehaviours: bool,
    verbose: bool,
) -> None:
    """Serve OCSP, CRLs, EST and contracts of the trees, for laboratories, until interrupted."""
    if misbehaviours:
        _print_misbehaviours()
        return
    switches = [parse(text) for text in misbehave]
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, format="%(name)s %(message)s")
    if listener.check_host(host, expose=expose):
        click.secho(_EXPOSED.format(host=host), err=True, bold=True)
    mention_own(config)
    trees = made(read(config), out)
    with listener.listen(host, port) as listening:
        click.echo(f"{out}: reading", err=True)
        state = State(database or f"sqlite:///{out / 'serve.sqlite3'}")
        server = Server(trees, out, state, delay_s=delay_s)
        if switches:
            state.switch_on(switches)
            state.refresh(server.ledger)
        _announce(server, state, listening)
        _run(server, listening, verbose=verbose)


def _print_misbehaviours() -> None:
    for each in MISBEHAVIOURS:
        click.echo(f"{each.service}:{each.name:20} {each.summary}")


def _announce(server: Server, state: State, listening: socket.socket) -> None:
    """Say where it serves, and the first secret for enrolment, once."""
    base = listener.url(listening)
    if not state.counts()["secrets"]:
        kept, secret = login.make("est")
        state.keep_secret(kept)
        click.echo(f"EST: user est, password {secret} (told this once; PUT {base}/admin/secrets/NAME makes others)")
    for switch in server.ledger.switches:
        click.echo(f"misbehaves: {switch.service}:{switch.name} {switch.certificate}".rstrip())
    click.echo(f"{', '.join(server.trees)}: {base}/")


def _run(server: Server, listening: socket.socket, *, verbose: bool) -> None:
    config = uvicorn.Config(
        application(server),
        access_log=verbose,
        log_level="info" if verbose else "warning",
        log_config=None,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[listening])
