"""Both sides of discovery over real multicast, in a network namespace with pairs of virtual Ethernet interfaces.

Run as a program it plays the cases inside the namespace and prints what it found; the test starts it there.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evcc.discovery import Endpoint, Wanted, discover
from secc.discovery import Responder, choose
from v2g.interface import Interface, InterfaceError
from v2g.sdp import SdpRequest, SdpResponse, Security

NAMESPACE = ("unshare", "-Urn")
PAIRS = (("ev0", "evse0"), ("ev1", "evse1"))
WANTED = Wanted(security=Security.NONE)
WITHIN = 60.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, timeout=10)


async def station(name: str, port: int) -> Responder:
    interface = Interface.named(name)
    address = await interface.address(within=10)

    def offer(request: SdpRequest) -> SdpResponse | None:
        return choose(request, address, tls_port=None, plain_port=port)

    responder = Responder(interface, offer)
    await responder.start()
    return responder


async def connects(found: Endpoint) -> bool:
    """Whether the endpoint, scope id and all, leads to a listener on the station's address."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "::", found.port)
    async with server:
        reader, writer = await asyncio.open_connection(*found.target)
        closed = await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    return closed


def asdict(found: Endpoint) -> dict[str, object]:
    return {"host": found.host, "port": found.port, "scope": found.scope_id, "rivals": list(found.rivals)}


async def second_start(name: str) -> str:
    try:
        await station(name, 50_009)
    except InterfaceError as error:
        return str(error)
    return ""


async def play() -> dict[str, object]:
    """Run all cases; the vehicle's interfaces are up for less than duplicate address detection takes."""
    for ev, evse in PAIRS:
        ip("link", "add", "name", ev, "type", "veth", "peer", "name", evse)
        ip("link", "set", ev, "up")
        ip("link", "set", evse, "up")
    stations = [await station(evse, 50_000 + number) for number, (_, evse) in enumerate(PAIRS)]
    found = [await discover(Interface.named(ev), WANTED) for ev, _ in PAIRS]
    result: dict[str, object] = {
        "found": [asdict(each) for each in found],
        "stations": [str(await Interface.named(evse).address()) for _, evse in PAIRS],
        "scopes": [Interface.named(ev).index for ev, _ in PAIRS],
        "connects": await connects(found[0]),
        "in use": await second_start("evse0"),
    }
    ip("link", "set", "evse0", "down")
    ip("link", "set", "evse0", "up")
    await Interface.named("evse0").address(within=10)
    result["after the link came back"] = asdict(await discover(Interface.named("ev0"), WANTED))
    result["answered"] = [each.counts["answered"] for each in stations]
    for each in stations:
        each.close()
    return result


def permitted() -> bool:
    """Whether this user may make a network namespace with a pair of interfaces in it."""
    command = [*NAMESPACE, "ip", "link", "add", "name", "ev0", "type", "veth", "peer", "name", "evse0"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def test_vehicle_and_station_find_each_other_by_multicast() -> None:
    if not permitted():
        pytest.skip("network namespaces with veth pairs are not permitted here (unshare -Urn)")
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [*NAMESPACE, sys.executable, __file__],
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
        timeout=WITHIN,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    expected = [
        {"host": host, "port": 50_000 + number, "scope": result["scopes"][number], "rivals": []}
        for number, host in enumerate(result["stations"])
    ]
    assert result["found"] == expected
    assert all(host.startswith("fe80::") for host in result["stations"])
    assert result["connects"] is True
    assert "UDP port 15118 on evse0 is in use" in result["in use"]
    assert result["after the link came back"] == expected[0]
    assert result["answered"] == [2, 1]


if __name__ == "__main__":
    json.dump(asyncio.run(play()), sys.stdout)
