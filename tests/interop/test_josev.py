"""Sessions between us and Josev, each in a network namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop import josev, namespace

pytestmark = pytest.mark.interop

SCENARIO_S = 150.0
# Josev against itself proves the harness: when it fails too, the machine is at fault and not our code.
PAIRS = [("josev", "josev")]
SESSIONS = [("ac", "external"), ("ac", "contract"), ("dc", "contract")]


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One PKI for both sides: our tree in `iso2`, the same certificates as Josev wants them in `josev`."""
    if reason := josev.obstacle() or namespace.obstacle():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("certificates")
    made = ["init", "--out", str(folder)]
    exported = ["export", "--layout", "josev", "--from", str(folder / "iso2"), str(folder / "josev")]
    for command in (made, exported):
        subprocess.run([sys.executable, "-m", "pki", *command], cwd=namespace.ROOT, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("energy", "payment"), SESSIONS, ids="-".join)
@pytest.mark.parametrize(("station", "vehicle"), PAIRS, ids="-".join)
def test_session(station: str, vehicle: str, energy: str, payment: str, pki: Path, tmp_path: Path) -> None:
    """The vehicle charges and both sides end the session in order."""
    parts = ["--station", station, "--vehicle", vehicle, "--energy", energy, "--payment", payment]
    played = namespace.inside(
        "tests.interop.scenario", *parts, "--pki", str(pki), "--folder", str(tmp_path), timeout=SCENARIO_S
    )
    assert played.returncode == 0, played.stdout + played.stderr
