"""The AsyncAPI document: equal to what the code says, whole in itself, and true for what is really accepted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from secc import api

FILE = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))


def names(kind: str) -> list[str]:
    return sorted(DOCUMENT[kind])


def resolve(reference: str) -> dict[str, Any]:
    """Follow a reference inside the document."""
    assert reference.startswith("#/")
    found: Any = DOCUMENT
    for part in reference[2:].split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]})


def test_the_file_is_what_the_code_says() -> None:
    made = subprocess.run([sys.executable, "-m", "secc.asyncapi"], capture_output=True, check=True, text=True)
    assert yaml.safe_load(made.stdout) == DOCUMENT, "run: python -m secc.asyncapi > docs/asyncapi.yaml"


def test_a_running_station_does_not_load_it() -> None:
    code = "import sys, secc.controller; sys.exit(any(name in sys.modules for name in ('secc.asyncapi', 'yaml')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_head() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"]["title"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", DOCUMENT["info"]["version"])
    assert set(DOCUMENT) <= {
        "asyncapi",
        "info",
        "servers",
        "channels",
        "operations",
        "components",
        "defaultContentType",
    }


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        resolve(reference)


@pytest.mark.parametrize("name", names("channels"))
def test_a_channel_is_well_formed(name: str) -> None:
    channel = DOCUMENT["channels"][name]
    assert re.fullmatch(r"plugcharge/v1/\{evse\}/(secc|charger|backend|cable)(/[a-z]+)+", channel["address"])
    assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])
    assert len(channel["messages"]) == 1
    (message,) = channel["messages"].values()
    assert resolve(message["$ref"])["payload"]["$ref"].startswith("#/components/schemas/")


def test_every_topic_has_one_channel() -> None:
    addresses = [channel["address"].removeprefix("plugcharge/v1/{evse}/") for channel in DOCUMENT["channels"].values()]
    assert sorted(addresses) == sorted(topic.name for topic in api.TOPICS)


@pytest.mark.parametrize("name", names("operations"))
def test_an_operation_is_well_formed(name: str) -> None:
    operation = DOCUMENT["operations"][name]
    channel = resolve(operation["channel"]["$ref"])
    branch = channel["address"].split("/")[3]
    assert operation["action"] == {"secc": "send", "charger": "receive", "backend": "receive"}[branch]
    (message,) = operation["messages"]
    assert message["$ref"].startswith(operation["channel"]["$ref"] + "/messages/")
    assert operation["bindings"]["mqtt"]["qos"] in {0, 1}


def test_the_station_uses_every_channel_but_the_cable() -> None:
    used = {operation["channel"]["$ref"].removeprefix("#/channels/") for operation in DOCUMENT["operations"].values()}
    assert set(DOCUMENT["channels"]) - used == {"cableVehicle", "cableCharger"}


def test_quality_and_retention_are_as_designed() -> None:
    """QoS 0 for what is repeated anyway; retained is what is a state."""
    bindings = {name: operation["bindings"]["mqtt"] for name, operation in DOCUMENT["operations"].items()}
    assert {name for name, binding in bindings.items() if binding["qos"] == 0} == {
        "sendSeccHeartbeat",
        "sendSeccTarget",
        "receiveChargerHeartbeat",
        "receiveChargerMeasurement",
    }
    assert {name for name, binding in bindings.items() if binding["retain"]} == {
        *(f"sendSecc{name}" for name in ("Status", "Session", "Limits", "Permit", "Vehicle", "Service", "Plan")),
        *(f"receiveCharger{name}" for name in ("Status", "Setup", "State", "Link", "Limits", "Meter")),
    }


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_a_schema_is_a_schema(name: str) -> None:
    schema = DOCUMENT["components"]["schemas"][name]
    Draft202012Validator.check_schema(schema)
    assert set(schema.get("required", ())) <= set(schema["properties"])


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_member_is_described(name: str) -> None:

    members = DOCUMENT["components"]["schemas"][name]["properties"]
    assert [member for member, schema in members.items() if not schema.get("description")] == []


def test_descriptions_belong_to_their_member() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Limits"]["properties"]["boot"] == schemas["Setup"]["properties"]["boot"]
    assert schemas["Limits"]["properties"]["boot"]["description"].startswith("Random per process start")
    assert "phase that carries most" in schemas["Measurement"]["properties"]["current_a"]["description"]


@pytest.mark.parametrize("topic", api.TOPICS, ids=lambda topic: str(topic.name))
def test_examples_are_valid_and_accepted(topic: api.Topic[Any]) -> None:
    message = next(
        resolve(channel["messages"][topic.payload.__name__]["$ref"])
        for channel in DOCUMENT["channels"].values()
        if channel["address"].endswith("/" + topic.name)
    )
    for example in message["examples"]:
        validator(topic.payload.__name__).validate(example["payload"])
        msgspec.json.decode(json.dumps(example["payload"]), type=topic.payload)


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        ("Beat", {"boot": "c"}),
        ("Beat", {"boot": "", "counter": 1}),
        ("Beat", {"boot": "c", "counter": -1}),
        ("ChargerStatus", {"seq": 1, "time": "t", "state": "online"}),
        ("ChargerStatus", {"boot": "c", "seq": 1, "time": "t", "state": "away"}),
        ("Measurement", {"boot": "c", "sample": 1, "voltage_v": 5001, "current_a": 0}),
        ("Ack", {"boot": "c", "result": "maybe"}),
    ],
)
def test_schemas_refuse_what_is_wrong(schema: str, payload: dict[str, Any]) -> None:
    assert not validator(schema).is_valid(payload)
