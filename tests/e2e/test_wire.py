"""What real processes say to each other over MQTT is what docs/asyncapi.yaml says, examples and schemas alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from secc import api
from secc.examples import EXAMPLES
from tests.e2e.bay import Bay

pytestmark = pytest.mark.asyncio(loop_scope="module")

COMPONENTS = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text("utf-8"))["components"]
# What examples show and a session of the simulated charger has no cause to say; its schedule has a single step.
NOT_SEEN = {
    api.SECC_LIMITS.name: {"valid_for_s"},
    api.SECC_SERVICE.name: {"selected"},
    api.SECC_PLAN.name: {"source"},
    api.CHARGER_SETUP.name: {"connector", "min_voltage_v"},
    api.CHARGER_LINK.name: {"vehicle_mac", "attenuation_db"},
    api.CHARGER_LIMITS.name: {"max_charge_w", "max_current_a"},
}
SAID = {topic.name: topic for topic in api.TOPICS if topic.writer in {"secc", "charger"}}
ON_DEMAND = {
    each.name
    for each in (
        api.SECC_AUTHORIZATION, api.SECC_CERTIFICATE, api.SECC_OCSP, api.SECC_PLAN_REQUEST, api.SECC_RECEIPT,
        api.CHARGER_AUTHORIZATION, api.CHARGER_PLAN, api.CHARGER_REQUEST,
    )
}  # fmt: skip


def example(topic: str) -> dict[str, Any]:
    found = msgspec.to_builtins(EXAMPLES[topic])
    assert isinstance(found, dict)
    return found


async def test_a_session_says_what_the_document_says(shared: Bay) -> None:
    await shared.charges()
    await shared.peer.hears("secc/session", stage="idle")
    heard = {name: [payload for other, payload, _ in shared.peer.heard if other == name] for name in SAID}
    for name, payloads in heard.items():
        schema = {"$ref": f"#/components/schemas/{SAID[name].payload.__name__}", "components": COMPONENTS}
        for payload in payloads:
            Draft202012Validator(schema).validate(payload)
    if shared.energy == "ac":
        return  # the examples are of DC
    for name in SAID.keys() - ON_DEMAND - {api.SECC_EVENT.name}:
        members = {member for payload in heard[name] for member in payload}
        assert set(example(name)) - members == NOT_SEEN.get(name, set()), name
    limits = next(each for each in heard[api.SECC_LIMITS.name] if each["max_current_a"] > 0)
    assert set(limits["limited_by"]) == set(example(api.SECC_LIMITS.name)["limited_by"])
    assert heard[api.SECC_STATUS.name][-1]["protocols"] == example(api.SECC_STATUS.name)["protocols"]
    sessions = [each for each in heard[api.SECC_SESSION.name] if each["stage"] == "charging"]
    for member in ("stage", "protocol", "payment", "energy_mode", "tls"):
        assert sessions[-1][member] == example(api.SECC_SESSION.name)[member]
    assert len(sessions[-1]["evcc_id"]) == len(example(api.SECC_SESSION.name)["evcc_id"])
    assert len(sessions[-1]["session"]) == len(example(api.SECC_SESSION.name)["session"])
