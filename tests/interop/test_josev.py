"""Sessions between us and Josev, each in a network namespace of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.interop import josev, namespace, ours

pytestmark = pytest.mark.interop

SCENARIO_S = 150.0
sessions = pytest.mark.parametrize(
    ("protocol", "energy", "payment"),
    [
        ("iso2", "ac", "external"),
        ("iso2", "ac", "contract"),
        ("iso2", "dc", "contract"),
        ("iso2", "ac", "install"),
        ("din", "dc", "external"),
    ],
)


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


class Stage:
    """Plays sessions with one PKI and keeps what the programs write in one folder."""

    def __init__(self, pki: Path, folder: Path) -> None:
        self._pki = pki
        self.folder = folder

    def play(self, **parts: str) -> None:
        """Play one session; a program that misses its good end is an error with that program's last lines."""
        options = [word for name, value in parts.items() for word in (f"--{name}", value)]
        places = ["--pki", str(self._pki), "--folder", str(self.folder)]
        played = namespace.inside("tests.interop.scenario", *options, *places, timeout=SCENARIO_S)
        assert played.returncode == 0, played.stdout + played.stderr


@pytest.fixture
def stage(pki: Path, tmp_path: Path) -> Stage:
    return Stage(pki, tmp_path)


@sessions
def test_our_station_charges_josevs_vehicle(protocol: str, energy: str, payment: josev.Payment, stage: Stage) -> None:
    """The vehicle charges, and the controller receives limits that are authorised, and at the end zero."""
    stage.play(station="ours", vehicle="josev", protocol=protocol, energy=energy, payment=payment)
    lines = [json.loads(line) for line in (stage.folder / ours.RECORD).read_text(encoding="utf-8").splitlines()]
    limits = [line["limits"] for line in lines if "limits" in line]
    authorised = [each for each in limits if each["authorised"]]
    assert max(each["max_charge_w"] for each in authorised) > 0
    assert all(("contract" in each) == (ours.paid(payment) == "contract") for each in authorised)
    delivered = [
        line["event"]["reason"] for line in lines if line.get("event", {}).get("kind") == "certificate_delivered"
    ]
    assert delivered == (["install"] if payment == "install" else [])
    assert not limits[-1]["authorised"]
    assert limits[-1]["max_charge_w"] == limits[-1]["max_current_a"] == 0
    end = lines[-1]["end"]
    assert (end["contactor"], end["faults"]) == ("open", [])
    assert end["energy_wh"] > 0


def test_josevs_vehicle_signs_receipts(stage: Stage) -> None:
    """Signed by one implementation, and verified and kept by another."""
    stage.play(station="ours", vehicle="josev", protocol="iso2", energy="ac", payment="contract", wants="receipts")
    [kept] = (stage.folder / "receipts").iterdir()
    receipt = json.loads(kept.read_text(encoding="utf-8"))
    assert receipt["accepted"]
    assert receipt["contract"]
    assert answered(stage).count("MeteringReceiptRes") == 1


def test_josevs_vehicle_renegotiates_for_a_plan_with_tariffs(stage: Stage) -> None:
    """In AC, the only place where it does what a station asks for."""
    stage.play(station="ours", vehicle="josev", protocol="iso2", energy="ac", payment="contract", wants="renegotiation")
    answers = answered(stage)
    assert answers.count("ChargeParameterDiscoveryRes") == 2
    assert answers.count("PowerDeliveryRes") == 4  # Start, Renegotiate, Start, Stop
    lines = [json.loads(line) for line in (stage.folder / ours.RECORD).read_text(encoding="utf-8").splitlines()]
    assert "tariff_dropped" not in [line["event"]["kind"] for line in lines if "event" in line]
    assert any(line["limits"]["max_charge_w"] in (10_000, 5_000) for line in lines if "limits" in line)


def answered(stage: Stage) -> list[str]:
    """The responses that Josev's vehicle received."""
    return re.findall(r"(\w+Res) received", (stage.folder / "josev-evcc.log").read_text(encoding="utf-8"))


@sessions
def test_our_vehicle_charges_at_josevs_station(
    protocol: str, energy: str, payment: josev.Payment, stage: Stage
) -> None:
    """The vehicle's own account: it paid as planned, over TLS where a contract paid, and energy flowed."""
    stage.play(station="josev", vehicle="ours", protocol=protocol, energy=energy, payment=payment)
    result = json.loads((stage.folder / ours.RESULT).read_text(encoding="utf-8"))
    assert result["ok"]
    assert (result["protocol"], result["payment"]) == (protocol, ours.paid(payment))
    assert bool(result["tls"]) == (payment != "external")
    assert (result["provisioning"] or {}).get("outcome") == ("stored" if payment == "install" else None)
    assert result["energy_wh"] > 0


@pytest.mark.parametrize("energy", ["ac", "dc"])
def test_our_vehicle_renegotiates_and_pauses_at_josevs_station(energy: str, stage: Stage) -> None:
    """Josev closes the connection 5 s after a pause, and hears discovery again after that."""
    plan = "renegotiate_after_s = 0.5\npause_after_s = 1.0\npause_s = 9.0"
    stage.play(station="josev", vehicle="ours", protocol="iso2", energy=energy, payment="contract", plan=plan)
    result = json.loads((stage.folder / ours.RESULT).read_text(encoding="utf-8"))
    assert result["ok"]
    assert [(each["joined"], each["ended"]) for each in result["sessions"]] == [(False, "paused"), (True, "stopped")]
    asked = [each["request"] for each in result["exchanges"]]
    powers = [each for place, each in enumerate(asked) if each == "PowerDeliveryReq" and asked[place - 1] != each]
    assert len(powers) == 6  # Start, Renegotiate, Start, Stop; Start, Stop


def test_josev_charges_itself(stage: Stage) -> None:
    """Proves the harness: when this fails too, the machine is at fault and not our code."""
    stage.play(station="josev", vehicle="josev", protocol="iso2", energy="dc", payment="contract")
