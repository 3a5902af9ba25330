"""What the PKI costs: chains issued, chains judged, and OCSP answers over HTTP, each beside a peer in the same run.

Peers: OpenSSL's own verification in this process (pyOpenSSL), the `openssl` command as responder, and the commands a
shell script makes a chain with. `--many N` issues N contracts by one command, as a mobility operator would.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import click
import psutil
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from OpenSSL import crypto

import pki.tree
from pki.credentials import load_anchors, load_chain
from pki.issue import Issued, issue
from pki.profiles import Edition
from pki.renewal import bring_up_to_date
from pki.store import Store
from pki.tree import Entry
from pki.validate import Policy, validate
from v2g.trust import Role

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 8
READY_S = 20.0
MANY = """[many]
organization = "Plugcharge test PKI"
country = "DE"
[[many.root]]
kind = "mo"
cn = "MO Root CA"
[[many.branch]]
name = "mo"
under = "mo"
[[many.leaf]]
role = "contract"
id = "fleet-{{n:06}}"
emaid = "DEPCGC{{n:08}}{{check}}"
count = {count}
"""


def _per_second(action: Callable[[], object], seconds: float) -> float:
    """How often an action goes in a second, by the median of ten parts."""
    rates = []
    for _ in range(10):
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < seconds / 10:
            action()
            count += 1
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates)


# --- issuing --------------------------------------------------------------------------------------------------------


def _chain_of(edition: Edition) -> list[Entry]:
    """Root, Sub1, Sub2 and leaf of a contract."""
    entries = {entry.profile.role: entry for entry in pki.tree.read()[edition].entries()}
    return [entries[role] for role in ("mo-root", "mo-sub1", "mo-sub2", Role.CONTRACT)]


def _issue_chain(entries: list[Entry], at: datetime) -> Issued:
    issued: Issued | None = None
    for entry in entries:
        issued = issue(entry, issued, at)
    if issued is None:
        raise ValueError("an empty chain")
    return issued


def _by_script(folder: Path) -> None:
    """A chain as shell scripts make it: a run of `openssl` for each key with its certificate."""
    for name, issuer in (("root", "root"), ("sub1", "root"), ("sub2", "sub1"), ("leaf", "sub2")):
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key"]
        signer = [] if name == issuer else ["-CA", f"{issuer}.pem", "-CAkey", f"{issuer}.key"]
        command = ["openssl", "req", "-x509", *key, "-subj", f"/CN={name}", *signer, "-out", f"{name}.pem"]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)


# --- judging --------------------------------------------------------------------------------------------------------


def _openssl_check(chain: list[bytes], anchors: list[bytes]) -> Callable[[], object]:
    def loaded(der: bytes) -> crypto.X509:
        return crypto.load_certificate(crypto.FILETYPE_ASN1, der)

    def check() -> None:
        store = crypto.X509Store()
        for anchor in anchors:
            store.add_cert(loaded(anchor))
        crypto.X509StoreContext(store, loaded(chain[0]), [loaded(der) for der in chain[1:]]).verify_certificate()

    return check


def _validations(trees: Path, edition: Edition, seconds: float) -> dict[str, float]:
    tree = Store(trees / edition)
    chain, anchors = load_chain(tree.chain("leaf/contract/car1")), load_anchors(tree.trust("mo"))
    policy = Policy(editions=(edition,))
    if not validate(chain, Role.CONTRACT, anchors, policy=policy):
        raise ValueError(f"the chain of {edition} does not hold")
    ours = _per_second(lambda: validate(chain, Role.CONTRACT, anchors, policy=policy), seconds)
    theirs = _per_second(_openssl_check(chain, anchors), seconds)
    return {"per_second": ours, "openssl_per_second": theirs}


# --- OCSP over HTTP -------------------------------------------------------------------------------------------------


@contextmanager
def _process(command: list[str | Path], port: int, folder: Path) -> Iterator[psutil.Process]:
    """A responder that listens, ended with the block."""
    started = subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        _await_port(port, started)
        yield psutil.Process(started.pid)
    finally:
        started.terminate()
        started.wait(10)


def _await_port(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until it listens; a connection that asks nothing would keep `openssl ocsp` from serving another."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        found = psutil.Process(process.pid).net_connections("tcp")
        if any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in found):
            return
        time.sleep(0.05)
    raise RuntimeError("the responder does not listen")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _asked(port: int, path: str, body: bytes, seconds: float, *, keep: bool) -> int:
    """Ask one question after another over `CONNECTIONS` connections, or over a new one each time; the answers got.

    New connections come one by one: the `openssl` command serves no more.
    """
    version = f"1.1\r\nHost: 127.0.0.1:{port}" if keep else "1.0"
    head = (
        f"POST {path} HTTP/{version}\r\nContent-Type: application/ocsp-request\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    end = time.perf_counter() + seconds

    async def one() -> int:
        count, reader, writer = 0, None, None
        while time.perf_counter() < end:
            if reader is None or writer is None:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + body)
            async with asyncio.timeout(READY_S):
                answer = await _answer(reader)
            if ocsp.load_der_ocsp_response(answer).response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
                raise ValueError("an OCSP answer that is none")
            count += 1
            if not keep:
                writer.close()
                reader = writer = None
        return count

    return sum(await asyncio.gather(*(one() for _ in range(CONNECTIONS if keep else 1))))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = next((line for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b"")
    return await reader.readexactly(int(length.partition(b":")[2]))


def _question(tree: Store) -> bytes:
    leaf, issuer = (tree.load_certificate(place) for place in ("leaf/contract/car1", "ca/mo/sub2"))
    request = ocsp.OCSPRequestBuilder().add_certificate(leaf, issuer, hashes.SHA1()).build()
    return request.public_bytes(Encoding.DER)


def _load(
    process: psutil.Process, port: int, path: str, body: bytes, seconds: float, *, keep: bool
) -> dict[str, float]:
    asyncio.run(_asked(port, path, body, 0.3, keep=keep))
    before, began = process.cpu_times(), time.perf_counter()
    count = asyncio.run(_asked(port, path, body, seconds, keep=keep))
    passed, after = time.perf_counter() - began, process.cpu_times()
    cpu = after.user + after.system - before.user - before.system
    return {"per_second": count / passed, "cpu_us": 1e6 * cpu / count, "per_core_second": count / cpu if cpu else 0.0}


def _responses(trees: Path, seconds: float) -> dict[str, Any]:
    tree, port = Store(trees / "iso2"), _free_port()
    body = _question(tree)
    with _process([sys.executable, "-m", "pki", "serve", "--out", trees, "--port", str(port)], port, trees) as process:
        kept = _load(process, port, "/iso2/ocsp", body, seconds, keep=True)
        anew = _load(process, port, "/iso2/ocsp", body, seconds, keep=False)
    return {"kept": kept, "anew": anew, "openssl": _responses_of_openssl(tree, trees, body, seconds)}


def _responses_of_openssl(tree: Store, folder: Path, body: bytes, seconds: float) -> dict[str, float] | None:
    """The `openssl` command as responder: an index of one certificate, a connection for each answer."""
    if shutil.which("openssl") is None:
        return None
    certificate = tree.load_certificate("leaf/contract/car1")
    end = certificate.not_valid_after_utc.strftime("%y%m%d%H%M%SZ")
    (folder / "index.txt").write_text(f"V\t{end}\t\t{certificate.serial_number:X}\tunknown\t/CN=car1\n")
    signer, port = "leaf/mo-ocsp/sub2", _free_port()
    command: list[str | Path] = ["openssl", "ocsp", "-index", "index.txt", "-port", str(port), "-ndays", "1"]
    command += ["-CA", tree.certificate("ca/mo/sub2"), "-rsigner", tree.certificate(signer)]
    with _process([*command, "-rkey", tree.key(signer)], port, folder) as process:
        return _load(process, port, "/", body, seconds, keep=False)


# --- many contracts -------------------------------------------------------------------------------------------------


def _many(count: int, folder: Path) -> float:
    """Seconds for one command that issues so many contracts."""
    declaration = folder / "many.toml"
    declaration.write_text(MANY.format(count=count))
    command = [sys.executable, "-m", "pki", "init", "--config", str(declaration), "--out", str(folder / "many")]
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})
    passed = time.perf_counter() - began
    made = sum(1 for _ in (folder / "many/many/leaf/contract").iterdir())
    if made != count:
        raise RuntimeError(f"{made} contracts instead of {count}")
    return passed


def _measure(trees: Path, seconds: float, many: int) -> dict[str, Any]:
    for name, tree in pki.tree.read().items():
        bring_up_to_date(tree, Store(trees / name))
    editions = (Edition.ISO2, Edition.ISO20, Edition.ISO20_ED448)
    now = datetime.now(UTC) - timedelta(minutes=1)
    figures: dict[str, Any] = {"chains_per_second": {}, "validations": {}}
    for edition in editions:
        entries = _chain_of(edition)
        figures["chains_per_second"][edition.value] = _per_second(partial(_issue_chain, entries, now), seconds)
        figures["validations"][edition.value] = _validations(trees, edition, seconds)
    if shutil.which("openssl"):
        figures["chains_per_second_by_script"] = _per_second(lambda: _by_script(trees), seconds)
    figures["ocsp"] = _responses(trees, seconds)
    figures["many"] = {"count": many, "seconds": _many(many, trees)}
    return figures


def _print(figures: dict[str, Any]) -> None:
    script = figures.get("chains_per_second_by_script")
    for edition, rate in figures["chains_per_second"].items():
        beside = f", {rate / script:,.0f} x a script of openssl commands" if script and edition == Edition.ISO2 else ""
        click.echo(f"issue a chain of four, {edition:12} {rate:9,.0f} /s{beside}")
    for edition, each in figures["validations"].items():
        ours, theirs = each["per_second"], each["openssl_per_second"]
        click.echo(
            f"judge a chain,         {edition:12} {ours:9,.0f} /s, OpenSSL {theirs:,.0f} /s ({ours / theirs:.2f} x)"
        )
    ours, theirs = figures["ocsp"]["kept"], figures["ocsp"]["openssl"]
    click.echo(
        f"OCSP over HTTP, one process        {ours['per_second']:9,.0f} /s, "
        f"{ours['per_core_second']:,.0f} per second of a core"
    )
    anew = figures["ocsp"]["anew"]
    beside = f", openssl ocsp {theirs['per_second']:,.0f} /s" if theirs else ""
    click.echo(f"  with a new connection each       {anew['per_second']:9,.0f} /s{beside}")
    many = figures["many"]
    rate = many["count"] / many["seconds"]
    click.echo(f"{many['count']:,} contracts by one command    {many['seconds']:9.1f} s, {rate:,.0f} /s")


@click.command()
@click.option("--seconds", default=2.0, show_default=True, help="How long each rate is measured.")
@click.option("--many", default=10_000, show_default=True, help="How many contracts one command issues.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there, too.")
def main(seconds: float, many: int, file: Path | None) -> None:
    """Measure the PKI on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        figures = _measure(Path(folder), seconds, many)
    _print(figures)
    if file is not None:
        file.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
