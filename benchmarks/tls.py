"""What TLS costs: handshakes by a second of a core, each side's share, and what 100 at once do to a charge loop.

Both ends are in this process, on memory buffers, without resumption. The peer in the same run is the `ssl` of the
standard library, with the same certificates, suites and groups. It differs in what it cannot help: its own OpenSSL, no
`trusted_ca_keys` or OCSP request, and no profile of a certificate checked. X448 is not measured: vehicle and station
both prefer P-521, with certificates of Ed448 too.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import click
from OpenSSL import SSL

import pki.tree
from benchmarks import siege
from pki.credentials import load_anchors, load_credential
from pki.relying_party import EDITIONS, RelyingParty
from pki.renewal import bring_up_to_date
from pki.store import Store
from v2g.tls.client_hello import parse
from v2g.tls.context import Generation, Identity, ServerContext, client_context, server_context
from v2g.tls.judgement import Judgement
from v2g.tls.session import Caller, Session
from v2g.tls.suites import ECDHE_CBC, P521, PRESCRIBED
from v2g.trust import Role

PARTS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of handshake, with certificates of a tree."""

    name: str
    tree: str
    generation: Generation


CASES = (
    Case("-2, P-256", "iso2", Generation.ISO2),
    Case("-20, P-521, mutual", "iso20", Generation.ISO20),
    Case("-20, Ed448, mutual", "iso20-ed448", Generation.ISO20),
)


class End(Protocol):
    """One side of a handshake, whoever does it."""

    done: bool

    def go_on(self, data: bytes) -> bytes:
        """Take what arrived, and return what is to be sent."""


@dataclass(slots=True)
class Costs:
    """Seconds of CPU that each side took, and how many handshakes that were."""

    vehicle: float = 0.0
    station: float = 0.0
    count: int = 0

    def told(self) -> dict[str, float]:
        """Figures of one handshake, and of a second in which a core does both sides, or the station's alone."""
        return {
            "vehicle_us": 1e6 * self.vehicle / self.count,
            "station_us": 1e6 * self.station / self.count,
            "per_second": self.count / (self.vehicle + self.station),
            "station_per_second": self.count / self.station,
        }


# --- ours -----------------------------------------------------------------------------------------------------------


class OurVehicle:
    """Our vehicle's side, the station's chain judged by `pki.validate`."""

    def __init__(self, context: Caller, party: RelyingParty) -> None:
        self.session: Session = context.session(Judgement(party.verify, Role.SECC))
        self.done = False

    def go_on(self, data: bytes) -> bytes:
        """Take what arrived, and return what is to be sent."""
        self.session.feed(data)
        self.done = self.done or self.session.handshake()
        return self.session.take()


class OurStation:
    """Our station's side, which reads the hello first, and judges the vehicle in -20."""

    def __init__(self, context: ServerContext, party: RelyingParty) -> None:
        self._context = context
        self._party = party
        self._session: Session | None = None
        self.done = False

    def go_on(self, data: bytes) -> bytes:
        """Take what arrived, and return what is to be sent."""
        session = self._session
        if session is None:
            hello = parse(data)
            if hello is None:
                raise ValueError("a hello in pieces")
            session = self._session = self._context.session(hello, Judgement(self._party.verify, Role.VEHICLE))
        session.feed(data)
        self.done = self.done or session.handshake()
        return session.take()


def _ours(case: Case, tree: Store) -> tuple[Callable[[], End], Callable[[], End]]:
    roots = load_anchors(tree.trust("v2g"))
    makers = load_anchors(tree.trust("oem"))
    party = RelyingParty([*roots, *makers], editions=EDITIONS[case.generation])
    second = case.generation is Generation.ISO20
    server = server_context(_identity(tree, "secc/evse1", roots[0]), client_anchors=makers if second else ())
    vehicle = _identity(tree, "vehicle/car1") if second else None
    client = client_context(roots, identity=vehicle, generations=[case.generation])
    return partial(OurVehicle, client, party), partial(OurStation, server, party)


def _identity(tree: Store, leaf: str, root: bytes | None = None) -> Identity:
    credential = load_credential(tree.chain(f"leaf/{leaf}"), tree.key(f"leaf/{leaf}"))
    return Identity.of(credential.chain, credential.key, root)


# --- the standard library's -----------------------------------------------------------------------------------------


class Standard:
    """Either side by the `ssl` module."""

    def __init__(self, context: ssl.SSLContext, *, station: bool) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._connection = context.wrap_bio(self._incoming, self._outgoing, server_side=station)
        self.done = False

    def go_on(self, data: bytes) -> bytes:
        """Take what arrived, and return what is to be sent."""
        self._incoming.write(data)
        try:
            if not self.done:
                self._connection.do_handshake()
                self.done = True
        except ssl.SSLWantReadError:
            pass
        return self._outgoing.read()


def standard_vehicle(case: Case, tree: Store) -> ssl.SSLContext:
    """Make the standard library offer what a vehicle does, and trust the V2G root."""
    context = _standard(ssl.PROTOCOL_TLS_CLIENT, case)
    context.check_hostname = False
    _trust(context, load_anchors(tree.trust("v2g")))
    if case.generation is Generation.ISO20:
        context.load_cert_chain(tree.chain("leaf/vehicle/car1"), tree.key("leaf/vehicle/car1"))
    return context


def _standard_station(case: Case, tree: Store) -> ssl.SSLContext:
    context = _standard(ssl.PROTOCOL_TLS_SERVER, case)
    context.load_cert_chain(tree.chain("leaf/secc/evse1"), tree.key("leaf/secc/evse1"))
    if case.generation is Generation.ISO20:
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, load_anchors(tree.trust("oem")))
    return context


def _standard(protocol: int, case: Case) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    version = ssl.TLSVersion(PRESCRIBED[case.generation].version)
    context.minimum_version = context.maximum_version = version
    context.options |= ssl.OP_NO_TICKET
    if case.generation is Generation.ISO2:
        context.set_ciphers(ECDHE_CBC.openssl)
    context.set_ecdh_curve("prime256v1" if case.generation is Generation.ISO2 else P521.name)
    return context


def _trust(context: ssl.SSLContext, anchors: list[bytes]) -> None:
    for anchor in anchors:
        context.load_verify_locations(cadata=anchor)


# --- measuring ------------------------------------------------------------------------------------------------------


def _shake(vehicle: Callable[[], End], station: Callable[[], End], costs: Costs) -> None:
    """Do one handshake, and put down what each side took."""
    begun = time.thread_time()
    car = vehicle()
    to_station = car.go_on(b"")
    costs.vehicle += time.thread_time() - begun
    begun = time.thread_time()
    post = station()
    while True:
        to_car = post.go_on(to_station)
        costs.station += time.thread_time() - begun
        if not to_car and post.done:
            break
        begun = time.thread_time()
        to_station = car.go_on(to_car)
        costs.vehicle += time.thread_time() - begun
        if car.done and post.done:
            break
        begun = time.thread_time()
    costs.count += 1


def _costs(vehicle: Callable[[], End], station: Callable[[], End], seconds: float) -> dict[str, float]:
    """Figures of handshakes, each the median of some parts of the time."""
    _shake(vehicle, station, Costs())
    parts = []
    for _ in range(PARTS):
        costs, end = Costs(), time.perf_counter() + seconds / PARTS
        while not costs.count or time.perf_counter() < end:
            _shake(vehicle, station, costs)
        parts.append(costs.told())
    return {name: statistics.median(part[name] for part in parts) for name in parts[0]}


def _handshakes(case: Case, tree: Store, seconds: float) -> dict[str, Any]:
    car, post = standard_vehicle(case, tree), _standard_station(case, tree)
    theirs = partial(Standard, car, station=False), partial(Standard, post, station=True)
    return {"ours": _costs(*_ours(case, tree), seconds), "ssl": _costs(*theirs, seconds)}


def _print(figures: dict[str, Any]) -> None:
    click.echo(f"ours by {figures['openssl']['ours']}, the standard library's ssl by {figures['openssl']['ssl']}")
    click.echo(f"{'handshakes of one core':30}{'both /s':>9}{'station /s':>12}{'station':>11}{'vehicle':>11}")
    for name, each in figures["handshakes"].items():
        for who, row in each.items():
            click.echo(
                f"{name if who == 'ours' else '  ssl':30}{row['per_second']:9,.0f}{row['station_per_second']:12,.0f}"
                f"{row['station_us']:8,.0f} us{row['vehicle_us']:8,.0f} us"
            )
        both, station = (each["ours"][rate] / each["ssl"][rate] for rate in ("per_second", "station_per_second"))
        click.echo(f"{'  ours / ssl':30}{both:9.2f}{station:12.2f}")
    for name, each in figures["siege"].items():
        click.echo(siege.told(name, each))


@click.command()
@click.option("--seconds", default=2.0, show_default=True, help="How long each kind of handshake is measured.")
@click.option("--charge-s", default=8.0, show_default=True, help="Length of the charge loops, besieged or not.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there, too.")
def main(seconds: float, charge_s: float, file: Path | None) -> None:
    """Measure TLS on this machine."""
    figures: dict[str, Any] = {
        "openssl": {"ours": SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode(), "ssl": ssl.OPENSSL_VERSION},
        "handshakes": {},
        "siege": {},
    }
    with tempfile.TemporaryDirectory(prefix="plugcharge-bench-") as folder:
        trees = Path(folder) / "certs"
        for name, tree in pki.tree.read().items():
            bring_up_to_date(tree, Store(trees / name))
        for case in CASES:
            figures["handshakes"][case.name] = _handshakes(case, Store(trees / case.tree), seconds)
        figures["siege"]["no handshakes"] = asyncio.run(siege.measure(Path(folder), None, charge_s))
        for case in CASES[:2]:
            car = standard_vehicle(case, Store(trees / case.tree))
            figures["siege"][case.name] = asyncio.run(siege.measure(Path(folder), car, charge_s))
    _print(figures)
    if file is not None:
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
