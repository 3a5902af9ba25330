"""The demo as a user runs it: `python -m plugcharge demo …`, its picture, its file and its exit status."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
SESSION_S = 3.0
TRIES = 3

BEGINNING = ["SupportedAppProtocol", "SessionSetup", "ServiceDiscovery"]
SELECTION = {"iso2": "PaymentServiceSelection", "din": "ServicePaymentSelection"}
PAYMENT = {
    ("iso2", "contract"): ["PaymentDetails", "Authorization"],
    ("iso2", "external"): ["Authorization"],
    ("din", "external"): ["ContractAuthentication"],
}
SESSIONS = [
    *itertools.product(["iso2"], ["ac", "dc"], ["contract", "external"]),
    ("din", "dc", "external"),
]
POWER = {
    "ac": ["PowerDelivery", "ChargingStatus", "PowerDelivery"],
    "dc": ["CableCheck", "PreCharge", "PowerDelivery", "CurrentDemand", "PowerDelivery", "WeldingDetection"],
}
LOOP = {"ac": "ChargingStatus", "dc": "CurrentDemand"}
WHO = {"contract": "contract DEPCGC00000001V, by the check of its chain", "external": "by the card reader"}


def demo(folder: Path, *options: str) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """Run it in an empty folder; returns what it said and the content of its file."""
    file = folder / "demo.json"
    ended = subprocess.run(
        [sys.executable, "-m", "plugcharge", "demo", "--json", str(file), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    written: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return ended, written


def exchanges(messages: list[list[Any]]) -> list[str]:
    """The pairs of request and response without the repetitions; fails where a response is not that of the request."""
    names = [name for name, _ in messages]
    pairs = list(zip(names[::2], names[1::2], strict=True))
    assert all(response == request.removesuffix("Req") + "Res" for request, response in pairs)
    return [name.removesuffix("Req") for name, _ in itertools.groupby(request for request, _ in pairs)]


def lasted(messages: list[list[Any]]) -> dict[str, float]:
    """Milliseconds from each exchange's first request to the next one's."""
    began: dict[str, float] = {}
    marks: list[tuple[str, float]] = []
    for name, at in messages:
        key = name[:-3]
        if not marks or marks[-1][0] != key:
            marks.append((key, at))
    for (key, at), (_, following) in itertools.pairwise(marks):
        began[key] = began.get(key, 0.0) + following - at
    return began


@pytest.mark.parametrize(("protocol", "energy", "payment"), SESSIONS)
def test_a_car_charges(protocol: str, energy: str, payment: str, tmp_path: Path) -> None:
    spoken = ["--protocol", protocol] if protocol != "iso2" else []
    for _ in range(TRIES):  # a busy machine may have a slow moment; a slow session is slow each time
        ended, told = demo(tmp_path, *spoken, "--energy", energy, "--payment", payment)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        if told["timings"]["session_s"] < SESSION_S:
            break
    assert told["timings"]["session_s"] < SESSION_S
    assert (told["ok"], told["failures"]) == (True, [])
    assert (told["protocol"], told["energy"], told["payment"]) == (protocol, energy, payment)
    authorised = [SELECTION[protocol], *PAYMENT[protocol, payment]]
    expected = [*BEGINNING, *authorised, "ChargeParameterDiscovery", *POWER[energy], "SessionStop"]
    assert exchanges(told["messages"]) == expected
    times = [at for _, at in told["messages"]]
    assert times == sorted(times)
    durations = lasted(told["messages"])
    assert max(durations, key=lambda name: durations[name]) == LOOP[energy]
    assert told["energy_wh"] > 1
    check_limits(told["limits"], contract="DEPCGC00000001V" if payment == "contract" else None)
    check_picture(ended.stdout, expected, WHO[payment])
    assert ended.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == ["demo.json"]  # nothing is left behind


def test_a_car_without_contract_gets_one_and_charges_with_it(tmp_path: Path) -> None:
    ended, told = demo(tmp_path, "--install")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert (told["ok"], told["failures"]) == (True, [])
    assert (told["provisioning"]["outcome"], told["provisioning"]["emaid"]) == ("stored", "DEPCGC00000001V")
    begin = [*BEGINNING, "ServiceDetail", SELECTION["iso2"], "CertificateInstallation"]
    expected = [*begin, *PAYMENT["iso2", "contract"], "ChargeParameterDiscovery", *POWER["ac"], "SessionStop"]
    assert exchanges(told["messages"]) == expected
    check_limits(told["limits"], contract="DEPCGC00000001V")
    check_picture(ended.stdout, expected, WHO["contract"])
    assert "Installed: contract DEPCGC00000001V" in ended.stdout
    assert ended.stderr == ""


def test_only_a_contract_can_be_installed(tmp_path: Path) -> None:
    ended, told = demo(tmp_path, "--install", "--payment", "external")
    assert (ended.returncode, told) == (2, {})
    assert "--install needs --payment contract" in ended.stderr


def check_limits(limits: list[dict[str, Any]], contract: str | None) -> None:
    """In order of their publication, zero first and last, never flowing before they were authorised."""
    assert [each["seq"] for each in limits] == sorted(each["seq"] for each in limits)
    assert len({each["boot"] for each in limits}) == 1
    flowing = [each for each in limits if each["authorised"] and each["max_charge_w"] > 0 and each["max_current_a"] > 0]
    assert flowing
    assert {each.get("contract") for each in flowing} == {contract}
    for nothing in (limits[0], limits[-1]):
        assert (nothing["authorised"], nothing["max_charge_w"], nothing["max_current_a"]) == (False, 0, 0)
        assert "contract" not in nothing
    assert all(each["max_charge_w"] == 0 for each in limits if not each["authorised"])


def check_picture(picture: str, expected: list[str], who: str) -> None:
    drawn = [line for line in picture.splitlines() if "▶" in line]
    assert [line.replace("─", " ").split()[3] for line in drawn] == [f"{name}Req" for name in expected]
    assert who in " ".join(picture.split())
    assert "Limits as the controller saw them" in picture
    assert "Energy metered:" in picture
    assert "Timings: started_s" in picture
    assert "The session went as planned." in picture


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--payment", "external", "--card", "reject"], "no card was accepted in time"),
        (["--energy", "dc", "--fault", "temperature@charge+0.3"], "the charger reports temperature"),
    ],
)
def test_a_session_that_ends_otherwise_is_no_success(options: list[str], reason: str, tmp_path: Path) -> None:
    ended, told = demo(tmp_path, *options)
    assert ended.returncode == 1
    assert told["ok"] is False
    assert any(reason in failure for failure in told["failures"])
    assert f"Not as planned: {next(each for each in told['failures'] if reason in each)}" in ended.stdout
    last = told["limits"][-1]
    assert (last["authorised"], last["max_charge_w"], last["max_current_a"]) == (False, 0, 0)
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("options", [[], ["--energy", "dc"], ["--payment", "external"]])
def test_din_in_ac_or_by_contract_is_refused_before_anything_starts(options: list[str], tmp_path: Path) -> None:
    ended, told = demo(tmp_path, "--protocol", "din", *options)
    assert (ended.returncode, ended.stdout, told) == (1, "", {})
    assert ended.stderr == (
        "Error: --protocol din: DIN 70121 knows neither AC nor contracts; add --energy dc --payment external\n"
    )


def test_an_unknown_fault_is_refused_before_anything_starts(tmp_path: Path) -> None:
    ended, told = demo(tmp_path, "--fault", "fire@1")
    assert (ended.returncode, ended.stdout, told) == (1, "", {})
    assert ended.stderr.startswith("Error: --fault: fault 'fire@1': no kind 'fire'; there are ")


def test_interrupted_it_takes_its_processes_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "plugcharge", "demo", "--charge-s", "60"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert running.stderr is not None
            assert any("ChargingStatusReq" in line for line in running.stdout)
            children = psutil.Process(running.pid).children(recursive=True)
            assert len(children) == 4
            running.terminate()
            assert running.wait(PATIENCE_S) == 1
            said = running.stderr.read()
            assert said.endswith("Error: interrupted; all processes have ended\n")
            assert "Traceback" not in said
        finally:
            running.kill()
    assert [child for child in children if child.is_running()] == []
    assert list(tmp_path.iterdir()) == []
