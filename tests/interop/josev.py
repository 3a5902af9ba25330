"""Josev (EcoG-io/iso15118) as the other side of a session: its two programs, their settings and their good ends.

It lives in an environment of its own (`make provision`), since it pins old versions of what we use too.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Literal, NamedTuple

from tests.interop.namespace import STATION, VEHICLE
from tests.interop.process import Program

Energy = Literal["ac", "dc"]
Payment = Literal["contract", "install", "external"]
"""`install`: by a contract that the vehicle gets in the session."""
Protocol = Literal["iso2", "din"]

ENVIRONMENT = Path(os.environ.get("PLUGCHARGE_PEER") or Path(__file__).parents[2] / ".peer")
PYTHON = ENVIRONMENT / "bin" / "python"
JVM = "-Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"  # halves its latency: small heap, one compiler, one collector
TRANSFER_MODE = {"ac": "AC_three_phase_core", "dc": "DC_extended"}
SERVICE = {"ac": "AC", "dc": "DC"}
PROTOCOL = {"iso2": "ISO_15118_2", "din": "DIN_SPEC_70121"}
GOODBYE = {"iso2": "EV requested to terminate", "din": "Communication session stopped successfully"}
LOOP = {"ac": "ChargingStatusRes received", "dc": "CurrentDemandRes received"}
LOOPS = 4


class Session(NamedTuple):
    """What is to be played; `plan` are more lines for the plan of our vehicle, `wants` is what our station adds."""

    protocol: Protocol
    energy: Energy
    payment: Payment
    plan: str = ""
    wants: Literal["", "receipts", "renegotiation"] = ""


def obstacle() -> str:
    """Say why Josev cannot run here; empty when it can."""
    if not PYTHON.exists():
        return f"no Josev in {ENVIRONMENT}: run `make provision`, or set PLUGCHARGE_PEER"
    if shutil.which("java") is None:
        return "no Java on PATH: run `make provision`"
    return ""


def _settings(interface: str, pki: Path, **others: str) -> dict[str, str]:
    return {
        "NETWORK_INTERFACE": interface,
        "PKI_PATH": str(pki / "josev"),
        "LOG_LEVEL": "INFO",
        "MESSAGE_LOG_JSON": "True",
        "ENABLE_TLS_1_3": "False",
        "JAVA_TOOL_OPTIONS": JVM,
        "PYTHONUNBUFFERED": "1",
        **others,
    }


def station(folder: Path, pki: Path, session: Session) -> list[Program]:
    """Josev's station on s0: it offers AC and DC alike, and insists on TLS when a contract is to pay."""
    payment = session.payment
    program = Program(
        name="josev-secc",
        command=[str(PYTHON), "-m", "iso15118.secc.main"],
        folder=folder,
        environment=_settings(
            STATION,
            pki,
            PROTOCOLS=PROTOCOL[session.protocol],
            AUTH_MODES="EIM" if payment == "external" else "EIM,PNC",
            SECC_ENFORCE_TLS=str(payment != "external"),
        ),
        ready="UDP server started",
        done=[GOODBYE[session.protocol]],
        ends=False,
    )
    return [program]


def vehicle(folder: Path, pki: Path, session: Session) -> list[Program]:
    """Josev's vehicle on e0; it pays by contract whenever that is offered over TLS."""
    protocol, energy, payment, *_ = session
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "josev-evcc.json"
    config.write_text(
        json.dumps(
            {
                "supportedProtocols": [PROTOCOL[protocol]],
                "supportedEnergyServices": [SERVICE[energy]],
                "energyTransferMode": TRANSFER_MODE[energy],
                "isCertInstallNeeded": payment == "install",
                "useTls": payment != "external",
                "enforceTls": payment != "external",
                "chargeLoopCycle": LOOPS,
            }
        ),
        encoding="utf-8",
    )
    program = Program(
        name="josev-evcc",
        command=[str(PYTHON), "-m", "iso15118.evcc.main", str(config)],
        folder=folder,
        environment=_settings(VEHICLE, pki),
        done=[
            *(["CertificateInstallationRes received"] if payment == "install" else []),
            *(["PaymentDetailsRes received"] if payment != "external" else []),
            LOOP[energy],
            "SessionStopRes received",
        ],
        ends=False,
    )
    return [program]
