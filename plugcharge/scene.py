"""The scene of the demo: the configuration of each process, and how to read what they left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

EVSE = "demo"
CARD_WAIT_S = 2.0

SIMULATOR = """\
evse = "{evse}"
energy = "{energy}"
card_delay_s = 0.2
record = "{record}"

[broker]
port = {broker_port}
"""

SECC = """\
[[evse]]
id = "{evse}"
interface = "lo"
sdp_port = {sdp_port}

[mqtt]
port = {broker_port}

[tls]
required = {tls_required}
chain = "certs/iso2/leaf/secc/evse1/chain.pem"
key = "certs/iso2/leaf/secc/evse1/key.pem"
root = "certs/iso2/trust/v2g.pem"

[trust]
contract = ["certs/iso2/trust/mo.pem"]

[authorization]
external_wait_s = {card_wait_s}

[provisioning]
install = {install}
"""

EVCC = """\
[network]
interface = "lo"
sdp_port = {sdp_port}
security = "{security}"

[tls]
roots = ["certs/iso2/trust/v2g.pem"]

{contract}

[plan]
protocols = ["{protocol}"]
energy = "{mode}"
payment = "{payment}"
charge_s = {charge_s}

[cable]
port = {broker_port}
evse = "{evse}"
"""


HOLDING = """\
[contract]
chain = "certs/iso2/leaf/contract/car1/chain.pem"
key = "certs/iso2/leaf/contract/car1/key.pem"
"""

INSTALLING = """\
[provisioning]
chain = "certs/iso2/leaf/oem-provisioning/car1/chain.pem"
key = "certs/iso2/leaf/oem-provisioning/car1/key.pem"
wallet = "wallet"
roots = ["certs/iso2/trust/mo.pem"]
"""


class Choice(Protocol):
    """What the demo is to show."""

    @property
    def protocol(self) -> str:
        """`iso2` or `din`, which has no TLS."""

    @property
    def energy(self) -> str:
        """`ac` or `dc`."""

    @property
    def payment(self) -> str:
        """`contract` or `external`."""

    @property
    def install(self) -> bool:
        """Whether the car has no contract yet."""

    @property
    def charge_s(self) -> float:
        """Length of the charge loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Configurations, and where the processes write what they saw."""

    simulator: Path
    secc: Path
    evcc: Path
    record: Path
    result: Path
    tree: Path


def write(folder: Path, choice: Choice, *, broker_port: int, sdp_port: int) -> Files:
    """Write the configurations into `folder`, where the certificates lie too."""
    files = Files(
        simulator=folder / "simulator.toml",
        secc=folder / "secc.toml",
        evcc=folder / "evcc.toml",
        record=folder / "record.jsonl",
        result=folder / "result.json",
        tree=folder / "certs" / "iso2",
    )
    ports: dict[str, Any] = {"evse": EVSE, "broker_port": broker_port, "sdp_port": sdp_port}
    ports["card_wait_s"] = CARD_WAIT_S
    files.simulator.write_text(SIMULATOR.format(energy=choice.energy, record=files.record, **ports), encoding="utf-8")
    plain, install = choice.protocol == "din", str(choice.install).lower()
    files.secc.write_text(SECC.format(tls_required=str(not plain).lower(), install=install, **ports), encoding="utf-8")
    plan: dict[str, Any] = {
        "protocol": choice.protocol,
        "security": "none" if plain else "tls",
        "mode": "dc" if choice.energy == "dc" else "ac3",
        "payment": choice.payment,
        "charge_s": choice.charge_s,
    }
    contract = INSTALLING if choice.install else HOLDING
    files.evcc.write_text(EVCC.format(contract=contract, **plan, **ports), encoding="utf-8")
    return files


def lines(record: Path) -> list[dict[str, Any]]:
    """Read what the controller recorded so far; a line still being written is left out."""
    if not record.exists():
        return []
    whole, _, _ = record.read_text(encoding="utf-8").rpartition("\n")
    return [json.loads(line) for line in whole.splitlines()]


def flowing(limits: dict[str, Any]) -> bool:
    """Whether these limits authorise energy."""
    return bool(limits["authorised"]) and limits["max_charge_w"] > 0


def zero(limits: dict[str, Any]) -> bool:
    """Whether these limits authorise nothing at all."""
    return not limits["authorised"] and limits["max_charge_w"] == 0 and limits["max_current_a"] == 0


def released(state: dict[str, Any]) -> bool:
    """Whether the charger has let the car go, or cannot."""
    return state["plug"] == "A" and (state["lock"] == "unlocked" or bool(state["faults"]))
