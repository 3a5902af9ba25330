"""What the codec costs before the first message is through: time, memory, and what is loaded that may not be needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
VECTORS = json.loads((ROOT / "tests" / "vectors" / "exi.json").read_text())
DC_SESSION = (
    "SessionSetup",
    "ServiceDiscovery",
    "PaymentServiceSelection",
    "Authorization",
    "ChargeParameterDiscovery",
    "CableCheck",
    "PreCharge",
    "PowerDelivery",
    "CurrentDemand",
    "WeldingDetection",
    "SessionStop",
)
MILLISECONDS = 150
MEGABYTES = 25
TRIES = 5

MEASURED = """
import json, sys, time
{program}
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
seconds, kilobytes = time.process_time(), int(peak.split()[1])
print(json.dumps({{"seconds": seconds, "kilobytes": kilobytes, "modules": list(sys.modules), "written": written}}))
"""
CODED = """
from v2g.protocols import schema
for name, data in {messages}:
    codec = schema(name)
    codec.encode(codec.decode(bytes.fromhex(data)))
written = {{
    name: sorted({{cls.__name__ for cls in (*schema(name).library._readers, *schema(name).library._writers)}})
    for name in {names}
}}
"""


def run(program: str) -> dict[str, Any]:
    """Run a program in an interpreter of its own and tell what it cost; the best of some tries."""
    results = []
    for _ in range(TRIES):
        command = [sys.executable, "-c", MEASURED.format(program=program)]
        child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        results.append(json.loads(child.stdout))
    best: dict[str, Any] = min(results, key=lambda result: result["seconds"])
    return best


def coded(messages: list[tuple[str, str]]) -> dict[str, Any]:
    """Decode and encode messages (schema set, hex), the first use of their sets."""
    return run(CODED.format(messages=messages, names=list(dict.fromkeys(name for name, _ in messages))))


def vectors(*roots: str) -> list[tuple[str, str]]:
    names = {f"{root}{way} of random values" for root in roots for way in ("Req", "Res")}
    return [(vector["schema"], vector["hex"]) for vector in VECTORS if vector["name"] in names]


def test_a_dc_session_costs_little_over_a_bare_interpreter() -> None:
    messages = vectors(*DC_SESSION)
    assert len(messages) == 2 * len(DC_SESSION)
    handshake = [("sap", vector["hex"]) for vector in VECTORS if vector["schema"] == "sap"]
    bare, session = run("written = None"), coded(handshake + messages)
    assert (session["seconds"] - bare["seconds"]) * 1e3 < MILLISECONDS
    assert (session["kilobytes"] - bare["kilobytes"]) / 1024 < MEGABYTES
    loaded = {name.split(".")[0] for name in session["modules"]}
    assert not loaded & {"cryptography", "OpenSSL", "ssl", "lxml", "asyncio"}


def test_one_set_of_iso20_loads_no_other_and_writes_no_code_for_another() -> None:
    program = """
from v2g.protocols import schema
from v2g.messages.iso20.common_types import EVSEStatus, MessageHeader, RationalNumber, ResponseCode
from v2g.messages.iso20.dc import DC_PreChargeRes
codec = schema("iso20.dc")
header = MessageHeader(SessionID=bytes(8), TimeStamp=1)
message = DC_PreChargeRes(
    Header=header, ResponseCode=ResponseCode.OK, EVSEPresentVoltage=RationalNumber(Exponent=0, Value=400)
)
assert codec.decode(codec.encode(message)) == message
written = [cls.__name__ for cls in codec.library._readers]
"""
    result = run(program)
    assert {name for name in result["modules"] if name.startswith("v2g.messages.")} == {
        "v2g.messages.app_protocol",
        "v2g.messages.iso20",
        "v2g.messages.iso20.common_types",
        "v2g.messages.iso20.dc",
        "v2g.messages.xmldsig",
    }
    assert sorted(result["written"]) == ["DC_PreChargeRes", "MessageHeader"]


def test_code_grows_with_use() -> None:
    few, many = coded(vectors("SessionSetup")), coded(vectors(*DC_SESSION))
    assert set(few["written"]["iso2"]) == {"V2G_Message", "MessageHeader", "Body", "SessionSetupReq", "SessionSetupRes"}
    assert len(many["written"]["iso2"]) > 3 * len(few["written"]["iso2"])
    assert few["kilobytes"] < many["kilobytes"]
