"""The AsyncAPI document of the controller interface, derived from `secc.api`; descriptions are read from its source.

`python -m secc.asyncapi > docs/asyncapi.yaml` writes it. It describes the SECC: what it sends and what it receives.
Nothing here is loaded by a running station.
"""

from __future__ import annotations

import ast
import inspect
import json
from itertools import pairwise
from types import ModuleType
from typing import Any

import click
import msgspec

from secc import api
from secc.examples import EXAMPLES
from v2g import cable
from v2g.record import Record

VERSION = "1.0.0"
HEADER = ("boot", "seq", "time")
SCHEMAS = "#/components/schemas/"

DESCRIPTION = """\
What an ISO 15118 station (SECC) and the charger controller of one EVSE tell each other over MQTT 3.1.1 or 5.

One writer per branch: `secc/` is written by the SECC alone, `charger/` by the charger controller, `backend/` by the
operator's side. `cable/` exists on test benches only; the SECC never reads it. The prefix of all topics,
`plugcharge/v1` here, is a setting.

States are retained, carry `boot`, `session`, `seq` and `time`, and are levels, never edges. They count only while
their writer's status is online and its heartbeat with the same `boot` comes: a retained message alone says nothing.
`seq` rises with the states of a process; on one topic, a lower one than the last is late and void. Everything else is
not retained, and refused when it arrives with the retain flag. A payload that breaks its schema changes nothing and is
answered by one `secc/event` of kind `rejected`.

SI units stand in the names. Positive is towards the vehicle. A member that is absent has the default of its schema;
where that is null, it is unknown: never zero and never unlimited. Senders may leave out what has its default.
No deadline is decided by comparing clocks: `deadline_s` and `valid_for_s` count from receipt, `time` is for people.
MQTT carries permission, not safety: the charger's hardware opens by itself.
"""


def document() -> dict[str, Any]:
    """Build the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Plugcharge controller interface",
            "version": VERSION,
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_key(topic): _channel(topic) for topic in api.TOPICS},
        "operations": {_doing(topic): _operation(topic) for topic in api.TOPICS if _verb(topic)},
        "components": {
            "parameters": {
                "evse": {"description": f"The EVSE's name in the tree, `{api.NAME}`.", "examples": ["1", "bay-4"]}
            },
            "messages": {_key(topic): _message(topic) for topic in api.TOPICS},
            "schemas": _schemas(),
        },
    }


def _key(topic: api.Topic[Record]) -> str:
    """Name a topic in camel case: `secc/authorization/request` is `seccAuthorizationRequest`."""
    first, *rest = topic.name.split("/")
    return first + "".join(part.capitalize() for part in rest)


def _verb(topic: api.Topic[Record]) -> str:
    return {"secc": "send", "charger": "receive", "backend": "receive"}.get(topic.writer, "")


def _doing(topic: api.Topic[Record]) -> str:
    """Name what the SECC does with a topic: `sendSeccLimits`, `receiveChargerState`."""
    key = _key(topic)
    return _verb(topic) + key[0].upper() + key[1:]


def _channel(topic: api.Topic[Record]) -> dict[str, Any]:
    kept = "retained" if topic.retained else "not retained"
    return {
        "address": f"{api.PREFIX}/{{evse}}/{topic.name}",
        "description": f"Written by `{topic.writer}` alone; QoS {topic.qos}, {kept}.",
        "parameters": {"evse": {"$ref": "#/components/parameters/evse"}},
        "messages": {topic.payload.__name__: {"$ref": f"#/components/messages/{_key(topic)}"}},
    }


def _operation(topic: api.Topic[Record]) -> dict[str, Any]:
    channel = f"#/channels/{_key(topic)}"
    return {
        "action": _verb(topic),
        "channel": {"$ref": channel},
        "summary": _summary(topic),
        "messages": [{"$ref": f"{channel}/messages/{topic.payload.__name__}"}],
        "bindings": {"mqtt": {"qos": topic.qos, "retain": topic.retained, "bindingVersion": "0.2.0"}},
    }


def _message(topic: api.Topic[Record]) -> dict[str, Any]:
    return {
        "name": topic.payload.__name__,
        "summary": _summary(topic),
        "contentType": "application/json",
        "payload": {"$ref": f"{SCHEMAS}{topic.payload.__name__}"},
        "examples": [{"payload": json.loads(msgspec.json.encode(EXAMPLES[topic.name]))}],
    }


def _summary(topic: api.Topic[Record]) -> str:
    return (topic.payload.__doc__ or "").partition("\n")[0].strip()


def _schemas() -> dict[str, Any]:
    """All payload types; members unknown to a reader are ignored, so the schemas leave room for them."""
    types = list(dict.fromkeys(topic.payload for topic in api.TOPICS))
    _, components = msgspec.json.schema_components(types, ref_template=SCHEMAS + "{name}")
    told = _descriptions(cable) | _descriptions(api)
    for name, schema in components.items():
        for member, description in told[name].items():
            schema["properties"][member]["description"] = description
    for payload in types:
        if issubclass(payload, api.Level):
            _require_header(components[payload.__name__])
    return dict(sorted(components.items()))


def _descriptions(module: ModuleType) -> dict[str, dict[str, str]]:
    """Read the literals below the fields of all classes of a module, by class and field, with those of its bases."""
    told: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ClassDef):
            bases = [told.get(base.id, {}) for base in node.bases if isinstance(base, ast.Name)]
            told[node.name] = {name: text for base in bases for name, text in base.items()} | _literals(node)
    return told


def _literals(declared: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in pairwise(declared.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = inspect.cleandoc(text)
    return found


def _require_header(schema: dict[str, Any]) -> None:
    """Demand the header of a level: in Python it may be left out, since the publisher fills it in."""
    for member in HEADER:
        del schema["properties"][member]["default"]
    schema["required"] = [*HEADER, *schema.get("required", ())]


def render() -> str:
    """Write the document as YAML. Raises ImportError without PyYAML."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes text of several lines as such."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(document(), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=110)


def main() -> None:
    """Print the document."""
    try:
        click.echo("# Generated from secc/api.py by `python -m secc.asyncapi`; change it there.\n" + render(), nl=False)
    except ImportError as error:
        raise click.ClickException(f"{error}; install it with: pip install pyyaml") from error


if __name__ == "__main__":
    main()
