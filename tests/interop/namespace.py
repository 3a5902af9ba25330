"""A network of its own for one test: a fresh namespace in which a charger (s0) and a vehicle (e0) share a cable."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STATION = "s0"
VEHICLE = "e0"
TOOLS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])

# Root makes the namespace directly; everybody else (and root without the capability) inside a user namespace.
WAYS = (["unshare", "-n", "--kill-child"], ["unshare", "-Urn", "--kill-child"])
VETH = ("ip", "link", "add", STATION, "type", "veth", "peer", "name", VEHICLE)


@functools.cache
def _way() -> list[str] | None:
    return next((way for way in WAYS if _works(way)), None)


def _works(way: list[str]) -> bool:
    environment = {**os.environ, "PATH": TOOLS}
    return subprocess.run([*way, *VETH], env=environment, capture_output=True, check=False).returncode == 0


def obstacle() -> str:
    """Say why no namespace can be made here; empty when it can."""
    for tool, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(tool, path=TOOLS) is None:
            return f"{tool} is missing: apt-get install {package}"
    return "" if _way() else "this machine lets nobody make a network namespace with a veth pair"


def inside(module: str, *options: str, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run one of the tests' modules in a fresh namespace, which is empty until the module lays the cable."""
    way = _way()
    assert way is not None, obstacle()
    return subprocess.run(
        [*way, sys.executable, "-m", module, *options],
        cwd=ROOT,
        env={**os.environ, "PATH": TOOLS},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def lay_cable() -> None:
    """Join the two interfaces; called inside the namespace, once. Their link-local addresses work at once."""
    subprocess.run(VETH, check=True)
    for end in (STATION, VEHICLE):
        # Duplicate address detection would keep the addresses unusable for two seconds.
        Path(f"/proc/sys/net/ipv6/conf/{end}/accept_dad").write_text("0", encoding="ascii")
    for end in ("lo", STATION, VEHICLE):
        subprocess.run(["ip", "link", "set", end, "up"], check=True)
