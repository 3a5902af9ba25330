"""Our own programs in a session: broker, simulated controller and SECC as the station, the emulator as the vehicle."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.interop.josev import Payment, Session
from tests.interop.namespace import ROOT, STATION, VEHICLE
from tests.interop.process import Program
from v2g.timing import REQUESTS

CHARGE_S = 2.0
RECORD = "charger.jsonl"
RESULT = "evcc-result.json"
WALLET = "wallet"
PLAN = "10000 3600:7000 / 5000"
# A planner nobody waits for is late: the vehicle is offered something, and renegotiates when it charges.
WANTS = {
    "": "",
    "receipts": '\n[receipts]\nevery_s = 60.0\nfolder = "receipts"\n',
    "renegotiation": '\n[plan]\nsource = "backend"\nwait_s = 0.0\n',
}
# Josev's codec needs up to half a second for a message, and the standard gives a quarter of one in the loop.
PATIENCE = "\n[timeouts]\n" + "".join(f"{name} = 20.0\n" for name in REQUESTS)
# Josev's simulated supply measures 1 V and 1 A whatever is asked of it: only a battery near that can be precharged.
FLAT_BATTERY = "\n[battery]\nempty_v = 5.0\nfull_v = 10.0\n"


def _program(name: str, folder: Path, *command: str, **how: Any) -> Program:
    return Program(
        name=name,
        command=[sys.executable, "-m", *command],
        folder=folder,
        environment={"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        **how,
    )


def _write(file: Path, text: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return str(file)


def paid(payment: Payment) -> str:
    """What is told of a payment, however the contract came about."""
    return "external" if payment == "external" else "contract"


def station(folder: Path, pki: Path, session: Session) -> list[Program]:
    """Our station on s0, for a foreign vehicle; what its controller received is kept in `charger.jsonl`."""
    protocol, energy, payment, _, wants = session
    leaf, roots = pki / "iso2" / "leaf" / "secc" / "evse1", pki / "iso2" / "trust"
    trusted = f"""
[tls]
chain = {json.dumps(str(leaf / "chain.pem"))}
key = {json.dumps(str(leaf / "key.pem"))}

[trust]
contract = [{json.dumps(str(roots / "mo.pem"))}]

[provisioning]
install = {json.dumps(payment == "install")}
"""
    plain = "\n[tls]\nrequired = false\n"
    head = f'[[evse]]\nid = "1"\ninterface = "{STATION}"\n'
    spoken = f'\n[session]\nprotocols = ["{protocol}"]\n'
    paying = plain if payment == "external" else trusted
    config = _write(folder / "secc.toml", head + paying + spoken + WANTS[wants])
    broker = _write(folder / "mosquitto.conf", "listener 1883 127.0.0.1\nallow_anonymous true\n")
    simulate = ["secc", "simulate", "--energy", energy, "--cable", "none", "--record", RECORD, "-v"]
    backend = ["secc", "simulate-backend", "--evse", "1", "--tree", str(pki / "iso2"), "--plan", PLAN]
    operator = [_program("operator", folder, *backend, ready="connected to the broker")]
    return [
        Program(name="mosquitto", command=["mosquitto", "-c", broker], folder=folder, ready="running"),
        _program("simulator", folder, *simulate, ready="connected to the broker"),
        *(operator if payment == "install" or wants == "renegotiation" else []),
        _program(
            "secc", folder, "secc", "run", "--config", config, "-v", ready="connected to", done=["ending=terminated"]
        ),
    ]


def vehicle(folder: Path, pki: Path, session: Session) -> list[Program]:
    """Our vehicle on e0, without a cable to a simulator; its result is kept in `evcc-result.json`."""
    protocol, energy, payment, more, _ = session
    role = "oem-provisioning" if payment == "install" else "contract"
    leaf, roots = pki / "iso2" / "leaf" / role / "car1", pki / "iso2" / "trust"
    trusted = f"""
[tls]
roots = [{json.dumps(str(roots / "v2g.pem"))}]

[{"provisioning" if payment == "install" else "contract"}]
chain = {json.dumps(str(leaf / "chain.pem"))}
key = {json.dumps(str(leaf / "key.pem"))}
"""
    if payment == "install":
        trusted += f'wallet = "{WALLET}"\nroots = [{json.dumps(str(roots / "mo.pem"))}]\n'
    security = "none" if payment == "external" else "tls"
    mode = {"ac": "ac3", "dc": "dc"}[energy]
    head = f'[network]\ninterface = "{VEHICLE}"\nsecurity = "{security}"\n'
    plan = f'\n[plan]\nprotocols = ["{protocol}"]\nenergy = "{mode}"\npayment = "{paid(payment)}"\n'
    plan += f"charge_s = {CHARGE_S}\n{more}\n"
    battery = FLAT_BATTERY if energy == "dc" else ""
    config = _write(folder / "evcc.toml", head + plan + battery + PATIENCE + ("" if payment == "external" else trusted))
    return [_program("evcc", folder, "evcc", "run", "--config", config, "--json", RESULT, "-v", ends=True)]
