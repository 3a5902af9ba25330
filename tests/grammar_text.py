"""Grammars as text: one line per state, so that they can be compared with others and kept as digests.

`python -m tests.grammar_text` writes the digests anew; do that only when a grammar was meant to change and the
comparison with the reference (tests/v2g/exi/test_grammar.py) holds.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from v2g.exi.fields import Type
from v2g.exi.grammar import AnyCharacters, AnyStart, Attribute, Characters, End, Event, Grammar, Row, Start
from v2g.exi.types import Flag, Listed, Octets, Simple, Text, Whole
from v2g.protocols import SCHEMAS, schema

DIGESTS = Path(__file__).parent / "vectors" / "exi-grammar-digests.json"


def event_text(event: Event) -> str:
    """Write an event as EXIficient's grammar dumps do."""
    match event:
        case Start():
            return f"SE{{{event.namespace}}}{event.name}"
        case Attribute():
            return f"AT{{{event.namespace}}}{event.name}:{_datatype(event.type)}"
        case Characters():
            return f"CH:{_datatype(event.type)}"
        case End():
            return "END_ELEMENT"
        case AnyStart():
            return "START_ELEMENT_GENERIC"
        case AnyCharacters():
            return "CHARACTERS_GENERIC"


def _datatype(kind: Simple) -> str:
    match kind:
        case Flag():
            return "BOOLEAN"
        case Text():
            return "STRING"
        case Listed(members):
            return f"ENUMERATION({len(members)})"
        case Octets(form=form):
            return f"BINARY_{form.upper()}"
        case Whole(low, high) if kind.bits is not None:
            return f"NBIT_UNSIGNED_INTEGER[{low},{high}]"
        case Whole():
            return "INTEGER" if kind.signed else "UNSIGNED_INTEGER"


def slips(name: str, grammar: Grammar) -> list[str]:
    """Tell the classes and tables of a schema set that are not what the committed digests say."""
    kept = json.loads(DIGESTS.read_text())[name]
    now = digests(grammar)
    return [f"{name}: {key}" for key in sorted(kept.keys() | now.keys()) if kept.get(key) != now.get(key)]


def digests(grammar: Grammar) -> dict[str, str]:
    """Sum up every class, and the tables of roots, each in a few digits. Raises ValueError for two of one name."""
    texts = {cls.__name__: _states(grammar.first(cls)) for cls in grammar.classes}
    if len(texts) < len(grammar.classes):
        raise ValueError("two classes of one schema set have the same name")
    texts["(document roots)"] = [f"{root.namespace} {root.name}" for root in grammar.documents]
    texts["(fragment roots)"] = [f"{root.namespace} {root.name} {len(root.types)}" for root in grammar.fragments]
    texts["(attributes)"] = [f"{namespace} {name}" for namespace, name in grammar.attributes]
    return {name: hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16] for name, lines in texts.items()}


def _states(first: Row) -> list[str]:
    """Tell all states of one element, numbered as they are met; of its child elements only the types."""
    numbers: dict[int, int] = {}
    rows = [first]
    lines = []
    for row in rows:
        numbers.setdefault(id(row), len(numbers))
        parts = []
        for code, event in enumerate(row.events):
            following = None if isinstance(event, End) else row.after(code)
            if following is not None and id(following) not in numbers:
                numbers[id(following)] = len(numbers)
                rows.append(following)
            inner = f" {_type_text(event.type)}" if isinstance(event, Start | Attribute | Characters) else ""
            field = f" in {event.field}" if isinstance(event, Start) and event.field not in ("", event.name) else ""
            parts.append(f"{event_text(event)}{inner}{field}>{'' if following is None else numbers[id(following)]}")
        lines.append(f"{row.bits} {row.second_level} {' | '.join(parts)}")
    return lines


def _type_text(kind: Type) -> str:
    if isinstance(kind, type):
        return kind.__name__
    return f"{_datatype(kind)} {list(kind.members)}" if isinstance(kind, Listed) else repr(kind)


if __name__ == "__main__":
    kept = {name: digests(schema(name).grammar) for name in SCHEMAS}
    DIGESTS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")
